/** Loop IR as text, to be read. */
import type { BinaryOp, CompareOp, Index, Scalar, Stmt } from '@cotangent/core'
import type { Kernel } from '../kernel.ts'

const infix: Readonly<Partial<Record<BinaryOp | CompareOp, string>>> = {
  add: '+',
  subtract: '-',
  multiply: '*',
  divide: '/',
  remainder: '%',
  and: '&',
  or: '|',
  xor: '^',
  shiftLeft: '<<',
  shiftRightLogical: '>>>',
  shiftRightArithmetic: '>>',
  equal: '==',
  notEqual: '!=',
  less: '<',
  lessEqual: '<=',
  greater: '>',
  greaterEqual: '>=',
}

const showIndex = (i: Index): string => {
  switch (i.tag) {
    case 'constant':
      return `${i.value}`
    case 'counter':
      return i.name
    case 'affine': {
      const terms = i.terms.map(({ coefficient, term }) =>
        coefficient === 1 ? showIndex(term) : `${coefficient} * ${showIndex(term)}`,
      )
      return [...terms, ...(i.constant === 0 ? [] : [`${i.constant}`])].join(' + ')
    }
    case 'floorDivide':
      return `((${showIndex(i.value)}) / ${i.by})`
    case 'modulo':
      return `((${showIndex(i.value)}) % ${i.by})`
    case 'data':
      return showScalar(i.value)
    default:
      return i satisfies never
  }
}

const showScalar = (s: Scalar): string => {
  switch (s.tag) {
    case 'literal':
      return Object.is(s.value, -0) ? '-0' : `${s.value}`
    case 'local':
      return s.name
    case 'load':
      return `${s.buffer}[${showIndex(s.at)}]`
    case 'unary':
      return `${s.op}(${showScalar(s.x)})`
    case 'binary':
    case 'compare': {
      const operator = infix[s.op]
      const [x, y] = [showScalar(s.x), showScalar(s.y)]
      return operator === undefined ? `${s.op}(${x}, ${y})` : `(${x} ${operator} ${y})`
    }
    case 'select':
    case 'guard': {
      const [yes, no] = s.tag === 'select' ? [s.onTrue, s.onFalse] : [s.value, s.otherwise]
      return `(${showScalar(s.condition)} ? ${showScalar(yes)} : ${showScalar(no)})`
    }
    case 'within':
      return `(${s.low} <= ${showIndex(s.value)} < ${s.high})`
    case 'convert':
    case 'bitcast':
      return `${s.tag === 'bitcast' ? 'bits as ' : ''}${s.dtype}(${showScalar(s.x)})`
    case 'fromIndex':
      return `${s.dtype}(${showIndex(s.value)})`
    case 'across':
      return `across_${s.op}(${showScalar(s.x)})`
    default:
      return s satisfies never
  }
}

type Loop = Extract<Stmt, { readonly tag: 'for' }>

const showHead = (s: Loop): string => {
  const step = s.step === undefined || s.step === 1 ? '' : ` step ${s.step}`
  const lanes = s.lanes === undefined ? '' : ` in ${s.lanes} lanes`
  const order = s.reverse === true ? ' backwards' : s.parallel === true ? ' in parallel' : ''
  return `for ${s.counter} < ${s.extent}${step}${lanes}${order}`
}

const showBody = (body: readonly Stmt[], indent: string): readonly string[] =>
  body.flatMap((s): readonly string[] => {
    const inner = `${indent}  `
    switch (s.tag) {
      case 'comment':
        return [`${indent}// ${s.text}`]
      case 'for':
        return [`${indent}${showHead(s)} {`, ...showBody(s.body, inner), `${indent}}`]
      case 'while':
        return [
          `${indent}while ${showScalar(s.condition)} {`,
          ...showBody(s.body, inner),
          `${indent}}`,
        ]
      case 'if':
        return [
          `${indent}if ${showScalar(s.condition)} {`,
          ...showBody(s.then, inner),
          ...(s.otherwise.length === 0
            ? []
            : [`${indent}} else {`, ...showBody(s.otherwise, inner)]),
          `${indent}}`,
        ]
      case 'let':
        return [`${indent}let ${s.name} = ${showScalar(s.value)}`]
      case 'variable': {
        const lanes = s.lanes === undefined ? '' : ` in ${s.lanes} lanes`
        return [`${indent}var ${s.name}${lanes} = ${showScalar(s.value)}`]
      }
      case 'assign':
        return [`${indent}${s.name} = ${showScalar(s.value)}`]
      case 'store':
        return [`${indent}${s.buffer}[${showIndex(s.at)}] = ${showScalar(s.value)}`]
      default:
        return s satisfies never
    }
  })

/** A kernel as text: its buffers and statements. */
export const showKernel = ({ name, buffers, body }: Kernel): string => {
  const head = buffers.map((b) => `${b.name}: ${b.dtype}[${b.size}]`).join(', ')
  return [`kernel ${name}(${head}) {`, ...showBody(body, '  '), '}'].join('\n')
}

/** Kernels as JavaScript functions of their typed arrays. */
import { type DType, type Scalar, type Stmt, isHalf } from '@cotangent/core'
import type { Kernel } from '../kernel.ts'
import { ownVariables, printChoice } from './choices.ts'
import type { Code } from './code.ts'
import { encodeCode, truthAsNumber } from './conversions.ts'
import { printIndex } from './indices.ts'
import { printScalar } from './scalar.ts'
import { type JsScope, identifier, makeScope } from './scope.ts'

export interface PrintedKernel {
  /** A function expression, and the `sourceURL` it is known under. */
  readonly source: string
  /** What the source refers to beside the language's own names. */
  readonly links: ReadonlyMap<string, unknown>
}

/** Prints a kernel whose body is ready: no further pass runs. */
export const printFunction = (kernel: Kernel): PrintedKernel => {
  const scope = makeScope()
  const parameters = kernel.buffers.map((b) => scope.name(b.name)).join(', ')
  const all = [...kernel.buffers, ...(kernel.scratch ?? [])]
  const types = new Map(all.map((b) => [b.name, b.dtype]))
  const body = printBody(kernel.body, { scope, types }, '  ')
  const head = `function ${identifier(kernel.name)}(${parameters}) {`
  const url = `//# sourceURL=cotangent/${identifier(kernel.name)}.js`
  return { source: `${head}\n${body}}\n${url}\n`, links: scope.links }
}

interface Context {
  readonly scope: JsScope
  /** The dtypes of the buffers, which decide how a store rounds. */
  readonly types: ReadonlyMap<string, DType>
}

const printBody = (body: readonly Stmt[], context: Context, indent: string): string => {
  const own = ownVariables(body)
  return body
    .map((s) => {
      const lines = s.tag === 'if' ? printChoice(s, own, context.scope) : null
      if (lines === null) return printStmt(s, context, indent)
      return lines.map((line) => `${indent}${line}\n`).join('')
    })
    .join('')
}

const printStmt = (s: Stmt, context: Context, indent: string): string => {
  const { scope } = context
  const value = (x: Scalar): string => printScalar(x, scope).text
  const block = (body: readonly Stmt[]): string =>
    `{\n${printBody(body, context, `${indent}  `)}${indent}}`
  switch (s.tag) {
    case 'comment':
      return `${indent}// ${s.text.replaceAll('\n', ' ')}\n`
    case 'for':
      return s.extent <= 0 ? '' : `${indent}for (${loopHead(s, scope)}) ${block(s.body)}\n`
    case 'while':
      return `${indent}while (${value(s.condition)}) ${block(s.body)}\n`
    case 'if': {
      const head = `${indent}if (${value(s.condition)}) ${block(s.then)}`
      return s.otherwise.length === 0 ? `${head}\n` : `${head} else ${block(s.otherwise)}\n`
    }
    case 'let':
      return `${indent}const ${scope.name(s.name)} = ${value(s.value)}\n`
    case 'variable':
      return `${indent}let ${scope.name(s.name)} = ${value(s.value)}\n`
    case 'assign':
      return `${indent}${printAssign(s, scope)}\n`
    case 'store': {
      const at = printIndex(s.at, scope, (x) => printScalar(x, scope)).text
      const dtype = context.types.get(s.buffer) ?? s.value.dtype
      return `${indent}${scope.name(s.buffer)}[${at}] = ${stored(s.value, dtype, scope).text}\n`
    }
    default:
      return s satisfies never
  }
}

type Loop = Extract<Stmt, { readonly tag: 'for' }>

const loopHead = (s: Loop, scope: JsScope): string => {
  const name = scope.name(s.counter)
  const step = s.step ?? 1
  if (s.reverse === true) {
    const last = Math.floor((s.extent - 1) / step) * step
    return `let ${name} = ${last}; ${name} >= 0; ${step === 1 ? `${name}--` : `${name} -= ${step}`}`
  }
  const next = step === 1 ? `${name}++` : `${name} += ${step}`
  return `let ${name} = 0; ${name} < ${s.extent}; ${next}`
}

// `x = x + y` reads better as `x += y` where no rounding stands between.
const printAssign = (s: Extract<Stmt, { readonly tag: 'assign' }>, scope: JsScope): string => {
  const { value } = s
  const name = scope.name(s.name)
  const isSum = value.tag === 'binary' && value.op === 'add' && value.dtype === 'float64'
  if (isSum && value.x.tag === 'local' && value.x.name === s.name) {
    return `${name} += ${printScalar(value.y, scope).text}`
  }
  return `${name} = ${printScalar(value, scope).text}`
}

// What a typed array is given: it rounds and wraps by itself, but holds numbers only.
const stored = (value: Scalar, dtype: DType, scope: JsScope): Code => {
  if (value.dtype === 'bool') return truthAsNumber(printScalar(value, scope))
  if (isHalf(dtype)) return encodeCode(dtype, scope, printScalar(value, scope, true))
  return printScalar(value, scope, dtype === 'float32')
}

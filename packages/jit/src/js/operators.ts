/** Unary and binary operators: printed where JavaScript has them, linked where it has not. */
import {
  type BinaryOp,
  type CompareOp,
  type DType,
  InternalError,
  type Scalar,
  type UnaryOp,
  isFloat,
  maths,
} from '@cotangent/core'
import { type Code, atom, call, infix, level, numeral, prefix } from './code.ts'
import { wrap } from './conversions.ts'
import { fastFloat32 } from './maths.ts'
import type { JsScope } from './scope.ts'

/** The operand is a JavaScript boolean for bool, a number otherwise; so is the result. */
export const printUnary = (op: UnaryOp, dtype: DType, x: Code, scope: JsScope): Code => {
  if (dtype === 'bool') return printBoolUnary(op, x)
  if (isFloat(dtype)) return printFloatUnary(op, dtype, x, scope)
  switch (op) {
    case 'negate':
      return wrap(dtype, prefix('-', x))
    case 'absolute':
      return wrap(dtype, call('Math.abs', x))
    case 'not':
      return wrap(dtype, prefix('~', x))
    case 'sign':
      return call('Math.sign', x)
    case 'floor':
    case 'ceil':
    case 'round':
      return x
    default:
      return call(scope.link(`${op}_${dtype}`, maths.unaryFunction(op, dtype)), x)
  }
}

const printBoolUnary = (op: UnaryOp, x: Code): Code => {
  if (op === 'not') return prefix('!', x)
  if (op === 'absolute' || op === 'sign') return x
  throw new InternalError({
    operation: 'print kernel',
    problem: `${op} has no meaning for bool`,
    fix: 'convert to a number first',
  })
}

const printFloatUnary = (op: UnaryOp, dtype: DType, x: Code, scope: JsScope): Code => {
  switch (op) {
    case 'negate':
      return prefix('-', x)
    case 'absolute':
      return call('Math.abs', x)
    case 'sign':
    case 'floor':
    case 'ceil':
    case 'sqrt':
      return call(`Math.${op}`, x)
    case 'rsqrt':
      return infix(atom('1'), '/', call('Math.sqrt', x), level.multiplicative)
    default: {
      const fast = dtype === 'float64' ? undefined : fastFloat32[op]
      const name = fast === undefined ? op : `${op}32`
      return call(scope.link(name, fast ?? maths.unaryFunction(op, dtype)), x)
    }
  }
}

/** Whether rounding the result to float32 is the same as rounding the operands. */
export const roundsThrough = (op: UnaryOp | BinaryOp): boolean =>
  op === 'negate' || op === 'absolute' || op === 'maximum' || op === 'minimum'

/** Whether the float result of float32 operands is a float32 already. */
export const isExact = (op: UnaryOp | BinaryOp): boolean =>
  roundsThrough(op) ||
  op === 'sign' ||
  op === 'floor' ||
  op === 'ceil' ||
  op === 'round' ||
  op === 'remainder' ||
  op === 'nextAfter'

type Binary = Extract<Scalar, { readonly tag: 'binary' }>

export const printBinary = (s: Binary, x: Code, y: Code, scope: JsScope): Code => {
  if (s.dtype === 'bool') return printBoolBinary(s.op, x, y)
  return isFloat(s.dtype) ? printFloatBinary(s, x, y, scope) : printIntegerBinary(s, x, y, scope)
}

// Numbers 0 and 1 under add and multiply wrap modulo 2, as the integer rules have it.
const printBoolBinary = (op: BinaryOp, x: Code, y: Code): Code => {
  switch (op) {
    case 'and':
    case 'multiply':
    case 'minimum':
      return infix(x, '&&', y, level.and)
    case 'or':
    case 'maximum':
      return infix(x, '||', y, level.or)
    case 'xor':
    case 'add':
    case 'subtract':
      return infix(x, '!==', y, level.equality)
    default:
      throw new InternalError({
        operation: 'print kernel',
        problem: `${op} has no meaning for bool`,
        fix: 'convert to a number first',
      })
  }
}

const printFloatBinary = (s: Binary, x: Code, y: Code, scope: JsScope): Code => {
  switch (s.op) {
    case 'add':
      return infix(x, '+', y, level.additive)
    case 'subtract':
      return infix(x, '-', y, level.additive)
    case 'multiply':
      return infix(x, '*', y, level.multiplicative)
    case 'divide':
      return infix(x, '/', y, level.multiplicative)
    case 'remainder':
      return infix(x, '%', y, level.multiplicative)
    case 'maximum':
      return call('Math.max', x, y)
    case 'minimum':
      return call('Math.min', x, y)
    case 'atan2':
      return call('Math.atan2', x, y)
    case 'nextAfter': {
      return call(scope.link(`nextAfter_${s.dtype}`, maths.binaryFunction(s.op, s.dtype)), x, y)
    }
    default:
      return call(scope.link(s.op, maths.binaryFunction(s.op, s.dtype)), x, y)
  }
}

const printIntegerBinary = (s: Binary, x: Code, y: Code, scope: JsScope): Code => {
  const { op, dtype } = s
  const linked = (): Code =>
    call(scope.link(`${op}_${dtype}`, maths.binaryFunction(op, dtype)), x, y)
  const known = s.y.tag === 'literal' ? s.y.value : null
  switch (op) {
    case 'add':
      return wrap(dtype, infix(x, '+', y, level.additive))
    case 'subtract':
      return wrap(dtype, infix(x, '-', y, level.additive))
    case 'multiply': {
      const product = call('Math.imul', x, y)
      return dtype === 'int32' ? product : wrap(dtype, product)
    }
    case 'divide':
      if (known === null || known === 0) return linked()
      return wrap(dtype, infix(x, '/', y, level.multiplicative))
    case 'remainder':
      if (known === null || known === 0) return linked()
      return wrap(dtype, infix(x, '%', y, level.multiplicative))
    case 'maximum':
      return call('Math.max', x, y)
    case 'minimum':
      return call('Math.min', x, y)
    case 'and':
      return bits(dtype, infix(x, '&', y, level.bitAnd))
    case 'or':
      return bits(dtype, infix(x, '|', y, level.bitOr))
    case 'xor':
      return bits(dtype, infix(x, '^', y, level.bitXor))
    case 'shiftLeft':
    case 'shiftRightLogical':
    case 'shiftRightArithmetic':
      return known === null ? linked() : (printShift(op, dtype, x, known) ?? linked())
    default:
      return linked()
  }
}

// JavaScript's bitwise operators give an int32, which only uint32 does not hold already.
const bits = (dtype: DType, x: Code): Code => (dtype === 'uint32' ? wrap(dtype, x) : x)

// A shift by a known distance within 32 bits; null where the general rule is needed.
const printShift = (op: BinaryOp, dtype: DType, x: Code, by: number): Code | null => {
  if (by < 0 || by > 31 || (dtype !== 'int32' && dtype !== 'uint32')) return null
  const distance = numeral(by)
  if (op === 'shiftLeft') return bits(dtype, infix(x, '<<', distance, level.shift))
  if (op === 'shiftRightArithmetic') return bits(dtype, infix(x, '>>', distance, level.shift))
  const shifted = infix(x, '>>>', distance, level.shift)
  return dtype === 'int32' ? wrap(dtype, shifted) : shifted
}

const comparison: Readonly<Record<CompareOp, string>> = {
  equal: '===',
  notEqual: '!==',
  less: '<',
  lessEqual: '<=',
  greater: '>',
  greaterEqual: '>=',
}

/** Operands are both numbers or both booleans; JavaScript orders false before true. */
export const printCompare = (op: CompareOp, x: Code, y: Code): Code => {
  const at = op === 'equal' || op === 'notEqual' ? level.equality : level.relational
  // Chained comparisons would be legal but unreadable.
  return {
    text: `${guardComparison(x, at)} ${comparison[op]} ${guardComparison(y, at)}`,
    level: at,
  }
}

const guardComparison = (x: Code, at: number): string =>
  x.level <= Math.max(at, level.relational) ? `(${x.text})` : x.text

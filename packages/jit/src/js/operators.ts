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
import { type Code, atom, call, infix, level, prefix } from './code.ts'
import { wrap } from './conversions.ts'
import { fastFloat32 } from './maths.ts'
import type { JsScope } from './scope.ts'

type PrintUnary = (x: Code, dtype: DType) => Code
type PrintBinary = (x: Code, y: Code, dtype: DType) => Code
// An operator without an entry is linked.
type UnaryTable = Readonly<Partial<Record<UnaryOp, PrintUnary>>>
type BinaryTable = Readonly<Partial<Record<BinaryOp, PrintBinary>>>

const same: PrintUnary = (x) => x
const calling =
  (name: string): PrintUnary =>
  (x) =>
    call(name, x)
const calling2 =
  (name: string): PrintBinary =>
  (x, y) =>
    call(name, x, y)
const between =
  (operator: string, at: number): PrintBinary =>
  (x, y) =>
    infix(x, operator, y, at)
const wrapping =
  (print: PrintBinary): PrintBinary =>
  (x, y, dtype) =>
    wrap(dtype, print(x, y, dtype))

const boolUnary: UnaryTable = { not: (x) => prefix('!', x), absolute: same, sign: same }

const integerUnary: UnaryTable = {
  negate: (x, dtype) => wrap(dtype, prefix('-', x)),
  absolute: (x, dtype) => wrap(dtype, call('Math.abs', x)),
  not: (x, dtype) => wrap(dtype, prefix('~', x)),
  sign: calling('Math.sign'),
  floor: same,
  ceil: same,
  round: same,
}

const floatUnary: UnaryTable = {
  negate: (x) => prefix('-', x),
  absolute: calling('Math.abs'),
  sign: calling('Math.sign'),
  floor: calling('Math.floor'),
  ceil: calling('Math.ceil'),
  sqrt: calling('Math.sqrt'),
  rsqrt: (x) => infix(atom('1'), '/', call('Math.sqrt', x), level.multiplicative),
}

/** The operand is a JavaScript boolean for bool, a number otherwise; so is the result. */
export const printUnary = (op: UnaryOp, dtype: DType, x: Code, scope: JsScope): Code => {
  const float = isFloat(dtype)
  const table = dtype === 'bool' ? boolUnary : float ? floatUnary : integerUnary
  const print = table[op]
  if (print !== undefined) return print(x, dtype)
  if (dtype === 'bool') throw meaningless(op)
  const fast = float && dtype !== 'float64' ? fastFloat32[op] : undefined
  if (fast !== undefined) return call(scope.link(`${op}32`, fast), x)
  const name = float ? op : `${op}_${dtype}`
  return call(scope.link(name, maths.unaryFunction(op, dtype)), x)
}

const meaningless = (op: UnaryOp | BinaryOp): InternalError =>
  new InternalError({
    operation: 'print kernel',
    problem: `${op} has no meaning for bool`,
    fix: 'convert to a number first',
  })

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

const both = between('&&', level.and)
const either = between('||', level.or)
const differ = between('!==', level.equality)

// Numbers 0 and 1 under add and multiply wrap modulo 2, as the integer rules have it.
const boolBinary: BinaryTable = {
  and: both,
  multiply: both,
  minimum: both,
  or: either,
  maximum: either,
  xor: differ,
  add: differ,
  subtract: differ,
}

const plus = between('+', level.additive)
const minus = between('-', level.additive)
const over = between('/', level.multiplicative)
const modulo = between('%', level.multiplicative)

const floatBinary: BinaryTable = {
  add: plus,
  subtract: minus,
  multiply: between('*', level.multiplicative),
  divide: over,
  remainder: modulo,
  maximum: calling2('Math.max'),
  minimum: calling2('Math.min'),
  atan2: calling2('Math.atan2'),
}

const integerBinary: BinaryTable = {
  add: wrapping(plus),
  subtract: wrapping(minus),
  multiply: (x, y, dtype) => {
    const product = call('Math.imul', x, y)
    return dtype === 'int32' ? product : wrap(dtype, product)
  },
  maximum: calling2('Math.max'),
  minimum: calling2('Math.min'),
  and: (x, y, dtype) => bits(dtype, infix(x, '&', y, level.bitAnd)),
  or: (x, y, dtype) => bits(dtype, infix(x, '|', y, level.bitOr)),
  xor: (x, y, dtype) => bits(dtype, infix(x, '^', y, level.bitXor)),
}

/** Operands and result as for `printUnary`; the result is not rounded to float32. */
export const printBinary = (s: Binary, x: Code, y: Code, scope: JsScope): Code => {
  const { op, dtype } = s
  const float = isFloat(dtype)
  const table = dtype === 'bool' ? boolBinary : float ? floatBinary : integerBinary
  const known = s.y.tag === 'literal' && !float ? s.y.value : null
  const print = table[op] ?? (known === null ? undefined : byConstant(op, dtype, known))
  if (print !== undefined) return print(x, y, dtype)
  if (dtype === 'bool') throw meaningless(op)
  const name = float && op !== 'nextAfter' ? op : `${op}_${dtype}`
  return call(scope.link(name, maths.binaryFunction(op, dtype)), x, y)
}

// Integer operators that are safe to print where the right operand is known.
const byConstant = (op: BinaryOp, dtype: DType, y: number): PrintBinary | undefined => {
  if (op === 'divide' && y !== 0) return wrapping(over)
  if (op === 'remainder' && y !== 0) return wrapping(modulo)
  const shifts = op === 'shiftLeft' || op === 'shiftRightLogical' || op === 'shiftRightArithmetic'
  return shifts ? shiftBy(op, dtype, y) : undefined
}

// JavaScript's bitwise operators give an int32, which only uint32 does not hold already.
const bits = (dtype: DType, x: Code): Code => (dtype === 'uint32' ? wrap(dtype, x) : x)

// A shift by a known distance within 32 bits; undefined where the general rule is needed.
const shiftBy = (op: BinaryOp, dtype: DType, by: number): PrintBinary | undefined => {
  if (by < 0 || by > 31 || (dtype !== 'int32' && dtype !== 'uint32')) return undefined
  if (op === 'shiftLeft') return (x, y) => bits(dtype, infix(x, '<<', y, level.shift))
  if (op === 'shiftRightArithmetic') return (x, y) => bits(dtype, infix(x, '>>', y, level.shift))
  return (x, y) => {
    const shifted = infix(x, '>>>', y, level.shift)
    return dtype === 'int32' ? wrap(dtype, shifted) : shifted
  }
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

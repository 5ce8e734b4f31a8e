/**
 * What every scalar operation of the loop IR computes: pure functions of numbers, in float64. The
 * interpreter calls them and generated JavaScript links them, so both mean the same.
 *
 * Floating point results are exact or nearly so in float64; the store rounds. Integer results are
 * already wrapped to their dtype.
 */
import { type DType, isFloat } from './dtype.ts'
import type { BinaryOp, CompareOp, UnaryOp } from './loop.ts'
import {
  countLeadingZeros,
  integerDivide,
  integerMultiply,
  integerPower,
  integerRemainder,
  populationCount,
  shiftLeft,
  shiftRightArithmetic,
  shiftRightLogical,
} from './maths/integers.ts'
import { cbrt, exp2, logistic, power, rsqrt } from './maths/elementary.ts'
import { erf, erfInverse, erfc } from './maths/erf.ts'
import { digamma, logGamma } from './maths/gamma.ts'
import {
  maximum,
  minimum,
  nextAfterBfloat16,
  nextAfterFloat16,
  nextAfterFloat32,
  nextAfterFloat64,
  roundHalfEven,
  sign,
} from './maths/rounding.ts'
import { wrapInteger } from './prims/integers.ts'

export * from './maths/elementary.ts'
export * from './maths/erf.ts'
export * from './maths/gamma.ts'
export * from './maths/integers.ts'
export * from './maths/rounding.ts'

export type UnaryFunction = (x: number) => number
export type BinaryFunction = (x: number, y: number) => number

const unaryFloat: Readonly<Record<UnaryOp, UnaryFunction>> = {
  negate: (x) => -x,
  absolute: Math.abs,
  sign,
  floor: Math.floor,
  ceil: Math.ceil,
  round: roundHalfEven,
  sqrt: Math.sqrt,
  rsqrt,
  cbrt,
  exp: Math.exp,
  exp2,
  expm1: Math.expm1,
  log: Math.log,
  log1p: Math.log1p,
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  asin: Math.asin,
  acos: Math.acos,
  atan: Math.atan,
  sinh: Math.sinh,
  cosh: Math.cosh,
  tanh: Math.tanh,
  asinh: Math.asinh,
  acosh: Math.acosh,
  atanh: Math.atanh,
  logistic,
  erf,
  erfc,
  erfInverse,
  logGamma,
  digamma,
  not: (x) => Number(x === 0),
  populationCount: (x) => populationCount('uint32', x),
  countLeadingZeros: (x) => countLeadingZeros('uint32', x),
}

// Where integers differ from the float64 function rounded.
const unaryInteger: Readonly<Partial<Record<UnaryOp, (dtype: DType, x: number) => number>>> = {
  negate: (dtype, x) => wrapInteger(dtype, -x),
  absolute: (dtype, x) => wrapInteger(dtype, Math.abs(x)),
  not: (dtype, x) => wrapInteger(dtype, ~x),
  populationCount,
  countLeadingZeros,
}

/** The function that `op` computes on values of `dtype`. */
export const unaryFunction = (op: UnaryOp, dtype: DType): UnaryFunction => {
  const own = isFloat(dtype) ? undefined : unaryInteger[op]
  return own === undefined ? unaryFloat[op] : (x) => own(dtype, x)
}

const nextAfter: Readonly<Record<'float16' | 'bfloat16' | 'float32' | 'float64', BinaryFunction>> =
  {
    float16: nextAfterFloat16,
    bfloat16: nextAfterBfloat16,
    float32: nextAfterFloat32,
    float64: nextAfterFloat64,
  }

/** The function that `op` computes on two values of `dtype`. */
export const binaryFunction = (op: BinaryOp, dtype: DType): BinaryFunction => {
  const float = isFloat(dtype)
  switch (op) {
    case 'add':
      return float ? (x, y) => x + y : (x, y) => wrapInteger(dtype, x + y)
    case 'subtract':
      return float ? (x, y) => x - y : (x, y) => wrapInteger(dtype, x - y)
    case 'multiply':
      return float ? (x, y) => x * y : (x, y) => integerMultiply(dtype, x, y)
    case 'divide':
      return float ? (x, y) => x / y : (x, y) => integerDivide(dtype, x, y)
    case 'remainder':
      return float ? (x, y) => x % y : (x, y) => integerRemainder(dtype, x, y)
    case 'power':
      return float ? power : (x, y) => integerPower(dtype, x, y)
    case 'maximum':
      return maximum
    case 'minimum':
      return minimum
    case 'atan2':
      return Math.atan2
    case 'nextAfter':
      return dtype === 'float16' || dtype === 'bfloat16' || dtype === 'float32'
        ? nextAfter[dtype]
        : nextAfter.float64
    case 'and':
      return (x, y) => wrapInteger(dtype, x & y)
    case 'or':
      return (x, y) => wrapInteger(dtype, x | y)
    case 'xor':
      return (x, y) => wrapInteger(dtype, x ^ y)
    case 'shiftLeft':
      return (x, y) => shiftLeft(dtype, x, y)
    case 'shiftRightLogical':
      return (x, y) => shiftRightLogical(dtype, x, y)
    case 'shiftRightArithmetic':
      return (x, y) => shiftRightArithmetic(dtype, x, y)
    default:
      return op satisfies never
  }
}

const compare: Readonly<Record<CompareOp, (x: number, y: number) => boolean>> = {
  equal: (x, y) => x === y,
  notEqual: (x, y) => x !== y,
  less: (x, y) => x < y,
  lessEqual: (x, y) => x <= y,
  greater: (x, y) => x > y,
  greaterEqual: (x, y) => x >= y,
}

/** 0 or 1; comparisons with NaN are false, `notEqual` true. */
export const compareFunction = (op: CompareOp): BinaryFunction => {
  const holds = compare[op]
  return (x, y) => Number(holds(x, y))
}

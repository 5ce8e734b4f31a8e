/** Integer operations that lanes lack, of every width; none of them traps. */
import {
  type BinaryOp,
  type DType,
  type Scalar,
  type UnaryOp,
  dtypeInfo,
  scalars,
} from '@cotangent/core'
import {
  add,
  and,
  constant,
  div,
  eq,
  ge,
  gt,
  lt,
  mul,
  ne,
  or,
  select,
  shl,
  shrArithmetic,
  shrLogical,
  sub,
} from './arith.ts'

const { convertTo, guard, literal } = scalars

const widthOf = (dtype: DType): number => 8 * dtypeInfo[dtype].bytes
const isUnsigned = (dtype: DType): boolean =>
  dtype === 'uint8' || dtype === 'uint16' || dtype === 'uint32'

const int = (value: number): Scalar => literal('int32', value)

/** The value as int32 with the bits above its width clear. */
const plainBits = (x: Scalar): Scalar => {
  const wide = convertTo('int32', x)
  const width = widthOf(x.dtype)
  return width === 32 ? wide : and(wide, 2 ** width - 1)
}

/** Sums of neighbouring bits, of pairs, of fours, and of bytes. */
const populationCount = (x: Scalar): Scalar => {
  const bits = plainBits(x)
  const pairs = sub(bits, and(shrLogical(bits, 1), 0x55555555))
  const fours = add(and(pairs, 0x33333333), and(shrLogical(pairs, 2), 0x33333333))
  const bytes = and(add(fours, shrLogical(fours, 4)), 0x0f0f0f0f)
  return convertTo(x.dtype, shrLogical(mul(bytes, 0x01010101), 24))
}

/** Halves the width five times, keeping the half with the highest bit. */
const countLeadingZeros = (x: Scalar): Scalar => {
  let rest = plainBits(x)
  let count = int(32 - (32 - widthOf(x.dtype)))
  for (const by of [16, 8, 4, 2, 1]) {
    const above = shrLogical(rest, by)
    const isAbove = ne(above, 0)
    count = sub(count, select(isAbove, int(by), 0))
    rest = select(isAbove, above, rest)
  }
  // What is left is the highest bit, or 0.
  return convertTo(x.dtype, sub(count, rest))
}

/**
 * By zero gives −1, all ones; the smallest integer by −1 wraps to itself. A float with more bits than
 * the integers never rounds a quotient up to a whole number.
 */
const divide = (x: Scalar, y: Scalar): Scalar => {
  const { dtype } = x
  const floats: DType = widthOf(dtype) === 32 ? 'float64' : 'float32'
  const quotient = convertTo(dtype, div(convertTo(floats, x), convertTo(floats, y)))
  const signed = isUnsigned(dtype) ? quotient : select(eq(y, -1), sub(0, x), quotient)
  const ones = isUnsigned(dtype) ? 2 ** widthOf(dtype) - 1 : -1
  return select(eq(y, 0), ones, signed)
}

/** Has the sign of the dividend; by zero gives the dividend. */
const remainder = (x: Scalar, y: Scalar): Scalar =>
  select(eq(y, 0), x, sub(x, mul(divide(x, y), y)))

/** Multiplies by squares of x for the bits of n in a range. */
const powerOfBits = (n: Scalar, from: number, to: number, start: Progress): Progress => {
  let { result, square } = start
  for (let bit = from; bit < to; bit++) {
    const isSet = ne(and(n, 2 ** bit), 0)
    result = select(isSet, mul(result, square), result)
    if (bit + 1 < to) square = mul(square, square)
  }
  return { result, square }
}
interface Progress {
  readonly result: Scalar
  readonly square: Scalar
}

/** Exact modulo the width. A negative exponent gives 0, except for bases 1 and −1. */
const power = (x: Scalar, n: Scalar): Scalar => {
  const bits = widthOf(x.dtype) - (isUnsigned(x.dtype) ? 0 : 1)
  const few = powerOfBits(n, 0, 4, { result: constant(x, 1), square: x })
  const rest = powerOfBits(n, 4, bits, { ...few, square: mul(few.square, few.square) })
  const result = guard(gt(n, 15), rest.result, few.result)
  if (isUnsigned(x.dtype)) return result
  const parity = select(ne(and(n, 1), 0), x, 1)
  const inverse = select(or(eq(x, 1), eq(x, -1)), parity, 0)
  return select(lt(n, 0), inverse, result)
}

type Shift = (x: Scalar, count: number) => Scalar

/** One stage for each bit of the distance. */
const barrel = (x: Scalar, count: Scalar, shift: Shift): Scalar =>
  [16, 8, 4, 2, 1].reduce((moved, by) => select(ne(and(count, by), 0), shift(moved, by), moved), x)

/** Distances out of range give `beyond`. `native` says that the instruction does as it is. */
const shifting =
  (shift: Shift, prepare: (x: Scalar) => Scalar, beyond: (x: Scalar) => Scalar) =>
  (x: Scalar, y: Scalar): Scalar | null => {
    const { dtype } = x
    const width = widthOf(dtype)
    if (y.tag === 'literal') {
      if (y.value < 0 || y.value >= width) return beyond(x)
      return width === 32 ? null : convertTo(dtype, shift(prepare(x), y.value))
    }
    const count = convertTo('int32', y)
    const isKnown = and(ge(count, 0), lt(count, width))
    const moved = convertTo(dtype, barrel(prepare(x), count, shift))
    return select(isKnown, moved, beyond(x))
  }

const zeroOf = (x: Scalar): Scalar => constant(x, 0)
/** Copies of the top bit: of the pattern, whatever the dtype says about signs. */
const signBits = (x: Scalar): Scalar => {
  const unused = 32 - widthOf(x.dtype)
  return convertTo(x.dtype, shrArithmetic(shl(convertTo('int32', x), unused), 31))
}
const signExtended = (x: Scalar): Scalar => {
  const unused = 32 - widthOf(x.dtype)
  const wide = convertTo('int32', x)
  return unused === 0 ? wide : shrArithmetic(shl(wide, unused), unused)
}

type Unary = Readonly<Partial<Record<UnaryOp, (x: Scalar) => Scalar | null>>>
type Binary = Readonly<Partial<Record<BinaryOp, (x: Scalar, y: Scalar) => Scalar | null>>>

export const integerUnary: Unary = { populationCount, countLeadingZeros }

export const integerBinary: Binary = {
  divide,
  remainder,
  power,
  shiftLeft: shifting(shl, (x) => convertTo('int32', x), zeroOf),
  shiftRightLogical: shifting(shrLogical, plainBits, zeroOf),
  shiftRightArithmetic: shifting(shrArithmetic, signExtended, signBits),
}

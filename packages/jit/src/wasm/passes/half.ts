/** float16 and bfloat16 codes to and from float32, as integer arithmetic; rounds to nearest even. */
import { type Scalar, scalars } from '@cotangent/core'

const { binaryOp, bitcastTo, compareOp, convertTo, literal, selectOp, unaryOp } = scalars

export type Half = 'float16' | 'bfloat16'

const int = (value: number): Scalar => literal('int32', value)
const and = (x: Scalar, y: number): Scalar => binaryOp('and', x, int(y))
const or = (x: Scalar, y: Scalar): Scalar => binaryOp('or', x, y)
const plus = (x: Scalar, y: Scalar): Scalar => binaryOp('add', x, y)
const left = (x: Scalar, by: number): Scalar => binaryOp('shiftLeft', x, int(by))
const right = (x: Scalar, by: number): Scalar => binaryOp('shiftRightLogical', x, int(by))

/** The float32 that a uint16 code stands for. */
export const decodeHalf = (dtype: Half, code: Scalar): Scalar => {
  const bits = convertTo('int32', code)
  if (dtype === 'bfloat16') return bitcastTo('float32', left(bits, 16))
  const sign = left(and(bits, 0x8000), 16)
  const magnitude = and(bits, 0x7fff)
  // Exponents are biased by 15 and 127; infinity and NaN have the largest.
  const normal = plus(left(magnitude, 13), int(112 << 23))
  const special = or(left(magnitude, 13), int(0x7f800000))
  const subnormal = binaryOp(
    'multiply',
    convertTo('float32', magnitude),
    literal('float32', 2 ** -24),
  )
  const finite = selectOp(
    compareOp('less', magnitude, int(0x400)),
    bitcastTo('int32', subnormal),
    normal,
  )
  const found = selectOp(compareOp('less', magnitude, int(0x7c00)), finite, special)
  return bitcastTo('float32', or(found, sign))
}

/** The code of a float32, as uint16. */
export const encodeHalf = (dtype: Half, x: Scalar): Scalar => {
  const bits = bitcastTo('int32', x)
  const odd = (shift: number): Scalar => and(right(bits, shift), 1)
  const magnitude = and(bits, 0x7fffffff)
  const isNaN = compareOp('greater', magnitude, int(0x7f800000))
  if (dtype === 'bfloat16') {
    const rounded = right(plus(plus(bits, int(0x7fff)), odd(16)), 16)
    return convertTo('uint16', selectOp(isNaN, or(right(bits, 16), int(0x40)), rounded))
  }
  const sign = and(right(bits, 16), 0x8000)
  const normal = right(plus(plus(magnitude, int(0xfff - 0x38000000)), odd(13)), 13)
  const scaled = binaryOp('multiply', bitcastTo('float32', magnitude), literal('float32', 2 ** 24))
  const subnormal = convertTo('int32', unaryOp('round', scaled))
  const finite = selectOp(compareOp('less', magnitude, int(0x38800000)), subnormal, normal)
  const large = selectOp(isNaN, int(0x7e00), int(0x7c00))
  const isLarge = compareOp('greaterEqual', magnitude, int(0x477ff000))
  return convertTo('uint16', or(selectOp(isLarge, large, finite), sign))
}

/** The nearest number of the half type, as float32. */
export const roundHalf = (dtype: Half, x: Scalar): Scalar =>
  decodeHalf(dtype, encodeHalf(dtype, convertTo('float32', x)))

/** The neighbour of `x` in the direction of `y`, both float32 that are of the half type. */
export const nextAfterHalf = (dtype: Half, x: Scalar, y: Scalar): Scalar => {
  const code = convertTo('int32', encodeHalf(dtype, x))
  const zero = literal('float32', 0)
  // Codes are magnitudes below a sign, so they grow away from zero.
  const grows = binaryOp('xor', compareOp('greater', y, x), compareOp('less', x, zero))
  const next = plus(code, selectOp(grows, int(1), int(-1)))
  const least = selectOp(compareOp('greater', y, zero), int(1), int(0x8001))
  const moved = selectOp(compareOp('equal', x, zero), least, next)
  const neighbour = decodeHalf(dtype, convertTo('uint16', moved))
  const isOrdered = binaryOp('and', compareOp('equal', x, x), compareOp('equal', y, y))
  const found = selectOp(compareOp('equal', x, y), y, neighbour)
  return selectOp(isOrdered, found, literal('float32', NaN))
}

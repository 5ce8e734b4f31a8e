/** Bits and divisors. */
import {
  DTypeError,
  type Tensor,
  type TensorLike,
  fill,
  kindOf,
  normalizeAxis,
  reduceSum,
  reshape,
} from '@cotangent/core'
import * as binary from '../prims/binary.ts'
import * as compare from '../prims/compare.ts'
import { bitcast, convert } from '../prims/convert.ts'
import { iota, pad } from '../prims/structural.ts'
import * as unary from '../prims/unary.ts'
import { asCondition, cast, constantLike, promoteOne, promotePair } from '../promote.ts'
import { abs, floorDivide, multiply } from './arithmetic.ts'

type Unary = (x: TensorLike) => Tensor
type Binary = (x: TensorLike, y: TensorLike) => Tensor

const bits =
  (name: string, f: (x: Tensor, y: Tensor) => Tensor): Binary =>
  (x, y) =>
    f(...promotePair(name, x, y, { integral: true }))

/** The bits set in both. @throws DTypeError for floats. */
export const bitwiseAnd: Binary = bits('np.bitwiseAnd', binary.and)
/** The bits set in either. */
export const bitwiseOr: Binary = bits('np.bitwiseOr', binary.or)
/** The bits set in exactly one. */
export const bitwiseXor: Binary = bits('np.bitwiseXor', binary.xor)
/** All bits turned; of booleans, the negation. */
export const bitwiseNot: Unary = (x) =>
  unary.not(promoteOne('np.bitwiseNot', x, { integral: true }))
export const invert: Unary = bitwiseNot
export const bitwiseInvert: Unary = bitwiseNot

/** How many bits of the magnitude are set, uint8. */
export const bitwiseCount: Unary = (x) => {
  const a = promoteOne('np.bitwiseCount', x, { integral: true, numeric: true })
  return convert(unary.populationCount(abs(a)), 'uint8')
}

const shift =
  (name: string, f: (x: Tensor, y: Tensor) => Tensor): Binary =>
  (x, y) =>
    f(...promotePair(name, x, y, { integral: true, numeric: true }))

/** `x · 2^y`, bits that fall out lost; counts outside the width give 0. */
export const leftShift: Binary = shift('np.leftShift', binary.shiftLeft)
/** `⌊x / 2^y⌋`: copies of the sign come in. */
export const rightShift: Binary = shift('np.rightShift', (x, y) =>
  kindOf(x.dtype) === 'unsigned'
    ? binary.shiftRightLogical(x, y)
    : binary.shiftRightArithmetic(x, y),
)
export const bitwiseLeftShift: Binary = leftShift
export const bitwiseRightShift: Binary = rightShift

// Euclid's algorithm takes at most 1.44 · 32 steps for 32-bit numbers (two Fibonacci numbers).
const euclidSteps = (x: Tensor): number => {
  if (x.dtype === 'int8' || x.dtype === 'uint8') return 13
  return x.dtype === 'int16' || x.dtype === 'uint16' ? 25 : 47
}

/** The greatest common divisor of the magnitudes; `gcd(0, 0)` is 0. */
export const gcd: Binary = (x, y) => {
  const [p, q] = promotePair('np.gcd', x, y, { integral: true, numeric: true })
  let [a, b] = [abs(p), abs(q)]
  const zero = constantLike(a, 0)
  for (let step = 0; step < euclidSteps(a); step++) {
    const isDone = compare.eq(b, zero)
    const safe = compare.select(isDone, constantLike(b, 1), b)
    const next = compare.select(isDone, zero, binary.rem(a, safe))
    ;[a, b] = [compare.select(isDone, a, b), next]
  }
  return a
}

/** The least common multiple of the magnitudes; 0 where either is 0. */
export const lcm: Binary = (x, y) => {
  const [a, b] = promotePair('np.lcm', x, y, { integral: true, numeric: true })
  const divisor = gcd(a, b)
  const isZero = compare.eq(divisor, constantLike(divisor, 0))
  const safe = compare.select(isZero, constantLike(divisor, 1), divisor)
  return compare.select(isZero, divisor, multiply(abs(a), floorDivide(abs(b), safe)))
}

/** `x · 2^exponent`; beyond ±∞ and 0 as far as the result is. */
export const ldexp: Binary = (x, exponent) => {
  const [a, e] = promotePair('np.ldexp', x, convert(promoteOne('np.ldexp', exponent), 'float32'), {
    inexact: true,
  })
  // Two factors, so that a power that would overflow alone still meets a small x.
  const half = unary.floor(binary.mul(e, constantLike(e, 0.5)))
  return binary.mul(binary.mul(a, unary.exp2(half)), unary.exp2(binary.sub(e, half)))
}

const exponentBias = 126

/**
 * `[mantissa, exponent]` with `x = mantissa · 2^exponent` and ½ ≤ |mantissa| < 1; the exponent is
 * int32. Zeros, infinities and NaN are their own mantissa. @throws DTypeError for float64.
 */
export const frexp = (x: TensorLike): readonly [Tensor, Tensor] => {
  const given = promoteOne('np.frexp', x, { inexact: true })
  if (given.dtype === 'float64') {
    throw new DTypeError({
      operation: 'np.frexp',
      problem: 'float64 has no 32-bit pattern',
      got: 'float64',
      fix: 'convert it with astype("float32")',
    })
  }
  const a = cast(given, 'float32')
  // Subnormals are scaled into the normal range first.
  const isTiny = compare.lt(unary.abs(a), constantLike(a, 2 ** -126))
  const scaled = compare.select(isTiny, binary.mul(a, constantLike(a, 2 ** 24)), a)
  const pattern = bitcast(scaled, 'int32')
  const field = binary.and(
    binary.shiftRightLogical(pattern, constantLike(pattern, 23)),
    constantLike(pattern, 255),
  )
  const halves = binary.or(
    binary.and(pattern, constantLike(pattern, ~(255 << 23))),
    constantLike(pattern, exponentBias << 23),
  )
  const isPlain = binary.and(unary.isFinite(a), compare.ne(a, constantLike(a, 0)))
  const offset = compare.select(
    isTiny,
    constantLike(field, exponentBias + 24),
    constantLike(field, exponentBias),
  )
  const mantissa = compare.select(isPlain, bitcast(halves, 'float32'), a)
  const exponent = compare.select(isPlain, binary.sub(field, offset), constantLike(field, 0))
  return [cast(mantissa, given.dtype), exponent]
}

export interface BitsOptions {
  /** The axis of the bits; the flattened tensor by default. */
  readonly axis?: number | null
  /** Which bit comes first: the highest by default. */
  readonly bitorder?: 'big' | 'little'
}

const weightsOf = (order: 'big' | 'little' | undefined): Tensor => {
  const position = iota('int32', [8], 0)
  return order === 'little' ? position : binary.sub(constantLike(position, 7), position)
}

/** Bits (not zero is 1) into bytes, eight at a time; the last byte is filled with zeros. */
export const packbits = (x: TensorLike, options: BitsOptions = {}): Tensor => {
  const given = asCondition('np.packbits', x)
  const isFlat = options.axis === undefined || options.axis === null
  const a = isFlat ? reshape(given, [given.size]) : given
  const axis = normalizeAxis('np.packbits', options.axis ?? 0, a.ndim)
  const missing = (8 - (a.shape[axis]! % 8)) % 8
  const filled = pad(
    convert(a, 'int32'),
    fill([], 0, 'int32'),
    a.shape.map((_, d): readonly [number, number, number] => [0, d === axis ? missing : 0, 0]),
  )
  const bytes = filled.shape[axis]! / 8
  const split = reshape(filled, [...a.shape.slice(0, axis), bytes, 8, ...a.shape.slice(axis + 1)])
  const weights = reshape(weightsOf(options.bitorder), [8, ...a.shape.slice(axis + 1).map(() => 1)])
  return convert(reduceSum(leftShift(split, weights), [axis + 1]), 'uint8')
}

/** The bits of bytes, as uint8; `count` of them (negative: without the last ones). */
export const unpackbits = (
  x: TensorLike,
  options: BitsOptions & { readonly count?: number | null } = {},
): Tensor => {
  const given = promoteOne('np.unpackbits', x)
  if (given.dtype !== 'uint8') {
    throw new DTypeError({
      operation: 'np.unpackbits',
      problem: 'bytes are uint8',
      got: given.dtype,
      fix: 'convert it with astype("uint8")',
    })
  }
  const isFlat = options.axis === undefined || options.axis === null
  const a = isFlat ? reshape(given, [given.size]) : given
  const axis = normalizeAxis('np.unpackbits', options.axis ?? 0, a.ndim)
  const column = reshape(convert(a, 'int32'), [
    ...a.shape.slice(0, axis + 1),
    1,
    ...a.shape.slice(axis + 1),
  ])
  const weights = reshape(weightsOf(options.bitorder), [8, ...a.shape.slice(axis + 1).map(() => 1)])
  const bit = bitwiseAnd(rightShift(column, weights), 1)
  const total = a.shape[axis]! * 8
  const joined = reshape(bit, [...a.shape.slice(0, axis), total, ...a.shape.slice(axis + 1)])
  const { count } = options
  const kept = count === undefined || count === null ? total : count < 0 ? total + count : count
  const cropped = pad(
    joined,
    fill([], 0, 'int32'),
    joined.shape.map((_, d): readonly [number, number, number] => [
      0,
      d === axis ? kept - total : 0,
      0,
    ]),
  )
  return convert(cropped, 'uint8')
}

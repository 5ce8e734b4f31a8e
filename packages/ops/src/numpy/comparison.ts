/** Comparisons, logic, and tests for special values. */
import {
  type Shape,
  type Tensor,
  type TensorLike,
  add,
  asTensor,
  broadcastShapes,
  fill,
  isFloat,
  kindOf,
  sameShape,
} from '@cotangent/core'
import * as binary from '../prims/binary.ts'
import * as compare from '../prims/compare.ts'
import { bitcast, convert } from '../prims/convert.ts'
import * as unary from '../prims/unary.ts'
import { asCondition, constantLike, promoteOne, promotePair } from '../promote.ts'
import { all } from './reductions.ts'

type Unary = (x: TensorLike) => Tensor
type Binary = (x: TensorLike, y: TensorLike) => Tensor

const comparison =
  (name: string, f: (x: Tensor, y: Tensor) => Tensor): Binary =>
  (x, y) =>
    f(...promotePair(name, x, y))

/** `x = y`, broadcast; a bool tensor. NaN equals nothing. */
export const equal: Binary = comparison('np.equal', compare.eq)
/** `x ≠ y`, broadcast; true where either is NaN. */
export const notEqual: Binary = comparison('np.notEqual', compare.ne)
/** `x < y`, broadcast. */
export const less: Binary = comparison('np.less', compare.lt)
/** `x ≤ y`, broadcast. */
export const lessEqual: Binary = comparison('np.lessEqual', compare.le)
/** `x > y`, broadcast. */
export const greater: Binary = comparison('np.greater', compare.gt)
/** `x ≥ y`, broadcast. */
export const greaterEqual: Binary = comparison('np.greaterEqual', compare.ge)

const logical =
  (name: string, f: (x: Tensor, y: Tensor) => Tensor): Binary =>
  (x, y) =>
    f(...promotePair(name, asCondition(name, x), asCondition(name, y)))

/** True where both are not zero. */
export const logicalAnd: Binary = logical('np.logicalAnd', binary.and)
/** True where either is not zero. */
export const logicalOr: Binary = logical('np.logicalOr', binary.or)
/** True where exactly one is not zero. */
export const logicalXor: Binary = logical('np.logicalXor', binary.xor)
/** True where `x` is zero. */
export const logicalNot: Unary = (x) => unary.not(asCondition('np.logicalNot', x))

// Integers have no special values.
const floatTest =
  (name: string, f: (x: Tensor) => Tensor, ofIntegers = false): Unary =>
  (x) => {
    const a = promoteOne(name, x)
    return isFloat(a.dtype) ? f(a) : fill(a.shape, Number(ofIntegers), 'bool')
  }

/** True where `x` is NaN. */
export const isnan: Unary = floatTest('np.isnan', (x) => compare.ne(x, x))
/** True where `x` is neither NaN nor infinite. */
export const isfinite: Unary = floatTest('np.isfinite', unary.isFinite, true)
/** True where `x` is +∞ or −∞. */
export const isinf: Unary = floatTest('np.isinf', (x) =>
  compare.eq(unary.abs(x), constantLike(x, Infinity)),
)
/** True where `x` is +∞. */
export const isposinf: Unary = floatTest('np.isposinf', (x) =>
  compare.eq(x, constantLike(x, Infinity)),
)
/** True where `x` is −∞. */
export const isneginf: Unary = floatTest('np.isneginf', (x) =>
  compare.eq(x, constantLike(x, -Infinity)),
)

/** True where the sign is negative, −0 and negative NaNs included. */
export const signbit: Unary = (x) => {
  const a = promoteOne('np.signbit', x)
  if (isFloat(a.dtype)) return isNegative(a)
  if (kindOf(a.dtype) === 'signed') return compare.lt(a, constantLike(a, 0))
  return fill(a.shape, 0, 'bool')
}

// The sign of a float64 survives the conversion to float32.
const isNegative = (x: Tensor): Tensor => {
  const single = x.dtype === 'float32' ? x : convert(x, 'float32')
  const bits = bitcast(single, 'int32')
  return compare.lt(bits, constantLike(bits, 0))
}

/**
 * The magnitude of `x` with the sign of `y`.
 * @example
 * np.copysign([1, -2], -0).toArray() // [-1, -2]
 */
export const copysign: Binary = (x, y) => {
  const [a, b] = promotePair('np.copysign', x, y, { inexact: true })
  const magnitude = unary.abs(a)
  return compare.select(isNegative(b), unary.neg(magnitude), magnitude)
}

/** 0 where `x` is negative, `y` where it is 0, 1 where it is positive. */
export const heaviside: Binary = (x, y) => {
  const [a, b] = promotePair('np.heaviside', x, y, { inexact: true })
  const zero = constantLike(a, 0)
  const side = compare.select(compare.lt(a, zero), zero, constantLike(a, 1))
  const withMiddle = compare.select(compare.eq(a, zero), b, side)
  return compare.select(compare.ne(a, a), a, withMiddle)
}

/** The next representable number after `x` in the direction of `y`. */
export const nextafter: Binary = (x, y) =>
  binary.nextAfter(...promotePair('np.nextafter', x, y, { inexact: true }))

export interface CloseOptions {
  /** Relative tolerance, 1e-5 by default. */
  readonly rtol?: number
  /** Absolute tolerance, 1e-8 by default. */
  readonly atol?: number
  /** Whether NaN is close to NaN; false by default. */
  readonly equalNan?: boolean
}

/**
 * True where `|x - y| ≤ atol + rtol |y|`; infinities are close to themselves.
 * @example
 * np.isclose([1, 2], [1 + 1e-7, 2.1]).toArray() // [true, false]
 */
export const isclose = (x: TensorLike, y: TensorLike, options: CloseOptions = {}): Tensor => {
  const { rtol = 1e-5, atol = 1e-8, equalNan = false } = options
  const [a, b] = promotePair('np.isclose', x, y)
  if (!isFloat(a.dtype)) return isclose(convert(a, 'float32'), convert(b, 'float32'), options)
  const allowed = add(constantLike(b, atol), binary.mul(constantLike(b, rtol), unary.abs(b)))
  const near = compare.le(unary.abs(binary.sub(a, b)), allowed)
  const finite = binary.and(unary.isFinite(a), unary.isFinite(b))
  const close = compare.select(finite, near, compare.eq(a, b))
  return equalNan ? binary.or(close, binary.and(compare.ne(a, a), compare.ne(b, b))) : close
}

/** Whether all elements are close: `all(isclose(x, y))`, a bool scalar. */
export const allclose = (x: TensorLike, y: TensorLike, options: CloseOptions = {}): Tensor =>
  all(isclose(x, y, options))

/** Whether the shapes and all elements are equal, a bool scalar. */
export const arrayEqual = (
  x: TensorLike,
  y: TensorLike,
  options: { readonly equalNan?: boolean } = {},
): Tensor => {
  const [a, b] = [asTensor(x), asTensor(y)]
  return sameShape(a.shape, b.shape)
    ? allEqual(a, b, options.equalNan ?? false)
    : fill([], 0, 'bool')
}

/** Whether the operands broadcast and are equal then, a bool scalar. */
export const arrayEquiv = (x: TensorLike, y: TensorLike): Tensor => {
  const [a, b] = [asTensor(x), asTensor(y)]
  const shape: Shape | null = broadcastShapes(a.shape, b.shape)
  return shape === null ? fill([], 0, 'bool') : allEqual(a, b, false)
}

const allEqual = (x: Tensor, y: Tensor, equalNan: boolean): Tensor => {
  const same = equal(x, y)
  return all(equalNan ? logicalOr(same, logicalAnd(isnan(x), isnan(y))) : same)
}

export interface NanToNumOptions {
  /** What replaces NaN; 0 by default. */
  readonly nan?: TensorLike
  /** What replaces +∞; the largest finite number by default. */
  readonly posinf?: TensorLike
  /** What replaces −∞; the smallest finite number by default. */
  readonly neginf?: TensorLike
}

/** Replaces NaN and infinities; integers are returned as they are. */
export const nanToNum = (x: TensorLike, options: NanToNumOptions = {}): Tensor => {
  const a = promoteOne('np.nanToNum', x)
  if (!isFloat(a.dtype)) return a
  const largest = largestFinite(a)
  const replaced = (condition: Tensor, value: TensorLike, otherwise: Tensor): Tensor => {
    const [, filled] = promotePair('np.nanToNum', otherwise, value)
    return compare.select(condition, convert(filled, a.dtype, a.aval.weak), otherwise)
  }
  const numbers = replaced(isnan(a), options.nan ?? 0, a)
  const below = replaced(isposinf(a), options.posinf ?? largest, numbers)
  return replaced(isneginf(a), options.neginf ?? -largest, below)
}

const largestFinite = (x: Tensor): number => {
  if (x.dtype === 'float64') return Number.MAX_VALUE
  if (x.dtype === 'float16') return 65504
  return x.dtype === 'bfloat16' ? 2 ** 127 * (2 - 2 ** -7) : 2 ** 127 * (2 - 2 ** -23)
}

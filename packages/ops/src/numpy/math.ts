/** Elementary functions. Integers and booleans are computed in float32. */
import {
  DTypeError,
  type Tensor,
  type TensorLike,
  add,
  isFloat,
  requireNumber,
  showAval,
  stopGradient,
} from '@cotangent/core'
import * as binary from '../prims/binary.ts'
import * as compare from '../prims/compare.ts'
import * as unary from '../prims/unary.ts'
import { constantLike, promoteOne, promotePair } from '../promote.ts'

type Unary = (x: TensorLike) => Tensor
type Binary = (x: TensorLike, y: TensorLike) => Tensor

const inexact =
  (name: string, f: (x: Tensor) => Tensor): Unary =>
  (x) =>
    f(promoteOne(name, x, { inexact: true }))

const inexactPair =
  (name: string, f: (x: Tensor, y: Tensor) => Tensor): Binary =>
  (x, y) =>
    f(...promotePair(name, x, y, { inexact: true }))

/** The square root; NaN for negative numbers. */
export const sqrt: Unary = inexact('np.sqrt', unary.sqrt)
/** The real cube root, also of negative numbers. */
export const cbrt: Unary = inexact('np.cbrt', unary.cbrt)
/** e to the power `x`. */
export const exp: Unary = inexact('np.exp', unary.exp)
/** 2 to the power `x`. */
export const exp2: Unary = inexact('np.exp2', unary.exp2)
/** `exp(x) - 1`, exact near 0. */
export const expm1: Unary = inexact('np.expm1', unary.expm1)
/** The natural logarithm; −∞ at 0, NaN below. */
export const log: Unary = inexact('np.log', unary.log)
/** `log(1 + x)`, exact near 0. */
export const log1p: Unary = inexact('np.log1p', unary.log1p)

const scaled =
  (f: (x: Tensor) => Tensor, factor: number) =>
  (x: Tensor): Tensor =>
    binary.mul(f(x), constantLike(x, factor))

/** The logarithm to base 2. */
export const log2: Unary = inexact('np.log2', (x) =>
  binary.div(unary.log(x), constantLike(x, Math.LN2)),
)
/** The logarithm to base 10. */
export const log10: Unary = inexact('np.log10', (x) =>
  binary.div(unary.log(x), constantLike(x, Math.LN10)),
)

/** The sine of radians. */
export const sin: Unary = inexact('np.sin', unary.sin)
/** The cosine of radians. */
export const cos: Unary = inexact('np.cos', unary.cos)
/** The tangent of radians. */
export const tan: Unary = inexact('np.tan', unary.tan)
/** The angle in [−π/2, π/2] whose sine is `x`; NaN beyond ±1. */
export const arcsin: Unary = inexact('np.arcsin', unary.asin)
/** The angle in [0, π] whose cosine is `x`; NaN beyond ±1. */
export const arccos: Unary = inexact('np.arccos', unary.acos)
/** The angle in (−π/2, π/2) whose tangent is `x`. */
export const arctan: Unary = inexact('np.arctan', unary.atan)
/** The hyperbolic sine. */
export const sinh: Unary = inexact('np.sinh', unary.sinh)
/** The hyperbolic cosine. */
export const cosh: Unary = inexact('np.cosh', unary.cosh)
/** The hyperbolic tangent. */
export const tanh: Unary = inexact('np.tanh', unary.tanh)
/** The inverse of `sinh`. */
export const arcsinh: Unary = inexact('np.arcsinh', unary.asinh)
/** The inverse of `cosh`, for `x` from 1; NaN below. */
export const arccosh: Unary = inexact('np.arccosh', unary.acosh)
/** The inverse of `tanh`; ±∞ at ±1, NaN beyond. */
export const arctanh: Unary = inexact('np.arctanh', unary.atanh)
export const asin: Unary = arcsin
export const acos: Unary = arccos
export const atan: Unary = arctan
export const asinh: Unary = arcsinh
export const acosh: Unary = arccosh
export const atanh: Unary = arctanh

/**
 * The angle of the point `(x, y)`, from −π to π.
 * @example
 * np.arctan2(1, -1).item() // 2.356… (3π/4)
 */
export const arctan2: Binary = inexactPair('np.arctan2', binary.atan2)
export const atan2: Binary = arctan2

/** Degrees to radians. */
export const deg2rad: Unary = inexact(
  'np.deg2rad',
  scaled((x) => x, Math.PI / 180),
)
/** Radians to degrees. */
export const rad2deg: Unary = inexact(
  'np.rad2deg',
  scaled((x) => x, 180 / Math.PI),
)
export const radians: Unary = deg2rad
export const degrees: Unary = rad2deg

/**
 * `sin(πx) / (πx)`, 1 at 0 and smooth there: near 0 a Taylor series replaces the quotient, so that
 * derivatives of every order are right.
 */
export const sinc: Unary = inexact('np.sinc', (x) => {
  const angle = binary.mul(x, constantLike(x, Math.PI))
  const isNear = compare.lt(unary.abs(angle), constantLike(x, 0.125))
  const near = compare.select(isNear, angle, constantLike(x, 0))
  const far = compare.select(isNear, constantLike(x, 1), angle)
  return compare.select(isNear, sincSeries(near), binary.div(unary.sin(far), far))
})

// Σ (-1)^k a^2k / (2k+1)!, by Horner in a²; for |a| < 1/8 the next term is below 1e-20.
const sincSeries = (a: Tensor): Tensor => {
  const square = unary.integerPow(a, 2)
  let sum = constantLike(a, 1)
  for (let k = 6; k >= 1; k--) {
    const factor = binary.mul(square, constantLike(a, -1 / (2 * k * (2 * k + 1))))
    sum = add(binary.mul(factor, sum), constantLike(a, 1))
  }
  return sum
}

/**
 * `sqrt(x² + y²)` without overflow; at (0, 0) the derivative is that of `max`, ½ each.
 * @example
 * np.hypot(3e30, 4e30).item() // 5e30
 */
export const hypot: Binary = inexactPair('np.hypot', (x, y) => {
  const [a, b] = [unary.abs(x), unary.abs(y)]
  const zero = constantLike(a, 0)
  const [large, small] = [binary.max(a, b), binary.min(a, b)]
  const isZero = compare.eq(large, zero)
  const ratio = binary.div(small, compare.select(isZero, constantLike(a, 1), large))
  const root = unary.sqrt(add(constantLike(a, 1), unary.integerPow(ratio, 2)))
  const length = compare.select(isZero, large, binary.mul(large, root))
  const infinite = constantLike(a, Infinity)
  const isInfinite = binary.or(compare.eq(a, infinite), compare.eq(b, infinite))
  return compare.select(isInfinite, infinite, length)
})

/**
 * `log(exp(x) + exp(y))` without overflow. Two equal infinities give themselves.
 * @example
 * np.logaddexp(1000, 1000).item() // 1000.6931…
 */
export const logaddexp: Binary = inexactPair('np.logaddexp', (x, y) =>
  logSumOfTwo(x, y, { exp: unary.exp, log1p: unary.log1p }),
)

/** `log2(2^x + 2^y)` without overflow. */
export const logaddexp2: Binary = inexactPair('np.logaddexp2', (x, y) =>
  logSumOfTwo(x, y, {
    exp: unary.exp2,
    log1p: (a) => binary.div(unary.log1p(a), constantLike(a, Math.LN2)),
  }),
)

interface Base {
  readonly exp: (x: Tensor) => Tensor
  readonly log1p: (x: Tensor) => Tensor
}

// The larger plus log1p(exp(-gap)), whose derivatives are the two shares, also where x = y.
const logSumOfTwo = (x: Tensor, y: Tensor, base: Base): Tensor => {
  const zero = constantLike(x, 0)
  const isEqual = compare.eq(x, y)
  // Equal operands, infinities too, differ by 0; but both must still be differentiated.
  const difference = binary.sub(x, y)
  const isNaN = compare.ne(difference, difference)
  const safe = compare.select(binary.and(isNaN, isEqual), zero, difference)
  const isLarger = compare.ge(safe, zero)
  const gap = compare.select(isLarger, unary.neg(safe), safe)
  const sum = add(compare.select(isLarger, x, y), base.log1p(base.exp(gap)))
  return compare.select(compare.ne(difference, difference), add(x, stopGradient(safe)), sum)
}

const rounding =
  (name: string, f: (x: Tensor) => Tensor): Unary =>
  (x) => {
    const a = promoteOne(name, x)
    return isFloat(a.dtype) ? f(a) : a
  }

/** Down to an integer; integers stay. */
export const floor: Unary = rounding('np.floor', unary.floor)
/** Up to an integer; integers stay. */
export const ceil: Unary = rounding('np.ceil', unary.ceil)
/** Towards zero; integers stay. */
export const trunc: Unary = rounding('np.trunc', (x) =>
  compare.select(compare.lt(x, constantLike(x, 0)), unary.ceil(x), unary.floor(x)),
)
export const fix: Unary = trunc
/** To the nearest integer, halves to even, as a float. */
export const rint: Unary = (x) => unary.round(promoteOne('np.rint', x, { inexact: true }))

/**
 * To `decimals` decimals (negative: tens, hundreds), halves to even.
 * @throws DTypeError for booleans, and for integers with negative `decimals`.
 * @example
 * np.round([0.5, 1.5, 2.5]).toArray() // [0, 2, 2]
 */
export const round = (x: TensorLike, decimals = 0): Tensor => {
  const a = promoteOne('np.round', x)
  requireNumber('np.round', 'the number of decimals', decimals)
  if (!isFloat(a.dtype)) return roundInteger(a, decimals)
  if (decimals === 0) return unary.round(a)
  const factor = constantLike(a, 10 ** Math.abs(decimals))
  if (decimals > 0) return binary.div(unary.round(binary.mul(a, factor)), factor)
  return binary.mul(unary.round(binary.div(a, factor)), factor)
}
export const around: (x: TensorLike, decimals?: number) => Tensor = round

const roundInteger = (x: Tensor, decimals: number): Tensor => {
  if (x.dtype !== 'bool' && decimals >= 0) return x
  throw new DTypeError({
    operation: 'np.round',
    problem: x.dtype === 'bool' ? 'booleans are not rounded' : 'integers are not rounded to tens',
    got: `${showAval(x.aval)} to ${decimals} decimals`,
    fix: 'convert with astype("float32") first',
  })
}

/** The greater of two, NaN where either is; equal ones share the derivative. */
export const maximum: Binary = (x, y) => extreme('np.maximum', x, y, binary.max, binary.or)
/** The smaller of two, NaN where either is; equal ones share the derivative. */
export const minimum: Binary = (x, y) => extreme('np.minimum', x, y, binary.min, binary.and)

const extreme = (
  name: string,
  x: TensorLike,
  y: TensorLike,
  f: (x: Tensor, y: Tensor) => Tensor,
  ofBooleans: (x: Tensor, y: Tensor) => Tensor,
): Tensor => {
  const [a, b] = promotePair(name, x, y)
  return a.dtype === 'bool' ? ofBooleans(a, b) : f(a, b)
}

/** The greater of two; a NaN gives way to a number. */
export const fmax: Binary = (x, y) => ignoringNaN('np.fmax', x, y, compare.gt)
/** The smaller of two; a NaN gives way to a number. */
export const fmin: Binary = (x, y) => ignoringNaN('np.fmin', x, y, compare.lt)

const ignoringNaN = (
  name: string,
  x: TensorLike,
  y: TensorLike,
  wins: (x: Tensor, y: Tensor) => Tensor,
): Tensor => {
  const [a, b] = promotePair(name, x, y)
  const chosen = binary.or(wins(a, b), compare.ne(b, b))
  return compare.select(chosen, a, b)
}

/**
 * `minimum(maximum(x, low), high)`; either bound may be left out. Crossed bounds give `high`.
 * @example
 * np.clip([-2, 0.5, 3], 0, 1).toArray() // [0, 0.5, 1]
 */
export const clip = (x: TensorLike, low?: TensorLike | null, high?: TensorLike | null): Tensor => {
  const above = low === undefined || low === null ? promoteOne('np.clip', x) : maximum(x, low)
  return high === undefined || high === null ? above : minimum(above, high)
}

/** The fractional and the whole part, both with the sign of `x`. */
export const modf = (x: TensorLike): readonly [Tensor, Tensor] => {
  const a = promoteOne('np.modf', x, { inexact: true })
  const whole = trunc(a)
  return [binary.sub(a, whole), whole]
}

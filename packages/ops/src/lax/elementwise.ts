/** `lax`: elementwise operations under their JAX names. */
import {
  type DType,
  type Tensor,
  type TensorLike,
  add as addSame,
  fill,
  kindOf,
  requireDTypeName,
  requireInteger,
  stopGradient as stopTree,
} from '@cotangent/core'
import * as binary from '../prims/binary.ts'
import * as compare from '../prims/compare.ts'
import { bitcast, convert } from '../prims/convert.ts'
import * as specials from '../prims/special.ts'
import * as unary from '../prims/unary.ts'
import {
  broadcastTensor,
  cast,
  commonShape,
  constantLike,
  promoteDTypes,
  promoteOne,
  promotePair,
} from '../promote.ts'

type Unary = (x: TensorLike) => Tensor
type Binary = (x: TensorLike, y: TensorLike) => Tensor

const one =
  (name: string, f: (x: Tensor) => Tensor): Unary =>
  (x) =>
    f(promoteOne(`lax.${name}`, x))

const inexact =
  (name: string, f: (x: Tensor) => Tensor): Unary =>
  (x) =>
    f(promoteOne(`lax.${name}`, x, { inexact: true }))

const two =
  (name: string, f: (x: Tensor, y: Tensor) => Tensor): Binary =>
  (x, y) =>
    f(...promotePair(`lax.${name}`, x, y))

const twoIntegers =
  (name: string, f: (x: Tensor, y: Tensor) => Tensor): Binary =>
  (x, y) =>
    f(...promotePair(`lax.${name}`, x, y, { numeric: true, integral: true }))

/** `−x`; integers wrap. */
export const neg: Unary = one('neg', unary.neg)
/** −1, 0 or 1 by the sign; NaN and ±0 stay. */
export const sign: Unary = one('sign', unary.sign)
/** Down to an integer, as a float. */
export const floor: Unary = one('floor', unary.floor)
/** Up to an integer, as a float. */
export const ceil: Unary = one('ceil', unary.ceil)
/** To the nearest integer, halves to even. */
export const round: Unary = one('round', unary.round)
/** True where `x` is neither infinite nor NaN. */
export const isFinite: Unary = one('isFinite', unary.isFinite)
/** Bitwise complement; of booleans, the negation. */
export const bitwiseNot: Unary = one('bitwiseNot', unary.not)
/** How many bits are set. */
export const populationCount: Unary = one('populationCount', unary.populationCount)
/** How many leading bits are zero. */
export const clz: Unary = one('clz', unary.countLeadingZeros)
/** `|x|`; the derivative at 0 is 1. */
export const abs: Unary = one('abs', (x) => (kindOf(x.dtype) === 'unsigned' ? x : unary.abs(x)))
/** `x · x`. */
export const square: Unary = one('square', (x) => unary.integerPow(x, 2))

/** e to the power `x`. */
export const exp: Unary = inexact('exp', unary.exp)
/** 2 to the power `x`. */
export const exp2: Unary = inexact('exp2', unary.exp2)
/** `eˣ − 1`, exact near 0. */
export const expm1: Unary = inexact('expm1', unary.expm1)
/** The natural logarithm. */
export const log: Unary = inexact('log', unary.log)
/** `log(1 + x)`, exact near 0. */
export const log1p: Unary = inexact('log1p', unary.log1p)
/** The square root; NaN below 0. */
export const sqrt: Unary = inexact('sqrt', unary.sqrt)
/** `1 / √x`. */
export const rsqrt: Unary = inexact('rsqrt', unary.rsqrt)
/** The real cube root. */
export const cbrt: Unary = inexact('cbrt', unary.cbrt)
/** The sine of radians. */
export const sin: Unary = inexact('sin', unary.sin)
/** The cosine of radians. */
export const cos: Unary = inexact('cos', unary.cos)
/** The tangent of radians. */
export const tan: Unary = inexact('tan', unary.tan)
/** The inverse of `sin`. */
export const asin: Unary = inexact('asin', unary.asin)
/** The inverse of `cos`. */
export const acos: Unary = inexact('acos', unary.acos)
/** The inverse of `tan`. */
export const atan: Unary = inexact('atan', unary.atan)
/** The hyperbolic sine. */
export const sinh: Unary = inexact('sinh', unary.sinh)
/** The hyperbolic cosine. */
export const cosh: Unary = inexact('cosh', unary.cosh)
/** The hyperbolic tangent. */
export const tanh: Unary = inexact('tanh', unary.tanh)
/** The inverse of `sinh`. */
export const asinh: Unary = inexact('asinh', unary.asinh)
/** The inverse of `cosh`. */
export const acosh: Unary = inexact('acosh', unary.acosh)
/** The inverse of `tanh`. */
export const atanh: Unary = inexact('atanh', unary.atanh)
/** `1 / (1 + e⁻ˣ)`. */
export const logistic: Unary = inexact('logistic', unary.logistic)
/** The error function. */
export const erf: Unary = inexact('erf', specials.erf)
/** `1 − erf(x)`, exact where erf is near 1. */
export const erfc: Unary = inexact('erfc', specials.erfc)
/** The inverse of `erf` on (−1, 1). */
export const erfInv: Unary = inexact('erfInv', specials.erfInv)
/** `log |Γ(x)|`. */
export const lgamma: Unary = inexact('lgamma', specials.lgamma)
/** The derivative of `lgamma`. */
export const digamma: Unary = inexact('digamma', specials.digamma)

/** `x + y`; of booleans, or. */
export const add: Binary = two('add', (x, y) =>
  x.dtype === 'bool' ? binary.or(x, y) : addSame(x, y),
)
/** `x − y`; integers wrap. */
export const sub: Binary = two('sub', binary.sub)
/** `x · y`; of booleans, and. */
export const mul: Binary = two('mul', (x, y) =>
  x.dtype === 'bool' ? binary.and(x, y) : binary.mul(x, y),
)
/** The quotient; of integers, truncated towards zero. */
export const div: Binary = two('div', binary.div)
/** The remainder of truncating division: it has the sign of `x`. */
export const rem: Binary = two('rem', binary.rem)
/** `x` to the power `y`. */
export const pow: Binary = two('pow', binary.pow)
/** The greater of two, NaN where either is; equal ones share the derivative. */
export const max: Binary = two('max', (x, y) =>
  x.dtype === 'bool' ? binary.or(x, y) : binary.max(x, y),
)
/** The smaller of two, NaN where either is; equal ones share the derivative. */
export const min: Binary = two('min', (x, y) =>
  x.dtype === 'bool' ? binary.and(x, y) : binary.min(x, y),
)
/** The angle of the point `(y, x)` with ordinate first. */
export const atan2: Binary = (x, y) =>
  binary.atan2(...promotePair('lax.atan2', x, y, { inexact: true }))
/** The next number after `x` towards `y`. */
export const nextafter: Binary = (x, y) =>
  binary.nextAfter(...promotePair('lax.nextafter', x, y, { inexact: true }))
/** The bits set in both. */
export const bitwiseAnd: Binary = two('bitwiseAnd', binary.and)
/** The bits set in either. */
export const bitwiseOr: Binary = two('bitwiseOr', binary.or)
/** The bits set in exactly one. */
export const bitwiseXor: Binary = two('bitwiseXor', binary.xor)
/** Shifts by the width or more, or a negative count, give 0. */
export const shiftLeft: Binary = twoIntegers('shiftLeft', binary.shiftLeft)
/** Zeros come in from the left. */
export const shiftRightLogical: Binary = twoIntegers('shiftRightLogical', binary.shiftRightLogical)
/** Copies of the sign come in from the left. */
export const shiftRightArithmetic: Binary = twoIntegers(
  'shiftRightArithmetic',
  binary.shiftRightArithmetic,
)
/** `x = y`. */
export const eq: Binary = two('eq', compare.eq)
/** `x ≠ y`. */
export const ne: Binary = two('ne', compare.ne)
/** `x < y`. */
export const lt: Binary = two('lt', compare.lt)
/** `x ≤ y`. */
export const le: Binary = two('le', compare.le)
/** `x > y`. */
export const gt: Binary = two('gt', compare.gt)
/** `x ≥ y`. */
export const ge: Binary = two('ge', compare.ge)

/** `x` to a constant integer power, differentiated as a polynomial. */
export const integerPow = (x: TensorLike, n: number): Tensor =>
  unary.integerPow(
    promoteOne('lax.integerPow', x, { numeric: true }),
    requireInteger('lax.integerPow', 'the exponent', n),
  )

/** `onTrue` where the predicate (of the same shape, or a scalar) holds, else `onFalse`. */
export const select = (predicate: TensorLike, onTrue: TensorLike, onFalse: TensorLike): Tensor => {
  const condition = promoteOne('lax.select', predicate)
  const [a, b] = promotePair('lax.select', onTrue, onFalse)
  const mask = cast(condition, 'bool')
  const shape = commonShape('lax.select', [mask.shape, a.shape])
  const spread = (x: Tensor): Tensor => broadcastTensor('lax.select', x, shape)
  return compare.select(spread(mask), spread(a), spread(b))
}

/** `cases[which]`, elementwise; `which` is a boolean or an integer below the number of cases. */
export const selectN = (which: TensorLike, ...cases: readonly TensorLike[]): Tensor => {
  const index = promoteOne('lax.selectN', which)
  const at = index.dtype === 'bool' ? convert(index, 'int32') : index
  const typed = promoteDTypes('lax.selectN', cases)
  return typed
    .slice(0, -1)
    .reduceRight<Tensor>(
      (rest, choice, i) => select(compare.eq(at, constantLike(at, i)), choice, rest),
      typed[typed.length - 1]!,
    )
}

/**
 * `x` between two bounds, each a scalar or of `x`'s shape. The derivative at a bound is 0 (that of
 * `np.clip` is ½); crossed bounds give the upper one.
 */
export const clamp = (low: TensorLike, x: TensorLike, high: TensorLike): Tensor => {
  const a = promoteOne('lax.clamp', x)
  const bound = (y: TensorLike): Tensor =>
    broadcastTensor('lax.clamp', cast(promoteOne('lax.clamp', y), a.dtype, a.aval.weak), a.shape)
  const upper = bound(high)
  const given = bound(low)
  const lower = compare.select(compare.gt(given, upper), upper, given)
  const inside = binary.and(compare.gt(a, lower), compare.lt(a, upper))
  const outside = compare.select(
    compare.gt(lower, a),
    lower,
    compare.select(compare.lt(upper, a), upper, stopTree(a)),
  )
  return compare.select(inside, a, outside)
}

/** `x` in another dtype; see `np.astype`. */
export const convertElementType = (x: TensorLike, dtype: DType): Tensor => {
  requireDTypeName('lax.convertElementType', dtype)
  return cast(promoteOne('lax.convertElementType', x), dtype)
}

/** The same bits under another dtype of the same width. @throws DTypeError for another width. */
export const bitcastConvertType = (x: TensorLike, dtype: DType): Tensor => {
  requireDTypeName('lax.bitcastConvertType', dtype)
  return bitcast(promoteOne('lax.bitcastConvertType', x), dtype)
}

/** A constant tensor. */
export const full = (shape: readonly number[], value: number, dtype: DType = 'float32'): Tensor =>
  fill(shape, value, dtype)
/** A constant of `x`'s shape and dtype. */
export const fullLike = (x: TensorLike, value: number, dtype?: DType): Tensor => {
  const a = promoteOne('lax.fullLike', x)
  return fill(a.shape, value, dtype ?? a.dtype)
}
export { stopGradient } from '@cotangent/core'

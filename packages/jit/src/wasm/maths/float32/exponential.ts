/**
 * exp and its kin in float32: x = n ln 2 + r with |r| ≤ ln 2 / 2, a polynomial in r, and 2ⁿ made by
 * shifting n into an exponent (Cody & Waite 1980, "Software Manual for the Elementary Functions").
 * The coefficients are minimax fits, rounded to float32 one by one from the lowest.
 */
import type { Scalar } from '@cotangent/core'
import {
  abs,
  add,
  bitsOf,
  div,
  fromBits,
  lt,
  mul,
  negAbs,
  pmax,
  pmin,
  polynomial,
  select,
  shl,
  shrArithmetic,
  square,
  sub,
  withSign,
} from '../arith.ts'

/** Adding it rounds a small float32 to an integer, which is left in the low bits of the sum. */
export const roundingShift: number = 1.5 * 2 ** 23
const bias = 127
const log2e = 1.4426950408889634
// ln 2 in two parts; the first has nine bits, so that its multiples are exact.
export const ln2High = 0.693359375
export const ln2Low: number = Math.LN2 - ln2High

// (eʳ − 1 − r) / r² on |r| ≤ ln 2 / 2, within 2^-28 of eʳ.
const expTail = [0.49999994, 0.16666515, 0.041668084, 0.00836935, 0.001384043]
// (2ᶠ − 1) / f on |f| ≤ ½, within 2^-28 of 2ᶠ.
const exp2Tail = [0.69314724, 0.24022655, 0.055502724, 0.009617063, 0.0013418293, 0.00015818076]
// (sinh x − x) / x³ in x², on |x| ≤ 1.
const sinhTail = [0.16666667, 0.008333311, 0.00019842635, 2.7839255e-6]

// (tanh x − x) / x³ in x², on |x| ≤ 0.625, within 2^-27 of tanh x.
const tanhTail = [-0.33333284, 0.13331483, -0.053742774, 0.020648062, -0.0057140635]

/** n in a float32 with n + `offset` in its low bits, and r, of x = n ln 2 + r. */
export const reduced = (
  x: Scalar,
  offset: number,
): { readonly shifted: Scalar; readonly r: Scalar } => {
  const shifted = add(mul(x, log2e), roundingShift + offset)
  const n = sub(shifted, roundingShift + offset)
  return { shifted, r: sub(sub(x, mul(n, ln2High)), mul(n, ln2Low)) }
}

/** eʳ − 1 for |r| ≤ ln 2 / 2. */
export const expMinusOne = (r: Scalar): Scalar => add(r, mul(square(r), polynomial(r, expTail)))

/** 2ⁿ for −126 ≤ n ≤ 127, where n + 127 is in the low bits of `shifted`. */
export const powerOfTwo = (shifted: Scalar): Scalar => fromBits(shl(bitsOf(shifted), 23))

/**
 * x · 2ⁿ, rounded once, for |n| ≤ 250 where n + 254 is in the low bits of `shifted`: by two factors, so
 * that results may be denormal or infinite.
 */
export const scaled = (x: Scalar, shifted: Scalar): Scalar => {
  const both = bitsOf(shifted)
  const half = shrArithmetic(both, 1)
  const other = sub(both, half)
  return mul(mul(x, fromBits(shl(half, 23))), fromBits(shl(other, 23)))
}

/** eˣ for −104 ≤ x ≤ 89. */
const expBounded = (x: Scalar): Scalar => {
  const { shifted, r } = reduced(x, 2 * bias)
  return scaled(add(expMinusOne(r), 1), shifted)
}

export const exp = (x: Scalar): Scalar => expBounded(pmax(pmin(x, 89), -104))

export const exp2 = (x: Scalar): Scalar => {
  const bounded = pmax(pmin(x, 129), -151)
  const shifted = add(bounded, roundingShift + 2 * bias)
  const f = sub(bounded, sub(shifted, roundingShift + 2 * bias))
  return scaled(add(mul(f, polynomial(f, exp2Tail)), 1), shifted)
}

export const expm1 = (x: Scalar): Scalar => {
  // Halves keep 2ⁿ finite where n is 128; below −18 the result is −1.
  const bounded = pmax(pmin(x, 89), -18)
  const { shifted, r } = reduced(bounded, bias - 1)
  const scale = powerOfTwo(shifted)
  const half = add(mul(scale, expMinusOne(r)), sub(scale, 0.5))
  return select(lt(abs(x), 2 ** -25), x, add(half, half))
}

/** 1 / (1 + e⁻ˣ), by way of e^−|x|, which never overflows. */
export const logistic = (x: Scalar): Scalar => {
  const z = expBounded(pmax(negAbs(x), -104))
  const below = add(z, 1)
  const quotient = div(select(lt(x, 0), z, 1), below)
  return sub(quotient, mul(quotient, sub(z, sub(below, 1))))
}

/** A polynomial near zero, and 1 − 2 / (exp(2 |x|) + 1), which damps errors of exp, beyond. */
export const tanh = (x: Scalar): Scalar => {
  const { shifted, r } = reduced(pmin(abs(add(x, x)), 20), bias)
  const grown = mul(add(expMinusOne(r), 1), powerOfTwo(shifted))
  const large = withSign(sub(1, div(2, add(grown, 1))), x)
  const u = square(x)
  return select(lt(abs(x), 0.625), mul(x, add(mul(u, polynomial(u, tanhTail)), 1)), large)
}

/** e^|x| / 2, without overflow where its double would. */
const halfExp = (x: Scalar): Scalar => {
  const { shifted, r } = reduced(pmin(abs(x), 89.5), bias - 2)
  const quarter = mul(add(expMinusOne(r), 1), powerOfTwo(shifted))
  return add(quarter, quarter)
}

export const sinh = (x: Scalar): Scalar => {
  const half = halfExp(x)
  const large = withSign(sub(half, div(0.25, half)), x)
  const u = square(x)
  return select(lt(abs(x), 1), mul(x, add(mul(u, polynomial(u, sinhTail)), 1)), large)
}

export const cosh = (x: Scalar): Scalar => {
  const half = halfExp(x)
  return add(half, div(0.25, half))
}

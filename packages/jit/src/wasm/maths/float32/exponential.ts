/**
 * Exponentials of float32: n is rounded by adding a large number, and shifted into an exponent. The coefficients are minimax fits, rounded to float32 one by one from the lowest.
 */
import type { Scalar } from '@cotangent/core'
import {
  add,
  bitsOf,
  fromBits,
  mul,
  pmax,
  pmin,
  polynomial,
  shl,
  shrArithmetic,
  square,
  sub,
} from '../arith.ts'
import { type Exponentials, makeExponentials } from '../families/exponential.ts'

/** Adding it rounds a small float32 to an integer, which is left in the low bits of the sum. */
export const roundingShift: number = 1.5 * 2 ** 23
const bias = 127
/** Powers of two are made so much larger, that small ones are normal. */
const lift = 64
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

export const exponentials: Exponentials = makeExponentials({
  wide: (x) => {
    const { shifted, r } = reduced(x, 2 * bias)
    return { r, scaled: (y) => scaled(y, shifted) }
  },
  falling: (x) => {
    const { shifted, r } = reduced(x, bias + lift)
    return { r, scaled: (y) => mul(mul(y, powerOfTwo(shifted)), 2 ** -lift) }
  },
  narrow: (x, by) => {
    const { shifted, r } = reduced(x, bias + by)
    return { r, power: powerOfTwo(shifted) }
  },
  // Products with n up to 8 are exact, as the factor ends in zeros.
  coarse: (x) => {
    const shifted = add(mul(x, log2e), roundingShift + bias)
    const n = sub(shifted, roundingShift + bias)
    return { r: sub(x, mul(n, Math.fround(Math.LN2))), power: powerOfTwo(shifted) }
  },
  expMinusOne,
  overflow: 89,
  // Here both factors of 2ⁿ are 0: processors are slow where a product of others is denormal, and the
  // softmax of masked rows has nothing but such.
  underflow: -176,
  // Here 2ⁿ⁺ˡⁱᶠᵗ is 0 likewise.
  fallen: -132.4,
  vanishing: -18,
  tiny: 2 ** -25,
  saturation: 20,
  largestCosh: 89.5,
  tanhBound: 0.625,
  tanhTail,
  sinhTail,
})

export const exp2 = (x: Scalar): Scalar => {
  const bounded = pmax(pmin(x, 129), -151)
  const shifted = add(bounded, roundingShift + 2 * bias)
  const f = sub(bounded, sub(shifted, roundingShift + 2 * bias))
  return scaled(add(mul(f, polynomial(f, exp2Tail)), 1), shifted)
}

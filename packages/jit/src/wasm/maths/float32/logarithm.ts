/**
 * Logarithms in float32: x = 2ᵉ (1 + f) with √½ ≤ 1 + f < √2, and a polynomial in f (Cody & Waite
 * 1980).
 */
import type { Scalar } from '@cotangent/core'
import {
  add,
  and,
  bitsOf,
  constant,
  eq,
  fromBits,
  gt,
  lt,
  mul,
  polynomial,
  select,
  shrArithmetic,
  square,
  sub,
  toFloat32,
} from '../arith.ts'

const ln2High = 0.693359375
const ln2Low = -2.12194440054690583e-4
const smallestNormal = 2 ** -126
const rootHalfBits = 0x3f3504f3

// (log(1 + f) − f + f² / 2) / f³ on √½ − 1 ≤ f ≤ √2 − 1, within 2^-27 of log(1 + f).
const logTail = [
  0.3333333, -0.25000823, 0.20001261, -0.16623335, 0.1420095, -0.13159521, 0.12766975, -0.076431125,
]

/** e and f of a positive normal x = 2ᵉ (1 + f). */
const split = (x: Scalar): { readonly e: Scalar; readonly f: Scalar } => {
  const above = sub(bitsOf(x), rootHalfBits)
  const mantissa = fromBits(add(and(above, 0x7fffff), rootHalfBits))
  return { e: toFloat32(shrArithmetic(above, 23)), f: sub(mantissa, 1) }
}

/** log x of a positive finite x, other values as the logarithm has them; denormals by 2^23 x. */
export const log = (x: Scalar): Scalar => {
  const denormal = lt(x, smallestNormal)
  const { e, f } = split(select(denormal, mul(x, 2 ** 23), x))
  const exponent = select(denormal, sub(e, 23), e)
  return outsideDomain(x, sumOfParts(exponent, f))
}

/** e ln 2 + log(1 + f), from the smallest parts up. */
const sumOfParts = (e: Scalar, f: Scalar): Scalar => {
  const u = square(f)
  const tail = add(mul(mul(u, f), polynomial(f, logTail)), mul(e, ln2Low))
  return add(add(sub(tail, mul(u, 0.5)), f), mul(e, ln2High))
}

/** −Infinity at 0, NaN below, and Infinity and NaN of themselves. */
const outsideDomain = (x: Scalar, inside: Scalar): Scalar =>
  select(
    gt(x, 0),
    select(lt(x, Infinity), inside, x),
    select(eq(x, 0), constant(x, -Infinity), NaN),
  )

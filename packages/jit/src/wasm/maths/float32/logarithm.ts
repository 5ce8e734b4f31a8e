/**
 * Logarithms in float32: x = 2ᵉ (1 + f) with √½ ≤ 1 + f < √2, and a polynomial in f (Cody & Waite
 * 1980).
 */
import { type Scalar, scalars } from '@cotangent/core'
import {
  type Operand,
  abs,
  add,
  and,
  bitsOf,
  constant,
  div,
  eq,
  fromBits,
  ge,
  gt,
  least,
  lt,
  mul,
  or,
  polynomial,
  select,
  shl,
  shrArithmetic,
  sqrt,
  square,
  sub,
  toFloat32,
  toInt32,
  withSign,
} from '../arith.ts'
import { ln2High, ln2Low } from './exponential.ts'

const smallestNormalBits = 0x800000
const largestBits = 0x7f7fffff
const rootHalfBits = 0x3f3504f3

// (log(1 + f) − f + f² / 2) / f³ on √½ − 1 ≤ f ≤ √2 − 1, within 2^-27 of log(1 + f).
const logTail = [
  0.3333333, -0.25000823, 0.20001261, -0.16623335, 0.1420095, -0.13159521, 0.12766975, -0.076431125,
]

/** x = 2ᵉ (1 + f), for positive normal x. */
interface Split {
  readonly e: Scalar
  readonly f: Scalar
}

const split = (x: Scalar): Split => {
  const above = sub(bitsOf(x), rootHalfBits)
  const mantissa = fromBits(add(and(above, 0x7fffff), rootHalfBits))
  return { e: shrArithmetic(above, 23), f: sub(mantissa, 1) }
}

/** The side for all but positive normal numbers is computed only where there are any. */
export const log = (x: Scalar): Scalar => {
  const { e, f } = split(x)
  return scalars.guard(isUnusual(x), logUnusual(x), sumOfParts(toFloat32(e), f))
}

/** Zero, negative, denormal, infinite or NaN. */
const isUnusual = (x: Scalar): Scalar =>
  or(lt(bitsOf(x), smallestNormalBits), gt(bitsOf(x), largestBits))

const logUnusual = (x: Scalar): Scalar => {
  const isDenormal = lt(x, 2 ** -126)
  const { e, f } = split(select(isDenormal, mul(x, 2 ** 23), x))
  const exponent = select(isDenormal, sub(e, 23), e)
  return outsideDomain(x, sumOfParts(toFloat32(exponent), f))
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

/**
 * log(1 + x + rest) + doublings · log 2 for x > −1 and a tiny rest, from the rounded sum and what
 * rounding left out.
 */
const log1pOf = (x: Scalar, doublings: Operand, rest: Operand = 0): Scalar => {
  const u = add(x, 1)
  const { e, f } = split(u)
  // Where x is large the sum loses 1 at most, which is nothing beside it.
  const left = sub(x, sub(u, 1))
  const all = rest === 0 ? left : add(left, rest)
  const lost = mul(all, fromBits(shl(sub(127, least(e, 126)), 23)))
  return sumOfParts(toFloat32(add(e, doublings)), add(f, lost))
}

export const log1p = (x: Scalar): Scalar =>
  select(lt(abs(x), 2 ** -25), x, outsideDomain(add(x, 1), log1pOf(x, 0)))

/** sign(x) log(|x| + √(x² + 1)). */
export const asinh = (x: Scalar): Scalar => {
  const a = abs(x)
  const u = square(a)
  const isLarge = gt(a, 2 ** 13)
  const z = select(isLarge, sub(a, 1), add(a, div(u, add(sqrt(add(u, 1)), 1))))
  const inside = log1pOf(z, toInt32(isLarge))
  return select(and(gt(a, 2 ** -13), lt(a, Infinity)), withSign(inside, x), x)
}

/** log(x + √(x² − 1)); NaN below 1. */
export const acosh = (x: Scalar): Scalar => {
  const t = sub(x, 1)
  const isLarge = gt(x, 2 ** 13)
  const root = sqrt(add(square(t), add(t, t)))
  const sum = add(root, t)
  const rest = sub(t, sub(sum, root))
  const inside = log1pOf(select(isLarge, t, sum), toInt32(isLarge), select(isLarge, 0, rest))
  return select(ge(x, 1), select(lt(x, Infinity), inside, x), NaN)
}

// (atanh x / x − 1) / x² in x², on |x| ≤ ½, within 2^-29 of atanh x.
const atanhTail = [0.333333, 0.2000261, 0.14220996, 0.11838548, 0.050796136, 0.17748219]

/** A polynomial near zero, and ½ log((1 + x) / (1 − x)) beyond. */
export const atanh = (x: Scalar): Scalar => {
  const a = abs(x)
  const u = square(x)
  const near = add(x, mul(x, mul(u, polynomial(u, atanhTail))))
  const ratio = div(add(a, a), sub(1, a))
  const far = mul(outsideDomain(add(ratio, 1), log1pOf(ratio, 0)), 0.5)
  return select(lt(a, 0.5), near, withSign(select(gt(a, 1), NaN, far), x))
}

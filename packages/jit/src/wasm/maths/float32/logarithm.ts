/** Logarithms of float32, whose exponent and significand are bits. */
import type { Scalar } from '@cotangent/core'
import {
  add,
  and,
  bitsOf,
  fromBits,
  gt,
  least,
  lt,
  mul,
  or,
  polynomial,
  select,
  shl,
  shrArithmetic,
  square,
  sub,
  toFloat32,
} from '../arith.ts'
import { type LogarithmSplit, type Logarithms, makeLogarithms } from '../families/logarithm.ts'
import { ln2High, ln2Low } from './exponential.ts'

const smallestNormalBits = 0x800000
const largestBits = 0x7f7fffff
const rootHalfBits = 0x3f3504f3

// (log(1 + f) − f + f² / 2) / f³ on √½ − 1 ≤ f ≤ √2 − 1, within 2^-27 of log(1 + f).
const logTail = [
  0.3333333, -0.25000823, 0.20001261, -0.16623335, 0.1420095, -0.13159521, 0.12766975, -0.076431125,
]

// Of normal numbers; the inverse is right up to 2^126.
const split = (x: Scalar): LogarithmSplit => {
  const above = sub(bitsOf(x), rootHalfBits)
  const e = shrArithmetic(above, 23)
  const mantissa = fromBits(add(and(above, 0x7fffff), rootHalfBits))
  const inverse = fromBits(shl(sub(127, least(e, 126)), 23))
  return { e: toFloat32(e), f: sub(mantissa, 1), inverse }
}

const splitAny = (x: Scalar): LogarithmSplit => {
  const isDenormal = lt(x, 2 ** -126)
  const moved = split(select(isDenormal, mul(x, 2 ** 23), x))
  return { ...moved, e: select(isDenormal, sub(moved.e, 23), moved.e) }
}

/** From the smallest parts up. */
const sum = (e: Scalar, f: Scalar, rest: Scalar | null): Scalar => {
  const g = rest === null ? f : add(f, rest)
  const u = square(g)
  const tail = add(mul(mul(u, g), polynomial(g, logTail)), mul(e, ln2Low))
  return add(add(sub(tail, mul(u, 0.5)), g), mul(e, ln2High))
}

/** Zero, negative, denormal, infinite or NaN. */
export const isUnusual = (x: Scalar): Scalar =>
  or(lt(bitsOf(x), smallestNormalBits), gt(bitsOf(x), largestBits))

export const logarithms: Logarithms = makeLogarithms({
  split,
  splitAny,
  splitSum: split,
  sum,
  isUnusual,
  tiny: 2 ** -25,
  large: 2 ** 13,
  // Within 2^-29 of atanh x.
  atanhTail: [0.333333, 0.2000261, 0.14220996, 0.11838548, 0.050796136, 0.17748219],
  atanhBound: 0.5,
})

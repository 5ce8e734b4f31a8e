/**
 * sin, cos and tan in float32. Up to 12800, multiples of π/2 are subtracted in four parts (Cody & Waite
 * 1980); larger angles are reduced in fixed point, which lanes seldom need: that side is a guard.
 */
import { type Scalar, scalars } from '@cotangent/core'
import {
  abs,
  add,
  and,
  bitsOf,
  div,
  flipped,
  gt,
  horner,
  lt,
  mul,
  ne,
  polynomial,
  select,
  shl,
  square,
  sub,
  topBit,
} from '../arith.ts'
import { roundingShift } from './exponential.ts'
import { type Reduced, reduceTurns, turns } from './largeAngle.ts'

/** π/2 in four parts; multiples up to 2^13 of the first three are exact. */
const quarterParts = [
  1.5703125, 0.0004837512969970703, 7.549533620476723e-8, 2.5633440682570896e-12,
] as const
const largest = 12800

// (sin r / r − 1) / r², (cos r − 1 + r² / 2) / r⁴ and (tan r / r − 1) / r² in r², on |r| ≤ π/4, within
// 2^-28 of sin r, cos r and tan r.
const sineTail = [-0.16666655, 0.008332188, -0.00019518008]
const cosineTail = [0.041666646, -0.0013887308, 2.4432102e-5]
const tangentTail = [
  0.33333352, 0.13332583, 0.05406865, 0.02123861, 0.010945544, -4.6186808e-5, 0.004441829,
]

/** The low bits of the count are that of quarter turns plus an offset. */
const reduceSmall = (x: Scalar, offset: number): Reduced => {
  const shifted = add(mul(x, 2 / Math.PI), roundingShift + offset)
  const n = sub(shifted, roundingShift + offset)
  const [first, second, third, fourth] = quarterParts
  const nearly = sub(sub(x, mul(n, first)), mul(n, second))
  const next = mul(n, third)
  const r = sub(nearly, next)
  // What the last subtraction rounded off. Zeros in it are +0, or sin(−0) were 0.
  const rest = add(sub(next, sub(nearly, r)), mul(n, fourth))
  return { r, rest, count: bitsOf(shifted) }
}

const reduceLarge = (x: Scalar, offset: number): Reduced => {
  const reduced = reduceTurns(turns(x))
  return { ...reduced, count: add(reduced.count, offset) }
}

/** tan (r − rest) from r and (tan r / r − 1), likewise sin, whose slope is nearly 1. */
const corrected = (r: Scalar, tail: Scalar, rest: Scalar): Scalar => sub(r, sub(rest, mul(r, tail)))

/** sin x where n is even, cos x where it is odd, with the sign of the quadrant. */
const wave = ({ r, rest, count }: Reduced): Scalar => {
  const u = square(r)
  const sine = corrected(r, mul(u, horner(u, sineTail)), rest)
  const cosine = add(sub(1, mul(u, 0.5)), mul(square(u), horner(u, cosineTail)))
  return flipped(select(ne(and(count, 1), 0), cosine, sine), shl(and(count, 2), 30))
}

/** tan (r − rest), or −1 / tan after an odd number of quarter turns. */
const tangent = ({ r, rest, count }: Reduced): Scalar => {
  const u = square(r)
  const t = corrected(r, mul(u, polynomial(u, tangentTail)), add(rest, mul(rest, u)))
  return select(ne(and(count, 1), 0), div(-1, t), t)
}

const signOf = (x: Scalar): Scalar => and(bitsOf(x), topBit)

/** The side for large angles is computed only where there are any. NaN for infinite ones. */
const bySize = (x: Scalar, small: Scalar, large: Scalar): Scalar =>
  scalars.guard(gt(abs(x), largest), select(lt(abs(x), Infinity), large, NaN), small)

export const sin = (x: Scalar): Scalar =>
  bySize(x, wave(reduceSmall(x, 0)), flipped(wave(reduceLarge(x, 0)), signOf(x)))

/** sin (x + π/2). */
export const cos = (x: Scalar): Scalar =>
  bySize(x, wave(reduceSmall(x, 1)), wave(reduceLarge(x, 1)))

export const tan = (x: Scalar): Scalar =>
  bySize(x, tangent(reduceSmall(x, 0)), flipped(tangent(reduceLarge(x, 0)), signOf(x)))

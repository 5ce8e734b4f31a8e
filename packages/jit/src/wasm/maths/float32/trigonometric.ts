/** sin, cos and tan of float32. */
import type { Scalar } from '@cotangent/core'
import { add, bitsOf, mul, sub } from '../arith.ts'
import { type Reduced, type Trigonometric, makeTrigonometric } from '../families/trigonometric.ts'
import { roundingShift } from './exponential.ts'
import { reduceLarge } from './largeAngle.ts'

/** π/2 in four parts; multiples up to 2^13 of the first three are exact. */
const quarterParts = [
  1.5703125, 0.0004837512969970703, 7.549533620476723e-8, 2.5633440682570896e-12,
] as const

/** Subtracts multiples of π/2 (Cody & Waite 1980). */
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

export const trigonometric: Trigonometric = makeTrigonometric({
  reduceSmall,
  reduceLarge,
  largest: 12800,
  // Within 2^-28 of sin r, cos r and tan r.
  sineTail: [-0.16666655, 0.008332188, -0.00019518008],
  cosineTail: [0.041666646, -0.0013887308, 2.4432102e-5],
  tangentTail: [
    0.33333352, 0.13332583, 0.05406865, 0.02123861, 0.010945544, -4.6186808e-5, 0.004441829,
  ],
})

/** sin, cos and tan of float64. */
import type { Scalar } from '@cotangent/core'
import { add, mul, round, sub, toInt32 } from '../arith.ts'
import { type Reduced, type Trigonometric, makeTrigonometric } from '../families/trigonometric.ts'
import { reduceLarge } from './largeAngle.ts'

/** π/2 in four parts; multiples up to 2^20 of the first three are exact. */
const quarterParts = [
  1.5707963267341256, 6.077100506303966e-11, 2.0222662487111665e-21, 8.4784276603689e-32,
] as const

/** Subtracts multiples of π/2 (Cody & Waite 1980), keeping what each subtraction rounds off. */
const reduceSmall = (x: Scalar, offset: number): Reduced => {
  // +0 near zero, or sin(−0) were 0.
  const n = add(round(mul(x, 2 / Math.PI)), 0)
  const [first, second, third, fourth] = quarterParts
  const start = sub(x, mul(n, first))
  const next = mul(n, second)
  const nearly = sub(start, next)
  const last = mul(n, third)
  const r = sub(nearly, last)
  const lost = add(sub(next, sub(start, nearly)), sub(last, sub(nearly, r)))
  return { r, rest: add(lost, mul(n, fourth)), count: add(toInt32(n), offset) }
}

export const trigonometric: Trigonometric = makeTrigonometric({
  reduceSmall,
  reduceLarge,
  largest: 2 ** 20,
  // Within 2^-64 of sin r, cos r and tan r.
  sineTail: [
    -0.16666666666666666, 0.008333333333333323, -0.00019841269841255123, 2.7557319214219243e-6,
    -2.5052104919252844e-8, 1.6058367623230528e-10, -7.578748140857427e-13,
  ],
  cosineTail: [
    0.0416666666666666, -0.0013888888888874125, 2.480158728948228e-5, -2.7557314352354947e-7,
    2.087572327579931e-9, -1.135964792339809e-11,
  ],
  tangentTail: [
    0.3333333333333333, 0.13333333333334096, 0.0539682539677556, 0.021869488552699996,
    0.008863235202127862, 0.003592132276975196, 0.0014557965214029192, 0.0005902692279745886,
    0.00023800075820362964, 0.00010080795974916282, 2.933159284842794e-5, 3.4593159836656916e-5,
    -1.8760756931844453e-5, 2.6066632745803612e-5, -1.2723577389992255e-5, 4.564166345986343e-6,
  ],
})

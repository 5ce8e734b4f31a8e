/** D-Adaptation: AdamW that estimates its own rate. */
import { type Tensor, fill, frozenPair } from '@cotangent/core'
import {
  type ScheduleOr,
  increment,
  missingOf,
  scalar,
  times,
  valueAt,
  zeroCount,
} from './hyper.ts'
import { updateSecondMoment } from './moments.ts'
import { treeDot, treeSum } from './norms.ts'
import { type CountState, type GradientTransformation, requireParams } from './transformation.ts'
import { type Tree, mapTrees, zerosOf } from './trees.ts'

export interface DadaptState extends CountState {
  /** Running mean of steps. */
  readonly mu: Tree
  /** Running mean of squared gradients. */
  readonly nu: Tree
  readonly gradSum: Tree
  /** The estimated rate. */
  readonly estimRate: Tensor
  readonly numeratorWeighted: Tensor
}

export interface DadaptOptions {
  /** 0.9 and 0.999 by default. */
  readonly betas?: readonly [b1: number, b2: number]
  /** 1e-8 by default. */
  readonly epsilon?: number
  /** The first estimate; 1e-6 by default. */
  readonly initialRate?: number
  /** Decoupled; 0 by default. */
  readonly weightDecay?: number
}

/** AdamW with a rate learnt from the gradients; `rate` (1) is a factor. @see Defazio & Mishchenko 2023 */
export const dadaptAdamW = (
  rate: ScheduleOr = 1,
  options: DadaptOptions = {},
): GradientTransformation<DadaptState> => {
  const { betas: [b1, b2] = [0.9, 0.999], epsilon = 1e-8, initialRate = 1e-6 } = options
  const { weightDecay = 0 } = options
  const decay = Math.sqrt(b2)
  return {
    init: (params) => {
      const zeros = zerosOf(params)
      return Object.freeze({
        count: zeroCount(),
        mu: zeros,
        nu: zeros,
        gradSum: zeros,
        estimRate: fill([], initialRate, 'float32'),
        numeratorWeighted: fill([], 0, 'float32'),
      })
    },
    update: (grads, state, params) => {
      const known = requireParams('dadaptAdamW', params)
      const { estimRate } = state
      const count = increment(state.count)
      const correction = missingOf(b2, count).sqrt().div(missingOf(b1, count))
      const step = estimRate.mul(scalar(valueAt(rate, state.count))).mul(correction)
      const weighted = mapTrees(
        'dadapt',
        (s, v) => s.div(v.sqrt().add(epsilon)),
        state.gradSum,
        state.nu,
      )
      const product = treeDot(grads, weighted).astype('float32')
      const towards = (share: number) => (sum: Tensor, g: Tensor) =>
        sum.mul(share).add(times(g, step.mul(1 - share)))
      const mu = mapTrees('dadapt', towards(b1), state.mu, grads)
      const nu = updateSecondMoment(grads, state.nu, b2)
      const gradSum = mapTrees('dadapt', towards(decay), state.gradSum, grads)
      const numeratorWeighted = state.numeratorWeighted
        .mul(decay)
        .add(step.mul(product).mul(1 - decay))
      const length = treeSum(mapTrees('dadapt', (s) => s.abs(), gradSum)).astype('float32')
      const estimate = numeratorWeighted.div(length.mul(1 - decay))
      const updates = mapTrees(
        'dadapt',
        (_, m, v, p) => {
          const moved = m.div(v.sqrt().add(epsilon))
          return times(p, step.mul(-weightDecay)).sub(moved)
        },
        grads,
        mu,
        nu,
        known,
      )
      const next = {
        count,
        mu,
        nu,
        gradSum,
        // All gradients zero: 0 / 0, and the estimate stays.
        estimRate: estimRate.where(length.equal(0), estimRate.maximum(estimate)),
        numeratorWeighted,
      }
      return frozenPair(updates, Object.freeze(next))
    },
  }
}

/** Adan: Nesterov momentum by differences of gradients. */
import { frozenPair } from '@cotangent/core'
import type { DecayOptions } from './adam.ts'
import { addDecayedWeights } from './decay.ts'
import { type Hyper, type ScheduleOr, complement, increment, times, zeroCount } from './hyper.ts'
import { overRoot, unbiased, updateMoment, updateSecondMoment } from './moments.ts'
import { type RateState, scaleByLearningRate } from './rate.ts'
import { type CountState, type GradientTransformation, chain } from './transformation.ts'
import { type Tree, frozenCopy, mapTrees, zerosOf } from './trees.ts'

export interface AdanState extends CountState {
  /** Mean of the gradients. */
  readonly mean: Tree
  /** Mean of their differences from step to step. */
  readonly difference: Tree
  /** Mean of squares of the gradients looked ahead. */
  readonly square: Tree
  /** The last gradient. */
  readonly last: Tree
}

export interface ScaleByAdanOptions {
  /** Decay of the mean of gradients; 0.98 by default. */
  readonly b1?: Hyper
  /** Decay of the mean of differences; 0.92 by default. */
  readonly b2?: Hyper
  /** Decay of the mean of squares; 0.99 by default. */
  readonly b3?: Hyper
  /** Added to the root; 1e-8 by default. */
  readonly epsilon?: Hyper
  /** Added under the root. */
  readonly epsilonRoot?: Hyper
}

/** Adan's preconditioning; `epsilonRoot` is 0 by default. @see Xie et al. 2022, algorithm 1 */
export const scaleByAdan = (
  options: ScaleByAdanOptions = {},
): GradientTransformation<AdanState> => {
  const { b1 = 0.98, b2 = 0.92, b3 = 0.99, epsilon = 1e-8, epsilonRoot = 0 } = options
  const ahead = <T>(x: T, change: Tree): T =>
    mapTrees('adan', (a, d) => a.add(times(d, complement(b2))), x, change)
  return {
    init: (params) => {
      const zeros = zerosOf(params)
      const count = zeroCount()
      return Object.freeze({ count, mean: zeros, difference: zeros, square: zeros, last: zeros })
    },
    update: (grads, state) => {
      const first = state.count.equal(0)
      const change = mapTrees('adan', (g, l) => g.mul(0).where(first, g.sub(l)), grads, state.last)
      const mean = updateMoment(grads, state.mean, b1)
      const difference = updateMoment(change, state.difference, b2)
      const square = updateSecondMoment(ahead(grads, change), state.square, b3)
      const count = increment(state.count)
      const numerator = ahead(unbiased(mean, b1, count), unbiased(difference, b2, count))
      const updates = overRoot(numerator, unbiased(square, b3, count), epsilon, epsilonRoot)
      return frozenPair(
        updates,
        Object.freeze({ count, mean, difference, square, last: frozenCopy(grads) }),
      )
    },
  }
}

export interface AdanOptions extends ScaleByAdanOptions, DecayOptions {}

/**
 * Adaptive Nesterov momentum; `epsilonRoot` is 1e-8, `weightDecay` 0 by default.
 * @see Xie et al. 2022
 */
export const adan = (
  rate: ScheduleOr,
  { weightDecay = 0, mask, epsilonRoot = 1e-8, ...options }: AdanOptions = {},
): GradientTransformation<readonly [AdanState, CountState, RateState]> =>
  chain(
    scaleByAdan({ ...options, epsilonRoot }),
    addDecayedWeights(weightDecay, mask),
    scaleByLearningRate(rate),
  )

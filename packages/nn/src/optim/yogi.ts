/** Yogi: a variance that changes by the square of the gradient at most. */
import type { AdamOptions, AdamState } from './adam.ts'
import {
  type Hyper,
  type ScheduleOr,
  complement,
  increment,
  squared,
  times,
  zeroCount,
} from './hyper.ts'
import { nextMoments, overRoot, unbiased, updateMoment } from './moments.ts'
import { type RateState, scaleByLearningRate } from './rate.ts'
import { type GradientTransformation, chain } from './transformation.ts'
import { filledLike, mapTrees } from './trees.ts'

export interface YogiOptions extends Pick<AdamOptions, 'b1' | 'b2' | 'epsilon' | 'epsilonRoot'> {
  /** Both running means begin here; 1e-6 by default. */
  readonly initialAccumulatorValue?: Hyper
}

/**
 * Yogi's preconditioning: nu ← nu − (1 − b2) · sign(nu − g²) · g². `epsilon` is 1e-3 by default.
 * @see Zaheer et al. 2018, algorithm 2
 */
export const scaleByYogi = (options: YogiOptions = {}): GradientTransformation<AdamState> => {
  const { b1 = 0.9, b2 = 0.999, epsilon = 1e-3, epsilonRoot = 0 } = options
  const { initialAccumulatorValue = 1e-6 } = options
  return {
    init: (params) => {
      const start = filledLike(params, initialAccumulatorValue)
      return Object.freeze({ count: zeroCount(), mu: start, nu: start })
    },
    update: (grads, state) => {
      const mu = updateMoment(grads, state.mu, b1)
      const nu = mapTrees(
        'yogi',
        (g, v) => {
          const square = squared(g)
          return v.sub(times(v.sub(square).sign().mul(square), complement(b2)))
        },
        grads,
        state.nu,
      )
      const count = increment(state.count)
      const mean = unbiased(mu, b1, count)
      const variance = unbiased(nu, b2, count)
      return nextMoments(overRoot(mean, variance, epsilon, epsilonRoot), state, mu, nu)
    },
  }
}

/** Adam whose steps do not grow suddenly again. @see Zaheer et al. 2018 */
export const yogi = (
  rate: ScheduleOr,
  options: YogiOptions = {},
): GradientTransformation<readonly [AdamState, RateState]> =>
  chain(scaleByYogi(options), scaleByLearningRate(rate))

/** Adamax: Adam with a maximum in place of the variance. */
import { type AdamOptions, type AdamState, type DecayOptions, zeroMoments } from './adam.ts'
import { addDecayedWeights } from './decay.ts'
import { type ScheduleOr, increment, plus, times } from './hyper.ts'
import { nextMoments, unbiased, updateMoment } from './moments.ts'
import { type RateState, scaleByLearningRate } from './rate.ts'
import { type CountState, type GradientTransformation, chain } from './transformation.ts'
import { mapTrees } from './trees.ts'

export type AdamaxOptions = Pick<AdamOptions, 'b1' | 'b2' | 'epsilon'>

/**
 * Adamax's preconditioning: mean / nu, nu = max(|g| + epsilon, b2 · nu).
 * @see Kingma & Ba 2015, algorithm 2
 */
export const scaleByAdamax = (options: AdamaxOptions = {}): GradientTransformation<AdamState> => {
  const { b1 = 0.9, b2 = 0.999, epsilon = 1e-8 } = options
  return {
    init: (params) => zeroMoments(params),
    update: (grads, state) => {
      const mu = updateMoment(grads, state.mu, b1)
      const nu = mapTrees(
        'adamax',
        (g, v) => plus(g.abs(), epsilon).maximum(times(v, b2)),
        grads,
        state.nu,
      )
      const mean = unbiased(mu, b1, increment(state.count))
      const updates = mapTrees('adamax', (m, v) => m.div(v), mean, nu)
      return nextMoments(updates, state, mu, nu)
    },
  }
}

/** Adam by the infinity norm. @see Kingma & Ba 2015, section 7.1 */
export const adamax = (
  rate: ScheduleOr,
  options: AdamaxOptions = {},
): GradientTransformation<readonly [AdamState, RateState]> =>
  chain(scaleByAdamax(options), scaleByLearningRate(rate))

export interface AdamaxWOptions extends AdamaxOptions, DecayOptions {}

/** Adamax with decoupled weight decay (1e-4 by default). */
export const adamaxw = (
  rate: ScheduleOr,
  { weightDecay = 1e-4, mask, ...options }: AdamaxWOptions = {},
): GradientTransformation<readonly [AdamState, CountState, RateState]> =>
  chain(scaleByAdamax(options), addDecayedWeights(weightDecay, mask), scaleByLearningRate(rate))

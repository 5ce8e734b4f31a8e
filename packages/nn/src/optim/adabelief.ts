/** AdaBelief: steps by how far the gradient is from what was expected. */
import { type AdamOptions, type AdamState, type DecayOptions, zeroMoments } from './adam.ts'
import { addDecayedWeights } from './decay.ts'
import { type ScheduleOr, increment, plus } from './hyper.ts'
import {
  nextMoments,
  overRoot,
  unbiased,
  unbiasedMean,
  updateMoment,
  updateSecondMoment,
} from './moments.ts'
import { difference } from './norms.ts'
import { type RateState, scaleByLearningRate } from './rate.ts'
import { type CountState, type GradientTransformation, chain } from './transformation.ts'
import { mapTrees } from './trees.ts'

/** `epsilon` and `epsilonRoot` are 1e-16 by default. */
export type AdabeliefOptions = Omit<AdamOptions, 'muDtype'>

/** AdaBelief's preconditioning: the variance is of g − mean. @see Zhuang et al. 2020, algorithm 2 */
export const scaleByBelief = (
  options: AdabeliefOptions = {},
): GradientTransformation<AdamState> => {
  const { b1 = 0.9, b2 = 0.999, epsilon = 1e-16, epsilonRoot = 1e-16, nesterov = false } = options
  return {
    init: (params) => zeroMoments(params),
    update: (grads, state) => {
      const mu = updateMoment(grads, state.mu, b1)
      const error = updateSecondMoment(difference(grads, mu), state.nu, b2)
      const nu = mapTrees('adabelief', (v) => plus(v, epsilonRoot), error)
      const count = increment(state.count)
      const mean = unbiasedMean(grads, mu, b1, count, nesterov)
      return nextMoments(overRoot(mean, unbiased(nu, b2, count), epsilon, 0), state, mu, nu)
    },
  }
}

/** Adam that trusts gradients close to their mean. @see Zhuang et al. 2020 */
export const adabelief = (
  rate: ScheduleOr,
  options: AdabeliefOptions = {},
): GradientTransformation<readonly [AdamState, RateState]> =>
  chain(scaleByBelief(options), scaleByLearningRate(rate))

/** `epsilon` and `epsilonRoot` are 1e-16, `weightDecay` 0 by default. */
export interface AcpropOptions extends Omit<AdabeliefOptions, 'nesterov'>, DecayOptions {}

/**
 * ACProp's preconditioning: AdaBelief's variance, of the step before, under the plain gradient.
 * @see Zhuang et al. 2021
 */
export const scaleByAcprop = (
  options: Omit<AdabeliefOptions, 'nesterov'> = {},
): GradientTransformation<AdamState> => {
  const { b1 = 0.9, b2 = 0.999, epsilon = 1e-16, epsilonRoot = 1e-16 } = options
  return {
    init: (params) => zeroMoments(params),
    update: (grads, state) => {
      const mu = updateMoment(grads, state.mu, b1)
      const error = updateSecondMoment(difference(grads, state.mu), state.nu, b2)
      const nu = mapTrees('acprop', (v) => plus(v, epsilonRoot), error)
      const first = state.count.equal(0)
      const before = unbiased(state.nu, b2, state.count.maximum(1))
      const variance = mapTrees('acprop', (v) => v.mul(0).add(1).where(first, v), before)
      return nextMoments(overRoot(grads, variance, epsilon, 0), state, mu, nu)
    },
  }
}

/** Asynchronous centring of the second moment. @see Zhuang et al. 2021 */
export const acprop = (
  rate: ScheduleOr,
  { weightDecay = 0, mask, ...options }: AcpropOptions = {},
): GradientTransformation<readonly [AdamState, CountState, RateState]> =>
  chain(scaleByAcprop(options), addDecayedWeights(weightDecay, mask), scaleByLearningRate(rate))

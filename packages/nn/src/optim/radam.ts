/** RAdam: Adam that waits with its preconditioning until the variance is known well enough. */
import { type Tensor, fill } from '@cotangent/core'
import { type AdamOptions, type AdamState, type DecayOptions, zeroMoments } from './adam.ts'
import { addDecayedWeights } from './decay.ts'
import {
  type Hyper,
  type ScheduleOr,
  complement,
  increment,
  like,
  missingOf,
  powerOf,
  scalar,
  times,
} from './hyper.ts'
import {
  nextMoments,
  overRoot,
  unbiased,
  unbiasedMean,
  updateMoment,
  updateSecondMoment,
} from './moments.ts'
import { type RateState, scaleByLearningRate } from './rate.ts'
import { type CountState, type GradientTransformation, chain } from './transformation.ts'
import { mapTrees, select } from './trees.ts'

export interface RadamOptions extends Omit<AdamOptions, 'muDtype'> {
  /** The length of the approximated moving average from which on the variance counts; 5. */
  readonly threshold?: Hyper
  /** Add epsilon to the root of the uncorrected variance, as PyTorch does; false by default. */
  readonly correctLast?: boolean
}

/** The length of the simple mean that a running one amounts to after so many steps. */
const lengths = (b2: Hyper, count: Tensor): readonly [now: Tensor, atLast: Tensor] => {
  const atLast = scalar(complement(b2)).reciprocal().mul(2).sub(1)
  const left = powerOf(b2, count).div(missingOf(b2, count))
  return [atLast.sub(count.astype('float32').mul(2).mul(left)), atLast]
}

const rectification = (now: Tensor, atLast: Tensor): Tensor => {
  const top = now.sub(4).mul(now.sub(2)).mul(atLast)
  return top.div(atLast.sub(4).mul(atLast.sub(2)).mul(now)).sqrt()
}

/** RAdam's preconditioning. @see Liu et al. 2020, algorithm 2 */
export const scaleByRadam = (options: RadamOptions = {}): GradientTransformation<AdamState> => {
  const { b1 = 0.9, b2 = 0.999, epsilon = 1e-8, epsilonRoot = 0 } = options
  const { threshold = 5, nesterov = false, correctLast = false } = options
  return {
    init: (params) => zeroMoments(params),
    update: (grads, state) => {
      const mu = updateMoment(grads, state.mu, b1)
      const nu = updateSecondMoment(grads, state.nu, b2)
      const count = increment(state.count)
      const [now, atLast] = lengths(b2, count)
      const mean = unbiasedMean(grads, mu, b1, count, nesterov)
      const known = now.greaterEqual(like(threshold, now))
      // Below the threshold the root would be of a negative number; what it gives is not used.
      const safe = now.where(known, fill([], 5, 'float32'))
      const corrected = correctLast
        ? times(rectification(safe, atLast), missingOf(b2, count).sqrt())
        : rectification(safe, atLast)
      const variance = correctLast ? nu : unbiased(nu, b2, count)
      const whole = overRoot(mean, variance, epsilon, epsilonRoot)
      const rectified = mapTrees('radam', (u) => times(u, corrected), whole)
      return nextMoments(select(known, rectified, mean), state, mu, nu)
    },
  }
}

/** Adam with a rectified start, which needs no warm-up. @see Liu et al. 2020 */
export const radam = (
  rate: ScheduleOr,
  options: RadamOptions = {},
): GradientTransformation<readonly [AdamState, RateState]> =>
  chain(scaleByRadam(options), scaleByLearningRate(rate))

export interface RadamWOptions extends RadamOptions, DecayOptions {}

/** RAdam with decoupled weight decay (1e-4 by default). */
export const radamw = (
  rate: ScheduleOr,
  { weightDecay = 1e-4, mask, ...options }: RadamWOptions = {},
): GradientTransformation<readonly [AdamState, CountState, RateState]> =>
  chain(scaleByRadam(options), addDecayedWeights(weightDecay, mask), scaleByLearningRate(rate))

/** AMSGrad: Adam with a variance that never falls. */
import { type DType, frozenPair } from '@cotangent/core'
import { type AdamOptions, type AdamState, type DecayOptions, zeroMoments } from './adam.ts'
import { addDecayedWeights } from './decay.ts'
import { type ScheduleOr, increment } from './hyper.ts'
import { nextMoments, overRoot, unbiased, updateMoment, updateSecondMoment } from './moments.ts'
import { type RateState, scaleByLearningRate } from './rate.ts'
import { type CountState, type GradientTransformation, chain } from './transformation.ts'
import { type Tree, mapTrees, zerosOf } from './trees.ts'

export interface AmsgradState extends AdamState {
  /** The largest variance so far. */
  readonly nuMax: Tree
}

export interface AmsgradOptions extends Omit<AdamOptions, 'nesterov'> {
  readonly muDtype?: DType
  /** Correct the mean of gradients for its bias; true by default. */
  readonly biasCorrectionMu?: boolean
  /** Correct the variance for its bias; true by default. */
  readonly biasCorrectionNu?: boolean
  /** Take the maximum before the variance is corrected, as PyTorch does; false by default. */
  readonly maximumFirst?: boolean
}

/** AMSGrad's preconditioning: mean / (√maximum + epsilon). @see Reddi, Kale & Kumar 2018 */
export const scaleByAmsgrad = (
  options: AmsgradOptions = {},
): GradientTransformation<AmsgradState> => {
  const { b1 = 0.9, b2 = 0.999, epsilon = 1e-8, epsilonRoot = 0, muDtype } = options
  const { biasCorrectionMu = true, biasCorrectionNu = true, maximumFirst = false } = options
  return {
    init: (params) => Object.freeze({ ...zeroMoments(params, muDtype), nuMax: zerosOf(params) }),
    update: (grads, state) => {
      const mu = updateMoment(grads, state.mu, b1)
      const nu = updateSecondMoment(grads, state.nu, b2)
      const count = increment(state.count)
      const corrected = <T>(v: T, here: boolean): T =>
        biasCorrectionNu && here ? unbiased(v, b2, count) : v
      const nuMax = mapTrees(
        'amsgrad',
        (a, b) => a.maximum(b),
        corrected(nu, !maximumFirst),
        state.nuMax,
      )
      const mean = biasCorrectionMu ? unbiased(mu, b1, count) : mu
      const updates = overRoot(mean, corrected(nuMax, maximumFirst), epsilon, epsilonRoot)
      const [, moments] = nextMoments(updates, state, mu, nu, muDtype)
      return frozenPair(updates, Object.freeze({ ...moments, nuMax }))
    },
  }
}

/** Adam whose steps per element never grow again. @see Reddi, Kale & Kumar 2018, algorithm 2 */
export const amsgrad = (
  rate: ScheduleOr,
  options: AmsgradOptions = {},
): GradientTransformation<readonly [AmsgradState, RateState]> =>
  chain(scaleByAmsgrad(options), scaleByLearningRate(rate))

export interface AmsgradWOptions extends AmsgradOptions, DecayOptions {}

/** AMSGrad with decoupled weight decay (1e-4 by default). */
export const amsgradw = (
  rate: ScheduleOr,
  { weightDecay = 1e-4, mask, ...options }: AmsgradWOptions = {},
): GradientTransformation<readonly [AmsgradState, CountState, RateState]> =>
  chain(scaleByAmsgrad(options), addDecayedWeights(weightDecay, mask), scaleByLearningRate(rate))

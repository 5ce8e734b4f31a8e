/** Adam and its closest relatives: AdamW, NAdam, NAdamW. */
import type { DType } from '@cotangent/core'
import { addDecayedWeights } from './decay.ts'
import { type Hyper, type ScheduleOr, increment, zeroCount } from './hyper.ts'
import {
  type MomentsState,
  nextMoments,
  overRoot,
  unbiased,
  unbiasedMean,
  updateMoment,
  updateSecondMoment,
} from './moments.ts'
import { type RateState, scaleByLearningRate } from './rate.ts'
import { type CountState, type GradientTransformation, chain } from './transformation.ts'
import { type Mask, zerosOf } from './trees.ts'

export interface AdamOptions {
  /** Decay of the mean of gradients; 0.9 by default. */
  readonly b1?: Hyper
  /** Decay of the mean of squared gradients; 0.999 by default. */
  readonly b2?: Hyper
  /** Added to the root; 1e-8 by default. */
  readonly epsilon?: Hyper
  /** Added under the root; 0 by default. Needed to differentiate through the optimiser. */
  readonly epsilonRoot?: Hyper
  /** Nesterov's look ahead: NAdam. @see Dozat 2016 */
  readonly nesterov?: boolean
  /** The dtype of the mean of gradients, that of the parameters by default. */
  readonly muDtype?: DType
}

export type AdamState = MomentsState

/** What Adam's relatives start from. */
export const zeroMoments = (params: unknown, muDtype?: DType): MomentsState =>
  Object.freeze({ count: zeroCount(), mu: zerosOf(params, muDtype), nu: zerosOf(params) })

/**
 * Adam's preconditioning: mean / (√variance + epsilon), both corrected for their bias.
 * @see Kingma & Ba 2015, algorithm 1
 */
export const scaleByAdam = (options: AdamOptions = {}): GradientTransformation<AdamState> => {
  const { b1 = 0.9, b2 = 0.999, epsilon = 1e-8, epsilonRoot = 0 } = options
  const { nesterov = false, muDtype } = options
  return {
    init: (params) => zeroMoments(params, muDtype),
    update: (grads, state) => {
      const mu = updateMoment(grads, state.mu, b1)
      const nu = updateSecondMoment(grads, state.nu, b2)
      const count = increment(state.count)
      const mean = unbiasedMean(grads, mu, b1, count, nesterov)
      const updates = overRoot(mean, unbiased(nu, b2, count), epsilon, epsilonRoot)
      return nextMoments(updates, state, mu, nu, muDtype)
    },
  }
}

/**
 * Adam: steps of about the learning rate, whatever the scale of the gradients.
 * @see Kingma & Ba 2015
 * @example
 * optim.adam(optim.warmupCosine({ initial: 0, peak: 1e-3, warmup: 100, steps: 5000 }))
 */
export const adam = (
  rate: ScheduleOr,
  options: AdamOptions = {},
): GradientTransformation<readonly [AdamState, RateState]> =>
  chain(scaleByAdam(options), scaleByLearningRate(rate))

export interface DecayOptions {
  /** Of the parameters, times the learning rate. */
  readonly weightDecay?: ScheduleOr
  /** Which parameters decay: a tree of booleans, or a function to one; all by default. */
  readonly mask?: Mask
}

export interface AdamWOptions extends AdamOptions, DecayOptions {}

/**
 * Adam with decoupled weight decay (1e-4 by default): p ← p − rate · (adam + decay · p).
 * @see Loshchilov & Hutter 2019, algorithm 2
 */
export const adamw = (
  rate: ScheduleOr,
  { weightDecay = 1e-4, mask, ...options }: AdamWOptions = {},
): GradientTransformation<readonly [AdamState, CountState, RateState]> =>
  chain(scaleByAdam(options), addDecayedWeights(weightDecay, mask), scaleByLearningRate(rate))

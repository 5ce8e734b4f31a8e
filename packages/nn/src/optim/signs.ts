/** Signs of gradients: signSGD and Signum. */
import type { DType } from '@cotangent/core'
import { type EmaState, ema } from './ema.ts'
import type { Hyper, ScheduleOr } from './hyper.ts'
import { type RateState, scaleByLearningRate } from './rate.ts'
import {
  type EmptyState,
  type GradientTransformation,
  chain,
  statelessTransformation,
} from './transformation.ts'
import { mapTrees } from './trees.ts'

/** −1, 0 or 1 for each element. */
export const scaleBySign = (): GradientTransformation<EmptyState> =>
  statelessTransformation((grads) => mapTrees('scaleBySign', (g) => g.sign(), grads))

/** Steps of the learning rate in every element. @see Bernstein et al. 2018 */
export const signSgd = (
  rate: ScheduleOr,
): GradientTransformation<readonly [EmptyState, RateState]> =>
  chain(scaleBySign(), scaleByLearningRate(rate))

export interface SignumOptions {
  /** Decay of the mean of gradients; 0.9 by default. */
  readonly beta?: Hyper
  readonly accumulatorDtype?: DType
}

/** The sign of the mean of gradients. @see Bernstein et al. 2018 */
export const signum = (
  rate: ScheduleOr,
  { beta = 0.9, ...options }: SignumOptions = {},
): GradientTransformation<readonly [EmaState, EmptyState, RateState]> =>
  chain(ema(beta, { ...options, debias: false }), scaleBySign(), scaleByLearningRate(rate))

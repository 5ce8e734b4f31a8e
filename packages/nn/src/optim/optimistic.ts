/** Optimistic gradients, for games: this gradient and its change since the last step. */
import { type Tensor, fill, frozenPair } from '@cotangent/core'
import { type AdamOptions, type AdamState, scaleByAdam } from './adam.ts'
import { type Hyper, type ScheduleOr, plus, scalar, times } from './hyper.ts'
import { type RateState, scale, scaleByLearningRate } from './rate.ts'
import { type EmptyState, type GradientTransformation, chain } from './transformation.ts'
import { type Tree, frozenCopy, mapTrees, zerosOf } from './trees.ts'

export interface OptimisticState {
  /** Whether no update was made yet: bool, shape []. */
  readonly isInitialStep: Tensor
  readonly previousGradient: Tree
}

export interface OptimisticOptions {
  /** The weight of the gradient; 1 by default. */
  readonly alpha?: Hyper
  /** The weight of its change; 1 by default. */
  readonly beta?: Hyper
}

/** (alpha + beta) · g − beta · last g. @see Mokhtari, Ozdaglar & Pattathil 2019 */
export const scaleByOptimisticGradient = (
  options: OptimisticOptions = {},
): GradientTransformation<OptimisticState> => {
  const { alpha = 1, beta = 1 } = options
  const both: Hyper =
    typeof alpha === 'number' && typeof beta === 'number' ? alpha + beta : plus(scalar(alpha), beta)
  return {
    init: (params) =>
      Object.freeze({ isInitialStep: fill([], 1, 'bool'), previousGradient: zerosOf(params) }),
    update: (grads, state) => {
      const updates = mapTrees(
        'optimistic',
        (g, p) => times(g, both).sub(times(g.where(state.isInitialStep, p), beta)),
        grads,
        state.previousGradient,
      )
      const next = { isInitialStep: fill([], 0, 'bool'), previousGradient: frozenCopy(grads) }
      return frozenPair(updates, Object.freeze(next))
    },
  }
}

/** Gradient descent that converges in bilinear games. @see Mokhtari et al. 2019 */
export const optimisticGradientDescent = (
  rate: ScheduleOr,
  options: OptimisticOptions = {},
): GradientTransformation<readonly [OptimisticState, RateState]> =>
  chain(scaleByOptimisticGradient(options), scaleByLearningRate(rate))

export interface OptimisticAdamOptions extends AdamOptions {
  /** The weight of the change, the rate by default. */
  readonly optimism?: Hyper
}

/** Optimistic Adam with the rate inside. Nesterov by default. @see Daskalakis et al. 2018, algorithm 1 */
export const optimisticAdam = (
  rate: Hyper,
  { optimism = rate, nesterov = true, ...options }: OptimisticAdamOptions = {},
): GradientTransformation<readonly [AdamState, OptimisticState, EmptyState]> =>
  chain(
    scaleByAdam({ ...options, nesterov }),
    scaleByOptimisticGradient({ alpha: rate, beta: optimism }),
    scale(-1),
  )

export interface OptimisticAdamV2Options extends AdamOptions, OptimisticOptions {}

/** Optimistic Adam with the rate outside, so that it may be a schedule. Nesterov by default. */
export const optimisticAdamV2 = (
  rate: ScheduleOr,
  { alpha = 1, beta = 1, nesterov = true, ...options }: OptimisticAdamV2Options = {},
): GradientTransformation<readonly [AdamState, OptimisticState, RateState]> =>
  chain(
    scaleByAdam({ ...options, nesterov }),
    scaleByOptimisticGradient({ alpha, beta }),
    scaleByLearningRate(rate),
  )

/** Adadelta: steps in the unit of the parameters, without a rate. */
import { frozenPair } from '@cotangent/core'
import { addDecayedWeights } from './decay.ts'
import { type Hyper, type ScheduleOr, plus } from './hyper.ts'
import { updateSecondMoment } from './moments.ts'
import { type RateState, scaleByLearningRate } from './rate.ts'
import { type CountState, type GradientTransformation, chain } from './transformation.ts'
import { type Mask, type Tree, mapTrees, zerosOf } from './trees.ts'

export interface AdadeltaState {
  /** Running mean of squared gradients. */
  readonly squaredGradients: Tree
  /** Running mean of squared updates. */
  readonly squaredUpdates: Tree
}

export interface ScaleByAdadeltaOptions {
  /** Decay of both means; 0.9 by default. */
  readonly rho?: Hyper
  /** Added under both roots; 1e-6 by default. */
  readonly epsilon?: Hyper
}

/** g · √(mean of squared updates) / √(mean of squared gradients). @see Zeiler 2012, algorithm 1 */
export const scaleByAdadelta = (
  options: ScaleByAdadeltaOptions = {},
): GradientTransformation<AdadeltaState> => {
  const { rho = 0.9, epsilon = 1e-6 } = options
  return {
    init: (params) => {
      const zeros = zerosOf(params)
      return Object.freeze({ squaredGradients: zeros, squaredUpdates: zeros })
    },
    update: (grads, state) => {
      const squaredGradients = updateSecondMoment(grads, state.squaredGradients, rho)
      const updates = mapTrees(
        'adadelta',
        (g, s, u) => plus(u, epsilon).sqrt().div(plus(s, epsilon).sqrt()).mul(g),
        grads,
        squaredGradients,
        state.squaredUpdates,
      )
      const squaredUpdates = updateSecondMoment(updates, state.squaredUpdates, rho)
      return frozenPair(updates, Object.freeze({ squaredGradients, squaredUpdates }))
    },
  }
}

export interface AdadeltaOptions extends ScaleByAdadeltaOptions {
  /** Coupled: added to the gradients; 0 by default. */
  readonly weightDecay?: ScheduleOr
  readonly weightDecayMask?: Mask
}

/** Steps by the ratio of past updates to past gradients. @see Zeiler 2012 */
export const adadelta = (
  rate: ScheduleOr = 1,
  { weightDecay = 0, weightDecayMask, ...options }: AdadeltaOptions = {},
): GradientTransformation<readonly [CountState, AdadeltaState, RateState]> =>
  chain(
    addDecayedWeights(weightDecay, weightDecayMask),
    scaleByAdadelta(options),
    scaleByLearningRate(rate),
  )

/** Lion: the sign of an interpolated momentum. */
import { type DType, type Tensor, frozenPair } from '@cotangent/core'
import type { DecayOptions } from './adam.ts'
import { addDecayedWeights } from './decay.ts'
import { type Hyper, type ScheduleOr, blend, increment, zeroCount } from './hyper.ts'
import { updateMoment } from './moments.ts'
import { type RateState, scaleByLearningRate } from './rate.ts'
import { type CountState, type GradientTransformation, chain } from './transformation.ts'
import { type Tree, castTo, mapTrees, zerosOf } from './trees.ts'

export interface LionState extends CountState {
  /** The running mean of gradients. */
  readonly mu: Tree
}

export interface ScaleByLionOptions {
  /** How much of the update is momentum; 0.9 by default. */
  readonly b1?: Hyper
  /** Decay of the momentum; 0.99 by default. */
  readonly b2?: Hyper
  /** The momentum's dtype, that of the parameters by default. */
  readonly muDtype?: DType
  /** The sign itself, a tanh of it, or the value itself where it is below one; 'hard' by default. */
  readonly mode?: 'hard' | 'smooth' | 'refined'
  /** The slope of the tanh; 1 by default. */
  readonly smoothBeta?: number
}

/** The sign of the interpolated momentum. @see Chen et al. 2023, algorithm 2 */
export const scaleByLion = (
  options: ScaleByLionOptions = {},
): GradientTransformation<LionState> => {
  const { b1 = 0.9, b2 = 0.99, muDtype, mode = 'hard', smoothBeta = 1 } = options
  const shaped = (x: Tensor): Tensor => {
    if (mode === 'smooth') return x.mul(smoothBeta).tanh()
    return mode === 'hard' ? x.sign() : x.where(x.abs().less(1), x.sign())
  }
  return {
    init: (params) => Object.freeze({ count: zeroCount(), mu: zerosOf(params, muDtype) }),
    update: (grads, state) => {
      const updates = mapTrees('lion', (g, m) => shaped(blend(g, m, b1)), grads, state.mu)
      const mu = castTo(updateMoment(grads, state.mu, b2), muDtype)
      return frozenPair(updates, Object.freeze({ count: increment(state.count), mu }))
    },
  }
}

export interface LionOptions extends ScaleByLionOptions, DecayOptions {}

/**
 * Steps of exactly the learning rate in every element; wants a rate 3 to 10 times below Adam's and
 * as much more decay (1e-3 by default).
 * @see Chen et al. 2023
 * @example
 * optim.lion(1e-4, { weightDecay: 0.1 })
 */
export const lion = (
  rate: ScheduleOr,
  { weightDecay = 1e-3, mask, ...options }: LionOptions = {},
): GradientTransformation<readonly [LionState, CountState, RateState]> =>
  chain(scaleByLion(options), addDecayedWeights(weightDecay, mask), scaleByLearningRate(rate))

/** AdEMAMix: a fast and a slow mean of gradients. */
import { type DType, type Tensor, frozenPair } from '@cotangent/core'
import type { DecayOptions } from './adam.ts'
import { addDecayedWeights } from './decay.ts'
import { type Hyper, type ScheduleOr, increment, times, valueAt, zeroCount } from './hyper.ts'
import { overRoot, unbiased, updateMoment, updateSecondMoment } from './moments.ts'
import { type RateState, scaleByLearningRate } from './rate.ts'
import { type CountState, type GradientTransformation, chain } from './transformation.ts'
import { type Tree, castTo, mapTrees, zerosOf } from './trees.ts'

export interface AdemamixState extends CountState {
  /** The fast mean of gradients. */
  readonly m1: Tree
  /** The slow mean of gradients, with its bias. */
  readonly m2: Tree
  /** The mean of squared gradients. */
  readonly nu: Tree
}

export interface ScaleByAdemamixOptions {
  /** Decay of the fast mean; 0.9 by default. */
  readonly b1?: Hyper
  /** Decay of the mean of squares; 0.999 by default. */
  readonly b2?: Hyper
  /** Decay of the slow mean; 0.9999 by default. */
  readonly b3?: ScheduleOr
  /** The weight of the slow mean; 6 by default (5 in `ademamix`). */
  readonly alpha?: ScheduleOr
  readonly epsilon?: Hyper
  readonly epsilonRoot?: Hyper
  readonly muDtype?: DType
}

/** (fast + alpha · slow) / √variance. @see Pagliardini, Ablin & Grangier 2024, algorithm 1 */
export const scaleByAdemamix = (
  options: ScaleByAdemamixOptions = {},
): GradientTransformation<AdemamixState> => {
  const { b1 = 0.9, b2 = 0.999, b3 = 0.9999, alpha = 6 } = options
  const { epsilon = 1e-8, epsilonRoot = 0, muDtype } = options
  return {
    init: (params) => {
      const zeros = zerosOf(params, muDtype)
      return Object.freeze({ count: zeroCount(), m1: zeros, m2: zeros, nu: zeros })
    },
    update: (grads, state) => {
      const weight = valueAt(alpha, state.count)
      const m1 = updateMoment(grads, state.m1, b1)
      const m2 = updateMoment(grads, state.m2, valueAt(b3, state.count))
      const nu = updateSecondMoment(grads, state.nu, b2)
      const count = increment(state.count)
      const mixed = mapTrees(
        'ademamix',
        (a, b) => a.add(times(b, weight)),
        unbiased(m1, b1, count),
        m2,
      )
      const updates = overRoot(mixed, unbiased(nu, b2, count), epsilon, epsilonRoot)
      const kept = { m1: castTo(m1, muDtype), m2: castTo(m2, muDtype), nu: castTo(nu, muDtype) }
      return frozenPair(updates, Object.freeze({ count, ...kept }))
    },
  }
}

export interface AdemamixOptions extends ScaleByAdemamixOptions, DecayOptions {}

/** AdamW with a second, slow mean of gradients; `weightDecay` 0 by default. @see Pagliardini et al. 2024 */
export const ademamix = (
  rate: ScheduleOr,
  { weightDecay = 0, mask, alpha = 5, ...options }: AdemamixOptions = {},
): GradientTransformation<readonly [AdemamixState, CountState, RateState]> =>
  chain(
    scaleByAdemamix({ ...options, alpha }),
    addDecayedWeights(weightDecay, mask),
    scaleByLearningRate(rate),
  )

export interface SimplifiedAdemamixState extends CountState {
  /** The decaying sum of gradients. */
  readonly sum: Tree
  /** The mean of squared gradients. */
  readonly nu: Tree
}

export interface ScaleBySimplifiedAdemamixOptions {
  /** Decay of the sum of gradients; 0.99 by default. */
  readonly b1?: Hyper
  /** Decay of the mean of squares; 0.95 by default. */
  readonly b2?: Hyper
  /** The weight of the gradient itself; 0 by default. */
  readonly alpha?: ScheduleOr
  readonly epsilon?: Hyper
  readonly epsilonRoot?: Hyper
}

/** (sum + alpha · g) / √variance. @see Morwani et al. 2025 */
export const scaleBySimplifiedAdemamix = (
  options: ScaleBySimplifiedAdemamixOptions = {},
): GradientTransformation<SimplifiedAdemamixState> => {
  const { b1 = 0.99, b2 = 0.95, alpha = 0, epsilon = 1e-8, epsilonRoot = 0 } = options
  return {
    init: (params) => {
      const zeros = zerosOf(params)
      return Object.freeze({ count: zeroCount(), sum: zeros, nu: zeros })
    },
    update: (grads, state) => {
      const weight = valueAt(alpha, state.count)
      const scaledSum = (g: Tensor, s: Tensor, by: Hyper): Tensor => g.add(times(s, by))
      const sum = mapTrees('ademamix', (g, s) => scaledSum(g, s, b1), grads, state.sum)
      const nu = updateSecondMoment(grads, state.nu, b2)
      const count = increment(state.count)
      const mixed = mapTrees('ademamix', (s, g) => scaledSum(s, g, weight), sum, grads)
      const updates = overRoot(mixed, unbiased(nu, b2, count), epsilon, epsilonRoot)
      return frozenPair(updates, Object.freeze({ count, sum, nu }))
    },
  }
}

export interface SimplifiedAdemamixOptions extends ScaleBySimplifiedAdemamixOptions, DecayOptions {}

/** AdEMAMix with one mean; `weightDecay` 0 by default. @see Morwani et al. 2025 */
export const simplifiedAdemamix = (
  rate: ScheduleOr,
  { weightDecay = 0, mask, ...options }: SimplifiedAdemamixOptions = {},
): GradientTransformation<readonly [SimplifiedAdemamixState, CountState, RateState]> =>
  chain(
    scaleBySimplifiedAdemamix(options),
    addDecayedWeights(weightDecay, mask),
    scaleByLearningRate(rate),
  )

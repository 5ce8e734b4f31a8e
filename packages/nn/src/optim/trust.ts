/** Steps in proportion to the parameters: trust ratios, LAMB, LARS, Fromage. */
import { type AdamOptions, type AdamState, type DecayOptions, scaleByAdam } from './adam.ts'
import { addDecayedWeights } from './decay.ts'
import { type Hyper, type ScheduleOr, plus, scalar, times, valueAt } from './hyper.ts'
import { type MaskedState, masked } from './masked.ts'
import { safeNorm } from './norms.ts'
import { type RateState, scaleByLearningRate } from './rate.ts'
import { type TraceState, trace } from './sgd.ts'
import {
  type CountState,
  type EmptyState,
  type GradientTransformation,
  chain,
  requireParams,
  statelessTransformation,
} from './transformation.ts'
import { type Mask, mapTrees } from './trees.ts'

export interface TrustRatioOptions {
  /** Norms are not taken to be smaller; 0 by default. */
  readonly minNorm?: Hyper
  /** Multiplies the ratio; 1 by default. */
  readonly trustCoefficient?: Hyper
  /** Added to the norm of the update; 0 by default. */
  readonly epsilon?: Hyper
}

/**
 * Multiplies each leaf's update by ‖parameter‖ / ‖update‖; by one where either is zero.
 * @throws TreeError where update gets no parameters.
 * @see You et al. 2020
 */
export const scaleByTrustRatio = (
  options: TrustRatioOptions = {},
): GradientTransformation<EmptyState> => {
  const { minNorm = 0, trustCoefficient = 1, epsilon = 0 } = options
  return statelessTransformation((grads, params) =>
    mapTrees(
      'scaleByTrustRatio',
      (u, p) => {
        const [ofParam, ofUpdate] = [safeNorm(p, minNorm), safeNorm(u, minNorm)]
        const zero = ofParam.equal(0).logicalOr(ofUpdate.equal(0))
        const divisor = ofUpdate.mul(0).add(1).where(zero, plus(ofUpdate, epsilon))
        const ratio = times(ofParam, trustCoefficient).div(divisor)
        return times(u, ratio.mul(0).add(1).where(zero, ratio))
      },
      grads,
      requireParams('scaleByTrustRatio', params),
    ),
  )
}

export interface LambOptions extends Omit<AdamOptions, 'nesterov' | 'muDtype'>, DecayOptions {}

/**
 * Adam in proportion to each layer's norm, for large batches; `epsilon` is 1e-6, `weightDecay` 0 by
 * default. @see You et al. 2020, algorithm 2
 */
export const lamb = (
  rate: ScheduleOr,
  { weightDecay = 0, mask, epsilon = 1e-6, ...options }: LambOptions = {},
): GradientTransformation<readonly [AdamState, CountState, EmptyState, RateState]> =>
  chain(
    scaleByAdam({ ...options, epsilon }),
    addDecayedWeights(weightDecay, mask),
    scaleByTrustRatio(),
    scaleByLearningRate(rate),
  )

export interface LarsOptions {
  /** Added to the gradients; 0 by default. */
  readonly weightDecay?: ScheduleOr
  readonly weightDecayMask?: Mask
  /** 0.001 by default. */
  readonly trustCoefficient?: Hyper
  readonly epsilon?: Hyper
  /** Where the ratio applies: all by default; biases are often left out. */
  readonly trustRatioMask?: Mask
  /** 0.9 by default. */
  readonly momentum?: Hyper
  readonly nesterov?: boolean
}

/** Momentum in proportion to each layer's norm, for large batches. @see You, Gitman & Ginsburg 2017 */
export const lars = (
  rate: ScheduleOr,
  options: LarsOptions = {},
): GradientTransformation<
  readonly [CountState, MaskedState<EmptyState>, RateState, TraceState]
> => {
  const { weightDecay = 0, weightDecayMask = true, trustCoefficient = 0.001 } = options
  const { epsilon = 0, trustRatioMask = true, momentum = 0.9, nesterov = false } = options
  return chain(
    addDecayedWeights(weightDecay, weightDecayMask),
    masked(scaleByTrustRatio({ trustCoefficient, epsilon }), trustRatioMask),
    scaleByLearningRate(rate),
    trace(momentum, { nesterov }),
  )
}

export interface FromageOptions {
  /** Norms are not taken to be smaller; 1e-6 by default. */
  readonly minNorm?: Hyper
}

/**
 * Steps by a share of each layer's norm, then shrinks the parameters by 1 / √(1 + rate²).
 * @see Bernstein et al. 2020, algorithm 1
 */
export const fromage = (
  rate: ScheduleOr,
  { minNorm = 1e-6 }: FromageOptions = {},
): GradientTransformation<readonly [EmptyState, RateState, CountState]> => {
  const shrink = (value: Hyper): Hyper =>
    typeof value === 'number'
      ? 1 / Math.sqrt(1 + value ** 2)
      : value.square().add(1).sqrt().reciprocal()
  const shrunk = (value: Hyper): Hyper =>
    typeof value === 'number' ? value * Number(shrink(value)) : times(value, shrink(value))
  const less = (value: Hyper): Hyper => {
    const share = shrink(value)
    return typeof share === 'number' ? share - 1 : share.sub(1)
  }
  const over = (f: (value: Hyper) => Hyper): ScheduleOr =>
    typeof rate === 'function' ? (step) => scalar(f(valueAt(rate, step))) : f(rate)
  return chain(
    scaleByTrustRatio({ minNorm }),
    scaleByLearningRate(over(shrunk)),
    addDecayedWeights(over(less)),
  )
}

/** Schedule-free learning: averaging in place of a falling rate. */
import { type DType, type Tensor, fill, frozenPair } from '@cotangent/core'
import { addDecayedWeights } from './decay.ts'
import { type ScheduleOr, blend, complement, increment, scalar, valueAt } from './hyper.ts'
import { type RateState, scaleByLearningRate } from './rate.ts'
import { type RmsState, scaleByRms } from './rmsprop.ts'
import { type SgdState, sgd } from './sgd.ts'
import {
  type CountState,
  type EmptyState,
  type GradientTransformation,
  applyUpdates,
  chain,
  identity,
  requireParams,
} from './transformation.ts'
import { type Tree, castTo, mapTrees } from './trees.ts'
import { warmupConstant } from './warmup.ts'

export interface ScheduleFreeState<S> {
  /** The share of the average in the point where gradients are taken. */
  readonly b1: Tensor
  /** The sum of weights so far. */
  readonly weightSum: Tensor
  /** Updates so far and one: int32, shape []. */
  readonly stepCount: Tensor
  /** The largest rate so far. */
  readonly maxRate: Tensor
  readonly inner: S
  /** The parameters of the base optimiser. */
  readonly z: Tree
}

export interface ScheduleFreeOptions {
  /** The share of the average in the point where gradients are taken; 0.9 by default. */
  readonly b1?: number
  /** Weights in the average are the largest rate to this power; 2 by default. */
  readonly weightRatePower?: number
  /** The dtype of the base optimiser's parameters, that of the parameters by default. */
  readonly stateDtype?: DType
}

const average = (y: Tensor, z: Tensor, b1: Tensor | number): Tensor =>
  typeof b1 === 'number'
    ? y.sub(z.mul(1 - b1)).div(b1)
    : y.sub(z.mul(b1.neg().add(1).astype(y.dtype))).div(b1.astype(y.dtype))

/** The parameters to evaluate: the average. */
export const scheduleFreeEvalParams = <P>(
  state: Pick<ScheduleFreeState<unknown>, 'b1' | 'z'>,
  params: P,
): P =>
  mapTrees(
    'scheduleFreeEvalParams',
    (y, z) => average(y, z.astype(y.dtype), state.b1),
    params,
    state.z,
  )

/**
 * Wraps a base optimiser without momentum: gradients are taken between its parameters and their
 * average, which is what to evaluate (`scheduleFreeEvalParams`). `rate` is the base's own.
 * @see Defazio et al. 2024
 */
export const scheduleFree = <S>(
  base: GradientTransformation<S>,
  rate: ScheduleOr,
  { b1 = 0.9, weightRatePower = 2, stateDtype }: ScheduleFreeOptions = {},
): GradientTransformation<ScheduleFreeState<S>> => ({
  init: (params) =>
    Object.freeze({
      b1: fill([], b1, 'float32'),
      weightSum: fill([], 0, 'float32'),
      stepCount: fill([], 1, 'int32'),
      maxRate: fill([], 0, 'float32'),
      inner: base.init(params),
      z: castTo(params, stateDtype),
    }),
  update: (grads, state, params, extra) => {
    const known = requireParams('scheduleFree', params)
    const maxRate = state.maxRate.maximum(scalar(valueAt(rate, state.stepCount)))
    const weight = maxRate.pow(weightRatePower)
    const weightSum = state.weightSum.add(weight)
    // 0 / 0 while the rate warms up from zero: the average then stays.
    const none = weightSum.equal(0)
    const share = weight.where(none, weight.div(weightSum.where(none.logicalNot(), 1)))
    const [steps, inner] = base.update(grads, state.inner, known, extra)
    const z = applyUpdates(state.z, steps)
    const updates = mapTrees(
      'scheduleFree',
      (_, y, zOld, zNew) => {
        const before = average(y, zOld.astype(y.dtype), b1)
        const x = blend(zNew.astype(y.dtype), before, complement(share))
        return x
          .mul(b1)
          .add(zNew.astype(y.dtype).mul(1 - b1))
          .sub(y)
      },
      grads,
      known,
      state.z,
      z,
    )
    const later = {
      b1: state.b1,
      weightSum,
      stepCount: increment(state.stepCount),
      maxRate,
      inner,
      z,
    }
    return frozenPair(updates, Object.freeze(later))
  },
})

export interface ScheduleFreeSgdOptions extends ScheduleFreeOptions {
  /** Steps of a straight line from zero to the rate; none by default. */
  readonly warmupSteps?: number
  /** Added to the gradients; none by default. */
  readonly weightDecay?: ScheduleOr
}

const warmed = (rate: number, steps: number | undefined): ScheduleOr =>
  steps === undefined ? rate : warmupConstant(0, rate, steps)

/** Schedule-free gradient descent. @see Defazio et al. 2024 */
export const scheduleFreeSgd = (
  rate = 1,
  { warmupSteps, weightDecay, ...options }: ScheduleFreeSgdOptions = {},
): GradientTransformation<ScheduleFreeState<readonly [CountState | EmptyState, SgdState]>> => {
  const scheduled = warmed(rate, warmupSteps)
  const decay: GradientTransformation<CountState | EmptyState> =
    weightDecay === undefined ? identity() : addDecayedWeights(weightDecay)
  return scheduleFree(chain(decay, sgd(scheduled)), scheduled, options)
}

export interface ScheduleFreeAdamWOptions extends ScheduleFreeSgdOptions {
  /** Decay of the mean of squared gradients; 0.999 by default. */
  readonly b2?: number
  /** 1e-8 by default. */
  readonly epsilon?: number
}

/** Schedule-free AdamW. @see Defazio et al. 2024 */
export const scheduleFreeAdamW = (
  rate = 0.0025,
  options: ScheduleFreeAdamWOptions = {},
): GradientTransformation<ScheduleFreeState<readonly [RmsState, CountState, RateState]>> => {
  const { warmupSteps, b2 = 0.999, epsilon = 1e-8, weightDecay = 0, ...rest } = options
  const scheduled = warmed(rate, warmupSteps)
  const base = chain(
    scaleByRms({ decay: b2, epsilon, epsilonInSqrt: false, biasCorrection: true }),
    addDecayedWeights(weightDecay),
    scaleByLearningRate(scheduled),
  )
  return scheduleFree(base, scheduled, rest)
}

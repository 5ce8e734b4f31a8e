/** Distances of predictions from targets, element by element. */
import { ShapeError, type Tensor, type TensorLike } from '@cotangent/core'
import { np } from '@cotangent/ops'
import { type LossOptions, fitting, reduce } from './reduction.ts'

const difference = (operation: string, predictions: Tensor, targets: TensorLike): Tensor =>
  predictions.sub(fitting(operation, predictions, targets))

/**
 * (prediction − target)², one value an element.
 * @throws ShapeError, as all of these, for targets that do not broadcast to the predictions.
 */
export const squaredError = (predictions: Tensor, targets: TensorLike = 0): Tensor =>
  difference('squaredError', predictions, targets).square()

/** ½ (prediction − target)², one value an element; its derivative is the difference. */
export const l2Loss = (predictions: Tensor, targets: TensorLike = 0): Tensor =>
  squaredError(predictions, targets).mul(0.5)

/** The mean of (prediction − target)². */
export const meanSquaredError = (
  predictions: Tensor,
  targets: TensorLike,
  { reduction }: LossOptions = {},
): Tensor => reduce(squaredError(predictions, targets), reduction)

/** The mean of |prediction − target|. */
export const meanAbsoluteError = (
  predictions: Tensor,
  targets: TensorLike,
  { reduction }: LossOptions = {},
): Tensor => reduce(difference('meanAbsoluteError', predictions, targets).abs(), reduction)

export interface HuberOptions extends LossOptions {
  /** Where the square turns into a line; 1 by default. */
  readonly delta?: number
}

/**
 * d² / 2 up to `delta`, then delta · (|d| − delta / 2).
 * @see Huber 1964
 * @example
 * losses.huber(tensor([0.5, 3]), 0, { reduction: 'none' }).toArray() // [0.125, 2.5]
 */
export const huber = (
  predictions: Tensor,
  targets: TensorLike = 0,
  { delta = 1, reduction }: HuberOptions = {},
): Tensor => {
  const distance = difference('huber', predictions, targets).abs()
  const quadratic = distance.minimum(delta)
  const linear = distance.sub(quadratic)
  return reduce(quadratic.square().mul(0.5).add(linear.mul(delta)), reduction)
}

export interface SmoothL1Options extends LossOptions {
  /** Where the square turns into a line, not negative; 1 by default. 0 is the absolute error. */
  readonly beta?: number
}

/**
 * d² / (2 beta) below `beta`, then |d| − beta / 2: Huber's loss over delta.
 * @see Girshick 2015, Fast R-CNN, eq. 3
 */
export const smoothL1 = (
  predictions: Tensor,
  targets: TensorLike = 0,
  { beta = 1, reduction }: SmoothL1Options = {},
): Tensor => {
  if (!(beta >= 0)) throw negativeBeta(beta)
  if (beta === 0) return meanAbsoluteError(predictions, targets, { reduction: reduction ?? 'mean' })
  return reduce(
    huber(predictions, targets, { delta: beta, reduction: 'none' }).div(beta),
    reduction,
  )
}

const negativeBeta = (beta: number): ShapeError =>
  new ShapeError({
    operation: 'smoothL1',
    problem: 'beta is out of range',
    got: String(beta),
    want: 'a number that is not negative',
    fix: 'give the distance at which the square turns into a line',
  })

/**
 * log cosh d: d² / 2 near 0, |d| − log 2 far away; finite wherever d is.
 * @see Chen et al. 2019
 */
export const logCosh = (
  predictions: Tensor,
  targets: TensorLike = 0,
  { reduction }: LossOptions = {},
): Tensor => {
  const d = difference('logCosh', predictions, targets)
  return reduce(np.logaddexp(d, d.neg()).sub(Math.LN2), reduction)
}

export interface QuantileOptions extends LossOptions {
  /** Between 0 and 1; ½, the median, by default. */
  readonly quantile?: number
}

/**
 * The pinball loss: quantile · (t − p) where the prediction is too low, (1 − quantile) · (p − t)
 * where it is too high. Its minimum is the quantile of the targets.
 * @see Koenker & Bassett 1978
 */
export const quantileLoss = (
  predictions: Tensor,
  targets: TensorLike,
  { quantile = 0.5, reduction }: QuantileOptions = {},
): Tensor => {
  const excess = difference('quantileLoss', predictions, targets)
  return reduce(excess.mul(-quantile).maximum(excess.mul(1 - quantile)), reduction)
}

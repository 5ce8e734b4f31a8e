/** Losses of log probabilities, and of distributions given by their parameters. */
import { type Tensor, type TensorLike, normalizeAxis, stopGradient } from '@cotangent/core'
import { atLabels, onlyKnown, weightsAt, withoutIgnored } from './labels.ts'
import { type LossOptions, like, reduce, reduceWeighted } from './reduction.ts'

export interface NegativeLogLikelihoodOptions extends LossOptions {
  /** The axis of the classes; the last by default. */
  readonly axis?: number
  /** What each class weighs: `[classes]`. The mean divides by the labels' weights. */
  readonly classWeights?: Tensor
  /** Examples with this label do not count, not in the mean either. */
  readonly ignoreIndex?: number
}

/**
 * −log p of integer labels under log probabilities, then the mean over examples. Labels have the
 * shape of the log probabilities without the class axis.
 * @throws ShapeError, DTypeError where labels do not fit.
 * @example
 * losses.negativeLogLikelihood(tensor([[0.5, 0.5]]).log(), tensor([1], { dtype: 'int32' })).item() // log 2
 */
export const negativeLogLikelihood = (
  logProbabilities: Tensor,
  labels: Tensor,
  { axis = -1, classWeights, ignoreIndex, reduction }: NegativeLogLikelihoodOptions = {},
): Tensor => {
  const at = normalizeAxis('negativeLogLikelihood', axis, logProbabilities.ndim)
  const known = withoutIgnored(labels, ignoreIndex)
  const loss = atLabels('negativeLogLikelihood', logProbabilities, known.labels, at).neg()
  if (classWeights === undefined && ignoreIndex === undefined) return reduce(loss, reduction)
  const weights = weightsAt(classWeights, known, logProbabilities)
  return reduceWeighted(onlyKnown(loss, known).mul(weights), weights, reduction)
}

export interface PoissonOptions extends LossOptions {
  /** The predictions are logarithms of the rate; true by default. */
  readonly logInput?: boolean
  /** Adds Stirling's approximation of log target! for targets above 1; false by default. */
  readonly full?: boolean
  /** Added to rates before the logarithm (not with `logInput`); 1e-8 by default. */
  readonly epsilon?: number
}

/**
 * −log of Poisson's probability of counts, up to a constant: λ − target · log λ.
 * @example
 * losses.poissonNegativeLogLikelihood(tensor([0]), tensor([3])).item() // 1: the rate is e⁰
 */
export const poissonNegativeLogLikelihood = (
  predictions: Tensor,
  targets: TensorLike,
  { logInput = true, full = false, epsilon = 1e-8, reduction }: PoissonOptions = {},
): Tensor => {
  const counts = like('poissonNegativeLogLikelihood', predictions, targets)
  const values = logInput
    ? predictions.exp().sub(counts.mul(predictions))
    : predictions.sub(counts.mul(predictions.add(epsilon).log()))
  return reduce(full ? values.add(stirling(counts)) : values, reduction)
}

const stirling = (counts: Tensor): Tensor => {
  const isLarge = counts.greater(1)
  const n = counts.where(isLarge, 2)
  const value = n
    .mul(n.log())
    .sub(n)
    .add(
      n
        .mul(2 * Math.PI)
        .log()
        .mul(0.5),
    )
  return value.where(isLarge, 0)
}

export interface GaussianOptions extends LossOptions {
  /** Adds the constant ½ log 2π; false by default. */
  readonly full?: boolean
  /** The least variance; 1e-6 by default. */
  readonly epsilon?: number
}

/**
 * −log of a normal density with the predicted mean and variance, up to a constant:
 * ½ (log σ² + (target − mean)² / σ²). A variance below `epsilon` counts as `epsilon` but keeps its
 * gradient, so that it can grow. The variance is broadcast.
 * @see Nix & Weigend 1994
 */
export const gaussianNegativeLogLikelihood = (
  predictions: Tensor,
  targets: TensorLike,
  variance: Tensor,
  { full = false, epsilon = 1e-6, reduction }: GaussianOptions = {},
): Tensor => {
  const missing = stopGradient(variance.neg().add(epsilon).maximum(0))
  const floored = variance.add(missing)
  const squares = predictions
    .sub(like('gaussianNegativeLogLikelihood', predictions, targets))
    .square()
  const values = floored.log().add(squares.div(floored)).mul(0.5)
  return reduce(full ? values.add(0.5 * Math.log(2 * Math.PI)) : values, reduction)
}

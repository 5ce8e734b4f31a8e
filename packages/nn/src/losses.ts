/** Losses: functions of predictions and targets, reduced to one number unless told otherwise. */
import {
  ShapeError,
  type Tensor,
  type TensorLike,
  fill,
  isFloat,
  normalizeAxis,
  showAval,
  stopGradient,
} from '@cotangent/core'
import { nnFunctions, prims } from '@cotangent/ops'

export type Reduction = 'mean' | 'sum' | 'none'

export interface LossOptions {
  /** `'mean'` over everything (for cross-entropies: over examples) by default. */
  readonly reduction?: Reduction
}

const reduce = (values: Tensor, reduction: Reduction = 'mean'): Tensor => {
  switch (reduction) {
    case 'mean':
      return values.mean()
    case 'sum':
      return values.sum()
    case 'none':
      return values
    default:
      return reduction satisfies never
  }
}

export interface CrossEntropyOptions extends LossOptions {
  /** The axis of the classes; the last by default. */
  readonly axis?: number
  /** The share of each target spread evenly over all classes; 0 by default. */
  readonly labelSmoothing?: number
}

/**
 * −Σ target · log softmax(logits), one value an example, then the mean over examples.
 * `labels` are integers (the shape of the logits without the class axis), or probabilities (the
 * shape of the logits). An integer label beyond the classes gives NaN; a negative one counts from
 * the end.
 * @throws ShapeError where labels and logits do not fit.
 * @example
 * losses.softmaxCrossEntropy(np.zeros([2, 10]), tensor([3, 7], { dtype: 'int32' })).item() // log 10
 */
export const softmaxCrossEntropy = (
  logits: Tensor,
  labels: Tensor,
  { axis = -1, labelSmoothing = 0, reduction }: CrossEntropyOptions = {},
): Tensor => {
  const position = normalizeAxis('softmaxCrossEntropy', axis, logits.ndim)
  const perExample = isFloat(labels.dtype)
    ? softTargets(logits, labels, position, labelSmoothing)
    : hardTargets(logits, labels, position, labelSmoothing)
  return reduce(perExample, reduction)
}

const softTargets = (logits: Tensor, targets: Tensor, axis: number, smoothing: number): Tensor => {
  if (targets.shape.join() !== logits.shape.join()) throw misfit(logits, targets, logits.shape)
  const classes = logits.shape[axis]!
  const smooth = smoothing === 0 ? targets : targets.mul(1 - smoothing).add(smoothing / classes)
  return smooth.mul(nnFunctions.logSoftmax(logits, { axis })).sum({ axis }).neg()
}

const hardTargets = (logits: Tensor, labels: Tensor, axis: number, smoothing: number): Tensor => {
  const shifted = logits.sub(stopGradient(logits.max({ axis, keepdims: true })))
  const logNormalizer = shifted.exp().sum({ axis }).log()
  const loss = logNormalizer.sub(atLabels(shifted, labels, axis))
  if (smoothing === 0) return loss
  return loss.mul(1 - smoothing).add(logNormalizer.sub(shifted.mean({ axis })).mul(smoothing))
}

/** The value at each label, along an axis; NaN (without a derivative) for labels beyond it. */
const atLabels = (values: Tensor, labels: Tensor, axis: number): Tensor => {
  const rest = values.shape.filter((_, d) => d !== axis)
  if (labels.shape.join() !== rest.join()) throw misfit(values, labels, rest)
  const classes = values.shape[axis]!
  const index = labels.astype('int32')
  const wrapped = index.add(index.less(0).astype('int32').mul(classes))
  // A mask and a sum fuse with the rest, forward and backward; a gather would scatter backwards.
  const isTarget = prims.iota('int32', values.shape, axis).equal(wrapped.expandDims(axis))
  const isKnown = wrapped.greaterEqual(0).logicalAnd(wrapped.less(classes))
  const unknown = fill(rest, 0, values.dtype).where(isKnown, Number.NaN)
  return values.where(isTarget, 0).sum({ axis }).add(unknown)
}

const misfit = (logits: Tensor, labels: Tensor, want: readonly number[]): ShapeError =>
  new ShapeError({
    operation: 'softmaxCrossEntropy',
    problem: 'labels and logits do not fit',
    got: `logits: ${showAval(logits.aval)}, labels: ${showAval(labels.aval)}`,
    want: `${isFloat(labels.dtype) ? 'probabilities' : 'integer labels'} of shape [${want.join(',')}]`,
    fix: isFloat(labels.dtype)
      ? 'for class numbers, give integers: labels.astype("int32")'
      : 'check the class axis',
  })

/** (prediction − target)². */
export const squaredError = (predictions: Tensor, targets: TensorLike = 0): Tensor =>
  predictions.sub(targets).square()

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
): Tensor => reduce(predictions.sub(targets).abs(), reduction)

export interface HuberOptions extends LossOptions {
  /** Where the square turns into a line; 1 by default. */
  readonly delta?: number
}

/** d² / 2 up to `delta`, then delta · (|d| − delta / 2). @see Huber 1964 */
export const huber = (
  predictions: Tensor,
  targets: TensorLike,
  { delta = 1, reduction }: HuberOptions = {},
): Tensor => {
  const distance = predictions.sub(targets).abs()
  const quadratic = distance.minimum(delta)
  const linear = distance.sub(quadratic)
  return reduce(quadratic.square().mul(0.5).add(linear.mul(delta)), reduction)
}

/**
 * −y log σ(x) − (1 − y) log(1 − σ(x)), for logits x and labels y from 0 to 1; without overflow.
 */
export const sigmoidBinaryCrossEntropy = (
  logits: Tensor,
  labels: Tensor,
  { reduction }: LossOptions = {},
): Tensor => {
  const targets = labels.astype(logits.dtype)
  const logP = nnFunctions.logSigmoid(logits)
  const logQ = nnFunctions.logSigmoid(logits.neg())
  const values = targets.mul(logP).add(targets.neg().add(1).mul(logQ)).neg()
  return reduce(values, reduction)
}

/** Σ target · (log target − logPrediction) over the last axis, then the mean over examples. */
export const klDivergence = (
  logPredictions: Tensor,
  targets: Tensor,
  { reduction }: LossOptions = {},
): Tensor => {
  const isPositive = targets.greater(0)
  const logTargets = targets.where(isPositive, 1).log()
  const terms = targets.mul(logTargets.sub(logPredictions)).where(isPositive, 0)
  return reduce(terms.sum({ axis: -1 }), reduction)
}

/** The mean negative log likelihood of integer labels under log probabilities (classes last). */
export const negativeLogLikelihood = (
  logProbabilities: Tensor,
  labels: Tensor,
  { reduction }: LossOptions = {},
): Tensor => reduce(hardTargets(logProbabilities, labels, logProbabilities.ndim - 1, 0), reduction)

/** Labels to targets with a share `alpha` spread evenly over the classes, which are last. */
export const smoothLabels = (labels: Tensor, alpha: number): Tensor =>
  labels.mul(1 - alpha).add(alpha / labels.shape[labels.ndim - 1]!)

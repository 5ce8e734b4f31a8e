/** Cross-entropy between softmax probabilities and labels. */
import {
  type Tensor,
  type TensorLike,
  UnsupportedError,
  isFloat,
  normalizeAxis,
  stopGradient,
} from '@cotangent/core'
import { nnFunctions } from '@cotangent/ops'
import { asTargets, atLabels, labelMisfit, onlyKnown, weightsAt, withoutIgnored } from './labels.ts'
import { type LossOptions, reduce, reduceWeighted } from './reduction.ts'

export interface CrossEntropyOptions extends LossOptions {
  /** The axis of the classes; the last by default. */
  readonly axis?: number
  /** The share of each target spread evenly over all classes; 0 by default. */
  readonly labelSmoothing?: number
  /** What each class weighs: `[classes]`. With integer labels the mean divides by their weights. */
  readonly classWeights?: Tensor
  /** Examples with this integer label do not count, not in the mean either. */
  readonly ignoreIndex?: number
  /** Classes that take part, broadcast to the logits; all by default. */
  readonly where?: TensorLike
}

/**
 * −Σ target · log softmax(logits), one value an example, then the mean over examples.
 * `labels` are integers (the shape of the logits without the class axis), or probabilities (the
 * shape of the logits). An integer label beyond the classes gives NaN; a negative one counts from
 * the end; where all are ignored the mean is NaN. A target probability of 0 at a logit of −∞ is NaN:
 * see `safeSoftmaxCrossEntropy`.
 * @throws ShapeError where labels and logits do not fit.
 * @example
 * losses.softmaxCrossEntropy(np.zeros([2, 10]), tensor([3, 7], { dtype: 'int32' })).item() // log 10
 */
export const softmaxCrossEntropy = (
  logits: Tensor,
  labels: Tensor,
  options: CrossEntropyOptions = {},
): Tensor => {
  const axis = normalizeAxis(name, options.axis ?? -1, logits.ndim)
  return isFloat(labels.dtype)
    ? reduce(softTargets(logits, labels, axis, options), options.reduction)
    : hardTargets(logits, labels, axis, options)
}

const name = 'softmaxCrossEntropy'

const softTargets = (
  logits: Tensor,
  targets: Tensor,
  axis: number,
  { labelSmoothing = 0, classWeights, where }: CrossEntropyOptions,
): Tensor => {
  if (targets.shape.join() !== logits.shape.join()) {
    throw labelMisfit(name, logits, targets, logits.shape)
  }
  const share = labelSmoothing / logits.shape[axis]!
  const smooth = labelSmoothing === 0 ? targets : targets.mul(1 - labelSmoothing).add(share)
  const weights = classWeights === undefined ? null : alongAxis(classWeights, axis, logits.ndim)
  const weighted = weights === null ? smooth : smooth.mul(weights)
  const mask = where === undefined ? {} : { where }
  const terms = weighted.mul(nnFunctions.logSoftmax(logits, { axis, ...mask }))
  return (where === undefined ? terms : terms.where(where, 0)).sum({ axis }).neg()
}

// A vector laid along one axis.
const alongAxis = (values: Tensor, axis: number, rank: number): Tensor =>
  values.reshape(Array.from({ length: rank }, (_, d) => (d === axis ? values.size : 1)))

const hardTargets = (
  logits: Tensor,
  labels: Tensor,
  axis: number,
  options: CrossEntropyOptions,
): Tensor => {
  const { labelSmoothing = 0, classWeights, ignoreIndex, where, reduction } = options
  if (where !== undefined && labelSmoothing !== 0) throw noShareOfSome()
  const allowed = where === undefined ? logits : logits.where(where, -Infinity)
  const shifted = allowed.sub(stopGradient(allowed.max({ axis, keepdims: true })))
  const logNormalizer = shifted.exp().sum({ axis }).log()
  const known = withoutIgnored(labels, ignoreIndex)
  const loss = logNormalizer.sub(atLabels(name, shifted, known.labels, axis))
  const isPlain = classWeights === undefined && ignoreIndex === undefined
  const even = (): Tensor =>
    evenTargets(shifted, logNormalizer, axis, classWeights).mul(labelSmoothing)
  if (isPlain) {
    const smooth = labelSmoothing === 0 ? loss : loss.mul(1 - labelSmoothing).add(even())
    return reduce(smooth, reduction)
  }
  const weights = weightsAt(classWeights, known, logits)
  // A mask, not a factor of 0: the loss of an ignored example may be infinite.
  const weighted = onlyKnown(loss, known).mul(weights)
  const smooth =
    labelSmoothing === 0 ? weighted : weighted.mul(1 - labelSmoothing).add(onlyKnown(even(), known))
  return reduceWeighted(smooth, weights, reduction)
}

// The cross-entropy of a target that is even over the classes.
const evenTargets = (
  shifted: Tensor,
  logNormalizer: Tensor,
  axis: number,
  classWeights: Tensor | undefined,
): Tensor => {
  if (classWeights === undefined) return logNormalizer.sub(shifted.mean({ axis }))
  const terms = logNormalizer.expandDims(axis).sub(shifted)
  return terms.mul(alongAxis(classWeights, axis, shifted.ndim)).mean({ axis })
}

const noShareOfSome = (): UnsupportedError =>
  new UnsupportedError({
    operation: name,
    problem: 'integer labels cannot be smoothed over classes of which some do not take part',
    got: 'where and labelSmoothing',
    fix: 'give probabilities as labels, spread as wanted',
  })

/**
 * `softmaxCrossEntropy` with probabilities as labels, where a class of probability 0 does not count
 * even if its logit is −∞. One value an example, then the mean.
 * @example
 * losses.safeSoftmaxCrossEntropy(tensor([[-Infinity, 0, 0]]), tensor([[0, 1, 0]])).item() // log 2
 */
export const safeSoftmaxCrossEntropy = (
  logits: Tensor,
  labels: Tensor,
  { axis = -1, reduction }: LossOptions & { readonly axis?: number } = {},
): Tensor => {
  const isNothing = labels.equal(0)
  const logProbabilities = nnFunctions.logSoftmax(logits, { axis })
  const terms = labels.mul(logProbabilities.where(isNothing.logicalNot(), 0))
  return reduce(terms.sum({ axis }).neg(), reduction)
}

export interface PolyOptions extends CrossEntropyOptions {
  /** Of the term 1 − p; 2 by default. */
  readonly epsilon?: number
}

/**
 * Cross-entropy plus ε Σ target · (1 − softmax(logits)): the first term of its expansion in 1 − p,
 * weighted anew. `labels` are probabilities of the shape of the logits, or integers.
 * @see Leng et al. 2022, PolyLoss, eq. 4
 */
export const polyCrossEntropy = (
  logits: Tensor,
  labels: Tensor,
  { epsilon = 2, axis = -1, reduction, ...options }: PolyOptions = {},
): Tensor => {
  const at = normalizeAxis('polyCrossEntropy', axis, logits.ndim)
  const targets = asTargets('polyCrossEntropy', logits, labels, at)
  const rest = targets.mul(nnFunctions.softmax(logits, { axis: at }).neg().add(1))
  const entropy = softmaxCrossEntropy(logits, targets, { ...options, axis: at, reduction: 'none' })
  return reduce(entropy.add(rest.sum({ axis: at }).mul(epsilon)), reduction)
}

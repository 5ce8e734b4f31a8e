/** Cross-entropies that weigh hard examples more. */
import { type Tensor, type TensorLike, normalizeAxis } from '@cotangent/core'
import { nnFunctions } from '@cotangent/ops'
import { sigmoidBinaryCrossEntropy } from './binaryCrossEntropy.ts'
import { asTargets } from './labels.ts'
import { type LossOptions, like, reduce } from './reduction.ts'

export interface SigmoidFocalOptions extends LossOptions {
  /** The weight of positive labels (1 − alpha is that of negative ones); none by default. */
  readonly alpha?: number
  /** How much easy examples lose; 2 by default. 0 is the cross-entropy. */
  readonly gamma?: number
}

/**
 * (1 − p)^γ times the binary cross-entropy, p the probability of the label; one value an element, then
 * the mean.
 * @see Lin et al. 2017, Focal Loss for Dense Object Detection, eq. 4 and 5
 */
export const sigmoidFocal = (
  logits: Tensor,
  labels: TensorLike,
  { alpha, gamma = 2, reduction }: SigmoidFocalOptions = {},
): Tensor => {
  const targets = like('sigmoidFocal', logits, labels)
  const failures = targets.neg().add(1)
  // 1 − p without cancellation.
  const doubt = nnFunctions
    .sigmoid(logits)
    .mul(failures)
    .add(nnFunctions.sigmoid(logits.neg()).mul(targets))
  const entropy = sigmoidBinaryCrossEntropy(logits, targets, { reduction: 'none' })
  const values = entropy.mul(power(doubt, gamma))
  if (alpha === undefined) return reduce(values, reduction)
  return reduce(values.mul(targets.mul(alpha).add(failures.mul(1 - alpha))), reduction)
}

export interface SoftmaxFocalOptions extends LossOptions {
  /** What each class weighs: `[classes]`; classes are then last. */
  readonly alpha?: Tensor
  /** 2 by default. */
  readonly gamma?: number
  /** The axis of the classes; the last by default. */
  readonly axis?: number
}

/**
 * Σ target · (1 − p)^γ · −log p with p = softmax(logits), one value an example, then the mean.
 * `labels` are integers, or probabilities of the shape of the logits.
 * @see Lin et al. 2017
 */
export const softmaxFocal = (
  logits: Tensor,
  labels: Tensor,
  { alpha, gamma = 2, axis = -1, reduction }: SoftmaxFocalOptions = {},
): Tensor => {
  const at = normalizeAxis('softmaxFocal', axis, logits.ndim)
  const targets = asTargets('softmaxFocal', logits, labels, at)
  const logP = nnFunctions.logSoftmax(logits, { axis: at })
  const terms = targets.mul(power(logP.exp().neg().add(1), gamma)).mul(logP)
  return reduce((alpha === undefined ? terms : terms.mul(alpha)).sum({ axis: at }).neg(), reduction)
}

// The derivative of a power below 1 is infinite at 0, which has none here.
const power = (x: Tensor, exponent: number): Tensor =>
  exponent < 1 && exponent !== 0
    ? x.where(x.greater(0), 1).pow(exponent).where(x.greater(0), 0)
    : x.pow(exponent)

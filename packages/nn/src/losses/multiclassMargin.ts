/** Margins between the score of the right class and those of the others; classes are last. */
import { type Tensor, ShapeError, showAval } from '@cotangent/core'
import { nnFunctions, np } from '@cotangent/ops'
import { atLabels, maskOfLabels } from './labels.ts'
import { type LossOptions, reduce } from './reduction.ts'

/**
 * max over classes of score + [class is wrong], minus the score of the label.
 * `scores: […, classes]`, integer `labels: […]`.
 * @see Crammer & Singer 2001
 */
export const multiclassHinge = (
  scores: Tensor,
  labels: Tensor,
  { reduction }: LossOptions = {},
): Tensor => {
  const axis = scores.ndim - 1
  const isLabel = maskOfLabels('multiclassHinge', scores, labels, axis)
  const best = scores.add(isLabel.logicalNot().astype(scores.dtype)).max({ axis })
  return reduce(best.sub(atLabels('multiclassHinge', scores, labels, axis)), reduction)
}

/** The highest score minus that of the label. `scores: […, classes]`, integer `labels: […]`. */
export const multiclassPerceptron = (
  scores: Tensor,
  labels: Tensor,
  { reduction }: LossOptions = {},
): Tensor => {
  const axis = scores.ndim - 1
  const right = atLabels('multiclassPerceptron', scores, labels, axis)
  return reduce(scores.max({ axis }).sub(right), reduction)
}

export interface MultiMarginOptions extends LossOptions {
  /** 1 by default. */
  readonly margin?: number
  /** The power of each shortfall, 1 (the default) or 2. */
  readonly p?: 1 | 2
  /** What each class weighs, as a label: `[classes]`. */
  readonly classWeights?: Tensor
}

/**
 * Σ over wrong classes of max(0, margin − score of the label + score of the class)^p, over the
 * number of classes. `scores: […, classes]`, integer `labels: […]`.
 * @see Weston & Watkins 1999
 */
export const multiMargin = (
  scores: Tensor,
  labels: Tensor,
  { margin = 1, p = 1, classWeights, reduction }: MultiMarginOptions = {},
): Tensor => {
  const axis = scores.ndim - 1
  const right = atLabels('multiMargin', scores, labels, axis).expandDims(axis)
  const shortfall = scores.sub(right).add(margin).maximum(0)
  const isLabel = maskOfLabels('multiMargin', scores, labels, axis)
  const wrong = (p === 2 ? shortfall.square() : shortfall).where(isLabel.logicalNot(), 0)
  const each = wrong.mean({ axis })
  const weights = classWeights === undefined ? null : np.take(classWeights, labels, { axis: 0 })
  return reduce(weights === null ? each : each.mul(weights), reduction)
}

/**
 * Σ over labels and other classes of max(0, 1 − score of the label + score of the class), over the
 * number of classes. `scores: [batch, classes]`; `labels: [batch, classes]` lists the class numbers of
 * each example, up to the first −1.
 * @throws ShapeError where the shapes differ.
 */
export const multilabelMargin = (
  scores: Tensor,
  labels: Tensor,
  { reduction }: LossOptions = {},
): Tensor => {
  if (labels.shape.join() !== scores.shape.join()) throw mustMatch(scores, labels)
  const [axis, classes] = [scores.ndim - 1, scores.shape[scores.ndim - 1]!]
  const isListed = labels.greaterEqual(0).astype('int32').cumprod({ axis }).greater(0)
  const hits = nnFunctions.oneHot(labels.where(isListed, -1), classes, { dtype: scores.dtype })
  const count = hits.sum({ axis })
  const others = count.equal(0).astype(scores.dtype)
  const gaps = scores
    .expandDims(axis)
    .sub(scores.expandDims(axis + 1))
    .add(1)
    .maximum(0)
  const pairs = gaps.mul(count.expandDims(axis + 1)).mul(others.expandDims(axis))
  return reduce(pairs.sum({ axis: [axis, axis + 1] }).div(classes), reduction)
}

const mustMatch = (scores: Tensor, labels: Tensor): ShapeError =>
  new ShapeError({
    operation: 'multilabelMargin',
    problem: 'labels and scores do not fit',
    got: `scores: ${showAval(scores.aval)}, labels: ${showAval(labels.aval)}`,
    want: 'equal shapes',
    fix: 'pad the lists of class numbers with -1 to the number of classes',
  })

export interface MultilabelSoftMarginOptions extends LossOptions {
  /** What each class weighs: `[classes]`. */
  readonly classWeights?: Tensor
}

/**
 * The mean over classes of the binary cross-entropy of each: −y log σ(x) − (1 − y) log σ(−x).
 * `scores` and `labels` (0 or 1) are `[…, classes]`.
 */
export const multilabelSoftMargin = (
  scores: Tensor,
  labels: Tensor,
  { classWeights, reduction }: MultilabelSoftMarginOptions = {},
): Tensor => {
  const targets = labels.astype(scores.dtype)
  const yes = targets.mul(nnFunctions.logSigmoid(scores))
  const no = targets.neg().add(1).mul(nnFunctions.logSigmoid(scores.neg()))
  const values = yes.add(no).neg()
  const weighted = classWeights === undefined ? values : values.mul(classWeights)
  return reduce(weighted.mean({ axis: -1 }), reduction)
}

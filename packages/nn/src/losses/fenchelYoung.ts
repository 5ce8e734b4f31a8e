/** Losses that a convex function of the scores makes, sparsemax among them. */
import { type Tensor, stopGradient } from '@cotangent/core'
import { nnFunctions, np } from '@cotangent/ops'
import { atLabels } from './labels.ts'
import { type LossOptions, reduce } from './reduction.ts'

/**
 * The loss Ω(scores) − ⟨target, scores⟩ of a convex function Ω of the last axis, such as
 * `(x) => nnFunctions.logsumexp(x, -1)`: then its gradient is softmax(scores) − target. Non-negative up
 * to a term of the targets.
 * @see Blondel, Martins & Niculae 2020, Learning with Fenchel-Young Losses
 */
export const fenchelYoung =
  (maximum: (scores: Tensor) => Tensor) =>
  (scores: Tensor, targets: Tensor, { reduction }: LossOptions = {}): Tensor =>
    reduce(maximum(scores).sub(scores.mul(targets).sum({ axis: -1 })), reduction)

/**
 * The sparsemax loss of yes or no: `labels` 0 or 1 (or booleans) of the shape of the logits, one value each.
 * Exactly 0 for a margin of 1.
 * @see Blondel, Martins & Niculae 2020, section 4.4
 */
export const sparsemax = (
  logits: Tensor,
  labels: Tensor,
  { reduction }: LossOptions = {},
): Tensor => {
  const isPositive = labels.notEqual(0)
  return reduce(nnFunctions.sparsePlus(logits.neg().where(isPositive, logits)), reduction)
}

/**
 * The point of the probability simplex nearest to each row of the last axis: sparsemax. Its
 * derivative is that of the elements that are not 0.
 * @see Martins & Astudillo 2016, From Softmax to Sparsemax, algorithm 1
 * @example
 * losses.projectToSimplex(tensor([1, 0.5, -3])).toArray() // [0.75, 0.25, 0]
 */
export const projectToSimplex = (scores: Tensor): Tensor => {
  const axis = scores.ndim - 1
  const fixed = stopGradient(scores)
  const falling = fixed.sort({ axis, descending: true })
  const ranks = np.arange(1, scores.shape[axis]! + 1, 1, { dtype: scores.dtype })
  const isKept = falling.mul(ranks).add(1).greater(falling.cumsum({ axis }))
  const least = falling.where(isKept, Infinity).min({ axis, keepdims: true })
  const isPositive = fixed.greaterEqual(least)
  const count = isPositive.astype(scores.dtype).sum({ axis, keepdims: true })
  const excess = scores.where(isPositive, 0).sum({ axis, keepdims: true }).sub(1).div(count)
  return scores.sub(excess).where(isPositive, 0).maximum(0)
}

/**
 * The sparsemax loss of integer labels: `scores: […, classes]`, `labels: […]`. Its gradient is
 * `projectToSimplex(scores)` minus the one-hot label; exactly 0 where the label leads by 1.
 * @see Martins & Astudillo 2016, section 3
 */
export const multiclassSparsemax = (
  scores: Tensor,
  labels: Tensor,
  { reduction }: LossOptions = {},
): Tensor => {
  const axis = scores.ndim - 1
  const right = atLabels('multiclassSparsemax', scores, labels, axis).expandDims(axis)
  const lead = scores.sub(right)
  const p = projectToSimplex(scores)
  const linear = p.mul(lead.where(p.greater(0), 0)).sum({ axis })
  return reduce(linear.add(p.square().sum({ axis }).neg().add(1).mul(0.5)), reduction)
}

/** Margins of scores: labels are −1 or 1. */
import type { Tensor, TensorLike } from '@cotangent/core'
import { nnFunctions } from '@cotangent/ops'
import { type LossOptions, like, reduce } from './reduction.ts'

const shortfall = (operation: string, scores: Tensor, targets: TensorLike): Tensor =>
  scores
    .mul(like(operation, scores, targets))
    .neg()
    .add(1)
    .maximum(0)

/**
 * max(0, 1 − target · score), targets −1 or 1.
 * @see Cortes & Vapnik 1995
 * @example
 * losses.hinge(tensor([0.5, 2]), tensor([1, -1]), { reduction: 'none' }).toArray() // [0.5, 3]
 */
export const hinge = (
  scores: Tensor,
  targets: TensorLike,
  { reduction }: LossOptions = {},
): Tensor => reduce(shortfall('hinge', scores, targets), reduction)

/** max(0, 1 − target · score)². */
export const squaredHinge = (
  scores: Tensor,
  targets: TensorLike,
  { reduction }: LossOptions = {},
): Tensor => reduce(shortfall('squaredHinge', scores, targets).square(), reduction)

/**
 * max(0, −target · score), targets −1 or 1.
 * @see Rosenblatt 1958
 */
export const perceptron = (
  scores: Tensor,
  targets: TensorLike,
  { reduction }: LossOptions = {},
): Tensor =>
  reduce(
    scores
      .mul(like('perceptron', scores, targets))
      .neg()
      .maximum(0),
    reduction,
  )

/** log(1 + e^(−target · score)), targets −1 or 1; without overflow. */
export const softMargin = (
  scores: Tensor,
  targets: TensorLike,
  { reduction }: LossOptions = {},
): Tensor =>
  reduce(nnFunctions.softplus(scores.mul(like('softMargin', scores, targets)).neg()), reduction)

export interface MarginOptions extends LossOptions {
  readonly margin?: number
}

/** Of distances d: d where the target is 1, max(0, margin − d) where it is −1. Margin 1 by default. */
export const hingeEmbedding = (
  distances: Tensor,
  targets: Tensor,
  { margin = 1, reduction }: MarginOptions = {},
): Tensor => {
  const apart = distances.neg().add(margin).maximum(0).where(targets.notEqual(1), 0)
  return reduce(distances.where(targets.notEqual(-1), 0).add(apart), reduction)
}

/**
 * max(0, margin − target · (first − second)): target 1 where the first should rank higher, −1 where
 * the second should. Margin 0 by default.
 */
export const marginRanking = (
  first: Tensor,
  second: Tensor,
  targets: TensorLike,
  { margin = 0, reduction }: MarginOptions = {},
): Tensor => {
  const lead = first.sub(second).mul(like('marginRanking', first, targets))
  return reduce(lead.neg().add(margin).maximum(0), reduction)
}

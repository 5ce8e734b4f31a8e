/** Losses of lists of items to be ranked. */
import { type Tensor, type TensorLike, asTensor } from '@cotangent/core'
import { nnFunctions } from '@cotangent/ops'
import { type LossOptions, reduce } from './reduction.ts'

export interface RankingOptions extends LossOptions {
  /** Items that are there; lists without any are left out of the mean. */
  readonly where?: TensorLike
  /** What each item weighs: factors of the labels. */
  readonly weights?: TensorLike
}

/**
 * −Σ label · log softmax(logits) over each list, then the mean over lists: the higher an item's
 * label, the higher it should be. `logits` and `labels` are `[…, items]`.
 * @see Bruch et al. 2019, An Analysis of the Softmax Cross Entropy Loss for Learning-to-Rank
 */
export const rankingSoftmax = (
  logits: Tensor,
  labels: Tensor,
  { where, weights, reduction }: RankingOptions = {},
): Tensor => {
  const relevance = labels.astype(logits.dtype)
  const weighted = weights === undefined ? relevance : relevance.mul(weights)
  if (where === undefined) {
    const logP = nnFunctions.logSoftmax(logits)
    return reduce(weighted.mul(logP).sum({ axis: -1 }).neg(), reduction)
  }
  const isThere = asTensor(where).notEqual(0).broadcastTo(logits.shape)
  const hasItems = isThere.any({ axis: -1 })
  // A list of nothing keeps its logits, so that no ∞ − ∞ arises; it is masked afterwards.
  const isUsed = isThere.logicalOr(hasItems.logicalNot().expandDims(-1))
  const logP = nnFunctions.logSoftmax(logits.where(isUsed, -Infinity))
  const values = weighted.where(isThere, 0).mul(logP.where(isThere, 0)).sum({ axis: -1 }).neg()
  if (reduction !== undefined && reduction !== 'mean') return reduce(values, reduction)
  return values.sum().div(hasItems.astype(values.dtype).sum().maximum(1))
}

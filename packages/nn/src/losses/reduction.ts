/** From values per element or example to what a loss returns. */
import { type Tensor, type TensorLike, asTensor } from '@cotangent/core'

/** The mean, the sum, or one value each. */
export type Reduction = 'mean' | 'sum' | 'none'

export interface LossOptions {
  /** `'mean'` over everything (for cross-entropies: over examples) by default. */
  readonly reduction?: Reduction
}

export const reduce = (values: Tensor, reduction: Reduction = 'mean'): Tensor => {
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

/** Values that carry their weight already: the mean is their sum over the sum of the weights. */
export const reduceWeighted = (
  values: Tensor,
  weights: Tensor,
  reduction: Reduction = 'mean',
): Tensor => (reduction === 'mean' ? values.sum().div(weights.sum()) : reduce(values, reduction))

/** Targets in the dtype of the predictions, so that integer and boolean labels may be given. */
export const like = (predictions: Tensor, targets: TensorLike): Tensor =>
  asTensor(targets).astype(predictions.dtype)

/** From values per element or example to what a loss returns. */
import {
  ShapeError,
  type Tensor,
  type TensorLike,
  asTensor,
  broadcastShapes,
  showAval,
} from '@cotangent/core'

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

/**
 * Targets that have the shape of the predictions, or broadcast to it; as they were given.
 * @throws ShapeError where they would enlarge it instead: `[n, 1]` and `[n]` make `[n, n]` differences.
 */
export const fitting = (
  operation: string,
  predictions: Tensor,
  targets: TensorLike,
): TensorLike => {
  const target = asTensor(targets)
  if (broadcastShapes(predictions.shape, target.shape)?.join() === predictions.shape.join()) {
    return targets
  }
  throw new ShapeError({
    operation,
    problem: 'targets and predictions do not fit',
    got: `predictions: ${showAval(predictions.aval)}, targets: ${showAval(target.aval)}`,
    want: 'targets of the shape of the predictions, or one that broadcasts to it',
    fix: 'reshape one of them: squeeze() or expandDims() for an axis of extent 1',
  })
}

/** `fitting` in the dtype of the predictions, so that integer and boolean labels may be given. */
export const like = (operation: string, predictions: Tensor, targets: TensorLike): Tensor =>
  asTensor(fitting(operation, predictions, targets)).astype(predictions.dtype)

/** Angles between vectors. */
import type { Tensor } from '@cotangent/core'
import { type LossOptions, reduce } from './reduction.ts'

export interface CosineOptions {
  /** The axis of the vectors' components; the last by default. */
  readonly axis?: number
  /** The least square of a length; 0 by default, which gives NaN for vectors of zeros. */
  readonly epsilon?: number
}

/**
 * The cosine of the angle between vectors, one value a pair. Shapes broadcast.
 * @example
 * losses.cosineSimilarity(tensor([[3, 4]]), tensor([[4, 3]])).toArray() // [0.96]
 */
export const cosineSimilarity = (
  x: Tensor,
  y: Tensor,
  { axis = -1, epsilon = 0 }: CosineOptions = {},
): Tensor => {
  const unit = (v: Tensor): Tensor => {
    const squares = v.square().sum({ axis, keepdims: true })
    return v.div((epsilon === 0 ? squares : squares.maximum(epsilon)).sqrt())
  }
  return unit(x).mul(unit(y)).sum({ axis })
}

/** 1 − `cosineSimilarity`, one value a pair. */
export const cosineDistance = (x: Tensor, y: Tensor, options: CosineOptions = {}): Tensor =>
  cosineSimilarity(x, y, options).neg().add(1)

export interface CosineEmbeddingOptions extends LossOptions, CosineOptions {
  /** Between −1 and 1, how similar unlike pairs may be; 0 by default. */
  readonly margin?: number
}

/**
 * 1 − cos where the target is 1, max(0, cos − margin) where it is −1; then the mean over pairs.
 * `x` and `y: [batch, features]`, `targets: [batch]`.
 */
export const cosineEmbedding = (
  x: Tensor,
  y: Tensor,
  targets: Tensor,
  { margin = 0, axis = -1, epsilon = 1e-12, reduction }: CosineEmbeddingOptions = {},
): Tensor => {
  const cosine = cosineSimilarity(x, y, { axis, epsilon })
  const [alike, unlike] = [cosine.neg().add(1), cosine.sub(margin).maximum(0)]
  return reduce(alike.where(targets.equal(1), 0).add(unlike.where(targets.equal(-1), 0)), reduction)
}

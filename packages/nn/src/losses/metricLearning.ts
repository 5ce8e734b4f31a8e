/** Distances that bring like things together and keep unlike things apart. */
import { type Tensor, ShapeError, showAval } from '@cotangent/core'
import { nnFunctions, np } from '@cotangent/ops'
import { cosineSimilarity } from './cosine.ts'
import { type LossOptions, reduce } from './reduction.ts'

export interface DistanceOptions {
  /** The norm's degree, at least 1 (`Infinity` too); 2 by default. */
  readonly p?: number
  /** Added to every difference; 1e-6 by default, so that the derivative exists at 0. */
  readonly epsilon?: number
  /** Added to the sum of powers before the root; 0 by default. */
  readonly smoothing?: number
  /** The axis of the vectors' components; the last by default. */
  readonly axis?: number
}

/**
 * (Σ |x − y + epsilon|^p + smoothing)^(1/p), one value a pair.
 * @example
 * losses.pairwiseDistance(tensor([[3, 4]]), tensor([[0, 0]])).toArray() // [5]
 */
export const pairwiseDistance = (
  x: Tensor,
  y: Tensor,
  { p = 2, epsilon = 1e-6, smoothing = 0, axis = -1 }: DistanceOptions = {},
): Tensor => {
  const plain = x.sub(y)
  const d = epsilon === 0 ? plain : plain.add(epsilon)
  if (p === Infinity) return d.abs().max({ axis })
  const powers = p === 2 ? d.square() : p === 1 ? d.abs() : d.abs().pow(p)
  const total = powers.sum({ axis })
  const smooth = smoothing === 0 ? total : total.add(smoothing)
  if (p === 1) return smooth
  // The root's derivative at 0 is infinite, but no direction is the right one there.
  const isApart = smooth.greater(0)
  const safe = smooth.where(isApart, 1)
  return (p === 2 ? safe.sqrt() : safe.pow(1 / p)).where(isApart, 0)
}

export interface TripletOptions extends LossOptions, DistanceOptions {
  /** 1 by default. */
  readonly margin?: number
  /** The negative may be compared with the positive, where that is nearer; false by default. */
  readonly swap?: boolean
  /** Instead of `pairwiseDistance` with the options of this loss. */
  readonly distance?: (x: Tensor, y: Tensor) => Tensor
}

/**
 * max(0, d(anchor, positive) − d(anchor, negative) + margin), then the mean over triplets. All are
 * `[batch, features]`.
 * @see Schroff, Kalenichenko & Philbin 2015, FaceNet; Balntas et al. 2016 for the swap
 */
export const triplet = (
  anchors: Tensor,
  positives: Tensor,
  negatives: Tensor,
  { margin = 1, swap = false, distance, reduction, ...options }: TripletOptions = {},
): Tensor => {
  const d = distance ?? ((x: Tensor, y: Tensor) => pairwiseDistance(x, y, options))
  const toNegative = d(anchors, negatives)
  const far = swap ? toNegative.minimum(d(positives, negatives)) : toNegative
  return reduce(d(anchors, positives).sub(far).add(margin).maximum(0), reduction)
}

export interface ContrastiveOptions extends LossOptions, DistanceOptions {
  /** How far unlike pairs are pushed apart; 1 by default. */
  readonly margin?: number
}

/**
 * ½ d² of like pairs (label 1), ½ max(0, margin − d)² of unlike ones (label 0); then the mean over
 * pairs. `x` and `y: [batch, features]`, `labels: [batch]`.
 * @see Hadsell, Chopra & LeCun 2006, eq. 4 (whose labels are the other way round)
 */
export const contrastive = (
  x: Tensor,
  y: Tensor,
  labels: Tensor,
  { margin = 1, reduction, ...options }: ContrastiveOptions = {},
): Tensor => {
  const d = pairwiseDistance(x, y, options)
  const apart = d.neg().add(margin).maximum(0).square()
  return reduce(d.square().where(labels.notEqual(0), apart).mul(0.5), reduction)
}

export interface NtXentOptions {
  /** Divides the cosines; 0.07 by default. */
  readonly temperature?: number
}

/**
 * Normalised temperature-scaled cross-entropy, a number: every other embedding of the same label is to
 * be told from all those of other labels. `embeddings: [batch, features]`, integer `labels: [batch]`.
 * NaN where no label occurs twice.
 * @throws ShapeError where labels do not fit.
 * @see Chen et al. 2020, A Simple Framework for Contrastive Learning, eq. 1
 */
export const ntXent = (
  embeddings: Tensor,
  labels: Tensor,
  { temperature = 0.07 }: NtXentOptions = {},
): Tensor => {
  const count = embeddings.shape[0] ?? 0
  if (embeddings.ndim !== 2 || labels.shape.join() !== String(count)) {
    throw new ShapeError({
      operation: 'ntXent',
      problem: 'every embedding needs one label',
      got: `embeddings: ${showAval(embeddings.aval)}, labels: ${showAval(labels.aval)}`,
      want: 'embeddings [batch, features] and labels [batch]',
      fix: 'flatten what is embedded to vectors, and give one integer for each',
    })
  }
  const cosines = cosineSimilarity(embeddings.expandDims(0), embeddings.expandDims(1))
  const scaled = cosines.div(temperature)
  const isSame = labels.expandDims(1).equal(labels.expandDims(0))
  const isMatch = isSame.logicalAnd(np.eye(count, { dtype: 'bool' }).logicalNot())
  const unlike = nnFunctions.logsumexp(scaled.where(isSame.logicalNot(), -Infinity), {
    axis: 1,
    keepdims: true,
  })
  const values = np.logaddexp(unlike, scaled).sub(scaled).where(isMatch, 0)
  return values.sum().div(isMatch.astype(values.dtype).sum())
}

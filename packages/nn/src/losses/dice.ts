/** Overlap of predicted and true regions. */
import { type Tensor, normalizeAxis } from '@cotangent/core'
import { nnFunctions } from '@cotangent/ops'
import { type LossOptions, reduce } from './reduction.ts'

export interface DiceOptions extends LossOptions {
  /** Added above and below, so that empty regions count as found; 1 by default. */
  readonly smooth?: number
  /** The weight of false positives; ½ by default. */
  readonly alpha?: number
  /** The weight of false negatives; ½ by default. */
  readonly beta?: number
  /** Predictions are logits (the default): softmax over classes, or sigmoid for a single one. */
  readonly fromLogits?: boolean
  /** The axis of the classes; the last by default. */
  readonly axis?: number
  /** What each class weighs: `[classes]`. */
  readonly classWeights?: Tensor
  /** Leaves out class 0; false by default. */
  readonly ignoreBackground?: boolean
}

interface Regions {
  /** `[batch, classes]` each. */
  readonly both: Tensor
  readonly extra: Tensor
  readonly missed: Tensor
  readonly truth: Tensor
}

const regions = (predictions: Tensor, targets: Tensor, axis: number, isLogit: boolean): Regions => {
  const isBinary = predictions.shape[axis] === 1
  const activate = (x: Tensor): Tensor =>
    isBinary ? nnFunctions.sigmoid(x) : nnFunctions.softmax(x, { axis })
  const p = isLogit ? activate(predictions) : predictions
  const t = targets.astype(p.dtype)
  const space = p.shape.map((_, d) => d).filter((d) => d !== 0 && d !== axis)
  const over = (x: Tensor): Tensor => (space.length === 0 ? x : x.sum({ axis: space }))
  const both = over(p.mul(t))
  return { both, extra: over(p).sub(both), missed: over(t).sub(both), truth: over(t) }
}

const overlapLoss = (
  { both, extra, missed }: Regions,
  { smooth = 1, alpha = 0.5, beta = 0.5 }: DiceOptions,
): Tensor => {
  const found = both.add(smooth)
  return found
    .div(found.add(extra.mul(alpha)).add(missed.mul(beta)))
    .neg()
    .add(1)
}

/**
 * 1 − (|p ∩ t| + smooth) / (|p ∩ t| + alpha |p − t| + beta |t − p| + smooth), the mean over classes
 * (weighted, where `classWeights` are given), then over the batch. With alpha = beta = ½ this is
 * Sørensen and Dice's coefficient, otherwise Tversky's. `predictions` and `targets` (0 to 1) are
 * `[batch, …space, classes]`.
 * @see Milletari, Navab & Ahmadi 2016, V-Net; Salehi, Erdogmus & Gholipour 2017 for alpha and beta
 */
export const dice = (predictions: Tensor, targets: Tensor, options: DiceOptions = {}): Tensor => {
  const { fromLogits = true, classWeights, ignoreBackground = false, reduction } = options
  const axis = normalizeAxis('dice', options.axis ?? -1, predictions.ndim)
  const every = overlapLoss(regions(predictions, targets, axis, fromLogits), options)
  const values = ignoreBackground ? every.at(':', '1:') : every
  if (classWeights === undefined) return reduce(values.mean({ axis: 1 }), reduction)
  const weights = ignoreBackground ? classWeights.at('1:') : classWeights
  return reduce(values.mul(weights).sum({ axis: 1 }).div(weights.sum()), reduction)
}

/** `dice` of a single class: the last axis is 1, logits become probabilities by the sigmoid. */
export const binaryDice = (
  predictions: Tensor,
  targets: Tensor,
  options: DiceOptions = {},
): Tensor => dice(predictions, targets, options)

/**
 * 1 − 2 Σ w |p ∩ t| / Σ w (|p| + |t|) over classes, with w = 1 / |t|² so that small classes count as
 * much as large ones; then the mean over the batch.
 * @see Sudre et al. 2017, Generalised Dice Overlap
 */
export const generalizedDice = (
  predictions: Tensor,
  targets: Tensor,
  { smooth = 1e-6, fromLogits = true, axis = -1, reduction }: DiceOptions = {},
): Tensor => {
  const at = normalizeAxis('generalizedDice', axis, predictions.ndim)
  const { both, extra, missed, truth } = regions(predictions, targets, at, fromLogits)
  const isThere = truth.greater(0)
  const weights = truth.where(isThere, 1).square().reciprocal().where(isThere, 0)
  const weighed = (x: Tensor): Tensor => x.mul(weights).sum({ axis: 1 })
  const above = weighed(both).mul(2).add(smooth)
  const below = weighed(both.mul(2).add(extra).add(missed)).add(smooth)
  return reduce(above.div(below).neg().add(1), reduction)
}

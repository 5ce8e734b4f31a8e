/** Cross-entropy of yes or no. */
import type { Tensor, TensorLike } from '@cotangent/core'
import { nnFunctions } from '@cotangent/ops'
import { type LossOptions, like, reduce } from './reduction.ts'

export interface BinaryCrossEntropyOptions extends LossOptions {
  /** What each element weighs, broadcast. */
  readonly weights?: TensorLike
}

export interface SigmoidBinaryCrossEntropyOptions extends BinaryCrossEntropyOptions {
  /** What a positive label weighs, broadcast: `[classes]` or a number; 1 by default. */
  readonly positiveWeight?: TensorLike
}

const weighted = (values: Tensor, { weights, reduction }: BinaryCrossEntropyOptions): Tensor =>
  reduce(weights === undefined ? values : values.mul(weights), reduction)

/**
 * −y log σ(x) − (1 − y) log(1 − σ(x)), for logits x and labels y from 0 to 1; without overflow.
 * @example
 * losses.sigmoidBinaryCrossEntropy(tensor([1000, 0]), tensor([0, 1]), { reduction: 'none' }) // [1000, log 2]
 */
export const sigmoidBinaryCrossEntropy = (
  logits: Tensor,
  labels: TensorLike,
  options: SigmoidBinaryCrossEntropyOptions = {},
): Tensor => {
  const { positiveWeight } = options
  const targets = like('sigmoidBinaryCrossEntropy', logits, labels)
  const logP = nnFunctions.logSigmoid(logits)
  const logQ = nnFunctions.logSigmoid(logits.neg())
  const positive = positiveWeight === undefined ? targets : targets.mul(positiveWeight)
  const values = positive.mul(logP).add(targets.neg().add(1).mul(logQ)).neg()
  return weighted(values, options)
}

/**
 * −y log p − (1 − y) log(1 − p), for probabilities p and labels y from 0 to 1. Logarithms are at
 * least −100 (with derivative 0 there), so that a certain mistake is finite; where logits are at
 * hand, `sigmoidBinaryCrossEntropy` is exact.
 */
export const binaryCrossEntropy = (
  probabilities: Tensor,
  labels: TensorLike,
  options: BinaryCrossEntropyOptions = {},
): Tensor => {
  const targets = like('binaryCrossEntropy', probabilities, labels)
  const failures = probabilities.neg().add(1)
  const values = targets
    .mul(flooredLog(probabilities))
    .add(targets.neg().add(1).mul(flooredLog(failures)))
    .neg()
  return weighted(values, options)
}

const leastLog = -100

const flooredLog = (p: Tensor): Tensor => {
  const isLarge = p.greater(Math.exp(leastLog))
  return p.where(isLarge, 1).log().where(isLarge, leastLog)
}

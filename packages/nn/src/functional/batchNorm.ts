/** Batch normalisation, in training and in inference. */
import { type Tensor, normalizeAxis, range, reshape } from '@cotangent/core'
import { type Affine, along, moments, standardizeChannels } from './moments.ts'

/** Statistics along the channel axis: vectors. */
export interface RunningStatistics {
  readonly mean: Tensor
  readonly variance: Tensor
}

export interface BatchNormOptions {
  /** The channel axis; 1 by default. */
  readonly axis?: number
  /** Added to the variance; 1e-5 by default. */
  readonly epsilon?: number
}

/**
 * Normalises each channel by given statistics: what inference does.
 * (x − mean) / √(variance + epsilon) · scale + bias.
 */
export const batchNormInference = (
  x: Tensor,
  statistics: RunningStatistics,
  parameters: Affine = {},
  { axis = 1, epsilon = 1e-5 }: BatchNormOptions = {},
): Tensor => {
  const channel = normalizeAxis('batchNorm', axis, x.ndim)
  const place = (v: Tensor): Tensor => along(v, channel, x.ndim)
  const stats = { mean: place(statistics.mean), variance: place(statistics.variance) }
  return standardizeChannels(x, stats, epsilon, parameters, place)
}

/** The result of normalising by the batch's own statistics. */
export interface BatchNormResult extends RunningStatistics {
  readonly y: Tensor
  /** Elements that each statistic is over. */
  readonly count: number
}

/**
 * Normalises each channel by the batch's own mean and biased variance, which are returned too.
 * @see Ioffe & Szegedy 2015, algorithm 1
 */
export const batchNormTraining = (
  x: Tensor,
  parameters: Affine = {},
  { axis = 1, epsilon = 1e-5 }: BatchNormOptions = {},
): BatchNormResult => {
  const channel = normalizeAxis('batchNorm', axis, x.ndim)
  const others = range(x.ndim).filter((d) => d !== channel)
  const stats = moments(x, others)
  const place = (v: Tensor): Tensor => along(v, channel, x.ndim)
  const y = standardizeChannels(x, stats, epsilon, parameters, place)
  const channels = x.shape[channel]!
  return {
    y,
    mean: reshape(stats.mean, [channels]),
    variance: reshape(stats.variance, [channels]),
    count: channels === 0 ? 0 : x.size / channels,
  }
}

/**
 * Running statistics after a batch: (1 − momentum) · old + momentum · batch, with the batch's
 * variance unbiased (times n / (n − 1); as it is where n is 1).
 */
export const updateStatistics = (
  old: RunningStatistics,
  batch: BatchNormResult,
  momentum = 0.1,
): RunningStatistics => {
  const unbiased = batch.count > 1 ? batch.count / (batch.count - 1) : 1
  return Object.freeze({
    mean: old.mean.mul(1 - momentum).add(batch.mean.mul(momentum)),
    variance: old.variance.mul(1 - momentum).add(batch.variance.mul(momentum * unbiased)),
  })
}

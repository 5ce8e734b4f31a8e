/** Batch normalisation. */
import { type Tensor, erase, fill, normalizeAxis, typed } from '@cotangent/core'
import { prims } from '@cotangent/ops'
import {
  type RunningStatistics,
  batchNormInference,
  batchNormTraining,
  updateStatistics,
} from '../functional/batchNorm.ts'
import { requireExtent } from '../errors.ts'
import { type ChannelAffine, type Layer, type TensorRecord, defineLayer } from '../layer.ts'
import { type AffineOptions, type AffineParams, type MaybeAffine, affineParams } from './affine.ts'

export type { ScaleAndBias } from './affine.ts'

export interface BatchNormLayerOptions extends AffineOptions {
  /** The channel axis; 1 by default. */
  readonly axis?: number
  /** The share of a new batch in the running statistics; 0.1 by default. */
  readonly momentum?: number
  /** Added to the variance; 1e-5 by default. */
  readonly epsilon?: number
  /** Keeps the biased variance, as Flax does; false by default: the unbiased one, as PyTorch does. */
  readonly biased?: boolean
  /** Uses the running statistics in training too, and leaves them as they are; false by default. */
  readonly frozen?: boolean
}

// In inference, normalising is a factor and an offset for each channel.
const channelAffine =
  (axis: number, epsilon: number) =>
  ({ scale, bias }: TensorRecord, { mean, variance }: TensorRecord): ChannelAffine => {
    const root = prims.rsqrt(variance!.add(epsilon))
    const factor = scale === undefined ? root : root.mul(scale)
    const shift = mean!.mul(factor).neg()
    return { axis, factor, offset: bias === undefined ? shift : shift.add(bias) }
  }

const build = (
  options: BatchNormLayerOptions = {},
): Layer<MaybeAffine, RunningStatistics, 'batchNorm'> => {
  const { axis = 1, momentum = 0.1, epsilon = 1e-5, biased = false, frozen = false } = options
  return defineLayer({
    name: 'batchNorm',
    traits: { affine: channelAffine(axis, epsilon) },
    init: (_, inputShape) => {
      const channels = inputShape[normalizeAxis('batchNorm', axis, inputShape.length)]!
      const [zero, one] = [0, 1].map((value): Tensor => fill([channels], value, 'float32'))
      return {
        params: affineParams(options, [channels]),
        state: { mean: zero!, variance: one! },
        outputShape: inputShape,
      }
    },
    apply: ({ params, state }, x, { train = false }) => {
      const channel = normalizeAxis('batchNorm', axis, x.ndim)
      requireExtent('batchNorm', x.shape, channel, state.mean.size, 'channels')
      if (!train || frozen) return [batchNormInference(x, state, params, { axis, epsilon }), state]
      const result = batchNormTraining(x, params, { axis, epsilon })
      // The biased variance is what a count of one leaves as it is.
      const batch = biased ? { ...result, count: 1 } : result
      return [result.y, updateStatistics(state, batch, momentum)]
    },
  })
}

/**
 * Batch normalisation. In training each channel is normalised by the batch's mean and biased
 * variance, and `state` follows: (1 − momentum) · old + momentum · new, the variance unbiased. In
 * inference the running statistics in `state` are used and stay.
 * @see Ioffe & Szegedy 2015
 * @example
 * const bn = batchNorm()
 * const { params, state } = bn.init(random.key(0), [8, 16, 4, 4]) // state.mean: [16]
 * const [y, next] = bn.apply({ params, state }, x, { train: true })
 */
export const batchNorm: <const O extends BatchNormLayerOptions = Record<never, never>>(
  options?: O,
) => Layer<AffineParams<O>, RunningStatistics, 'batchNorm'> = typed(erase(build))

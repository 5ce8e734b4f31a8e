/** Normalising layers. */
import { type Shape, type Tensor, fill, normalizeAxis } from '@cotangent/core'
import {
  type RunningStatistics,
  batchNormInference,
  batchNormTraining,
  layerNorm as normalizeLayer,
  updateStatistics,
} from '../functional/normalization.ts'
import { requireExtent } from '../errors.ts'
import { type Layer, type None, defineLayer, none } from '../layer.ts'

export interface ScaleAndBias {
  readonly scale: Tensor
  readonly bias: Tensor
}

export interface BatchNormLayerOptions {
  /** The channel axis; 1 by default. */
  readonly axis?: number
  /** The share of a new batch in the running statistics; 0.1 by default. */
  readonly momentum?: number
  /** Added to the variance; 1e-5 by default. */
  readonly epsilon?: number
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
export const batchNorm = (
  options: BatchNormLayerOptions = {},
): Layer<ScaleAndBias, RunningStatistics, 'batchNorm'> => {
  const { axis = 1, momentum = 0.1, epsilon = 1e-5 } = options
  return defineLayer({
    name: 'batchNorm',
    init: (_, inputShape) => {
      const channels = inputShape[normalizeAxis('batchNorm', axis, inputShape.length)]!
      const [zero, one] = [0, 1].map((value) => fill([channels], value, 'float32'))
      return {
        params: { scale: one!, bias: zero! },
        state: { mean: zero!, variance: one! },
        outputShape: inputShape,
      }
    },
    apply: ({ params, state }, x, { train = false }) => {
      const channel = normalizeAxis('batchNorm', axis, x.ndim)
      requireExtent('batchNorm', x.shape, channel, params.scale.size, 'channels')
      if (!train) return [batchNormInference(x, state, params, { axis, epsilon }), state]
      const result = batchNormTraining(x, params, { axis, epsilon })
      return [result.y, updateStatistics(state, result, momentum)]
    },
  })
}

export interface LayerNormLayerOptions {
  /** The axes normalised over; the last by default. */
  readonly axis?: number | readonly number[]
  readonly epsilon?: number
}

/**
 * Layer normalisation: each position over its own features.
 * @see Ba, Kiros & Hinton 2016
 */
export const layerNorm = (
  options: LayerNormLayerOptions = {},
): Layer<ScaleAndBias, None, 'layerNorm'> => {
  const { axis = -1 } = options
  const extents = (shape: Shape): Shape =>
    (typeof axis === 'number' ? [axis] : axis)
      .map((a) => normalizeAxis('layerNorm', a, shape.length))
      .sort((a, b) => a - b)
      .map((a) => shape[a]!)
  return defineLayer({
    name: 'layerNorm',
    init: (_, inputShape) => {
      const shape = extents(inputShape)
      return {
        params: { scale: fill(shape, 1, 'float32'), bias: fill(shape, 0, 'float32') },
        state: none,
        outputShape: inputShape,
      }
    },
    apply: ({ params, state }, x) => [normalizeLayer(x, params, options), state],
  })
}

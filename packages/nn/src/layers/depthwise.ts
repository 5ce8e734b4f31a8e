/** Convolutions channel by channel, and those followed by a mixture of channels. */
import { erase, typed } from '@cotangent/core'
import { serialOf } from '../combinators/serial.ts'
import { requireSize } from '../errors.ts'
import type { PerAxis } from '../functional/window.ts'
import type { Layer, None, Part } from '../layer.ts'
import { type ConvLayerOptions, conv1d, conv2d, conv3d, convolution } from './conv.ts'
import type { Kernel, KernelAndBias, MaybeBias } from './dense.ts'

export interface DepthwiseOptions extends Omit<ConvLayerOptions, 'groups'> {
  /** Outputs a channel; 1 by default. */
  readonly multiplier?: number
}

export interface DepthwiseLayer {
  (
    window: PerAxis,
    options: DepthwiseOptions & { readonly useBias: false },
  ): Layer<Kernel, None, 'depthwiseConv'>
  (
    window: PerAxis,
    options?: DepthwiseOptions & { readonly useBias?: true },
  ): Layer<KernelAndBias, None, 'depthwiseConv'>
  (window: PerAxis, options: DepthwiseOptions): Layer<MaybeBias, None, 'depthwiseConv'>
}

const depthwise =
  (rank: number) =>
  (window: PerAxis, options: DepthwiseOptions = {}): Layer<MaybeBias, None, 'depthwiseConv'> => {
    const { multiplier = 1 } = options
    requireSize(`depthwiseConv${rank}d`, 'outputs a channel (multiplier)', multiplier)
    return convolution(rank, window, options, {
      name: 'depthwiseConv',
      featuresOf: (channels) => channels * multiplier,
      groupsOf: (features) => features / multiplier,
    })
  }

/** Each channel of a sequence `[batch, channels, length]` with its own kernels. */
export const depthwiseConv1d: DepthwiseLayer = typed(erase(depthwise(1)))
/**
 * Each channel of an image with its own kernels: `multiplier` outputs a channel, side by side.
 * Parameters `kernel: [channels · multiplier, 1, …window]` and `bias`.
 * @see Sifre 2014; Howard et al. 2017
 * @example
 * depthwiseConv2d(3, { padding: 'same', multiplier: 2 }) // [1, 8, 5, 5] to [1, 16, 5, 5]
 */
export const depthwiseConv2d: DepthwiseLayer = typed(erase(depthwise(2)))
/** Each channel of a volume with its own kernels. */
export const depthwiseConv3d: DepthwiseLayer = typed(erase(depthwise(3)))

export interface SeparableParams<Point> {
  /** `[channels · multiplier, 1, …window]`; no bias. */
  readonly depthwise: Kernel
  /** `[features, channels · multiplier, 1, …]`. */
  readonly pointwise: Point
}

export interface SeparableLayer {
  (
    features: number,
    window: PerAxis,
    options: DepthwiseOptions & { readonly useBias: false },
  ): Layer<SeparableParams<Kernel>, None, 'separableConv'>
  (
    features: number,
    window: PerAxis,
    options?: DepthwiseOptions & { readonly useBias?: true },
  ): Layer<SeparableParams<KernelAndBias>, None, 'separableConv'>
  (
    features: number,
    window: PerAxis,
    options: DepthwiseOptions,
  ): Layer<SeparableParams<MaybeBias>, None, 'separableConv'>
}

const pointwise = { 1: conv1d, 2: conv2d, 3: conv3d } as const

const separable =
  (rank: 1 | 2 | 3) =>
  (features: number, window: PerAxis, options: DepthwiseOptions = {}): unknown => {
    const { useBias = true, biasInit, ...spatial } = options
    const { layout = 'NCHW', kernelInit } = options
    const kernels = kernelInit === undefined ? {} : { kernelInit }
    const biases = biasInit === undefined ? {} : { biasInit }
    const mixing = { layout, ...kernels, ...biases }
    const parts: readonly Part[] = [
      ['depthwise', depthwise(rank)(window, { ...spatial, useBias: false })],
      [
        'pointwise',
        useBias
          ? pointwise[rank](features, 1, mixing)
          : pointwise[rank](features, 1, { ...mixing, useBias: false }),
      ],
    ]
    return Object.freeze({ ...serialOf(parts), name: 'separableConv' })
  }

/** A depthwise convolution of a sequence, then a mixture of its channels. */
export const separableConv1d: SeparableLayer = typed(erase(separable(1)))
/**
 * A depthwise convolution, then a mixture of its channels by a convolution of window 1: parameters
 * channels · multiplier · window + features · channels · multiplier in place of
 * features · channels · window.
 * @see Chollet 2017
 * @example
 * separableConv2d(64, 3, { padding: 'same' }).init(key, [1, 32, 8, 8]).params.pointwise.kernel
 */
export const separableConv2d: SeparableLayer = typed(erase(separable(2)))
/** A depthwise convolution of a volume, then a mixture of its channels. */
export const separableConv3d: SeparableLayer = typed(erase(separable(3)))

/** What the networks for images have in common: one layout, one way to initialise, one scale. */
import type { Tensor } from '@cotangent/core'
import { type Merge, concat } from '../combinators/merge.ts'
import { serial } from '../combinators/serial.ts'
import type { RunningStatistics } from '../functional/normalization.ts'
import type { Layout, PaddingSpec, PerAxis } from '../functional/window.ts'
import { type Initializer, convAxes, varianceScaling } from '../initializers.ts'
import type { Layer, None } from '../layer.ts'
import { relu } from '../layers/activations.ts'
import { conv2d } from '../layers/conv.ts'
import type { Kernel, KernelAndBias } from '../layers/dense.ts'
import type { ScaleAndBias } from '../layers/affine.ts'
import { localResponseNorm } from '../layers/groupNorm.ts'
import { batchNorm } from '../layers/normalization.ts'
import {
  type AvgPoolLayerOptions,
  type MaxPoolLayerOptions,
  avgPool2d,
  globalAvgPool,
  maxPool2d,
} from '../layers/pooling.ts'

export interface ImageModelOptions {
  /** Outputs, one logit each; 1000 by default. */
  readonly classes?: number
  /** A factor for the numbers of channels and hidden units: 0.25 gives a small version; 1 by default. */
  readonly width?: number
  /** Of the images; `'NCHW'` by default. */
  readonly layout?: Layout
}

export interface ImageModelWithDropout extends ImageModelOptions {
  /** The share of elements that training drops. */
  readonly dropout?: number
}

/** A convolution, batch normalisation, relu. */
export interface UnitParams {
  readonly conv: Kernel
  readonly norm: ScaleAndBias
}

/** Extents of a window: its steps, borders and groups. */
export interface WindowOptions {
  readonly stride?: PerAxis
  readonly padding?: PaddingSpec
  readonly groups?: number
}

/** The trees of state that go with trees of parameters: running statistics at every batch norm. */
export type StatisticsOf<P> = {
  readonly [K in keyof P as [HasNorm<P[K]>] extends [never] ? never : K]: NonNullable<
    P[K]
  > extends ScaleAndBias
    ? RunningStatistics
    : StatisticsOf<NonNullable<P[K]>>
}
type HasNorm<T> = T extends ScaleAndBias
  ? true
  : T extends Tensor
    ? never
    : { [K in keyof T]: HasNorm<T[K]> }[keyof T]

/** Normal, variance 2 / fan-in: for convolutions before rectified units. @see He et al. 2015, eq. 10 */
export const heKernel: Initializer = varianceScaling({
  scale: 2,
  mode: 'fanIn',
  distribution: 'normal',
  ...convAxes,
})

/** Channels at a scale: at least one, and a multiple of `of`. */
export const scaler =
  (width: number) =>
  (channels: number, of = 1): number =>
    Math.max(of, Math.round((channels * width) / of) * of)

/** The layers of a network, all in one layout. */
export interface ImageLayers {
  /** A convolution with bias. */
  readonly conv: (
    features: number,
    window: PerAxis,
    options?: WindowOptions,
  ) => Layer<KernelAndBias, None, 'conv'>
  /** A convolution without bias, for a batch normalisation to follow. */
  readonly bareConv: (
    features: number,
    window: PerAxis,
    options?: WindowOptions,
  ) => Layer<Kernel, None, 'conv'>
  readonly norm: () => Layer<ScaleAndBias, RunningStatistics, 'batchNorm'>
  /** bareConv, norm, relu: parameters `conv.kernel`, `norm.scale`, `norm.bias`. */
  readonly unit: (
    features: number,
    window: PerAxis,
    options?: WindowOptions,
  ) => Layer<UnitParams, StatisticsOf<UnitParams>, 'serial'>
  /** conv, relu. */
  readonly plainUnit: (
    features: number,
    window: PerAxis,
    options?: WindowOptions,
  ) => Layer<{ readonly conv: KernelAndBias }, None, 'serial'>
  readonly maxPool: (window: PerAxis, options?: MaxPoolLayerOptions) => Layer<None, None, 'maxPool'>
  readonly avgPool: (window: PerAxis, options?: AvgPoolLayerOptions) => Layer<None, None, 'avgPool'>
  readonly globalPool: () => Layer<None, None, 'globalAvgPool'>
  readonly concat: () => Merge<'concat'>
  /** x / (k + α Σ x²)^¾ over five channels. @see Krizhevsky, Sutskever & Hinton 2012, section 3.3 */
  readonly responseNorm: (k?: number) => Layer<None, None, 'localResponseNorm'>
}

export interface ImageLayersOptions {
  readonly layout?: Layout | undefined
  readonly kernelInit?: Initializer
  readonly biasInit?: Initializer
  /** Of the batch normalisations; 1e-5 by default. */
  readonly epsilon?: number
}

export const imageLayers = ({
  layout = 'NCHW',
  epsilon = 1e-5,
  ...init
}: ImageLayersOptions): ImageLayers => {
  const axis = layout === 'NCHW' ? 1 : 3
  const conv: ImageLayers['conv'] = (features, window, options = {}) =>
    conv2d(features, window, { ...init, ...options, layout })
  const bareConv: ImageLayers['bareConv'] = (features, window, options = {}) =>
    conv2d(features, window, { ...init, ...options, layout, useBias: false })
  const norm: ImageLayers['norm'] = () => batchNorm({ axis, epsilon })
  return {
    conv,
    bareConv,
    norm,
    unit: (features, window, options) =>
      serial({ conv: bareConv(features, window, options), norm: norm(), relu }),
    plainUnit: (features, window, options) =>
      serial({ conv: conv(features, window, options), relu }),
    maxPool: (window, options = {}) => maxPool2d(window, { ...options, layout }),
    avgPool: (window, options = {}) => avgPool2d(window, { ...options, layout }),
    globalPool: () => globalAvgPool(layout),
    concat: () => concat(axis),
    // The paper's α = 1e-4 is not divided by the number of channels; the function divides.
    responseNorm: (k = 2) => localResponseNorm({ size: 5, alpha: 5e-4, beta: 0.75, k, axis }),
  }
}

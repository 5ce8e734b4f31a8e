/** Pooling layers. */
import type { Shape, Tensor } from '@cotangent/core'
import { requireRank } from '../errors.ts'
import {
  globalAvgPool as globalMean,
  globalMaxPool as globalMaximum,
} from '../functional/adaptivePooling.ts'
import {
  type AvgPoolOptions,
  type MaxPoolOptions,
  avgPool,
  maxPool,
  minPool,
  pooledShape,
  resolvePooling,
} from '../functional/pooling.ts'
import { type Layout, type PerAxis, channelAxis } from '../functional/window.ts'
import { type Layer, type None, stateless } from '../layer.ts'

/** Everything but the window, which comes first. */
export type MaxPoolLayerOptions = Omit<MaxPoolOptions, 'window'>
export type AvgPoolLayerOptions = Omit<AvgPoolOptions, 'window'>

/** Pooling as a layer, for a number of spatial axes. */
export const pooling = <const Name extends string, O extends MaxPoolLayerOptions>(
  name: Name,
  rank: number,
  f: (x: Tensor, options: O & { readonly window: PerAxis }) => Tensor,
  options: O & { readonly window: PerAxis },
): Layer<None, None, Name> => {
  const label = `${name}${rank}d`
  const check = (shape: Shape): void =>
    requireRank(label, shape, (n) => n === rank + 2, `${rank + 2} axes`)
  return stateless(
    name,
    (x) => {
      check(x.shape)
      return f(x, options)
    },
    (shape) => {
      check(shape)
      return pooledShape(label, shape, resolvePooling(label, shape, options))
    },
    { window: (shape) => resolvePooling(label, shape, options), layout: options.layout ?? 'NCHW' },
  )
}

type MaxPoolLayer = (window: PerAxis, options?: MaxPoolLayerOptions) => Layer<None, None, 'maxPool'>
type MinPoolLayer = (window: PerAxis, options?: MaxPoolLayerOptions) => Layer<None, None, 'minPool'>
type AvgPoolLayer = (window: PerAxis, options?: AvgPoolLayerOptions) => Layer<None, None, 'avgPool'>

const maxOver =
  (rank: number): MaxPoolLayer =>
  (window, options = {}) =>
    pooling('maxPool', rank, maxPool, { ...options, window })
const minOver =
  (rank: number): MinPoolLayer =>
  (window, options = {}) =>
    pooling('minPool', rank, minPool, { ...options, window })
const meanOver =
  (rank: number): AvgPoolLayer =>
  (window, options = {}) =>
    pooling('avgPool', rank, avgPool, { ...options, window })

/** The maximum of each window; its stride is the window by default. */
export const maxPool1d: MaxPoolLayer = maxOver(1)
/**
 * The maximum of each window; its stride is the window by default.
 * @example
 * maxPool2d(2).init(random.key(0), [1, 6, 28, 28]).outputShape // [1, 6, 14, 14]
 */
export const maxPool2d: MaxPoolLayer = maxOver(2)
export const maxPool3d: MaxPoolLayer = maxOver(3)
/** The minimum of each window; its stride is the window by default. */
export const minPool1d: MinPoolLayer = minOver(1)
export const minPool2d: MinPoolLayer = minOver(2)
export const minPool3d: MinPoolLayer = minOver(3)
/** The mean of each window; its stride is the window by default. */
export const avgPool1d: AvgPoolLayer = meanOver(1)
export const avgPool2d: AvgPoolLayer = meanOver(2)
export const avgPool3d: AvgPoolLayer = meanOver(3)

const overall = <const Name extends string>(
  name: Name,
  layout: Layout,
  f: (x: Tensor, layout: Layout) => Tensor,
): Layer<None, None, Name> =>
  stateless(
    name,
    (x) => f(x, layout),
    (shape) => {
      requireRank(name, shape, (rank) => rank > 2, '[batch, channels, …spatial]')
      return [shape[0]!, shape[channelAxis(layout, shape.length)]!]
    },
    { window: 'all', layout },
  )

/** The mean over all spatial axes: `[batch, channels]`. */
export const globalAvgPool = (layout: Layout = 'NCHW'): Layer<None, None, 'globalAvgPool'> =>
  overall('globalAvgPool', layout, globalMean)
/** The maximum over all spatial axes: `[batch, channels]`. */
export const globalMaxPool = (layout: Layout = 'NCHW'): Layer<None, None, 'globalMaxPool'> =>
  overall('globalMaxPool', layout, globalMaximum)

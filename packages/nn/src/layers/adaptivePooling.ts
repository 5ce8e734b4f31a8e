/** Pooling to a given output extent, and by norms. */
import type { Shape, Tensor } from '@cotangent/core'
import { requireRank } from '../errors.ts'
import { adaptiveAvgPool, adaptiveMaxPool } from '../functional/adaptivePooling.ts'
import { type LpPoolOptions, lpPool } from '../functional/pooling.ts'
import {
  type Layout,
  type PerAxis,
  type WindowGeometry,
  channelAxis,
  imageShape,
  perAxis,
  spatialOf,
} from '../functional/window.ts'
import { type Layer, type None, stateless } from '../layer.ts'
import { pooling } from './pooling.ts'

type AdaptivePool = (x: Tensor, output: PerAxis, layout?: Layout) => Tensor
type AdaptiveLayer<Name extends string> = (
  output: PerAxis,
  layout?: Layout,
) => Layer<None, None, Name>

// The largest window; its steps are in / out on average.
const geometryOf = (spatial: Shape, outputs: readonly number[]): WindowGeometry => ({
  kernel: spatial.map((extent, d) => {
    const out = outputs[d]!
    const widths = Array.from(
      { length: out },
      (_, i) => Math.ceil(((i + 1) * extent) / out) - Math.floor((i * extent) / out),
    )
    return Math.max(...widths)
  }),
  stride: spatial.map((extent, d) => extent / outputs[d]!),
  dilation: spatial.map(() => 1),
})

const adaptive =
  <const Name extends string>(name: Name, rank: number, f: AdaptivePool): AdaptiveLayer<Name> =>
  (output, layout = 'NCHW') => {
    const label = `${name}${rank}d`
    const outputs = perAxis(label, 'output', output, rank)
    const check = (shape: Shape): void =>
      requireRank(label, shape, (n) => n === rank + 2, `${rank + 2} axes, layout ${layout}`)
    return stateless(
      name,
      (x) => {
        check(x.shape)
        return f(x, outputs, layout)
      },
      (shape) => {
        check(shape)
        return imageShape(layout, shape[0]!, shape[channelAxis(layout, shape.length)]!, outputs)
      },
      { window: (shape) => geometryOf(spatialOf(layout, shape), outputs), layout },
    )
  }

type AdaptiveAvgPool = AdaptiveLayer<'adaptiveAvgPool'>
type AdaptiveMaxPool = AdaptiveLayer<'adaptiveMaxPool'>

/** Means to a given output extent; see `adaptiveAvgPool2d`. */
export const adaptiveAvgPool1d: AdaptiveAvgPool = adaptive('adaptiveAvgPool', 1, adaptiveAvgPool)
/**
 * Means to a given output extent, whatever the input's: window i runs from ⌊i · in / out⌋ to
 * ⌈(i + 1) · in / out⌉.
 * @example
 * adaptiveAvgPool2d([3, 2]).init(key, [1, 8, 7, 7]).outputShape // [1, 8, 3, 2]
 */
export const adaptiveAvgPool2d: AdaptiveAvgPool = adaptive('adaptiveAvgPool', 2, adaptiveAvgPool)
export const adaptiveAvgPool3d: AdaptiveAvgPool = adaptive('adaptiveAvgPool', 3, adaptiveAvgPool)
/** Maxima to a given output extent; see `adaptiveAvgPool2d`. */
export const adaptiveMaxPool1d: AdaptiveMaxPool = adaptive('adaptiveMaxPool', 1, adaptiveMaxPool)
export const adaptiveMaxPool2d: AdaptiveMaxPool = adaptive('adaptiveMaxPool', 2, adaptiveMaxPool)
export const adaptiveMaxPool3d: AdaptiveMaxPool = adaptive('adaptiveMaxPool', 3, adaptiveMaxPool)

export type LpPoolLayerOptions = Omit<LpPoolOptions, 'window'>
type LpPoolLayer = (window: PerAxis, options?: LpPoolLayerOptions) => Layer<None, None, 'lpPool'>

const normOver =
  (rank: number): LpPoolLayer =>
  (window, options = {}) =>
    pooling('lpPool', rank, lpPool, { ...options, window })

/** The p-norm of each window; see `lpPool2d`. */
export const lpPool1d: LpPoolLayer = normOver(1)
/** The p-norm of each window, (Σ |x|ᵖ)^(1/p); p is 2 by default, the stride the window. */
export const lpPool2d: LpPoolLayer = normOver(2)
export const lpPool3d: LpPoolLayer = normOver(3)

/** Layers for images of another size: resized, padded, channels moved into positions and back. */
import { type Shape, type Tensor, range } from '@cotangent/core'
import { np } from '@cotangent/ops'
import { requireEither, requireRank, requireSize } from '../errors.ts'
import { inChannelsFirst } from '../functional/conv.ts'
import {
  type ResizeOptions,
  channelShuffle as shuffleChannels,
  pixelShuffle as shufflePixels,
  pixelUnshuffle as unshufflePixels,
  resize,
} from '../functional/resample.ts'
import {
  type Layout,
  type PaddingSpec,
  type PerAxis,
  type WindowGeometry,
  perAxis,
  resolvePadding,
  spatialOf,
} from '../functional/window.ts'
import { type Layer, type None, stateless } from '../layer.ts'

const requireImage = (name: string, shape: Shape): void =>
  requireRank(name, shape, (rank) => rank >= 3, '[batch, channels, …spatial]')

/** A layer of images without parameters; `seen` is the window of one output along each axis. */
const imageLayer = <const Name extends string>(
  name: Name,
  layout: Layout,
  f: (x: Tensor) => Tensor,
  seen?: (rank: number) => readonly [kernel: readonly number[], stride: readonly number[]],
): Layer<None, None, Name> =>
  stateless(
    name,
    (x) => {
      requireImage(name, x.shape)
      return f(x)
    },
    undefined,
    seen === undefined
      ? { layout }
      : {
          layout,
          window: (shape): WindowGeometry => {
            const [kernel, stride] = seen(shape.length - 2)
            return { kernel, stride, dilation: kernel.map(() => 1) }
          },
        },
  )

/** How large: so many times the extents, or these extents. */
export interface UpsampleOptions extends ResizeOptions {
  readonly scale?: PerAxis
  readonly size?: PerAxis
}

/**
 * Images with other spatial extents: `upsample(2)` doubles them, `upsample({ size })` gives these. In
 * the mode `'linear'` neighbours are weighed as PyTorch does; `'nearest'` (the default) repeats them.
 * @throws UnsupportedError for a scale and a size at once, or neither.
 * @example
 * upsample(2, { mode: 'linear' }) // [1, 3, 8, 8] to [1, 3, 16, 16]
 */
export const upsample = (
  given: PerAxis | UpsampleOptions,
  more: ResizeOptions = {},
): Layer<None, None, 'upsample'> => {
  const isScale = typeof given === 'number' || isList(given)
  const options: UpsampleOptions = isScale ? { ...more, scale: given } : given
  const { scale, size, mode = 'nearest', layout = 'NCHW' } = options
  const examples = 'upsample(2), upsample({ scale: 2 }) or upsample({ size: [16, 16] })'
  requireEither('upsample', { scale, size }, examples)
  const f = (x: Tensor): Tensor => {
    const extents = spatialOf(layout, x.shape)
    const scales = scale === undefined ? null : perAxis('upsample', 'scale', scale, x.ndim - 2)
    return resize(x, scales?.map((s, d) => s * extents[d]!) ?? size!, options)
  }
  if (scale === undefined) return imageLayer('upsample', layout, f)
  return imageLayer('upsample', layout, f, (rank) => {
    const scales = perAxis('upsample', 'scale', scale, rank)
    return [scales.map(() => (mode === 'nearest' ? 1 : 2)), scales.map((s) => 1 / s)]
  })
}

const isList = (given: PerAxis | UpsampleOptions): given is readonly number[] =>
  Array.isArray(given)

/**
 * Channels become positions: `[batch, channels · r², height, width]` to `[batch, channels, height · r,
 * width · r]`.
 * @see Shi et al. 2016, sub-pixel convolution
 */
export const pixelShuffle = (
  factor: PerAxis,
  { layout = 'NCHW' }: { readonly layout?: Layout } = {},
): Layer<None, None, 'pixelShuffle'> =>
  imageLayer(
    'pixelShuffle',
    layout,
    (x) => shufflePixels(x, factor, { layout }),
    (rank) => {
      const factors = perAxis('pixelShuffle', 'factor', factor, rank)
      return [factors.map(() => 1), factors.map((r) => 1 / r)]
    },
  )

/** Positions become channels: the inverse of `pixelShuffle`. */
export const pixelUnshuffle = (
  factor: PerAxis,
  { layout = 'NCHW' }: { readonly layout?: Layout } = {},
): Layer<None, None, 'pixelUnshuffle'> =>
  imageLayer(
    'pixelUnshuffle',
    layout,
    (x) => unshufflePixels(x, factor, { layout }),
    (rank) => {
      const factors = perAxis('pixelUnshuffle', 'factor', factor, rank)
      return [factors, factors]
    },
  )

/** The channels of all groups in turn, so that grouped convolutions mix. @see Zhang et al. 2018 */
export const channelShuffle = (
  groups: number,
  { layout = 'NCHW' }: { readonly layout?: Layout } = {},
): Layer<None, None, 'channelShuffle'> => {
  requireSize('channelShuffle', 'groups', groups)
  return imageLayer('channelShuffle', layout, (x) => shuffleChannels(x, groups, { layout }))
}

export interface PadLayerOptions {
  /** What stands there: zeros by default. `'replicate'` is the edge, `'circular'` the other end. */
  readonly mode?: 'constant' | 'reflect' | 'replicate' | 'circular'
  /** Of `'constant'`; 0 by default. */
  readonly value?: number
  /** `'NCHW'` by default. */
  readonly layout?: Layout
}

const padModes = {
  constant: 'constant',
  reflect: 'reflect',
  replicate: 'edge',
  circular: 'wrap',
} as const

/**
 * Elements around the spatial axes: a number for all sides, or one entry an axis, `[low, high]` or one
 * number for both.
 * @example
 * pad([[1, 2], 0], { mode: 'reflect' }) // [1, 3, 8, 8] to [1, 3, 11, 8]
 */
export const pad = (
  widths: Exclude<PaddingSpec, string>,
  { mode = 'constant', value = 0, layout = 'NCHW' }: PadLayerOptions = {},
): Layer<None, None, 'pad'> =>
  imageLayer('pad', layout, (x) => {
    const ones = range(x.ndim - 2).map(() => 1)
    const geometry = { kernel: ones, stride: ones, dilation: ones }
    const padding = resolvePadding('pad', widths, spatialOf(layout, x.shape), geometry)
    const all = [[0, 0], [0, 0], ...padding.map(([low, high]) => [low, high])]
    const options = mode === 'constant' ? { mode, constantValues: value } : { mode: padModes[mode] }
    return inChannelsFirst(x, layout, (image) => np.pad(image, all, options))
  })

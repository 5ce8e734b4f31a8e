/** Convolution, for any number of spatial axes. Kernels are never flipped. */
import { ShapeError, type Tensor, showAval, transpose } from '@cotangent/core'
import { np, prims } from '@cotangent/ops'
import {
  type Layout,
  type Padding,
  type PaddingSpec,
  type PerAxis,
  channelsFirst,
  channelsLast,
  perAxis,
  reachOf,
  resolvePadding,
  windowCounts,
} from './window.ts'

export interface ConvOptions {
  /** Steps of the window; 1 by default. */
  readonly stride?: PerAxis
  /** `'valid'` by default. */
  readonly padding?: PaddingSpec
  /** The distance between neighbouring kernel elements; 1 by default. */
  readonly dilation?: PerAxis
  /** Steps between neighbouring inputs, zeros lying in between; 1 by default. */
  readonly inputDilation?: PerAxis
  /** Channels and outputs fall into so many independent parts; 1 by default. */
  readonly groups?: number
  /** What padding is made of; zeros by default. */
  readonly paddingMode?: PaddingMode
  /** Where the channels of input and output stand; `'NCHW'` by default. */
  readonly layout?: Layout
}

/**
 * What stands in the padding: zeros, the other end of the axis (`'circular'`), the mirror image
 * without the edge (`'reflect'`), or the edge itself (`'replicate'`).
 */
export type PaddingMode = 'zeros' | 'circular' | 'reflect' | 'replicate'

/** Runs something on images in channels-first order, whatever order they are in. */
export const inChannelsFirst = (x: Tensor, layout: Layout, f: (x: Tensor) => Tensor): Tensor =>
  layout === 'NCHW' ? f(x) : transpose(f(transpose(x, channelsFirst(x.ndim))), channelsLast(x.ndim))

/** The number of spatial axes. @throws ShapeError unless x and the kernel have the same. */
export const requireConvRanks = (operation: string, x: Tensor, kernel: Tensor): number => {
  const rank = x.ndim - 2
  if (rank >= 1 && kernel.ndim === x.ndim) return rank
  throw new ShapeError({
    operation,
    problem: 'the ranks do not fit',
    got: `x: ${showAval(x.aval)}, kernel: ${showAval(kernel.aval)}`,
    want: 'x [batch, channels, …spatial] and a kernel of as many axes',
    fix: 'add the batch and channel axes to x, or use the convolution of another rank',
  })
}

/**
 * Cross-correlation of `x: [batch, channels, …spatial]` with `kernel: [outputs, channels / groups,
 * …window]`, to `[batch, outputs, …]`, each spatial extent
 * ⌊(extent + padding − dilation · (window − 1) − 1) / stride⌋ + 1.
 * @throws ShapeError where ranks, channels or options do not fit.
 * @example
 * functional.conv(np.ones([1, 3, 8, 8]), np.ones([4, 3, 3, 3]), { padding: 'same' }).shape // [1, 4, 8, 8]
 */
export const conv = (x: Tensor, kernel: Tensor, options: ConvOptions = {}): Tensor => {
  const { stride = 1, padding = 'valid', dilation = 1, groups = 1, layout = 'NCHW' } = options
  const { inputDilation = 1, paddingMode = 'zeros' } = options
  const rank = requireConvRanks('conv', x, kernel)
  return inChannelsFirst(x, layout, (image) => {
    const geometry = {
      kernel: kernel.shape.slice(2),
      stride: perAxis('conv', 'stride', stride, rank),
      dilation: perAxis('conv', 'dilation', dilation, rank),
    }
    const spread = perAxis('conv', 'inputDilation', inputDilation, rank)
    const extents = image.shape.slice(2).map((n, d) => Math.max(0, reachOf(n, spread[d]!)))
    const resolved = resolvePadding('conv', padding, extents, geometry)
    windowCounts('conv', extents, resolved, geometry)
    const [padded, rest] = withPadding('conv', image, resolved, paddingMode)
    return prims.conv(padded, kernel, {
      strides: geometry.stride,
      padding: rest,
      inputDilation: spread,
      kernelDilation: geometry.dilation,
      groups,
    })
  })
}

const padModes = { circular: 'wrap', reflect: 'reflect', replicate: 'edge' } as const

/** An image with the padding that is not zeros, and what is left to pad with zeros. */
export const withPadding = (
  operation: string,
  image: Tensor,
  padding: Padding,
  mode: PaddingMode,
): readonly [padded: Tensor, rest: Padding] => {
  if (mode === 'zeros') return [image, padding]
  const isNegative = padding.some(([low, high]) => low < 0 || high < 0)
  if (!isNegative) {
    const widths = [[0, 0], [0, 0], ...padding.map(([low, high]) => [low, high])]
    return [np.pad(image, widths, { mode: padModes[mode] }), padding.map(() => [0, 0])]
  }
  throw new ShapeError({
    operation,
    problem: `${mode} padding cannot be negative`,
    got: JSON.stringify(padding),
    want: 'at least 0 on every side',
    fix: 'crop the input instead',
  })
}

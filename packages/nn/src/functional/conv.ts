/** Convolution and its transpose, for any number of spatial axes. Kernels are never flipped. */
import { ShapeError, type Tensor, range, showAval, transpose } from '@cotangent/core'
import { prims } from '@cotangent/ops'
import {
  type Layout,
  type PaddingSpec,
  type PerAxis,
  channelsFirst,
  channelsLast,
  perAxis,
  resolvePadding,
} from './window.ts'

export interface ConvOptions {
  /** Steps of the window; 1 by default. */
  readonly stride?: PerAxis
  /** `'valid'` by default. */
  readonly padding?: PaddingSpec
  /** The distance between neighbouring kernel elements; 1 by default. */
  readonly dilation?: PerAxis
  /** Channels and outputs fall into so many independent parts; 1 by default. */
  readonly groups?: number
  /** Where the channels of input and output stand; `'NCHW'` by default. */
  readonly layout?: Layout
}

const inChannelsFirst = (x: Tensor, layout: Layout, f: (x: Tensor) => Tensor): Tensor =>
  layout === 'NCHW' ? f(x) : transpose(f(transpose(x, channelsFirst(x.ndim))), channelsLast(x.ndim))

const requireConvRanks = (operation: string, x: Tensor, kernel: Tensor): number => {
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
  const rank = requireConvRanks('conv', x, kernel)
  return inChannelsFirst(x, layout, (image) => {
    const geometry = {
      kernel: kernel.shape.slice(2),
      stride: perAxis('conv', 'stride', stride, rank),
      dilation: perAxis('conv', 'dilation', dilation, rank),
    }
    return prims.conv(image, kernel, {
      strides: geometry.stride,
      padding: resolvePadding('conv', padding, image.shape.slice(2), geometry),
      inputDilation: range(rank).map(() => 1),
      kernelDilation: geometry.dilation,
      groups,
    })
  })
}

export interface ConvTransposeOptions extends ConvOptions {
  /** Removed from the full result: numbers or `[low, high]` an axis; none by default. */
  readonly padding?: number | readonly (number | readonly [low: number, high: number])[]
  /** Further elements on the high side, which only the kernel's edge reaches; 0 by default. */
  readonly outputPadding?: PerAxis
}

/**
 * The transpose of `conv` in `x`: `x: [batch, channels, …]` with `kernel: [channels, outputs /
 * groups, …window]` to `[batch, outputs, …]`, each spatial extent
 * (extent − 1) · stride − low − high + dilation · (window − 1) + outputPadding + 1.
 * @throws ShapeError where ranks, channels or options do not fit.
 */
export const convTranspose = (
  x: Tensor,
  kernel: Tensor,
  options: ConvTransposeOptions = {},
): Tensor => {
  const { stride = 1, padding = 0, dilation = 1, groups = 1, layout = 'NCHW' } = options
  const name = 'convTranspose'
  const rank = requireConvRanks(name, x, kernel)
  const ones = range(rank).map(() => 1)
  const window = kernel.shape.slice(2)
  const strides = perAxis(name, 'stride', stride, rank)
  const dilations = perAxis(name, 'dilation', dilation, rank)
  const extra = perAxis(name, 'outputPadding', options.outputPadding ?? 0, rank, 0)
  return inChannelsFirst(x, layout, (image) => {
    const geometry = { kernel: window, stride: ones, dilation: ones }
    const removed = resolvePadding(name, padding, image.shape.slice(2), geometry)
    return prims.conv(image, transposedKernel(name, kernel, groups), {
      strides: ones,
      padding: window.map((k, d) => {
        const edge = dilations[d]! * (k - 1)
        return [edge - removed[d]![0], edge - removed[d]![1] + extra[d]!]
      }),
      inputDilation: strides,
      kernelDilation: dilations,
      groups,
    })
  })
}

// [channels, outputs / groups, …] to the flipped [outputs, channels / groups, …].
const transposedKernel = (operation: string, kernel: Tensor, groups: number): Tensor => {
  const [channels, outputs, ...window] = kernel.shape
  if (channels! % groups !== 0) {
    throw new ShapeError({
      operation,
      problem: 'the channels do not divide into groups',
      got: `kernel: ${showAval(kernel.aval)}, ${groups} groups`,
      want: 'a multiple of groups in front',
      fix: 'choose groups that divide the number of features',
    })
  }
  const rest = window.map((_, d) => d + 3)
  const grouped = kernel.reshape([groups, channels! / groups, outputs!, ...window])
  const swapped = transpose(grouped, [0, 2, 1, ...rest])
  const flat = swapped.reshape([groups * outputs!, channels! / groups, ...window])
  return prims.reverse(
    flat,
    window.map((_, d) => d + 2),
  )
}

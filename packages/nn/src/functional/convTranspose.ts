/** The transpose of convolution. */
import { type Shape, ShapeError, type Tensor, range, showAval, transpose } from '@cotangent/core'
import { np, prims } from '@cotangent/ops'
import { inChannelsFirst, requireConvRanks } from './conv.ts'
import {
  type Layout,
  type Padding,
  type PerAxis,
  perAxis,
  reachOf,
  resolvePadding,
} from './window.ts'

export interface ConvTransposeOptions {
  /** Steps of the window over the output; 1 by default. */
  readonly stride?: PerAxis
  /**
   * Removed from the full result: numbers or `[low, high]` an axis; none by default. `'same'` gives
   * extent · stride, and `'valid'` everything that any window touches, extents split as JAX does.
   */
  readonly padding?: TransposePadding
  /** The distance between neighbouring kernel elements; 1 by default. */
  readonly dilation?: PerAxis
  /** Further elements on the high side, which only the kernel's edge reaches; 0 by default. */
  readonly outputPadding?: PerAxis
  readonly groups?: number
  /**
   * `'circular'`: the output has extent · stride elements, and what goes over one end (or is removed by
   * the padding there) is added at the other. `'zeros'` by default.
   */
  readonly paddingMode?: 'zeros' | 'circular'
  /** `'NCHW'` by default. */
  readonly layout?: Layout
}
export type TransposePadding =
  | 'same'
  | 'valid'
  | number
  | readonly (number | readonly [low: number, high: number])[]

/** A transposed convolution along the spatial axes; `removed` and `added` are in its result. */
export interface TransposeGeometry {
  readonly kernel: readonly number[]
  readonly stride: readonly number[]
  readonly dilation: readonly number[]
  readonly removed: Padding
  readonly added: readonly number[]
  readonly isCircular: boolean
}

// JAX's split of the padding around the spread input: [low, total], reach and stride given.
const jaxPadding = (padding: 'same' | 'valid', reach: number, stride: number): [number, number] => {
  if (padding === 'valid') return [reach - 1, reach + stride - 2 + Math.max(reach - stride, 0)]
  const total = reach + stride - 2
  return [stride > reach - 1 ? reach - 1 : Math.ceil(total / 2), total]
}

/** @throws ShapeError where options do not fit the rank. */
export const transposeGeometry = (
  operation: string,
  kernel: readonly number[],
  options: ConvTransposeOptions,
): TransposeGeometry => {
  const rank = kernel.length
  const stride = perAxis(operation, 'stride', options.stride ?? 1, rank)
  const dilation = perAxis(operation, 'dilation', options.dilation ?? 1, rank)
  const added = perAxis(operation, 'outputPadding', options.outputPadding ?? 0, rank, 0)
  const { padding = 0, paddingMode = 'zeros' } = options
  const isCircular = paddingMode === 'circular'
  if (padding !== 'same' && padding !== 'valid') {
    const geometry = { kernel, stride, dilation }
    return {
      ...geometry,
      added,
      isCircular,
      removed: resolvePadding(operation, padding, kernel, geometry),
    }
  }
  const removed = kernel.map((k, d): readonly [number, number] => {
    const edge = reachOf(k, dilation[d]!) - 1
    const [low, total] = jaxPadding(padding, edge + 1, stride[d]!)
    return [edge - low, edge - (total - low)]
  })
  return { kernel, stride, dilation, added, removed, isCircular }
}

/** (extent − 1) · stride − low − high + dilation · (window − 1) + outputPadding + 1 along each axis. */
export const transposedExtents = (
  operation: string,
  spatial: Shape,
  { kernel, stride, dilation, removed, added, isCircular }: TransposeGeometry,
): Shape =>
  spatial.map((extent, d) => {
    if (isCircular) return extent * stride[d]!
    const [low, high] = removed[d]!
    const out =
      (extent - 1) * stride[d]! + reachOf(kernel[d]!, dilation[d]!) - low - high + added[d]!
    if (out > 0 && extent > 0) return out
    throw new ShapeError({
      operation,
      problem: `the padding removes everything along spatial axis ${d}`,
      got: `extent ${extent}, stride ${stride[d]!}, ${low} + ${high} removed`,
      want: 'at least one element left',
      fix: 'remove less, or use a larger kernel or stride',
    })
  })

/**
 * The transpose of `conv` in `x`, which is PyTorch's transposed convolution: `x: [batch, channels,
 * …]` with `kernel: [channels, outputs / groups, …window]` to `[batch, outputs, …]`, each spatial
 * extent (extent − 1) · stride − low − high + dilation · (window − 1) + outputPadding + 1. The kernel
 * of Flax's `ConvTranspose`, `[…window, channels, outputs]`, is this one with its window reversed
 * along each axis (and, under `transpose_kernel`, `[…window, outputs, channels]` as it is).
 * @throws ShapeError where ranks, channels or options do not fit.
 */
export const convTranspose = (
  x: Tensor,
  kernel: Tensor,
  options: ConvTransposeOptions = {},
): Tensor => {
  const { groups = 1, layout = 'NCHW' } = options
  const name = 'convTranspose'
  const rank = requireConvRanks(name, x, kernel)
  const geometry = transposeGeometry(name, kernel.shape.slice(2), options)
  return inChannelsFirst(x, layout, (image) => {
    const extents = transposedExtents(name, image.shape.slice(2), geometry)
    const y = prims.conv(image, transposedKernel(name, kernel, groups), {
      strides: range(rank).map(() => 1),
      padding: geometry.kernel.map((k, d) => {
        const edge = geometry.dilation[d]! * (k - 1)
        const [low, high] = geometry.isCircular ? [0, 0] : geometry.removed[d]!
        return [edge - low, edge - high + geometry.added[d]!]
      }),
      inputDilation: geometry.stride,
      kernelDilation: geometry.dilation,
      groups,
    })
    if (!geometry.isCircular) return y
    return extents.reduce((z, period, d) => wrapped(z, d + 2, period, geometry.removed[d]![0]), y)
  })
}

// Element i is added at (i − low) mod period.
const wrapped = (x: Tensor, axis: number, period: number, low: number): Tensor => {
  const front = ((-low % period) + period) % period
  const length = Math.ceil((x.shape[axis]! + front) / period) * period
  const widths = x.shape.map((extent, d) =>
    d === axis ? [front, length - front - extent] : [0, 0],
  )
  const periods = [...x.shape.slice(0, axis), length / period, period, ...x.shape.slice(axis + 1)]
  return np.pad(x, widths).reshape(periods).sum({ axis })
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

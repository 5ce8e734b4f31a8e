/** Images of another size: resized, or with channels moved into positions and back. */
import {
  ShapeError,
  type Tensor,
  range,
  reshape,
  showAval,
  tensor,
  transpose,
} from '@cotangent/core'
import { np } from '@cotangent/ops'
import { inChannelsFirst } from './conv.ts'
import { type Layout, type PerAxis, perAxis } from './window.ts'

export interface ResizeOptions {
  /**
   * `'nearest'` (the default) repeats elements: output i is input ⌊i · extent / size⌋. `'linear'`
   * weighs the two neighbours along each axis: bilinear for images.
   */
  readonly mode?: 'nearest' | 'linear'
  /** Linear: the first and last elements stay where they are, rather than the edges; false. */
  readonly alignCorners?: boolean
  /** `'NCHW'` by default. */
  readonly layout?: Layout
}

/** Where output elements lie between inputs: `i (n − 1) / (m − 1)`, or `(i + ½) n / m − ½`, not below 0. */
const positions = (n: number, m: number, alignCorners: boolean): readonly number[] =>
  range(m).map((i) => {
    if (!alignCorners) return Math.max(0, ((i + 0.5) * n) / m - 0.5)
    return m === 1 ? 0 : (i * (n - 1)) / (m - 1)
  })

const picked = (x: Tensor, axis: number, at: readonly number[]): Tensor =>
  np.take(x, tensor(Int32Array.from(at)), { axis })

const nearest = (x: Tensor, axis: number, m: number): Tensor => {
  const n = x.shape[axis]!
  if (m % n === 0) return np.repeat(x, m / n, axis)
  return picked(
    x,
    axis,
    range(m).map((i) => Math.floor((i * n) / m)),
  )
}

const linear = (x: Tensor, axis: number, m: number, alignCorners: boolean): Tensor => {
  const n = x.shape[axis]!
  const at = positions(n, m, alignCorners)
  const low = at.map((p) => Math.min(Math.floor(p), n - 1))
  const along = x.shape.map((_, d) => (d === axis ? m : 1))
  const share = tensor(
    Float64Array.from(at, (p, i) => p - low[i]!),
    { dtype: x.dtype },
  )
  const before = picked(x, axis, low)
  const after = picked(
    x,
    axis,
    low.map((i) => Math.min(i + 1, n - 1)),
  )
  return before.add(after.sub(before).mul(reshape(share, along)))
}

/**
 * Images `[batch, channels, …]` with other spatial extents, as PyTorch's `interpolate` makes them.
 * @throws ShapeError where `size` has not as many entries as there are spatial axes.
 * @example
 * functional.resize(np.ones([1, 3, 8, 8]), [16, 12], { mode: 'linear' }).shape // [1, 3, 16, 12]
 */
export const resize = (x: Tensor, size: PerAxis, options: ResizeOptions = {}): Tensor => {
  const { mode = 'nearest', alignCorners = false, layout = 'NCHW' } = options
  const extents = perAxis('resize', 'size', size, x.ndim - 2)
  return inChannelsFirst(x, layout, (image) =>
    extents.reduce((y, m, d) => {
      if (y.shape[d + 2] === m) return y
      return mode === 'nearest' ? nearest(y, d + 2, m) : linear(y, d + 2, m, alignCorners)
    }, image),
  )
}

const requireDivisible = (operation: string, x: Tensor, isRight: boolean, want: string): void => {
  if (isRight) return
  throw new ShapeError({
    operation,
    problem: 'the extents do not divide',
    got: showAval(x.aval),
    want,
    fix: 'choose a factor that divides them',
  })
}

const product = (factors: readonly number[]): number => factors.reduce((a, b) => a * b, 1)

/**
 * Channels become positions: `[batch, channels · r², height, width]` to `[batch, channels, height · r,
 * width · r]`, for any number of spatial axes.
 * @throws ShapeError where the channels do not divide.
 * @see Shi et al. 2016, sub-pixel convolution
 */
export const pixelShuffle = (
  x: Tensor,
  factor: PerAxis,
  { layout = 'NCHW' }: { readonly layout?: Layout } = {},
): Tensor => {
  const rank = x.ndim - 2
  const factors = perAxis('pixelShuffle', 'factor', factor, rank)
  return inChannelsFirst(x, layout, (image) => {
    const [batch, channels, ...spatial] = image.shape
    const count = product(factors)
    requireDivisible('pixelShuffle', x, channels! % count === 0, `a multiple of ${count} channels`)
    const split = reshape(image, [batch!, channels! / count, ...factors, ...spatial])
    const axes = range(rank).flatMap((d) => [2 + rank + d, 2 + d])
    return reshape(transpose(split, [0, 1, ...axes]), [
      batch!,
      channels! / count,
      ...spatial.map((extent, d) => extent * factors[d]!),
    ])
  })
}

/** The inverse of `pixelShuffle`. @throws ShapeError where an extent does not divide. */
export const pixelUnshuffle = (
  x: Tensor,
  factor: PerAxis,
  { layout = 'NCHW' }: { readonly layout?: Layout } = {},
): Tensor => {
  const rank = x.ndim - 2
  const factors = perAxis('pixelUnshuffle', 'factor', factor, rank)
  return inChannelsFirst(x, layout, (image) => {
    const [batch, channels, ...spatial] = image.shape
    const isRight = spatial.every((extent, d) => extent % factors[d]! === 0)
    requireDivisible('pixelUnshuffle', x, isRight, `multiples of ${factors.join(', ')}`)
    const smaller = spatial.map((extent, d) => extent / factors[d]!)
    const split = smaller.flatMap((extent, d) => [extent, factors[d]!])
    const axes = [...range(rank).map((d) => 3 + 2 * d), ...range(rank).map((d) => 2 + 2 * d)]
    const moved = transpose(reshape(image, [batch!, channels!, ...split]), [0, 1, ...axes])
    return reshape(moved, [batch!, channels! * product(factors), ...smaller])
  })
}

/**
 * The channels of all groups in turn: of two groups, channels 0, 1, 2, 3 become 0, 2, 1, 3.
 * @throws ShapeError where the channels do not divide into groups.
 * @see Zhang et al. 2018, ShuffleNet
 */
export const channelShuffle = (
  x: Tensor,
  groups: number,
  { layout = 'NCHW' }: { readonly layout?: Layout } = {},
): Tensor =>
  inChannelsFirst(x, layout, (image) => {
    const [batch, channels, ...spatial] = image.shape
    requireDivisible('channelShuffle', x, channels! % groups === 0, `${groups} equal groups`)
    const split = reshape(image, [batch!, groups, channels! / groups, ...spatial])
    const axes = range(split.ndim).map((d) => (d === 1 ? 2 : d === 2 ? 1 : d))
    return reshape(transpose(split, axes), image.shape)
  })

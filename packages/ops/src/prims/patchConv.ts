/**
 * Convolutions whose windows stand side by side, as the embedding of patches has them: every element
 * is in one window, so that they, and both of their cotangents, are one product of matrices.
 */
import {
  type Shape,
  type Tensor,
  fill,
  moveAxis,
  range,
  reshape,
  sizeOf,
  transpose,
} from '@cotangent/core'
import { dotGeneral } from './contract.ts'
import type { ConvOptions } from './phaseConv.ts'
import { pad, reverse, slice } from './slice.ts'

type Product = (x: Tensor, w: Tensor, shape: Shape) => Tensor

/** Smaller windows are what tiles and phases of convolutions do well. */
const smallestWindow = 16

const isOne = (values: readonly number[]): boolean => values.every((value) => value === 1)

// `[…, extent, …]` as `[…, count, size, …]` for each spatial axis; what is left over is cut off.
const apart = (x: Tensor, counts: readonly number[], sizes: readonly number[]): Tensor => {
  const limits = x.shape.map((n, d) => (d < 2 ? n : counts[d - 2]! * sizes[d - 2]!))
  const whole = slice(
    x,
    limits.map(() => 0),
    limits,
    limits.map(() => 1),
  )
  return reshape(whole, [
    x.shape[0]!,
    x.shape[1]!,
    ...counts.flatMap((count, d) => [count, sizes[d]!]),
  ])
}

const outer = (rank: number): readonly number[] => range(rank).map((d) => 2 + 2 * d)
const inner = (rank: number): readonly number[] => range(rank).map((d) => 3 + 2 * d)
const spatial = (rank: number): readonly number[] => range(rank).map((d) => 2 + d)

const forward: Product = (x, w, shape) => {
  const rank = x.ndim - 2
  const windows = apart(x, shape.slice(2), w.shape.slice(2))
  const contract = [
    [1, ...spatial(rank)],
    [1, ...inner(rank)],
  ] as const
  return moveAxis(dotGeneral(w, windows, { contract, batch: [[], []] }), 1, 0)
}

const kernelCotangent: Product = (x, w, shape) => {
  const rank = x.ndim - 2
  const windows = apart(x, w.shape.slice(2), shape.slice(2))
  const contract = [
    [1, ...spatial(rank)],
    [1, ...outer(rank)],
  ] as const
  return moveAxis(dotGeneral(w, windows, { contract, batch: [[], []] }), 1, 0)
}

const inputCotangent: Product = (x, w, shape) => {
  const rank = x.ndim - 2
  const made = dotGeneral(reverse(w, spatial(rank)), x, { contract: [[1], [1]], batch: [[], []] })
  // [outputs, …kernel, batch, …extents] to [batch, outputs, extent, kernel, …].
  const order = [rank + 1, 0, ...range(rank).flatMap((d) => [rank + 2 + d, 1 + d])]
  const sizes = x.shape.slice(2).map((n, d) => n * w.shape[d + 2]!)
  const whole = reshape(transpose(made, order), [shape[0]!, shape[1]!, ...sizes])
  const config = shape.map((n, d): readonly [number, number, number] => [
    0,
    d < 2 ? 0 : n - sizes[d - 2]!,
    0,
  ])
  return config.every(([, high]) => high === 0) ? whole : pad(whole, fill([], 0, x.dtype), config)
}

/** The product that a convolution to `shape` is, or null where windows overlap, or are small. */
export const patchConv = (
  x: Shape,
  w: Shape,
  shape: Shape,
  { strides, padding, inputDilation, kernelDilation, groups }: ConvOptions,
): Product | null => {
  if (groups !== 1) return null
  const [extents, kernel, outputs] = [x.slice(2), w.slice(2), shape.slice(2)]
  const starts = (low: (d: number) => number): boolean => padding.every(([l], d) => l === low(d))
  const fits = (counts: readonly number[], sizes: readonly number[]): boolean =>
    counts.every((count, d) => count * sizes[d]! <= extents[d]!)
  if (
    sizeOf(kernel) >= smallestWindow &&
    isOne(inputDilation) &&
    isOne(kernelDilation) &&
    strides.every((s, d) => s === kernel[d]) &&
    starts(() => 0) &&
    fits(outputs, kernel)
  ) {
    return forward
  }
  if (
    sizeOf(outputs) >= smallestWindow &&
    isOne(inputDilation) &&
    isOne(strides) &&
    kernelDilation.every((d, axis) => d === outputs[axis]) &&
    starts(() => 0) &&
    fits(kernel, outputs)
  ) {
    return kernelCotangent
  }
  if (
    sizeOf(kernel) >= smallestWindow &&
    isOne(strides) &&
    isOne(kernelDilation) &&
    inputDilation.every((d, axis) => d === kernel[axis]) &&
    starts((d) => kernel[d]! - 1)
  ) {
    return inputCotangent
  }
  return null
}

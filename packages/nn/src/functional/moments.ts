/** What normalisations have in common: statistics over axes, and learned factors and offsets. */
import { type Axes, type Tensor, range, reshape } from '@cotangent/core'
import { prims } from '@cotangent/ops'

/** Learned factors and offsets; absent ones are 1 and 0. */
export interface Affine {
  readonly scale?: Tensor | undefined
  readonly bias?: Tensor | undefined
}

export interface Moments {
  readonly mean: Tensor
  /** Biased: divided by the number of elements. */
  readonly variance: Tensor
}

/** Mean and biased variance over axes, which keep extent 1. */
export const moments = (x: Tensor, axis: Axes): Moments => {
  const mean = x.mean({ axis, keepdims: true })
  const variance = x.sub(mean).square().mean({ axis, keepdims: true })
  return { mean, variance }
}

/** (x − mean) / √(variance + epsilon); the root is taken once a statistic, not once an element. */
export const standardize = (x: Tensor, { mean, variance }: Moments, epsilon: number): Tensor =>
  x.sub(mean).mul(prims.rsqrt(variance.add(epsilon)))

/** As `standardize`, with the learned factor folded in: one multiplication an element. */
export const standardizeChannels = (
  x: Tensor,
  { mean, variance }: Moments,
  epsilon: number,
  { scale, bias }: Affine,
  place: (v: Tensor) => Tensor,
): Tensor => {
  const root = prims.rsqrt(variance.add(epsilon))
  const y = x.sub(mean).mul(scale === undefined ? root : root.mul(place(scale)))
  return bias === undefined ? y : y.add(place(bias))
}

/** A vector along one axis, broadcastable against `rank` axes. */
export const along = (v: Tensor, axis: number, rank: number): Tensor =>
  reshape(
    v,
    range(rank).map((d) => (d === axis ? v.size : 1)),
  )

/** y · scale + bias, each placed along its axes. */
export const affine = (
  y: Tensor,
  { scale, bias }: Affine,
  place: (v: Tensor) => Tensor,
): Tensor => {
  const scaled = scale === undefined ? y : y.mul(place(scale))
  return bias === undefined ? scaled : scaled.add(place(bias))
}

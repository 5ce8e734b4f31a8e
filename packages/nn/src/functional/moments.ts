/** What normalisations have in common: statistics over axes, and learned factors and offsets. */
import { type Axes, type Tensor, customJvp, range, reshape } from '@cotangent/core'
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
  return { mean, variance: meanSquareAbout(axis)(x, mean) }
}

// Backwards the sign is changed once a mean, not once an element.
const centred = (x: Tensor, mean: Tensor): Tensor => x.add(mean.neg())

// Moving the mean changes the variance by the sum of the deviations, which is 0: its derivative is that at a
// mean that stays. Left to itself the chain rule sums deviations, backwards in one more pass over x.
const meanSquareAbout = (axis: Axes): ((x: Tensor, mean: Tensor) => Tensor) =>
  customJvp(
    (x: Tensor, mean: Tensor): Tensor => centred(x, mean).square().mean({ axis, keepdims: true }),
    ([x, mean], [dx]) => {
      const deviation = centred(x, mean)
      const variance = deviation.square().mean({ axis, keepdims: true })
      return [variance, deviation.mul(dx).mean({ axis, keepdims: true }).mul(2)]
    },
  )

/** (x − mean) / √(variance + epsilon); the root is taken once a statistic, not once an element. */
export const standardize = (x: Tensor, { mean, variance }: Moments, epsilon: number): Tensor =>
  centred(x, mean).mul(prims.rsqrt(variance.add(epsilon)))

/** As `standardize`, with the learned factor folded in: one multiplication an element. */
export const standardizeChannels = (
  x: Tensor,
  { mean, variance }: Moments,
  epsilon: number,
  { scale, bias }: Affine,
  place: (v: Tensor) => Tensor,
): Tensor => {
  const root = prims.rsqrt(variance.add(epsilon))
  const y = centred(x, mean).mul(scale === undefined ? root : root.mul(place(scale)))
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

/** Normalisation of an example's channels: in groups, each alone, or by their neighbours. */
import { ShapeError, type Tensor, normalizeAxis, range, reshape } from '@cotangent/core'
import { prims } from '@cotangent/ops'
import type { BatchNormOptions } from './batchNorm.ts'
import { type Affine, affine, along, moments, standardize } from './moments.ts'

export interface GroupNormOptions {
  readonly groups: number
  /** The channel axis; 1 by default. */
  readonly axis?: number
  readonly epsilon?: number
}

/**
 * Normalises groups of channels together, for each example; scale and bias are per channel.
 * @throws ShapeError where the channels do not divide into groups.
 * @see Wu & He 2018, eq. 7
 */
export const groupNorm = (
  x: Tensor,
  parameters: Affine,
  { groups, axis = 1, epsilon = 1e-5 }: GroupNormOptions,
): Tensor => {
  const channel = normalizeAxis('groupNorm', axis, x.ndim)
  const channels = x.shape[channel]!
  if (channels % groups !== 0) {
    throw new ShapeError({
      operation: 'groupNorm',
      problem: 'the channels do not divide into groups',
      got: `${channels} channels, ${groups} groups`,
      want: `a multiple of ${groups} channels`,
      fix: 'choose a number of groups that divides the channels',
    })
  }
  const split = [
    ...x.shape.slice(0, channel),
    groups,
    channels / groups,
    ...x.shape.slice(channel + 1),
  ]
  const axes = range(split.length).filter((d) => d !== 0 && d !== channel)
  const grouped = reshape(x, split)
  const y = reshape(standardize(grouped, moments(grouped, axes), epsilon), x.shape)
  return affine(y, parameters, (v) => along(v, channel, x.ndim))
}

/** Normalises every channel of every example on its own: `groupNorm` with one channel a group. */
export const instanceNorm = (
  x: Tensor,
  parameters: Affine = {},
  { axis = 1, epsilon = 1e-5 }: BatchNormOptions = {},
): Tensor => {
  const channel = normalizeAxis('instanceNorm', axis, x.ndim)
  const axes = range(x.ndim).filter((d) => d !== 0 && d !== channel)
  const y = standardize(x, moments(x, axes), epsilon)
  return affine(y, parameters, (v) => along(v, channel, x.ndim))
}

export interface LocalResponseNormOptions {
  /** How many neighbouring channels are summed over. */
  readonly size: number
  readonly alpha?: number
  readonly beta?: number
  readonly k?: number
  /** The channel axis; 1 by default. */
  readonly axis?: number
}

/**
 * x / (k + alpha / size · Σ x²)^beta, the sum over channels c − ⌊size / 2⌋ … c + ⌊(size − 1) / 2⌋.
 * @see Krizhevsky, Sutskever & Hinton 2012, section 3.3 (which does not divide alpha by size)
 */
export const localResponseNorm = (
  x: Tensor,
  { size, alpha = 1e-4, beta = 0.75, k = 1, axis = 1 }: LocalResponseNormOptions,
): Tensor => {
  const channel = normalizeAxis('localResponseNorm', axis, x.ndim)
  const before = Math.floor(size / 2)
  const sums = prims.reduceWindowSum(x.square(), {
    window: x.shape.map((_, d) => (d === channel ? size : 1)),
    padding: x.shape.map((_, d) => (d === channel ? [before, size - 1 - before] : [0, 0])),
  })
  return x.div(
    sums
      .mul(alpha / size)
      .add(k)
      .pow(beta),
  )
}

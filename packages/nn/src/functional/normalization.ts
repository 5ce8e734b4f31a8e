/** Normalisation: batch, layer, group, instance, RMS, local response, and scaling to unit norm. */
import {
  type Axes,
  ShapeError,
  type Tensor,
  normalizeAxis,
  range,
  reshape,
  showAval,
  showShape,
} from '@cotangent/core'
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

// The reciprocal root is taken once a statistic, not once an element.
const standardize = (x: Tensor, { mean, variance }: Moments, epsilon: number): Tensor =>
  x.sub(mean).mul(prims.rsqrt(variance.add(epsilon)))

// As above with the learned factor folded in: one multiplication an element.
const standardizeChannels = (
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

// A vector along one axis, broadcastable against `rank` axes.
const along = (v: Tensor, axis: number, rank: number): Tensor =>
  reshape(
    v,
    range(rank).map((d) => (d === axis ? v.size : 1)),
  )

const affine = (y: Tensor, { scale, bias }: Affine, place: (v: Tensor) => Tensor): Tensor => {
  const scaled = scale === undefined ? y : y.mul(place(scale))
  return bias === undefined ? scaled : scaled.add(place(bias))
}

/** Statistics along the channel axis: vectors. */
export interface RunningStatistics {
  readonly mean: Tensor
  readonly variance: Tensor
}

export interface BatchNormOptions {
  /** The channel axis; 1 by default. */
  readonly axis?: number
  /** Added to the variance; 1e-5 by default. */
  readonly epsilon?: number
}

/**
 * Normalises each channel by given statistics: what inference does.
 * (x − mean) / √(variance + epsilon) · scale + bias.
 */
export const batchNormInference = (
  x: Tensor,
  statistics: RunningStatistics,
  parameters: Affine = {},
  { axis = 1, epsilon = 1e-5 }: BatchNormOptions = {},
): Tensor => {
  const channel = normalizeAxis('batchNorm', axis, x.ndim)
  const place = (v: Tensor): Tensor => along(v, channel, x.ndim)
  const stats = { mean: place(statistics.mean), variance: place(statistics.variance) }
  return standardizeChannels(x, stats, epsilon, parameters, place)
}

/** The result of normalising by the batch's own statistics. */
export interface BatchNormResult extends RunningStatistics {
  readonly y: Tensor
  /** Elements that each statistic is over. */
  readonly count: number
}

/**
 * Normalises each channel by the batch's own mean and biased variance, which are returned too.
 * @see Ioffe & Szegedy 2015, algorithm 1
 */
export const batchNormTraining = (
  x: Tensor,
  parameters: Affine = {},
  { axis = 1, epsilon = 1e-5 }: BatchNormOptions = {},
): BatchNormResult => {
  const channel = normalizeAxis('batchNorm', axis, x.ndim)
  const others = range(x.ndim).filter((d) => d !== channel)
  const stats = moments(x, others)
  const place = (v: Tensor): Tensor => along(v, channel, x.ndim)
  const y = standardizeChannels(x, stats, epsilon, parameters, place)
  const channels = x.shape[channel]!
  return {
    y,
    mean: reshape(stats.mean, [channels]),
    variance: reshape(stats.variance, [channels]),
    count: channels === 0 ? 0 : x.size / channels,
  }
}

/**
 * Running statistics after a batch: (1 − momentum) · old + momentum · batch, with the batch's
 * variance unbiased (times n / (n − 1); as it is where n is 1).
 */
export const updateStatistics = (
  old: RunningStatistics,
  batch: BatchNormResult,
  momentum = 0.1,
): RunningStatistics => {
  const unbiased = batch.count > 1 ? batch.count / (batch.count - 1) : 1
  return Object.freeze({
    mean: old.mean.mul(1 - momentum).add(batch.mean.mul(momentum)),
    variance: old.variance.mul(1 - momentum).add(batch.variance.mul(momentum * unbiased)),
  })
}

export interface LayerNormOptions {
  /** The axes normalised over; the last by default. `scale` and `bias` have their extents. */
  readonly axis?: number | readonly number[]
  readonly epsilon?: number
}

/**
 * Normalises each position over its feature axes.
 * @see Ba, Kiros & Hinton 2016, eq. 4
 */
export const layerNorm = (
  x: Tensor,
  parameters: Affine = {},
  { axis = -1, epsilon = 1e-5 }: LayerNormOptions = {},
): Tensor => {
  const { axes, place } = featureAxes('layerNorm', x, axis)
  return affine(standardize(x, moments(x, axes), epsilon), parameters, place)
}

/**
 * Divides each position by the root mean square of its features: no centring.
 * @see Zhang & Sennrich 2019, eq. 4
 */
export const rmsNorm = (
  x: Tensor,
  { scale }: Pick<Affine, 'scale'> = {},
  { axis = -1, epsilon = 1e-6 }: LayerNormOptions = {},
): Tensor => {
  const { axes, place } = featureAxes('rmsNorm', x, axis)
  const power = x.square().mean({ axis: axes, keepdims: true })
  return affine(x.mul(prims.rsqrt(power.add(epsilon))), { scale }, place)
}

// Feature parameters have the extents of the axes, in increasing order.
const featureAxes = (
  operation: string,
  x: Tensor,
  axis: number | readonly number[],
): { readonly axes: readonly number[]; readonly place: (v: Tensor) => Tensor } => {
  const list = typeof axis === 'number' ? [axis] : axis
  const axes = list.map((a) => normalizeAxis(operation, a, x.ndim)).sort((a, b) => a - b)
  const extents = axes.map((a) => x.shape[a]!)
  const place = (v: Tensor): Tensor => {
    if (v.shape.join() === extents.join()) {
      return reshape(
        v,
        x.shape.map((extent, d) => (axes.includes(d) ? extent : 1)),
      )
    }
    throw new ShapeError({
      operation,
      problem: 'scale and bias have the extents of the normalised axes',
      got: showAval(v.aval),
      want: `shape ${showShape(extents)}`,
      fix: 'make scale and bias for the axes that are normalised',
    })
  }
  return { axes, place }
}

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

export interface NormalizeOptions {
  /** The power of the norm, possibly Infinity; 2 by default. */
  readonly p?: number
  readonly axis?: number
  /** The norm counts as at least this. */
  readonly epsilon?: number
}

/** Divides by the p-norm along an axis: vectors of length 1. */
export const normalize = (
  x: Tensor,
  { p = 2, axis = -1, epsilon = 1e-12 }: NormalizeOptions = {},
): Tensor => {
  if (p === Infinity) return x.div(x.abs().max({ axis, keepdims: true }).maximum(epsilon))
  const powers = p === 1 ? x.abs() : p === 2 ? x.square() : x.abs().pow(p)
  const sums = powers.sum({ axis, keepdims: true })
  const norm = p === 1 ? sums : p === 2 ? sums.sqrt() : sums.pow(1 / p)
  return x.div(norm.maximum(epsilon))
}

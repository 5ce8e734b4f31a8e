/** Normalisation over features: layer, root mean square, and scaling to unit norm. */
import {
  ShapeError,
  type Tensor,
  listOfNumbers,
  normalizeAxis,
  reshape,
  showAval,
  showShape,
} from '@cotangent/core'
import { prims } from '@cotangent/ops'
import { type Affine, affine, moments, standardize } from './moments.ts'

export type { RunningStatistics } from './batchNorm.ts'

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
  const axes = listOfNumbers(operation, 'the axis', axis)
    .map((a) => normalizeAxis(operation, a, x.ndim))
    .sort((a, b) => a - b)
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

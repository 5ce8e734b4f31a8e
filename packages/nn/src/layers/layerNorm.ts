/** Normalisation of each position over its features: layer and root mean square. */
import {
  type Shape,
  type Tensor,
  erase,
  listOfNumbers,
  normalizeAxis,
  typed,
} from '@cotangent/core'
import { requireExtent } from '../errors.ts'
import {
  layerNorm as normalizeLayer,
  rmsNorm as normalizeRms,
} from '../functional/normalization.ts'
import { type Layer, type None, defineLayer, none } from '../layer.ts'
import {
  type AffineOptions,
  type AffineParams,
  type MaybeAffine,
  type Scale,
  affineParams,
} from './affine.ts'

export interface FeatureAxes {
  /** The axes normalised over; the last by default. `scale` and `bias` have their extents. */
  readonly axis?: number | readonly number[]
}
export interface LayerNormLayerOptions extends AffineOptions, FeatureAxes {
  /** Added to the variance; 1e-5 by default. */
  readonly epsilon?: number
}
export interface RmsNormLayerOptions extends FeatureAxes {
  /** A learned factor; true by default. */
  readonly useScale?: boolean
  /** Added to the mean square; 1e-6 by default. */
  readonly epsilon?: number
}

const axesOf = (name: string, rank: number, axis: number | readonly number[]): readonly number[] =>
  listOfNumbers(name, 'the axis', axis)
    .map((a) => normalizeAxis(name, a, rank))
    .sort((a, b) => a - b)

const extentsOf = (name: string, shape: Shape, axis: number | readonly number[]): Shape =>
  axesOf(name, shape.length, axis).map((a) => shape[a]!)

// Parameters have the extents of the axes in increasing order.
const check = (
  name: string,
  x: Tensor,
  { scale, bias }: MaybeAffine,
  axis: number | readonly number[],
): void => {
  const learned = scale ?? bias
  if (learned === undefined) return
  axesOf(name, x.ndim, axis).forEach((a, i) =>
    requireExtent(name, x.shape, a, learned.shape[i]!, 'features'),
  )
}

const buildLayerNorm = (
  options: LayerNormLayerOptions = {},
): Layer<MaybeAffine, None, 'layerNorm'> => {
  const { axis = -1, epsilon = 1e-5 } = options
  return defineLayer({
    name: 'layerNorm',
    init: (_, inputShape) => ({
      params: affineParams(options, extentsOf('layerNorm', inputShape, axis)),
      state: none,
      outputShape: inputShape,
    }),
    apply: ({ params, state }, x) => {
      check('layerNorm', x, params, axis)
      return [normalizeLayer(x, params, { axis, epsilon }), state]
    },
  })
}

const buildRmsNorm = (options: RmsNormLayerOptions = {}): Layer<MaybeAffine, None, 'rmsNorm'> => {
  const { axis = -1, epsilon = 1e-6, useScale = true } = options
  return defineLayer({
    name: 'rmsNorm',
    init: (_, shape) => ({
      params: affineParams({ useScale, useBias: false }, extentsOf('rmsNorm', shape, axis)),
      state: none,
      outputShape: shape,
    }),
    apply: ({ params, state }, x) => {
      check('rmsNorm', x, params, axis)
      return [normalizeRms(x, params, { axis, epsilon }), state]
    },
  })
}

/**
 * Layer normalisation: each position over its own features, to mean 0 and variance 1.
 * @throws ShapeError where the normalised axes have other extents than at initialisation.
 * @see Ba, Kiros & Hinton 2016
 * @example
 * layerNorm({ axis: [1, 2], useBias: false }).init(key, [2, 3, 4]).params.scale.shape // [3, 4]
 */
export const layerNorm: <const O extends LayerNormLayerOptions = Record<never, never>>(
  options?: O,
) => Layer<AffineParams<O>, None, 'layerNorm'> = typed(erase(buildLayerNorm))

/**
 * Divides each position by the root mean square of its features, times a learned factor.
 * @see Zhang & Sennrich 2019
 */
export const rmsNorm: <const O extends RmsNormLayerOptions = Record<never, never>>(
  options?: O,
) => Layer<O extends { readonly useScale: false } ? None : Scale, None, 'rmsNorm'> = typed(
  erase(buildRmsNorm),
)

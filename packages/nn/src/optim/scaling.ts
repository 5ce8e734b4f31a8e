/** Scaling updates by norms: of the parameters, of the updates, of the way made. */
import { type Tensor, fill, frozenPair } from '@cotangent/core'
import { type Hyper, like, plus, squared, times } from './hyper.ts'
import { globalNorm, safeNorm, safeRms } from './norms.ts'
import {
  type EmptyState,
  type GradientTransformation,
  requireParams,
  statelessTransformation,
} from './transformation.ts'
import { type Tree, frozenCopy, mapTrees } from './trees.ts'

const byParameter = (
  operation: string,
  measure: (param: Tensor) => Tensor,
): GradientTransformation<EmptyState> =>
  statelessTransformation((grads, params) =>
    mapTrees(operation, (u, p) => times(u, measure(p)), grads, requireParams(operation, params)),
  )

/** Multiplies each leaf by its parameter's 2-norm, at least `minScale`. */
export const scaleByParamBlockNorm = (minScale: Hyper = 1e-3): GradientTransformation<EmptyState> =>
  byParameter('scaleByParamBlockNorm', (p) => safeNorm(p, minScale))

/** Multiplies each leaf by its parameter's root mean square, at least `minScale`. */
export const scaleByParamBlockRms = (minScale: Hyper = 1e-3): GradientTransformation<EmptyState> =>
  byParameter('scaleByParamBlockRms', (p) => safeRms(p, minScale))

export interface UpdateNormOptions {
  /** The norm afterwards; 1 by default. */
  readonly scaleFactor?: Hyper
  /** Added to the norm; 1e-6 by default. */
  readonly epsilon?: Hyper
}

/** Divides by the norm of all updates together. */
export const normalizeByUpdateNorm = (
  options: UpdateNormOptions = {},
): GradientTransformation<EmptyState> => {
  const { scaleFactor = 1, epsilon = 1e-6 } = options
  return statelessTransformation((grads) => {
    const norm = plus(globalNorm(grads), epsilon)
    const divisor = norm.div(like(scaleFactor, norm))
    return mapTrees('normalizeByUpdateNorm', (g) => g.div(like(divisor, g)), grads)
  })
}

/** Divides by the norm of all updates together, without a safeguard: the ascent of `sam`. */
export const normalize = (): GradientTransformation<EmptyState> =>
  normalizeByUpdateNorm({ epsilon: 0 })

export interface DistanceOverGradientsState {
  /** The longest way from the start so far, for each leaf. */
  readonly maxDist: Tree
  /** The sum of squared norms of gradients, for each leaf. */
  readonly gradSumOfSquares: Tree
  /** The parameters at the start. */
  readonly initParams: Tree
}

export interface DistanceOverGradientsOptions {
  /** The first distance, relative to 1 + ‖p‖; 1e-6 by default. */
  readonly repsRel?: number
  readonly epsilon?: number
  /** Multiplies all steps; 1 by default. */
  readonly globalScale?: number
}

/** DoG for each layer: g · distance made / √(sum of squared norms). @see Ivgi, Hinder & Carmon 2023 */
export const scaleByDistanceOverGradients = (
  options: DistanceOverGradientsOptions = {},
): GradientTransformation<DistanceOverGradientsState> => {
  const { repsRel = 1e-6, epsilon = 1e-8, globalScale = 1 } = options
  const operation = 'scaleByDistanceOverGradients'
  const norm = (x: Tensor): Tensor => squared(x).sum().sqrt()
  return {
    init: (params) =>
      Object.freeze({
        maxDist: mapTrees(operation, (p) => norm(p).add(1).mul(repsRel), params),
        gradSumOfSquares: mapTrees(operation, () => fill([], 0, 'float32'), params),
        initParams: frozenCopy(params),
      }),
    update: (grads, state, params) => {
      const maxDist = mapTrees(
        operation,
        (d, p, p0) => d.maximum(norm(p.sub(p0))),
        state.maxDist,
        requireParams(operation, params),
        state.initParams,
      )
      const gradSumOfSquares = mapTrees(
        operation,
        (s, g) => s.add(squared(g).sum()),
        state.gradSumOfSquares,
        grads,
      )
      const updates = mapTrees(
        operation,
        (g, d, s) => times(g, d.div(s.add(epsilon).sqrt()).mul(globalScale)),
        grads,
        maxDist,
        gradSumOfSquares,
      )
      const { initParams } = state
      return frozenPair(updates, Object.freeze({ maxDist, gradSumOfSquares, initParams }))
    },
  }
}

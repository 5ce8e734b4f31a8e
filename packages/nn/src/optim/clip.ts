/** Keeping gradients within bounds. */
import { type Tensor, UnsupportedError, fill } from '@cotangent/core'
import { type Hyper, like, negative, squared, times } from './hyper.ts'
import { globalNorm } from './norms.ts'
import {
  type EmptyState,
  type GradientTransformation,
  requireParams,
  statelessTransformation,
} from './transformation.ts'
import { mapTrees } from './trees.ts'

export interface ClipByGlobalNormOptions {
  /** Added to the norm before the division: 1e-6 in PyTorch, 0 by default. */
  readonly epsilon?: number
}

/**
 * Scales all gradients down together so that their common norm is at most `maximum`.
 * @see Pascanu, Mikolov & Bengio 2013, algorithm 1
 */
export const clipByGlobalNorm = (
  maximum: Hyper,
  { epsilon = 0 }: ClipByGlobalNormOptions = {},
): GradientTransformation<EmptyState> =>
  statelessTransformation((grads) => {
    const found = globalNorm(grads)
    const norm = epsilon === 0 ? found : found.add(epsilon)
    const bound = fill([], 0, norm.dtype).add(like(maximum, norm))
    // The larger of both avoids a division by zero, and is exactly 1 where nothing is to be done.
    const factor = bound.div(norm.maximum(bound))
    return mapTrees('clipByGlobalNorm', (g) => times(g, factor), grads)
  })

/** Clips every element to [−limit, limit]. */
export const clipByValue = (limit: Hyper): GradientTransformation<EmptyState> =>
  statelessTransformation((grads) =>
    mapTrees('clipByValue', (g) => g.clip(like(negative(limit), g), like(limit, g)), grads),
  )

/** Scales each leaf down so that its root mean square is at most `threshold`. */
export const clipByBlockRms = (threshold: Hyper): GradientTransformation<EmptyState> =>
  statelessTransformation((grads) =>
    mapTrees(
      'clipByBlockRms',
      (g) => {
        const rms = squared(g).mean().sqrt()
        return g.div(rms.div(like(threshold, rms)).maximum(1).astype(g.dtype))
      },
      grads,
    ),
  )

export interface AdaptiveClipOptions {
  /** Parameters' norms are not taken to be smaller; 1e-3 by default. */
  readonly epsilon?: Hyper
  /** The axes over which norms are taken; by default those of one unit: see `unitwiseNorm`. */
  readonly axis?: number | readonly number[]
}

/**
 * The norm of each output unit's weights, in the shape of x: over all of a vector, over the first
 * axis of a matrix or of three axes, over all but the last of a kernel of four or five.
 * @throws UnsupportedError for more axes, unless they are given.
 */
export const unitwiseNorm = (x: Tensor, axis?: number | readonly number[]): Tensor => {
  const sum = squared(x).sum({ axis: axis ?? unitAxes(x), keepdims: true })
  return sum.sqrt().broadcastTo(x.shape)
}

const unitAxes = (x: Tensor): readonly number[] => {
  const long = x.shape.filter((size) => size !== 1).length
  if (long <= 1) return x.shape.map((_, i) => i)
  if (x.ndim <= 3) return [0]
  if (x.ndim <= 5) return x.shape.map((_, i) => i).slice(0, -1)
  throw new UnsupportedError({
    operation: 'unitwiseNorm',
    problem: 'what a unit is, is known for up to five axes',
    got: `shape [${x.shape.join(',')}]`,
    fix: 'give the axes of one unit: { axis: [...] }',
  })
}

/**
 * Clips each unit's gradient to `clipping` times the norm of its weights.
 * @throws TreeError where update gets no parameters.
 * @see Brock et al. 2021, equation 3
 */
export const adaptiveGradClip = (
  clipping: Hyper,
  { epsilon = 1e-3, axis }: AdaptiveClipOptions = {},
): GradientTransformation<EmptyState> =>
  statelessTransformation((grads, params) =>
    mapTrees(
      'adaptiveGradClip',
      (g, p) => {
        const norm = unitwiseNorm(g, axis)
        const known = unitwiseNorm(p, axis)
        const bound = times(known.maximum(like(epsilon, known)), clipping).astype(g.dtype)
        return g.where(norm.less(bound), g.mul(bound.div(norm.maximum(1e-6))))
      },
      grads,
      requireParams('adaptiveGradClip', params),
    ),
  )

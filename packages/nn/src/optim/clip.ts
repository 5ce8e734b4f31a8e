/** Keeping gradients within bounds. */
import { type Tensor, fill } from '@cotangent/core'
import {
  type EmptyState,
  type GradientTransformation,
  statelessTransformation,
} from './transformation.ts'
import { type Tree, mapTrees, tensorsOf } from './trees.ts'

/** The 2-norm of all leaves together. */
export const globalNorm = (tree: Tree): Tensor => {
  const [first, ...rest] = tensorsOf('globalNorm', tree).map((x) => x.square().sum())
  return first === undefined ? zeroNorm() : rest.reduce((a, b) => a.add(b), first).sqrt()
}

const zeroNorm = (): Tensor => fill([], 0, 'float32')

/**
 * Scales all gradients down together so that their common norm is at most `maximum`.
 * @see Pascanu, Mikolov & Bengio 2013, algorithm 1
 */
export const clipByGlobalNorm = (maximum: number): GradientTransformation<EmptyState> =>
  statelessTransformation((grads) => {
    const norm = globalNorm(grads)
    // The larger of both avoids a division by zero, and is exactly 1 where nothing is to be done.
    const factor = fill([], maximum, norm.dtype).div(norm.maximum(maximum))
    return mapTrees('clipByGlobalNorm', (g) => g.mul(factor.astype(g.dtype)), grads)
  })

/** Clips every element to [−limit, limit]. */
export const clipByValue = (limit: number): GradientTransformation<EmptyState> =>
  statelessTransformation((grads) => mapTrees('clipByValue', (g) => g.clip(-limit, limit), grads))

/** Small repairs of gradients and parameters. */
import { type Tensor, fill, frozenPair } from '@cotangent/core'
import { np } from '@cotangent/ops'
import {
  type EmptyState,
  type GradientTransformation,
  requireParams,
  statelessTransformation,
} from './transformation.ts'
import { type Tree, mapTrees } from './trees.ts'

/**
 * Shortens updates so that no parameter becomes negative; comes last in a chain.
 * @throws TreeError where update gets no parameters.
 */
export const keepParamsNonnegative = (): GradientTransformation<EmptyState> =>
  statelessTransformation((grads, params) =>
    mapTrees(
      'keepParamsNonnegative',
      (u, p) => p.neg().where(p.add(u).less(0), u),
      grads,
      requireParams('keepParamsNonnegative', params),
    ),
  )

export interface ZeroNansState {
  /** For each leaf, whether its last gradient had a NaN: bool, shape []. */
  readonly foundNan: Tree
}

/** Replaces NaN by zero, and tells where there was one. */
export const zeroNans = (): GradientTransformation<ZeroNansState> => ({
  init: (params) =>
    Object.freeze({ foundNan: mapTrees('zeroNans', () => fill([], 0, 'bool'), params) }),
  update: (grads) => {
    const foundNan = mapTrees<Tree, readonly []>('zeroNans', (g) => np.isnan(g).any(), grads)
    const updates = mapTrees(
      'zeroNans',
      (g) => fill(g.shape, 0, g.dtype).where(np.isnan(g), g),
      grads,
    )
    return frozenPair(updates, Object.freeze({ foundNan }))
  },
})

const withoutMean = (g: Tensor): Tensor => {
  if (g.ndim < 2) return g
  const axis = Array.from({ length: g.ndim - 1 }, (_, i) => i + 1)
  return g.sub(g.mean({ axis, keepdims: true }))
}

/** Subtracts from each row of a matrix (or of more axes) its mean. @see Yong et al. 2020 */
export const centralize = (): GradientTransformation<EmptyState> =>
  statelessTransformation((grads) => mapTrees('centralize', withoutMean, grads))

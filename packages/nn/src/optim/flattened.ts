/** All leaves as one vector: fewer and longer operations. */
import { type Tensor, flatten, frozenPair, leafTensor, unflatten } from '@cotangent/core'
import { np } from '@cotangent/ops'
import type { GradientTransformation } from './transformation.ts'
import { type Tree, tensorsOf } from './trees.ts'

const joined = (tree: Tree): Tensor =>
  np.concatenate(tensorsOf('flatten', tree).map((x) => x.ravel()))

const apart = <T>(tree: T, vector: Tensor): T => {
  const { leaves, structure } = flatten(tree, 'flatten')
  let start = 0
  const pieces = leaves.map((leaf) => {
    const x = leafTensor(leaf)
    const end = start + x.size
    const piece = vector.at({ start, stop: end }).reshape(x.shape).astype(x.dtype)
    start = end
    return piece
  })
  return unflatten<T>(structure, pieces)
}

/**
 * A transformation applied to one vector of all leaves; what looks at single leaves (norms per
 * block, factored moments) then sees only that one.
 */
export const flattened = <S>(inner: GradientTransformation<S>): GradientTransformation<S> => ({
  init: (params) => inner.init(joined(params)),
  update: (grads, state, params, extra) => {
    const vector = params === undefined ? undefined : joined(params)
    const [updates, next] = inner.update(joined(grads), state, vector, extra)
    return frozenPair(apart(grads, updates), next)
  },
})

/** Transformations of a part of the tree. */
import { flatten, frozenPair, unflatten } from '@cotangent/core'
import {
  type EmptyState,
  type GradientTransformation,
  chain,
  statelessTransformation,
} from './transformation.ts'
import { type Mask, type Tree, maskOf, restore, withhold, zerosOf } from './trees.ts'

export interface MaskedState<S> {
  /** The state for the chosen leaves; `null` stands for the others. */
  readonly inner: S
}

/**
 * Applies a transformation where the mask holds; other gradients pass as the same objects. The mask
 * is a tree of booleans (or a prefix: one for a branch), or a function from the tree to it.
 * @throws TreeError where the mask has another structure than the tree.
 * @example
 * masked(addDecayedWeights(1e-4), (params) => tree.map((p) => p.ndim > 1, params))
 */
export const masked = <S>(
  inner: GradientTransformation<S>,
  mask: Mask,
): GradientTransformation<MaskedState<S>> => ({
  init: (params) => {
    const chosen = maskOf('masked', mask, params)
    return Object.freeze({ inner: inner.init(withhold('masked', params, chosen)) })
  },
  update: (grads, state, params, extra) => {
    const chosen = maskOf('masked', mask, grads)
    const [updates, next] = inner.update(
      withhold('masked', grads, chosen),
      state.inner,
      params === undefined ? undefined : withhold('masked', params, chosen),
      extra,
    )
    return frozenPair(restore('masked', grads, updates, chosen), Object.freeze({ inner: next }))
  },
})

/** Zeros, whatever the gradients. */
export const setToZero = (): GradientTransformation<EmptyState> =>
  statelessTransformation((grads) => zerosOf(grads))

/**
 * Zeros where the mask holds, so that those parameters stay.
 * @example
 * chain(adam(1e-3), freeze({ encoder: true, head: false }))
 */
export const freeze = (mask: Mask): GradientTransformation<MaskedState<EmptyState>> =>
  masked(setToZero(), mask)

const outside =
  (mask: Mask) =>
  (tree: Tree): Tree => {
    const chosen = maskOf('selectiveTransform', mask, tree)
    const { structure } = flatten(tree, 'selectiveTransform')
    return unflatten(
      structure,
      chosen.map((frozen) => !frozen),
    )
  }

/** An optimiser for the leaves outside `freezeMask`; the others get zeros and no state. */
export const selectiveTransform = <S>(
  optimizer: GradientTransformation<S>,
  { freezeMask }: { readonly freezeMask: Mask },
): GradientTransformation<readonly [MaskedState<S>, MaskedState<EmptyState>]> =>
  chain(masked(optimizer, outside(freezeMask)), freeze(freezeMask))

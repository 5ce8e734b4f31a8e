/** Gradient transformations: two pure functions, and what combines them. */
import { type Tensor, TreeError, erase, fill, frozenPair, typed } from '@cotangent/core'
import { type Tree, mapTrees } from './trees.ts'

/**
 * From gradients to updates, with a state. `init` makes the state for parameters; `update` maps
 * gradients to updates of the same structure (already with their sign: they are to be added) and
 * the next state. States are frozen trees.
 * @example
 * const optimizer = optim.adam(1e-3)
 * let state = optimizer.init(params)
 * const [updates, next] = optimizer.update(grads, state, params)
 * params = optim.applyUpdates(params, updates)
 */
export interface GradientTransformation<S> {
  // Methods, so that transformations of any state can stand in one list.
  init(params: Tree): S
  update<G>(grads: G, state: S, params?: Tree): readonly [updates: G, state: S]
}

/** A transformation of which the state's type is not known. */
export type AnyTransformation = GradientTransformation<unknown>

/** The state of a transformation that keeps none. */
export type EmptyState = Readonly<Record<never, never>>
export const emptyState: EmptyState = Object.freeze({})

/** How many updates were made before this one: int32, shape []. */
export interface CountState {
  readonly count: Tensor
}

export const zeroCount = (): Tensor => fill([], 0, 'int32')

/** A transformation without state. */
export const statelessTransformation = (
  update: <G>(grads: G, params: Tree) => G,
): GradientTransformation<EmptyState> => ({
  init: () => emptyState,
  update: (grads, state, params) => frozenPair(update(grads, params), state),
})

/** Adds updates to parameters, leaf by leaf; each keeps its dtype. */
export const applyUpdates = <P>(params: P, updates: Tree): P =>
  mapTrees('applyUpdates', (p, u) => p.add(u!.astype(p.dtype)), params, updates)

/** The parameters, for transformations that cannot do without. @throws TreeError */
export const requireParams = (operation: string, params: Tree): Tree => {
  if (params !== undefined) return params
  throw new TreeError({
    operation,
    problem: 'this transformation needs the parameters',
    fix: 'pass them as the third argument: update(grads, state, params)',
  })
}

type StateOfTransformation<T> = T extends { init(params: Tree): infer S } ? S : never

/** The states of the parts, in order. */
export type ChainState<Parts extends readonly unknown[]> = {
  readonly [K in keyof Parts]: StateOfTransformation<Parts[K]>
}

interface Chain {
  <const Parts extends readonly AnyTransformation[]>(
    ...parts: Parts
  ): GradientTransformation<ChainState<Parts>>
}

const chained = (
  ...parts: readonly AnyTransformation[]
): GradientTransformation<readonly unknown[]> => ({
  init: (params) => Object.freeze(parts.map((part) => part.init(params))),
  update: (grads, states, params) => {
    let updates = grads
    const next = parts.map((part, i) => {
      const [u, state] = part.update(updates, states[i], params)
      updates = u
      return state
    })
    return frozenPair(updates, Object.freeze(next))
  },
})

/**
 * Transformations one after the other: the updates of each are the gradients of the next.
 * @example
 * chain(clipByGlobalNorm(1), adam(1e-3))
 */
export const chain: Chain = typed(erase(chained))

/** Passes gradients through. */
export const identity = (): GradientTransformation<EmptyState> =>
  statelessTransformation((grads) => grads)

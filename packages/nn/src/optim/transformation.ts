/** Gradient transformations: two pure functions, and what combines them. */
import {
  type Tensor,
  type TensorLike,
  TreeError,
  UnsupportedError,
  asTensor,
  erase,
  frozenPair,
  typed,
} from '@cotangent/core'
import { type Tree, mapTrees } from './trees.ts'

/** What a few transformations want beside the gradients; the others pass it on. */
export interface Extra {
  /** The loss at the parameters: `polyakSgd`, `reduceOnPlateau`, line searches. */
  readonly value?: TensorLike
  /** The gradient of the loss, before any transformation: line searches. */
  readonly grad?: Tree
  /** The loss as a function of the parameters: line searches. */
  readonly valueFn?: (params: never) => TensorLike
  /** The gradient as a function of the parameters and of the inner step: `sam`. */
  readonly gradFn?: (params: never, step: number) => Tree
}

/**
 * From gradients to updates, with a state. `init` makes the state for parameters; `update` maps
 * gradients to updates of the same structure (already with their sign: they are to be added) and
 * the next state. States are frozen trees, counts in them tensors: one compiled step serves all.
 * @example
 * const optimizer = optim.adam(1e-3)
 * let state = optimizer.init(params)
 * const [updates, next] = optimizer.update(grads, state, params)
 * params = optim.applyUpdates(params, updates)
 */
export interface GradientTransformation<S> {
  // Methods, so that transformations of any state can stand in one list.
  init(params: Tree): S
  update<G>(grads: G, state: S, params?: Tree, extra?: Extra): readonly [updates: G, state: S]
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

/** A transformation without state. */
export const statelessTransformation = (
  update: <G>(grads: G, params: Tree, extra: Extra | undefined) => G,
): GradientTransformation<EmptyState> => ({
  init: () => emptyState,
  update: (grads, state, params, extra) => frozenPair(update(grads, params, extra), state),
})

/** Adds updates to parameters, leaf by leaf; each keeps its dtype. */
export const applyUpdates = <P>(params: P, updates: Tree): P =>
  mapTrees('applyUpdates', (p, u) => p.add(u.astype(p.dtype)), params, updates)

/** Moves `old` towards `next` by a share: share · next + (1 − share) · old. */
export const incrementalUpdate = <P>(next: P, old: Tree, share: number): P =>
  mapTrees('incrementalUpdate', (n, o) => n.mul(share).add(o.mul(1 - share)), next, old)

/** `next` at every `period`-th step, else `old`. */
export const periodicUpdate = <P>(next: P, old: Tree, step: TensorLike, period: number): P => {
  const now = asTensor(step).mod(period).equal(0)
  return mapTrees('periodicUpdate', (n, o) => n.where(now, o), next, old)
}

/** The parameters, for transformations that cannot do without. @throws TreeError */
export const requireParams = (operation: string, params: Tree): Tree => {
  if (params !== undefined) return params
  throw new TreeError({
    operation,
    problem: 'this transformation needs the parameters',
    fix: 'pass them as the third argument: update(grads, state, params)',
  })
}

/** Something of `extra`, for transformations that cannot do without. @throws UnsupportedError */
export const requireExtra = <K extends keyof Extra>(
  operation: string,
  extra: Extra | undefined,
  name: K,
): NonNullable<Extra[K]> => {
  const found = extra?.[name]
  if (found !== undefined && found !== null) return found
  throw new UnsupportedError({
    operation,
    problem: `this transformation needs ${name}`,
    got: extra === undefined ? 'no fourth argument' : `{ ${Object.keys(extra).join(', ')} }`,
    fix: `pass it in the fourth argument: update(grads, state, params, { ${name} })`,
  })
}

/** The state's type of a transformation. */
export type StateOf<T> = T extends { init(params: Tree): infer S } ? S : never

/** The states of the parts, in order. */
export type ChainState<Parts extends readonly unknown[]> = {
  readonly [K in keyof Parts]: StateOf<Parts[K]>
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
  update: (grads, states, params, extra) => {
    let updates = grads
    const next = parts.map((part, i) => {
      const [u, state] = part.update(updates, states[i], params, extra)
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

type NamedPart = readonly [name: string, part: AnyTransformation]

/** The states of named parts, by name. */
export type NamedChainState<Parts extends readonly NamedPart[]> = {
  readonly [Part in Parts[number] as Part[0]]: StateOf<Part[1]>
}

interface NamedChain {
  <const Parts extends readonly NamedPart[]>(
    ...parts: Parts
  ): GradientTransformation<NamedChainState<Parts>>
}

const chainedByName = (
  ...parts: readonly NamedPart[]
): GradientTransformation<Readonly<Record<string, unknown>>> => {
  const names = parts.map(([name]) => name)
  if (new Set(names).size !== names.length) {
    throw new TreeError({
      operation: 'namedChain',
      problem: 'each part has a name of its own',
      got: names.join(', '),
      fix: 'rename one of the equal ones',
    })
  }
  const whole = chained(...parts.map(([, part]) => part))
  const named = (states: readonly unknown[]): Readonly<Record<string, unknown>> =>
    Object.freeze(Object.fromEntries(names.map((name, i) => [name, states[i]])))
  return {
    init: (params) => named(whole.init(params)),
    update: (grads, states, params, extra) => {
      const ordered = names.map((name) => states[name])
      const [updates, next] = whole.update(grads, ordered, params, extra)
      return frozenPair(updates, named(next))
    },
  }
}

/**
 * `chain` with names: the state is a record by name rather than a list.
 * @throws TreeError where two parts have one name.
 * @example
 * namedChain(['clip', clipByGlobalNorm(1)], ['step', adam(1e-3)])
 */
export const namedChain: NamedChain = typed(erase(chainedByName))

/** Passes gradients through. */
export const identity = (): GradientTransformation<EmptyState> =>
  statelessTransformation((grads) => grads)

/** A transformation without state from a function of each gradient (and parameter, where given). */
export const stateless = (
  f: (grad: Tensor, param: Tensor | undefined) => Tensor,
): GradientTransformation<EmptyState> =>
  statelessTransformation((grads, params) =>
    params === undefined
      ? mapTrees('stateless', (g) => f(g, undefined), grads)
      : mapTrees('stateless', (g, p) => f(g, p), grads, params),
  )

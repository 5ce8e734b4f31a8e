/** Parameters that are held constant. */
import { type Leaf, Tensor, erase, stopGradient, tree, typed } from '@cotangent/core'
import type { AnyLayer } from '../layer.ts'

/** Which parameters: every one whose path begins like this, or all for which it holds. */
export type Selection = readonly string[] | ((path: string) => boolean)

const below = (path: string, prefix: string): boolean =>
  path === prefix || path.startsWith(`${prefix}.`) || path.startsWith(`${prefix}[`)

const selector = (only: Selection | undefined): ((path: string) => boolean) => {
  if (only === undefined) return () => true
  if (typeof only === 'function') return only
  return (path) => only.some((prefix) => below(path, prefix))
}

const constant = (leaf: Leaf): Leaf => (leaf instanceof Tensor ? stopGradient(leaf) : leaf)

const build = (layer: AnyLayer, only?: Selection): AnyLayer => {
  const selected = selector(only)
  const before = layer.traits?.frozen
  const frozen = (path: string): boolean => selected(path) || before?.(path) === true
  const apply: AnyLayer['apply'] = ({ params, state }, x, mode) => {
    const held: unknown = tree.mapWithPath(
      (path, leaf: Leaf) => (selected(path) ? constant(leaf) : leaf),
      params,
    )
    return layer.apply({ params: held, state }, x, mode)
  }
  return Object.freeze({ ...layer, apply, traits: { ...layer.traits, frozen } })
}

/**
 * The same layer with parameters that get no gradient: all of them, or those below the given paths.
 * Names and trees stay. An optimiser that changes parameters by itself (weight decay) is kept off
 * by `masked(optimizer, trainable(layer, params))`.
 * @example
 * serial(frozen(backbone), dense(10))
 * frozen(network, ['backbone.conv1', 'backbone.conv2'])
 */
export const frozen: <L extends AnyLayer>(layer: L, only?: Selection) => L = typed(erase(build))

/** Whether the parameter at a path lies in a frozen part. */
const isFrozenAt = (layer: AnyLayer, path: string): boolean => {
  const { frozen: holds, parts = [] } = layer.traits ?? {}
  if (holds?.(path) === true) return true
  const part = parts.find(([name]) => below(path, name))
  return part !== undefined && isFrozenAt(part[1], path.slice(part[0].length + 1))
}

/**
 * Says of each parameter of a layer whether it is frozen, for `tree.partition`.
 * @example
 * const [held, learned] = tree.partition(isFrozen(network), params)
 */
export const isFrozen =
  (layer: AnyLayer): ((leaf: Leaf, path: string) => boolean) =>
  (_, path) =>
    isFrozenAt(layer, path)

/** A tree of one value a parameter. */
export type Mask<P> = P extends Leaf ? boolean : { readonly [K in keyof P]: Mask<P[K]> }

/**
 * True for every parameter that is learned, false for the frozen ones: a mask for an optimiser.
 * @example
 * optim.masked(optim.adam(1e-3), trainable(network, params))
 */
export const trainable: <P>(layer: AnyLayer, params: P) => Mask<P> = typed(
  erase((layer: AnyLayer, params: unknown) =>
    tree.mapWithPath((path) => !isFrozenAt(layer, path), params),
  ),
)

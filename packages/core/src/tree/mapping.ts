/** Functions over whole trees: mapping, folding, zipping, splitting. */
import { TreeError } from '../errors.ts'
import {
  type Leaf,
  type Structure,
  flatten,
  leafPaths,
  requireSameStructure,
  unflatten,
} from './structure.ts'

/** A tree of the same nesting with `B` at the leaves. */
export type Mapped<T, B> = T extends Leaf
  ? B
  : T extends null
    ? null
    : { readonly [K in keyof T]: Mapped<T[K], B> }

type DeepLeaf<T> = T extends Leaf
  ? T
  : T extends null | undefined
    ? never
    : { readonly [K in keyof T]: DeepLeaf<T[K]> }[keyof T]

/** What stands at the leaves of a tree; any leaf, where its type does not say. */
export type LeafOf<T> = unknown extends T
  ? Leaf
  : [DeepLeaf<T>] extends [never]
    ? Leaf
    : Extract<DeepLeaf<T>, Leaf>

const corresponding = (
  operation: string,
  first: Structure,
  rest: readonly unknown[],
): readonly (readonly Leaf[])[] =>
  rest.map((other) => {
    const flat = flatten(other, operation)
    requireSameStructure(operation, flat.structure, first)
    return flat.leaves
  })

/**
 * Applies `f` to each leaf, and to the corresponding leaves of further trees of the same structure.
 * @throws TreeError when structures differ.
 * @example
 * map((p, g) => p.sub(g.mul(0.1)), params, gradients)
 */
export const map = <T, B, L extends Leaf = LeafOf<T>>(
  f: (leaf: L, ...rest: readonly L[]) => B,
  tree: T,
  ...rest: readonly unknown[]
): Mapped<T, B> =>
  mapWithPath((_, leaf: L, ...others: readonly L[]) => f(leaf, ...others), tree, ...rest)

/** `map` with the leaf's path (`conv1.kernel`, `layers[0].bias`) as first argument. */
export const mapWithPath = <T, B, L extends Leaf = LeafOf<T>>(
  f: (path: string, leaf: L, ...rest: readonly L[]) => B,
  tree: T,
  ...rest: readonly unknown[]
): Mapped<T, B> => {
  const { leaves, structure } = flatten(tree, 'tree.map')
  const others = corresponding('tree.map', structure, rest)
  const paths = leafPaths(structure)
  const mapped = leaves.map((leaf, i) =>
    f(paths[i]!, asLeaf(leaf), ...others.map((o) => asLeaf<L>(o[i]!))),
  )
  return unflatten(structure, mapped)
}

// The caller knows what the leaves of its own tree are.
const asLeaf = <L extends Leaf>(leaf: Leaf): L => leaf as L

/** The leaves in order: lists in order, records by sorted key. */
export const leaves = (tree: unknown): readonly Leaf[] => flatten(tree, 'tree.leaves').leaves

/** The nesting of a tree without its leaves. */
export const structure = (tree: unknown): Structure => flatten(tree, 'tree.structure').structure

/** Folds the leaves from left to right. */
export const reduce = <B>(f: (accumulator: B, leaf: Leaf) => B, tree: unknown, initial: B): B =>
  leaves(tree).reduce<B>(f, initial)

/** Whether `predicate` holds for every leaf. */
export const all = (predicate: (leaf: Leaf) => boolean, tree: unknown): boolean =>
  leaves(tree).every(predicate)

/** One tree whose leaves are lists of the corresponding leaves: `zip({a: 1}, {a: 2})` is `{a: [1, 2]}`. */
export const zip = <T>(tree: T, ...rest: readonly T[]): Mapped<T, readonly Leaf[]> =>
  map((...group: readonly Leaf[]) => Object.freeze([...group]), tree, ...rest)

/**
 * Swaps outer and inner structure: a list of records becomes a record of lists.
 * @example
 * transpose([{ a: 1, b: 2 }, { a: 3, b: 4 }]) // { a: [1, 3], b: [2, 4] }
 */
export const transpose = <T>(trees: readonly T[]): Mapped<T, readonly Leaf[]> => {
  const first = trees[0]
  if (first === undefined) {
    throw new TreeError({
      operation: 'tree.transpose',
      problem: 'no tree to take the structure from',
    })
  }
  return zip(first, ...trees.slice(1))
}

/**
 * Splits a tree in two of the same nesting: leaves for which the predicate holds, and the others;
 * null stands where a leaf went to the other side. `combine` undoes it.
 */
export const partition = (
  predicate: (leaf: Leaf, path: string) => boolean,
  tree: unknown,
): readonly [chosen: unknown, rest: unknown] => {
  const flat = flatten(tree, 'tree.partition')
  const paths = leafPaths(flat.structure)
  const side = (keep: boolean): unknown =>
    unflatten(
      flat.structure,
      flat.leaves.map((leaf, i) => (predicate(leaf, paths[i]!) === keep ? leaf : null)),
    )
  return [side(true), side(false)]
}

/** Puts trees of one nesting together: the first that is not null, at each place. */
export const combine = <T = unknown>(...trees: readonly unknown[]): T => {
  const merge = (values: readonly unknown[]): unknown => {
    const present = values.filter((v) => v !== null && v !== undefined)
    const first = present[0]
    if (first === undefined) return null
    if (Array.isArray(first)) {
      return Object.freeze(
        first.map((_, i) => merge(present.map((v) => (Array.isArray(v) ? v[i] : null)))),
      )
    }
    if (typeof first === 'object' && Object.getPrototypeOf(first) === Object.prototype) {
      const records = present.map((v) => new Map(Object.entries(Object(v))))
      const names = Object.keys(first)
      return Object.freeze(
        Object.fromEntries(names.map((name) => [name, merge(records.map((r) => r.get(name)))])),
      )
    }
    return first
  }
  // Trees made by `partition` have the nesting of the tree they came from.
  return merge(trees) as T
}

export { flatten, leafPaths, register, unflatten } from './structure.ts'

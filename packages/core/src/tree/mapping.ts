/** Functions over whole trees: mapping, folding, zipping, splitting. */
import { TreeError } from '../errors.ts'
import { frozenPair } from '../transforms/apply.ts'
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
export const leaves = <T>(tree: T): readonly LeafOf<T>[] =>
  Object.freeze(flatten(tree, 'tree.leaves').leaves.map((leaf) => asLeaf<LeafOf<T>>(leaf)))

/** The nesting of a tree without its leaves. */
export const structure = (tree: unknown): Structure => flatten(tree, 'tree.structure').structure

/**
 * Folds the leaves from left to right.
 * @example
 * reduce((n, x: Tensor) => n + x.size, params, 0)
 */
export const reduce = <B, T, L extends Leaf = LeafOf<T>>(
  f: (accumulator: B, leaf: L) => B,
  tree: T,
  initial: B,
): B => leaves(tree).reduce<B>((accumulator, leaf) => f(accumulator, asLeaf(leaf)), initial)

/** Whether `predicate` holds for every leaf. */
export const all = <T, L extends Leaf = LeafOf<T>>(
  predicate: (leaf: L) => boolean,
  tree: T,
): boolean => leaves(tree).every((leaf) => predicate(asLeaf(leaf)))

/** One tree whose leaves are lists of the corresponding leaves: `zip({a: 1}, {a: 2})` is `{a: [1, 2]}`. */
export const zip = <T>(tree: T, ...rest: readonly T[]): Mapped<T, readonly LeafOf<T>[]> =>
  map((...group: readonly LeafOf<T>[]) => Object.freeze([...group]), tree, ...rest)

interface Transpose {
  <T>(trees: readonly T[]): Mapped<T, readonly LeafOf<T>[]>
  <T = unknown>(outer: Structure, inner: Structure, tree: unknown): T
}

/**
 * Swaps outer and inner structure: a list of records becomes a record of lists. Any other nesting is
 * swapped by giving both structures: `transpose(outer, inner, tree)`.
 * @throws TreeError where the tree is not made of the two.
 * @example
 * transpose([{ a: 1, b: 2 }, { a: 3, b: 4 }]) // { a: [1, 3], b: [2, 4] }
 */
export const transpose: Transpose = (
  first: Structure | readonly unknown[],
  inner?: Structure,
  tree?: unknown,
): never => erased(transposed(first, inner, tree))

// Its overloads say what it gives.
const erased = (tree: unknown): never => tree as never

const transposed = (
  first: Structure | readonly unknown[],
  inner: Structure | undefined,
  tree: unknown,
): unknown => {
  if (!('tag' in first)) return transposeList(first)
  if (inner === undefined) throw nothingToTranspose()
  const flat = flatten(tree, 'tree.transpose')
  const nested = within(first, inner)
  requireSameStructure('tree.transpose', flat.structure, nested)
  const columns = Array.from({ length: inner.size }, (_, i) =>
    unflatten(
      first,
      Array.from({ length: first.size }, (_unused, o) => flat.leaves[o * inner.size + i]),
    ),
  )
  return unflatten(inner, columns)
}

const transposeList = (trees: readonly unknown[]): unknown => {
  if (trees.length === 0) throw nothingToTranspose()
  return zip(trees[0], ...trees.slice(1))
}

const nothingToTranspose = (): TreeError =>
  new TreeError({
    operation: 'tree.transpose',
    problem: 'no tree to take the structure from',
    got: 'an empty list',
    fix: 'give at least one tree, or both structures: transpose(outer, inner, tree)',
  })

// `inner` in the place of every leaf of `outer`.
const within = (outer: Structure, inner: Structure): Structure =>
  flatten(unflatten(outer, new Array(outer.size).fill(unflatten(inner, zeros(inner.size)))))
    .structure

const zeros = (count: number): readonly number[] => new Array<number>(count).fill(0)

/**
 * Splits a tree in two of the same nesting: leaves for which the predicate holds, and the others;
 * null stands where a leaf went to the other side. `combine` undoes it.
 */
export const partition = <T, L extends Leaf = LeafOf<T>>(
  predicate: (leaf: L, path: string) => boolean,
  tree: T,
): readonly [chosen: Mapped<T, L | null>, rest: Mapped<T, L | null>] => {
  const flat = flatten(tree, 'tree.partition')
  const paths = leafPaths(flat.structure)
  const chosen = flat.leaves.map((leaf, i) => predicate(asLeaf(leaf), paths[i]!))
  const side = (keep: boolean): Mapped<T, L | null> =>
    unflatten(
      flat.structure,
      flat.leaves.map((leaf, i) => (chosen[i] === keep ? leaf : null)),
    )
  return frozenPair(side(true), side(false))
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

export { leafPaths, register } from './structure.ts'

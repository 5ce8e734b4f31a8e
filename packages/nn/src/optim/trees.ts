/** Whole-tree arithmetic: one function over matching leaves. */
import {
  type Structure,
  type Tensor,
  TreeError,
  flatten,
  leafPaths,
  leafTensor,
  requireSameStructure,
  unflatten,
  zerosLike,
} from '@cotangent/core'

/** A tree whose type is of no interest here. */
export type Tree = unknown

/** Applies `f` to the leaves at the same place of trees of one structure. The result is frozen. */
export const mapTrees = <T>(
  operation: string,
  f: (...leaves: readonly Tensor[]) => Tensor,
  first: T,
  ...rest: readonly Tree[]
): T => {
  const [flat, ...others] = [first, ...rest].map((tree) => flatten(tree, operation))
  for (const other of others) requireSameStructure(operation, other.structure, flat!.structure)
  const leaves = flat!.leaves.map((leaf, i) =>
    f(leafTensor(leaf), ...others.map((o) => leafTensor(o.leaves[i]!))),
  )
  return unflatten<T>(flat!.structure, leaves)
}

/** The leaves of a tree, as tensors. */
export const tensorsOf = (operation: string, tree: Tree): readonly Tensor[] =>
  flatten(tree, operation).leaves.map(leafTensor)

/** Zeros in the shape of a tree. */
export const zerosOf = <T>(tree: T): T => mapTrees('optim', (x) => zerosLike(x!), tree)

/** Which leaves a mask (a tree of booleans, or a function to one) lets through; all without one. */
export type Mask = Tree | ((tree: Tree) => Tree)

const isFunction = (mask: Mask): mask is (tree: Tree) => Tree => typeof mask === 'function'

/** One boolean for each leaf. @throws TreeError unless the mask has the tree's structure. */
export const maskOf = (
  operation: string,
  mask: Mask | undefined,
  tree: Tree,
): readonly boolean[] => {
  const { structure } = flatten(tree, operation)
  if (mask === undefined) return leafPaths(structure).map(() => true)
  const flat = flatten(isFunction(mask) ? mask(tree) : mask, operation)
  requireSameStructure(operation, flat.structure, structure)
  return flat.leaves.map((leaf, i) => booleanLeaf(operation, leaf, structure, i))
}

const booleanLeaf = (operation: string, leaf: unknown, s: Structure, i: number): boolean => {
  if (typeof leaf === 'boolean') return leaf
  throw new TreeError({
    operation,
    problem: 'a mask has a boolean at each leaf',
    got: `${typeof leaf} at ${leafPaths(s)[i]!}`,
    fix: 'make the mask with tree.map, true for the leaves to update',
  })
}

/** `mapTrees` where the mask holds; other leaves of the first tree stay. */
export const mapMasked = <T>(
  operation: string,
  mask: Mask | undefined,
  f: (...leaves: readonly Tensor[]) => Tensor,
  first: T,
  ...rest: readonly Tree[]
): T => {
  const chosen = maskOf(operation, mask, first)
  let i = 0
  return mapTrees(
    operation,
    (...leaves) => (chosen[i++]! ? f(...leaves) : leaves[0]!),
    first,
    ...rest,
  )
}

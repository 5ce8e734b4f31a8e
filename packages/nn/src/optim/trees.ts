/** Whole-tree arithmetic: one function over matching leaves. */
import {
  type DType,
  type Leaf,
  type Tensor,
  TreeError,
  broadcastPrefix,
  erase,
  fill,
  flatten,
  leafTensor,
  requireSameStructure,
  unflatten,
  zerosLike,
} from '@cotangent/core'
import { type Hyper, like } from './hyper.ts'

/** A tree whose type is of no interest here. */
export type Tree = unknown

type Leaves<Trees extends readonly Tree[]> = { readonly [K in keyof Trees]: Tensor }

/** Applies `f` to the leaves at the same place of trees of one structure. The result is frozen. */
export const mapTrees = <T, const Rest extends readonly Tree[]>(
  operation: string,
  f: (first: Tensor, ...rest: Leaves<Rest>) => Tensor,
  first: T,
  ...rest: Rest
): T => {
  const flat = flatten(first, operation)
  const others = rest.map((tree) => flatten(tree, operation))
  for (const other of others) requireSameStructure(operation, other.structure, flat.structure)
  const apply = erase(f)
  const leaves = flat.leaves.map((leaf, i) =>
    apply(leafTensor(leaf), ...others.map((o) => leafTensor(o.leaves[i]!))),
  )
  return unflatten<T>(flat.structure, leaves)
}

/** The leaves of a tree, as tensors. */
export const tensorsOf = (operation: string, tree: Tree): readonly Tensor[] =>
  flatten(tree, operation).leaves.map(leafTensor)

/** The same leaves in a frozen tree: a caller's own object may still change. */
export const frozenCopy = <T>(tree: T): T => mapTrees('optim', (x) => x, tree)

/** Zeros in the shape of a tree; of a dtype where one is given. */
export const zerosOf = <T>(tree: T, dtype?: DType): T =>
  mapTrees('optim', (x) => (dtype === undefined ? zerosLike(x) : fill(x.shape, 0, dtype)), tree)

/** One number in the shape of a tree. */
export const filledLike = <T>(tree: T, value: Hyper): T =>
  mapTrees('optim', (x) => zerosLike(x).add(like(value, x)), tree)

/** A tree in another dtype; as it is without one. */
export const castTo = <T>(tree: T, dtype: DType | undefined): T =>
  mapTrees('optim', (x) => (dtype === undefined ? x : x.astype(dtype)), tree)

/** The first tree where the predicate (one boolean) holds, else the second, in the first's dtypes. */
export const select = <T>(predicate: Tensor, first: T, second: Tree): T =>
  mapTrees('optim', (x, y) => x.where(predicate, y.astype(x.dtype)), first, second)

/** The dtype of a tree's first leaf; float32 where there is none. */
export const dtypeOf = (operation: string, tree: Tree): DType =>
  tensorsOf(operation, tree)[0]?.dtype ?? 'float32'

/**
 * Which leaves to choose: a tree of booleans, or a prefix of one, or a function from the tree to it.
 */
export type Mask = boolean | object | ((tree: Tree) => Tree)

/** A value for each leaf, from a tree of such values or a prefix of one. @throws TreeError */
export const valueForEach = <T>(
  operation: string,
  what: string,
  given: unknown,
  tree: Tree,
  isValue: (value: unknown) => value is T,
): readonly T[] => {
  const { structure } = flatten(tree, operation)
  try {
    return broadcastPrefix(operation, given, structure, isValue)
  } catch (error) {
    if (!(error instanceof TreeError)) throw error
    throw new TreeError({
      operation,
      problem: `${what} is no prefix of the tree that it describes`,
      got: JSON.stringify(given) ?? typeof given,
      want: structure.key,
      fix: 'give one value for each leaf, or one for a whole branch, under the same names',
    })
  }
}

const isFunction = (mask: Mask): mask is (tree: Tree) => Tree => typeof mask === 'function'
const isBoolean = (value: unknown): value is boolean => typeof value === 'boolean'

/**
 * One boolean for each leaf. A mask may be a prefix of the tree: one boolean for a whole branch.
 * @throws TreeError where the mask has another structure.
 */
export const maskOf = (
  operation: string,
  mask: Mask | undefined,
  tree: Tree,
): readonly boolean[] => {
  if (mask === undefined) return flatten(tree, operation).leaves.map(() => true)
  return valueForEach(operation, 'the mask', isFunction(mask) ? mask(tree) : mask, tree, isBoolean)
}

/** `mapTrees` where the mask holds; other leaves of the first tree stay the same objects. */
export const mapMasked = <T>(
  operation: string,
  mask: Mask | undefined,
  f: (x: Tensor, y: Tensor) => Tensor,
  first: T,
  second: Tree,
): T => {
  const chosen = maskOf(operation, mask, first)
  let i = 0
  return mapTrees(operation, (x, y) => (chosen[i++]! ? f(x, y) : x), first, second)
}

/** A tree with `null` in place of the leaves that are not chosen. */
export const withhold = (operation: string, tree: Tree, chosen: readonly boolean[]): Tree => {
  const { leaves, structure } = flatten(tree, operation)
  return unflatten(
    structure,
    leaves.map((leaf, i) => (chosen[i]! ? leaf : null)),
  )
}

/** The chosen leaves from a tree made by `withhold`, the others from the whole one. */
export const restore = <T>(
  operation: string,
  whole: T,
  part: Tree,
  chosen: readonly boolean[],
): T => {
  const { leaves, structure } = flatten(whole, operation)
  const given: readonly Leaf[] = flatten(part, operation).leaves
  let next = 0
  return unflatten<T>(
    structure,
    leaves.map((leaf, i) => (chosen[i]! ? given[next++]! : leaf)),
  )
}

/** A tree as a list of leaves and a structure, and back. */
import { TreeError } from '../errors.ts'
import { type LeafOf, leaves as leavesOf } from './mapping.ts'
import { type Structure, flatten as flattenTree, unflatten as unflattenTree } from './structure.ts'

/** `[leaves, structure]`, also by name. */
export type Flattened<T> = readonly [leaves: readonly LeafOf<T>[], structure: Structure] & {
  readonly leaves: readonly LeafOf<T>[]
  readonly structure: Structure
}

/**
 * The leaves of a tree, lists in order and records by sorted key, and its nesting without them.
 * @throws TreeError at a value that is neither tree nor leaf, naming its path.
 * @example
 * const [leaves, structure] = flatten({ b: 2, a: [1] }) // leaves: [1, 2]
 * unflatten(structure, leaves) // { a: [1], b: 2 }
 */
export const flatten = <T>(tree: T): Flattened<T> => {
  const { structure } = flattenTree(tree, 'tree.flatten')
  const leaves = Object.freeze([...leavesOf(tree)])
  const pair: readonly [typeof leaves, Structure] = [leaves, structure]
  return Object.freeze(Object.assign(pair, { leaves, structure }))
}

/**
 * The tree of this structure with these leaves, frozen; anything may stand at the leaves.
 * @throws TreeError unless there is one leaf for each place.
 */
export const unflatten = <T>(structure: Structure, leaves: readonly unknown[]): T => {
  if (leaves.length === structure.size) return unflattenTree(structure, leaves)
  throw new TreeError({
    operation: 'tree.unflatten',
    problem: 'the structure has another number of leaves',
    got: `${leaves.length} leaves`,
    want: `${structure.size}`,
    fix: 'give the leaves that flatten gave, in their order',
  })
}

/** Elements to a batch: the leaves of equal trees along a new first axis. */
import {
  type DType,
  type Leaf,
  type NDArray,
  ShapeError,
  Tensor,
  TreeError,
  broadcastPrefix,
  flatten,
  fromNDArray,
  isHalf,
  leafPaths,
  makeStore,
  requireSameStructure,
  sameShape,
  sizeOf,
  tensor,
  unflatten,
} from '@cotangent/core'
import type { Batched } from './rows.ts'

/** Elements of a leaf as evaluation sees them; numbers are float32, booleans bool. */
export const leafArray = (leaf: Leaf): NDArray =>
  (leaf instanceof Tensor ? leaf : tensor(leaf)).concrete('batch').ndarray()

/** A store for decoded elements: half floats are held as float32 until a tensor encodes them. */
export const decodedStore = (dtype: DType, size: number): NDArray['data'] =>
  isHalf(dtype) ? new Float32Array(size) : makeStore(dtype, size)

/**
 * Stacks elements. @throws TreeError or ShapeError where they differ in structure, shape or dtype.
 */
export const stack = <E>(elements: readonly E[]): Batched<E> => {
  const [first, ...rest] = elements.map((element) => flatten(element, 'batch'))
  if (first === undefined) {
    throw new TreeError({
      operation: 'batch',
      problem: 'no elements: their structure is not known',
      fix: 'check that the dataset is not empty (its size)',
    })
  }
  for (const other of rest) requireSameStructure('batch', other.structure, first.structure)
  const paths = leafPaths(first.structure)
  const leaves = first.leaves.map((leaf, i) =>
    stackLeaf(paths[i]!, [leaf, ...rest.map((other) => other.leaves[i]!)]),
  )
  return unflatten(first.structure, leaves)
}

const stackLeaf = (path: string, leaves: readonly Leaf[]): Tensor => {
  const { shape, dtype } = leafArray(leaves[0]!)
  const size = sizeOf(shape)
  const data = decodedStore(dtype, size * leaves.length)
  leaves.forEach((leaf, i) => {
    const row = leafArray(leaf)
    if (row.dtype !== dtype || !sameShape(row.shape, shape)) {
      throw new ShapeError({
        operation: 'batch',
        problem: `elements differ at ${path === '' ? 'their only leaf' : path}`,
        got: `${dtype}[${shape.join(',')}] and ${row.dtype}[${row.shape.join(',')}]`,
        want: 'one shape and one dtype',
        fix: 'pad or crop in a map before the batch',
      })
    }
    data.set(row.data, i * size)
  })
  return fromNDArray({ shape: [leaves.length, ...shape], dtype, data })
}

/** Numbers that fill the added rows: one for all leaves, or a tree of them. */
export type Padding<E> = number | PaddingTree<E>
type PaddingTree<E> = E extends Leaf ? number : { readonly [K in keyof E]: PaddingTree<E[K]> }

const isNumber = (value: unknown): value is number => typeof value === 'number'

/** A batch extended to `rows` rows. */
export const pad = <B>(batch: B, rows: number, padding: unknown): B => {
  const { leaves, structure } = flatten(batch, 'batch')
  const fillers = broadcastPrefix('batch', padding, structure, isNumber)
  const padded = leaves.map((leaf, i) => {
    const { shape, dtype, data } = leafArray(leaf)
    const longer = decodedStore(dtype, rows * sizeOf(shape.slice(1)))
    longer.fill(fillers[i]!, data.length)
    longer.set(data)
    return fromNDArray({ shape: [rows, ...shape.slice(1)], dtype, data: longer })
  })
  return unflatten(structure, padded)
}

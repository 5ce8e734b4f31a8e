/** Rows held by column: one typed array for each leaf, so that a batch is one gather. */
import {
  type DType,
  type NDArray,
  type Shape,
  ShapeError,
  type Structure,
  type Tensor,
  type TensorLike,
  type TypedArray,
  asTensor,
  flatten,
  fromNDArray,
  sizeOf,
  unflatten,
} from '@cotangent/core'
import type { Rows } from './rows.ts'
import { decodedStore } from './stack.ts'

export interface Column {
  readonly dtype: DType
  /** Of one row. */
  readonly shape: Shape
  /** The rows, one after the other. Not to be written to. */
  readonly data: TypedArray
  /** What each stored number stands for, where that is not itself: bytes that stand for floats. */
  readonly table?: Float32Array
}

const copyRows = (column: Column, indices: Float64Array): NDArray => {
  const { dtype, shape, data, table } = column
  const size = sizeOf(shape)
  const out = decodedStore(dtype, size * indices.length)
  for (let i = 0; i < indices.length; i++) {
    const from = indices[i]! * size
    const to = i * size
    if (table !== undefined) for (let j = 0; j < size; j++) out[to + j] = table[data[from + j]!]!
    else if (size < 16) for (let j = 0; j < size; j++) out[to + j] = data[from + j]!
    else out.set(data.subarray(from, from + size), to)
  }
  return { shape: [indices.length, ...shape], dtype, data: out }
}

const gatherColumn = (column: Column, indices: Float64Array): Tensor =>
  fromNDArray(copyRows(column, indices))

const rowOf = (column: Column, index: number): Tensor => {
  const { dtype, data } = copyRows(column, Float64Array.of(index))
  return fromNDArray({ shape: column.shape, dtype, data })
}

/** Rows whose elements have one leaf for each column, in the order of `flatten`. */
export const columnRows = <E>(
  structure: Structure,
  columns: readonly Column[],
  count: number,
): Rows<E> => ({
  count: () => count,
  get: (index) =>
    unflatten(
      structure,
      columns.map((column) => rowOf(column, index)),
    ),
  gather: (indices) =>
    unflatten(
      structure,
      columns.map((column) => gatherColumn(column, indices)),
    ),
})

/** The element type of a record of arrays. */
export type RowOf<T> = { readonly [K in keyof T]: Tensor }

/** Splits arrays along their first axis. @throws ShapeError unless all have as many rows. */
export const rowsOfArrays = <T extends Readonly<Record<string, TensorLike>>>(
  arrays: T,
): Rows<RowOf<T>> => {
  const tensors = Object.entries(arrays).map(([name, x]) => [name, asTensor(x)] as const)
  const counts = tensors.map(([name, x]) => `${name} ${describe(x)}`).join(', ')
  const count = tensors[0]?.[1].shape[0]
  if (count === undefined || tensors.some(([, x]) => x.shape[0] !== count)) {
    throw new ShapeError({
      operation: 'fromArrays',
      problem: 'the arrays do not have the same number of rows',
      got: counts === '' ? 'no array' : counts,
      want: 'at least one array, all with one length of their first axis',
      fix: 'give every array one row for each example',
    })
  }
  const { leaves, structure } = flatten(Object.fromEntries(tensors), 'fromArrays')
  const columns = leaves.map((leaf): Column => {
    const { shape, dtype, data } = asTensor(leaf).concrete('fromArrays').ndarray()
    return { dtype, shape: shape.slice(1), data }
  })
  return columnRows(structure, columns, count)
}

const describe = (x: Tensor): string => (x.ndim === 0 ? 'a scalar' : `${x.shape[0]!} rows`)

/** Rows of named columns; `T` names them. */
export const rowsOfColumns = <T extends Readonly<Record<string, Column>>>(
  named: T,
  count: number,
): Rows<RowOf<T>> => {
  const names = Object.keys(named).sort()
  // Any leaves do: only the structure is wanted.
  const { structure } = flatten(Object.fromEntries(names.map((name) => [name, 0])), 'columns')
  return columnRows(
    structure,
    names.map((name) => named[name]!),
    count,
  )
}

/** Datasets from arrays in memory. */
import type { TensorLike } from '@cotangent/core'
import { type RowOf, rowsOfArrays } from './columns.ts'
import { Dataset } from './dataset.ts'

/**
 * A dataset whose element `i` holds row `i` of every array; the arrays are not copied.
 * @throws ShapeError unless all have the same length along their first axis.
 * @example
 * const xor = fromArrays({ x: [[0, 0], [0, 1], [1, 0], [1, 1]], y: [0, 1, 1, 0] })
 * xor.get(2).x.toArray() // [1, 0]
 */
export const fromArrays = <T extends Readonly<Record<string, TensorLike>>>(
  arrays: T,
): Dataset<RowOf<T>> => new Dataset(rowsOfArrays(arrays))

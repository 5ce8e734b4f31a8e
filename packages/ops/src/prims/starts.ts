/** Batched starts of dynamic slices as the index vectors of a gather or scatter. */
import { type BatchDim, type Tensor, broadcastFront, moveAxis, reshape } from '@cotangent/core'
import { convert } from './convert.ts'
import { concatenate } from './structural.ts'

/** Scalars, some batched, to index vectors `[batch, axes]` in int32. */
export const stackStarts = (
  starts: readonly Tensor[],
  dims: readonly BatchDim[],
  size: number,
): Tensor => {
  const columns = starts.map((start, d) => {
    const dim = dims[d] ?? null
    const column = dim === null ? broadcastFront(start, size) : moveAxis(start, dim, 0)
    return reshape(column.dtype === 'int32' ? column : convert(column, 'int32'), [size, 1])
  })
  return columns.length === 1 ? columns[0]! : concatenate(columns, 1)
}

/** Reductions over the elements that share a segment number. */
import { type Tensor, type TensorLike, ShapeError, fill, isFloat, showAval } from '@cotangent/core'
import { type UpdateKind, updateAt } from './numpy/indexing.ts'
import { highest, lowest } from './numpy/axes.ts'
import { positionsOf } from './numpy/positions.ts'
import { promoteOne } from './promote.ts'

export interface SegmentOptions {
  /** How many segments; needed where the numbers are traced. */
  readonly numSegments?: number
}

const segmentReduction = (
  operation: string,
  data: TensorLike,
  segmentIds: TensorLike,
  options: SegmentOptions,
  kind: UpdateKind,
  neutral: (x: Tensor) => number,
): Tensor => {
  const x = promoteOne(operation, data)
  const ids = positionsOf(operation, segmentIds)
  if (x.ndim === 0 || ids.ndim !== 1 || ids.shape[0] !== x.shape[0]) {
    throw new ShapeError({
      operation,
      problem: 'every slice along the first axis needs one segment number',
      got: `${showAval(ids.aval)} for ${showAval(x.aval)}`,
      fix: 'give one number for each slice',
    })
  }
  const count = options.numSegments ?? (ids.size === 0 ? 0 : ids.max().item() + 1)
  const empty = fill([count, ...x.shape.slice(1)], neutral(x), x.dtype)
  return updateAt(empty, [ids], kind, x)
}

/**
 * Sums of the slices of each segment: `[numSegments, ...rest]`. Numbers outside are left out; an
 * empty segment is 0.
 * @throws TracerError for traced numbers without `numSegments`.
 * @example
 * segmentSum([1, 2, 4], [0, 1, 0]).toArray() // [5, 2]
 */
export const segmentSum = (
  data: TensorLike,
  segmentIds: TensorLike,
  options: SegmentOptions = {},
): Tensor => segmentReduction('segmentSum', data, segmentIds, options, 'add', () => 0)
/** Products of the slices of each segment; an empty segment is 1. */
export const segmentProd = (
  data: TensorLike,
  segmentIds: TensorLike,
  options: SegmentOptions = {},
): Tensor => segmentReduction('segmentProd', data, segmentIds, options, 'multiply', () => 1)
/** The greatest of each segment; an empty segment is −∞ or the smallest integer. */
export const segmentMax = (
  data: TensorLike,
  segmentIds: TensorLike,
  options: SegmentOptions = {},
): Tensor =>
  segmentReduction('segmentMax', data, segmentIds, options, 'max', (x) =>
    isFloat(x.dtype) ? -Infinity : lowest(x.dtype),
  )
/** The smallest of each segment; an empty segment is +∞ or the largest integer. */
export const segmentMin = (
  data: TensorLike,
  segmentIds: TensorLike,
  options: SegmentOptions = {},
): Tensor =>
  segmentReduction('segmentMin', data, segmentIds, options, 'min', (x) =>
    isFloat(x.dtype) ? Infinity : highest(x.dtype),
  )

/** Integer positions from whatever a caller gives. */
import {
  type DType,
  DTypeError,
  Tensor,
  type TensorLike,
  asTensor,
  isInteger,
} from '@cotangent/core'
import { cast } from '../promote.ts'

/** Integer positions of any form as int32. @throws DTypeError for floats and booleans. */
export const positionsOf = (operation: string, indices: TensorLike): Tensor => {
  if (indices instanceof Tensor || typeof indices === 'number') {
    const given = asTensor(indices)
    if (isInteger(given.dtype)) return cast(given, 'int32')
    throw notPositions(operation, given.dtype)
  }
  const given = asTensor(indices)
  const { data } = given.concrete(operation).ndarray()
  if (given.dtype !== 'bool' && [...data].every(Number.isInteger)) return cast(given, 'int32')
  throw notPositions(operation, given.dtype)
}

const notPositions = (operation: string, dtype: DType): DTypeError =>
  new DTypeError({
    operation,
    problem: 'positions are integers',
    got: dtype,
    fix: 'convert with astype("int32")',
  })

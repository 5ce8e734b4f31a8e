/** Masks of matrices by their diagonals. */
import { type Shape, type Tensor, add } from '@cotangent/core'
import { iota } from '../prims/structural.ts'
import { constantLike } from '../promote.ts'

/** Where `column - row` compares with `k`, over the last two axes of a shape. */
export const onDiagonal = (
  shape: Shape,
  k: number,
  test: (x: Tensor, y: Tensor) => Tensor,
): Tensor => {
  const row = iota('int32', shape, shape.length - 2)
  const column = iota('int32', shape, shape.length - 1)
  return test(column, add(row, constantLike(row, k)))
}

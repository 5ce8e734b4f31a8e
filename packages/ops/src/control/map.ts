/** `map`: a function applied to each slice in turn, or to batches of slices. */
import { ShapeError, erase, flatten, requireFunction, unflatten, vmap } from '@cotangent/core'
import { type Chunk, inChunks } from './chunks.ts'
import { scanTrees } from './scan.ts'
import { type Tensors, flattenTensors } from './trees.ts'

export interface MapOptions {
  /** Slices that run together, as under vmap; one at a time where absent. */
  readonly batchSize?: number
}

/**
 * `f` of each slice of `xs` along its first axis, stacked. Unlike vmap it runs slice by slice, so
 * that intermediate values need the memory of one slice, or of one batch.
 * @throws ShapeError when the leading axes differ, or the batch size is not positive.
 * @example
 * lax.map((v) => v.dot(v), tensor([[1, 2], [3, 4]])) // [5, 25]
 */
export const map = <const X, Y>(
  f: (x: Tensors<X>) => Y,
  xs: X,
  { batchSize }: MapOptions = {},
): Tensors<Y> => {
  requireFunction('lax.map', f)
  const each = erase(f)
  const { leaves, structure } = flatten(mapSlices(each, xs, batchSize)[1], 'map')
  return unflatten(structure, leaves)
}

const mapSlices = (
  f: (...args: readonly unknown[]) => unknown,
  xs: unknown,
  batchSize: number | undefined,
): readonly [unknown, unknown] => {
  if (batchSize === undefined) return scanTrees((_, x) => [null, f(x)], null, xs, {})
  const length = flattenTensors(xs, 'map').leaves[0]?.shape[0]
  if (length === undefined || !Number.isInteger(batchSize) || batchSize < 1) {
    throw new ShapeError({
      operation: 'map',
      problem: length === undefined ? 'there is no axis to map over' : 'no such batch size',
      got: `batchSize ${batchSize}`,
      want: 'xs with a leading axis, and a positive integer',
      fix: 'give xs a leading axis, and a batchSize of at least 1',
    })
  }
  const chunk: Chunk = (carry, x) => [carry, vmap(f)(x)]
  return inChunks(scanTrees, chunk, null, xs, { length, reverse: false }, batchSize)
}

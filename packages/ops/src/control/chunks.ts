/** Scans of scans: several steps to one step of an outer loop, for unrolling and checkpoints. */
import {
  type AnyFunction,
  type Structure,
  type Tensor,
  checkpoint,
  erase,
  flatten,
  reshape,
  unflatten,
} from '@cotangent/core'
import { concatenate, slice } from '../prims/structural.ts'
import { flattenTensors } from './trees.ts'

/** A scan of trees whose types are forgotten: `[carry, ys]`. */
export type TreeBody<Options> = (
  f: AnyFunction,
  init: unknown,
  xs: unknown,
  options: Options,
) => readonly [unknown, unknown]

interface Steps {
  readonly length: number
  readonly reverse: boolean
}

/** Runs a chunk of consecutive steps: `(carry, slices, count)` to `[carry, ys]`. */
export type Chunk = (carry: unknown, xs: unknown, count: number) => readonly [unknown, unknown]

/** A scan in chunks of `size` steps; what is left over is a chunk of its own at the far end. */
export const inChunks = (
  scan: TreeBody<Steps>,
  chunk: Chunk,
  init: unknown,
  xs: unknown,
  { length, reverse }: Steps,
  size: number,
): readonly [unknown, unknown] => {
  const count = Math.floor(length / size)
  const whole = count * size
  if (count === 0 || size === length) return chunk(init, xs, length)
  const head = mapTree(xs, (x) => reshape(part(x, 0, whole), [count, size, ...x.shape.slice(1)]))
  const middle = (carry: unknown): readonly [unknown, unknown] => {
    const outer = scan(
      erase((c: unknown, x: unknown) => chunk(c, x, size)),
      carry,
      head,
      {
        length: count,
        reverse,
      },
    )
    const ys = mapTree(outer[1], (y) => reshape(y, [whole, ...y.shape.slice(2)]))
    return [outer[0], ys]
  }
  if (whole === length) return middle(init)
  const rest = mapTree(xs, (x) => part(x, whole, length))
  const left = length - whole
  // The leftover steps are the last in order of the axis: first of all when the scan is reversed.
  if (reverse) {
    const [carry, late] = chunk(init, rest, left)
    const [last, early] = middle(carry)
    return [last, join(early, late)]
  }
  const [carry, early] = middle(init)
  const [last, late] = chunk(carry, rest, left)
  return [last, join(early, late)]
}

/** A chunk whose intermediate values are computed again in the backward pass. */
export const checkpointed =
  <Options extends object>(
    scan: TreeBody<Options & { readonly length: number }>,
    f: AnyFunction,
    options: Options,
  ): Chunk =>
  (carry, xs, count) =>
    checkpoint((c: unknown, x: unknown) => scan(f, c, x, { ...options, length: count }))(carry, xs)

/** A chunk laid out step by step. */
export const unrolled =
  (f: AnyFunction, reverse: boolean): Chunk =>
  (start, xs, count) => {
    let carry = start
    const ys: unknown[] = new Array(count)
    for (let step = 0; step < count; step++) {
      const t = reverse ? count - 1 - step : step
      const result = f(
        carry,
        mapTree(xs, (x) => reshape(part(x, t, t + 1), x.shape.slice(1))),
      )
      if (!Array.isArray(result)) return [result, null]
      carry = result[0]
      ys[t] = result[1]
    }
    return [carry, stack(ys)]
  }

const part = (x: Tensor, from: number, to: number): Tensor =>
  from === 0 && to === x.shape[0]
    ? x
    : slice(
        x,
        x.shape.map((_, d) => (d === 0 ? from : 0)),
        x.shape.map((extent, d) => (d === 0 ? to : extent)),
      )

const mapTree = (tree: unknown, f: (x: Tensor) => Tensor): unknown => {
  const { leaves, structure } = flattenTensors(tree, 'scan')
  return unflatten(structure, leaves.map(f))
}

const zip = (
  trees: readonly unknown[],
  f: (leaves: readonly Tensor[], structure: Structure) => Tensor,
): unknown => {
  const flat = trees.map((tree) => flattenTensors(tree, 'scan'))
  const { structure } = flat[0] ?? flatten(null)
  const leaves = Array.from({ length: structure.size }, (_, i) =>
    f(
      flat.map((t) => t.leaves[i]!),
      structure,
    ),
  )
  return unflatten(structure, leaves)
}

const join = (early: unknown, late: unknown): unknown =>
  zip([early, late], (xs) => concatenate(xs, 0))

const stack = (ys: readonly unknown[]): unknown =>
  zip(ys, (xs) =>
    concatenate(
      xs.map((x) => reshape(x, [1, ...x.shape])),
      0,
    ),
  )

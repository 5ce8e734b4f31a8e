/** All prefixes of an associative operation, in logarithmically many steps. */
import {
  ShapeError,
  type Structure,
  type Tensor,
  erase,
  inserted,
  normalizeAxis,
  replaced,
  requireFunction,
  requireSameStructure,
  reshape,
  unflatten,
} from '@cotangent/core'
import { concatenate, reverse as reverseAxes, slice } from '../prims/structural.ts'
import { type Like, type Tensors, flattenTensors } from './trees.ts'

export interface AssociativeScanOptions {
  /** Suffixes instead of prefixes, combined from the end. */
  readonly reverse?: boolean
  /** The axis of every leaf to run along; 0 by default. */
  readonly axis?: number
}

/**
 * The inclusive prefixes of `f` along an axis: element i combines the first i + 1. `f(a, b)` must be
 * associative and works on whole slices of trees along that axis, element by element.
 * @throws ShapeError when the leaves differ in size along the axis; TreeError when `f` returns
 * another structure.
 * @see Blelloch 1990, Prefix Sums and Their Applications
 * @example
 * lax.associativeScan((a, b) => a.mul(b), tensor([1, 2, 3, 4])) // [1, 2, 6, 24]
 */
export const associativeScan = <const T>(
  f: (a: Tensors<T>, b: Tensors<T>) => Like<T>,
  elements: T,
  { reverse = false, axis = 0 }: AssociativeScanOptions = {},
): Tensors<T> => {
  requireFunction('associativeScan', f)
  const { leaves, structure } = flattenTensors(elements, 'associativeScan')
  const axes = leaves.map((x) => normalizeAxis('associativeScan', axis, x.ndim))
  const sizes = leaves.map((x, i) => x.shape[axes[i]!]!)
  if (sizes.some((size) => size !== sizes[0])) {
    throw new ShapeError({
      operation: 'associativeScan',
      problem: 'the elements differ in size along the axis',
      got: sizes.join(', '),
      fix: 'give every leaf the same extent along the axis',
    })
  }
  const combine = combination(erase(f), structure)
  const turned = reverse ? leaves.map((x, i) => reverseAxes(x, [axes[i]!])) : leaves
  const results = prefixes(combine, turned, axes)
  const ordered = reverse ? results.map((x, i) => reverseAxes(x, [axes[i]!])) : results
  return unflatten(structure, ordered)
}

type Leaves = readonly Tensor[]
type Combine = (a: Leaves, b: Leaves) => Leaves

const combination =
  (f: (...args: readonly unknown[]) => unknown, structure: Structure): Combine =>
  (a, b) => {
    const result = flattenTensors(
      f(unflatten(structure, a), unflatten(structure, b)),
      'associativeScan',
    )
    requireSameStructure('associativeScan', result.structure, structure)
    return result.leaves
  }

// Neighbours are combined in pairs, the pairs' prefixes are the odd results, and one more
// combination each gives the even ones.
const prefixes = (combine: Combine, xs: Leaves, axes: readonly number[]): Leaves => {
  const size = xs[0]?.shape[axes[0]!] ?? 0
  if (size < 2) return xs
  const take = (ys: Leaves, from: number, to: number, step = 1): Leaves =>
    ys.map((y, i) => along(y, axes[i]!, from, to, step))
  const odd = prefixes(combine, combine(take(xs, 0, size - 1, 2), take(xs, 1, size, 2)), axes)
  const pairs = Math.floor(size / 2)
  const later = Math.ceil(size / 2) - 1
  const even = later === 0 ? null : combine(take(odd, 0, later), take(xs, 2, size, 2))
  const first = take(xs, 0, 1)
  return odd.map((y, i) => {
    const rest = even === null ? [] : [even[i]!]
    return interleave(concatenate([first[i]!, ...rest], axes[i]!), y, axes[i]!, size, pairs)
  })
}

const along = (x: Tensor, axis: number, from: number, to: number, step: number): Tensor =>
  slice(
    x,
    x.shape.map((_, d) => (d === axis ? from : 0)),
    replaced(x.shape, axis, to),
    x.shape.map((_, d) => (d === axis ? step : 1)),
  )

// Rows of `even` and `odd` in turn; where there is one even row more, it comes last.
const interleave = (
  even: Tensor,
  odd: Tensor,
  axis: number,
  size: number,
  pairs: number,
): Tensor => {
  const row = (x: Tensor): Tensor => reshape(x, inserted(x.shape, axis + 1, 1))
  const paired = concatenate([row(along(even, axis, 0, pairs, 1)), row(odd)], axis + 1)
  const flat = reshape(paired, replaced(odd.shape, axis, 2 * pairs))
  return size === 2 * pairs
    ? flat
    : concatenate([flat, along(even, axis, pairs, pairs + 1, 1)], axis)
}

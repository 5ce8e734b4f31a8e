/** Finding elements and their positions. */
import {
  ShapeError,
  type Tensor,
  type TensorLike,
  fill,
  isFloat,
  range,
  reduceSum,
  reshape,
  showAval,
} from '@cotangent/core'
import * as binary from '../prims/binary.ts'
import * as compare from '../prims/compare.ts'
import { sort as sortOperands } from '../prims/sort.ts'
import { iota } from '../prims/structural.ts'
import {
  asCondition,
  broadcastTensor,
  cast,
  constantLike,
  promoteOne,
  promotePair,
} from '../promote.ts'
import { at } from './indexing.ts'
import { truePositions } from './indexParse.ts'
import { stack } from './joining.ts'
import { where } from './select.ts'
import { take, unravelIndex } from './take.ts'

export interface NonzeroOptions {
  /** How many positions to give: needed where `x` is traced. Fewer are cut off, more are filled. */
  readonly size?: number
  /** The position that fills; 0 by default. */
  readonly fillValue?: number | readonly number[]
}

/**
 * The positions of the elements that are not zero, in row-major order, one int32 vector an axis.
 * Their number depends on the values, so that a traced tensor needs `size`.
 * @throws TracerError for a traced tensor without `size`.
 * @example
 * np.nonzero([0, 5, 7])[0].toArray() // [1, 2]
 */
export const nonzero = (x: TensorLike, options: NonzeroOptions = {}): readonly Tensor[] => {
  const mask = asCondition('np.nonzero', x)
  if (options.size === undefined) return truePositions(mask)
  const { size } = options
  const flat = reshape(mask, [mask.size])
  const { fillValue = 0 } = options
  const fillers = range(mask.ndim).map((d) =>
    typeof fillValue === 'number' ? fillValue : fillValue[d]!,
  )
  if (mask.size === 0) return fillers.map((value) => fill([size], value, 'int32'))
  // A stable sort brings the true ones to the front, in order.
  const order = sortOperands(
    [cast(flat.logicalNot(), 'uint8'), iota('int32', [mask.size], 0)],
    0,
  )[1]!
  const first = take(order, range(size), { mode: 'clip' })
  const count = reduceSum(cast(flat, 'int32'), [0])
  const places = iota('int32', [size], 0)
  const isFound = compare.lt(places, broadcastTensor('np.nonzero', count, [size]))
  return unravelIndex(first, mask.shape).map((axis, d) =>
    compare.select(isFound, axis, constantLike(axis, fillers[d]!)),
  )
}

/** The positions of the elements of the flattened tensor that are not zero. */
export const flatnonzero = (x: TensorLike, options: NonzeroOptions = {}): Tensor =>
  nonzero(promoteOne('np.flatnonzero', x).ravel(), options)[0]!

/** The positions of the elements that are not zero as rows: `[count, ndim]`. */
export const argwhere = (x: TensorLike, options: NonzeroOptions = {}): Tensor => {
  const found = nonzero(x, options)
  return found.length === 0 ? fill([0, 0], 0, 'int32') : stack(found, 1)
}

export interface SearchOptions {
  /** Where equal elements go: `left` of them (the default) or `right`. */
  readonly side?: 'left' | 'right'
  /** Positions that sort `sorted`, where it is not. */
  readonly sorter?: TensorLike
  /** How the search is done makes no difference to the result. */
  readonly method?: 'scan' | 'scan_unrolled' | 'sort' | 'compare_all'
}

/**
 * Where each value would have to be put into a sorted vector to keep it sorted: how many elements
 * are smaller (`right`: or equal). NaN counts as greater than everything.
 * @throws ShapeError where `sorted` is no vector.
 * @example
 * np.searchsorted([1, 3, 5], [0, 3, 9]).toArray() // [0, 1, 3]
 */
export const searchsorted = (
  sorted: TensorLike,
  values: TensorLike,
  options: SearchOptions = {},
): Tensor => {
  const given = promoteOne('np.searchsorted', sorted)
  if (given.ndim !== 1) {
    throw new ShapeError({
      operation: 'np.searchsorted',
      problem: 'it searches a vector',
      got: showAval(given.aval),
      fix: 'flatten it with np.ravel, or vmap over its rows',
    })
  }
  const ordered =
    options.sorter === undefined ? given : take(given, options.sorter, { mode: 'clip' })
  return bisect(ordered, promoteOne('np.searchsorted', values), options.side ?? 'left')
}

// log2(n) halvings, all values at once: [low, high) holds the answer.
const bisect = (sorted: Tensor, values: Tensor, side: 'left' | 'right'): Tensor => {
  const n = sorted.shape[0]!
  let low = fill(values.shape, 0, 'int32')
  let high = fill(values.shape, n, 'int32')
  for (let width = n; width > 0; width = Math.floor(width / 2)) {
    const middle = binary.div(low.add(high), constantLike(low, 2))
    const probe = at(sorted, [middle.minimum(n - 1)])
    const isAbove = side === 'left' ? precedes(probe, values) : precedes(values, probe).logicalNot()
    const isOpen = compare.lt(low, high)
    const goesUp = binary.and(isOpen, isAbove)
    const goesDown = binary.and(isOpen, isAbove.logicalNot())
    low = compare.select(goesUp, middle.add(1), low)
    high = compare.select(goesDown, middle, high)
  }
  return low
}

// x < y in the order of sorting, where NaN is last.
const precedes = (x: TensorLike, y: TensorLike): Tensor => {
  const [a, b] = promotePair('np.searchsorted', x, y)
  const less = compare.lt(a, b)
  if (!isFloat(a.dtype)) return less
  return binary.or(less, binary.and(compare.eq(a, a), compare.ne(b, b)))
}

/**
 * The bin of each value among increasing or decreasing edges: as many as there are edges at or below
 * it (`right`: strictly below).
 */
export const digitize = (
  x: TensorLike,
  bins: TensorLike,
  options: { readonly right?: boolean } | boolean = {},
): Tensor => {
  const right = typeof options === 'boolean' ? options : (options.right ?? false)
  const edges = promoteOne('np.digitize', bins)
  if (edges.ndim !== 1) {
    throw new ShapeError({
      operation: 'np.digitize',
      problem: 'the edges are a vector',
      got: showAval(edges.aval),
      fix: 'flatten them with np.ravel',
    })
  }
  const n = edges.size
  if (n === 0) return fill(promoteOne('np.digitize', x).shape, 0, 'int32')
  const rising = searchsorted(edges, x, { side: right ? 'left' : 'right' })
  const falling = searchsorted(edges.at('::-1'), x, { side: right ? 'left' : 'right' })
  const isRising = compare.ge(edges.at(n - 1), edges.at(0))
  return where(isRising, rising, falling.neg().add(n))
}

/** Whether each element occurs in `values`. */
export const isin = (
  x: TensorLike,
  values: TensorLike,
  options: { readonly invert?: boolean } = {},
): Tensor => {
  const [a, b] = [promoteOne('np.isin', x), promoteOne('np.isin', values).ravel()]
  const column = reshape(a, [...a.shape, 1])
  const found = column.equal(b).any({ axis: -1 })
  return options.invert === true ? found.logicalNot() : found
}

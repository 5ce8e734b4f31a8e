/** Sorting: stable, NaN last. */
import { IndexError, type Tensor, type TensorLike, normalizeAxis, reshape } from '@cotangent/core'
import { sort as sortOperands } from '../prims/sort.ts'
import { iota, reverse } from '../prims/structural.ts'
import { promoteOne, requireList } from '../promote.ts'
import type { AxisOr } from './axes.ts'

export interface SortOptions {
  /** The axis to sort along, the last by default; `null` sorts the flattened tensor. */
  readonly axis?: number | null
  readonly descending?: boolean
  /** Sorting is always stable. */
  readonly stable?: boolean
}

interface Line {
  readonly x: Tensor
  readonly axis: number
  readonly descending: boolean
}

const lineOf = (operation: string, x: TensorLike, given: AxisOr<SortOptions> | undefined): Line => {
  const options = sortOptions(operation, given)
  const a = promoteOne(operation, x)
  const descending = options.descending ?? false
  if (options.axis === null) return { x: reshape(a, [a.size]), axis: 0, descending }
  return { x: a, axis: normalizeAxis(operation, options.axis ?? -1, a.ndim), descending }
}

const sortOptions = (operation: string, given: AxisOr<SortOptions> | undefined): SortOptions => {
  if (given === undefined) return {}
  if (given === null || typeof given === 'number') return { axis: given }
  if (!isList(given)) return given
  throw new IndexError({
    operation,
    problem: 'it sorts along one axis',
    got: `[${given.join(',')}]`,
    fix: 'give one axis, or null for the flattened tensor',
  })
}

const isList = (given: SortOptions | readonly number[]): given is readonly number[] =>
  Array.isArray(given)

/**
 * Sorted copies along an axis (the last by default). NaNs come last, descending first.
 * @throws IndexError for an axis out of range; a scalar has none.
 * @example
 * np.sort([3, 1, 2]).toArray() // [1, 2, 3]
 */
export const sort = (x: TensorLike, options?: AxisOr<SortOptions>): Tensor => {
  const { x: a, axis, descending } = lineOf('np.sort', x, options)
  const sorted = sortOperands([a], axis)[0]!
  return descending ? reverse(sorted, [axis]) : sorted
}

/**
 * The positions that sort `x` along an axis, int32; equal elements keep their order, also descending.
 * @example
 * np.argsort([3, 1, 2]).toArray() // [1, 2, 0]
 */
export const argsort = (x: TensorLike, options?: AxisOr<SortOptions>): Tensor => {
  const { x: a, axis, descending } = lineOf('np.argsort', x, options)
  // Reversing before and after sorting turns the order without turning equal elements.
  const turned = descending ? reverse(a, [axis]) : a
  const positions = iota('int32', a.shape, axis)
  const from = descending ? reverse(positions, [axis]) : positions
  const order = sortOperands([turned, from], axis)[1]!
  return descending ? reverse(order, [axis]) : order
}

/**
 * The positions that sort by several keys, the last one first: NumPy's order.
 * @example
 * np.lexsort([second, first])
 */
export const lexsort = (
  keys: readonly TensorLike[],
  options: { readonly axis?: number } = {},
): Tensor => {
  requireList('np.lexsort', keys)
  const typed = keys.map((key) => promoteOne('np.lexsort', key))
  const first = typed[0]
  if (first === undefined)
    throw new IndexError({
      operation: 'np.lexsort',
      problem: 'no keys',
      fix: 'give at least one key',
    })
  const axis = normalizeAxis('np.lexsort', options.axis ?? -1, first.ndim)
  const operands = [...typed].reverse()
  return sortOperands([...operands, iota('int32', first.shape, axis)], axis, typed.length).at(-1)!
}

/** Elements along an axis, those before position `kth` not greater than it; here all are sorted. */
export const partition = (x: TensorLike, kth: number, options?: AxisOr<SortOptions>): Tensor =>
  inRange('np.partition', kth, sort(x, options), options)
/** The positions of `partition`. */
export const argpartition = (x: TensorLike, kth: number, options?: AxisOr<SortOptions>): Tensor =>
  inRange('np.argpartition', kth, argsort(x, options), options)

const inRange = (
  operation: string,
  kth: number,
  sorted: Tensor,
  options: AxisOr<SortOptions> | undefined,
): Tensor => {
  const { axis } = sortOptions(operation, options)
  const line =
    axis === null ? sorted.size : sorted.shape[normalizeAxis(operation, axis ?? -1, sorted.ndim)]!
  normalizeAxis(`${operation} kth`, kth, line)
  return sorted
}

/** Sets of elements, sorted. Their sizes depend on the values, so the elements must be known. */
import {
  type DType,
  type Tensor,
  type TensorLike,
  normalizeAxis,
  range,
  reshape,
  tensor,
} from '@cotangent/core'
import { promoteDTypes, promoteOne } from '../promote.ts'
import { moveaxis } from './shape.ts'
import { take } from './take.ts'

/** What fixes the size of a result: elements beyond are cut off, missing ones filled. */
export interface SizeOptions {
  readonly size?: number
  readonly fillValue?: number
}

export interface UniqueOptions extends SizeOptions {
  /** Whole slices along an axis are compared; the flattened elements by default. */
  readonly axis?: number | null
  /** Whether NaN equals NaN; true by default. */
  readonly equalNan?: boolean
}

/** The distinct elements, and where and how often they occur. */
export interface Unique {
  /** Sorted. */
  readonly values: Tensor
  /** The first position of each. */
  readonly indices: Tensor
  /** For each element of the input, its position among the values. */
  readonly inverse: Tensor
  /** How often each occurs. */
  readonly counts: Tensor
}

// Rows of numbers in sorting order: lexicographic, NaN last.
const compareRows =
  (data: ArrayLike<number>, width: number) =>
  (i: number, j: number): number => {
    for (let k = 0; k < width; k++) {
      const [a, b] = [data[i * width + k]!, data[j * width + k]!]
      if (a < b || (b !== b && a === a)) return -1
      if (a > b || (a !== a && b === b)) return 1
    }
    return 0
  }

interface Groups {
  /** The first row of each group, in sorting order. */
  readonly first: readonly number[]
  readonly inverse: Int32Array
  readonly counts: readonly number[]
}

const groupRows = (
  data: ArrayLike<number>,
  rows: number,
  width: number,
  equalNan: boolean,
): Groups => {
  const compare = compareRows(data, width)
  const order = [...range(rows)].sort((i, j) => compare(i, j) || i - j)
  const hasNaN = (row: number): boolean =>
    range(width).some((k) => Number.isNaN(data[row * width + k]!))
  const first: number[] = []
  const counts: number[] = []
  const inverse = new Int32Array(rows)
  let previous = -1
  for (const row of order) {
    const same = previous >= 0 && compare(previous, row) === 0 && (equalNan || !hasNaN(row))
    if (same) counts[counts.length - 1]!++
    else {
      first.push(row)
      counts.push(1)
    }
    inverse[row] = first.length - 1
    previous = row
  }
  return { first, inverse, counts }
}

const sized = <T>(list: readonly T[], size: number | undefined, filler: T): readonly T[] =>
  size === undefined ? list : range(size).map((i) => list[i] ?? filler)

/**
 * The distinct elements in sorted order, with their positions and counts.
 * @throws TracerError for a traced tensor.
 * @example
 * np.uniqueAll([3, 1, 3]).counts.toArray() // [1, 2]
 */
export const uniqueAll = (x: TensorLike, options: UniqueOptions = {}): Unique => {
  const given = promoteOne('np.unique', x)
  const isFlat = options.axis === undefined || options.axis === null
  const axis = isFlat ? 0 : normalizeAxis('np.unique', options.axis ?? 0, given.ndim)
  const source = isFlat ? reshape(given, [given.size]) : moveaxis(given, axis, 0)
  const { data } = source.concrete('np.unique').ndarray()
  const rows = source.shape[0]!
  const width = rows === 0 ? 1 : source.size / rows
  const { first, inverse, counts } = groupRows(data, rows, width, options.equalNan ?? true)
  const { size, fillValue } = options
  const kept = sized(first, size, first[0] ?? 0)
  const values = take(source, tensor(Int32Array.from(kept)), { axis: 0, mode: 'clip' })
  const filled = fillValue === undefined ? values : fillBeyond(values, first.length, fillValue)
  return {
    values: isFlat ? filled : moveaxis(filled, 0, axis),
    indices: tensor(Int32Array.from(kept)),
    inverse: tensor(inverse, { shape: isFlat ? given.shape : [rows] }),
    counts: tensor(Int32Array.from(sized(counts, size, 0))),
  }
}

const fillBeyond = (values: Tensor, count: number, fillValue: number): Tensor =>
  count >= values.shape[0]! ? values : values.set([`${count}:`], fillValue)

export interface UniqueReturns extends UniqueOptions {
  readonly returnIndex?: boolean
  readonly returnInverse?: boolean
  readonly returnCounts?: boolean
}

const uniqueOf = (x: TensorLike, options: UniqueReturns = {}): readonly Tensor[] => {
  const { values, indices, inverse, counts } = uniqueAll(x, options)
  return [
    values,
    ...(options.returnIndex === true ? [indices] : []),
    ...(options.returnInverse === true ? [inverse] : []),
    ...(options.returnCounts === true ? [counts] : []),
  ]
}

/**
 * The distinct elements, sorted; with `returnIndex`, `returnInverse` or `returnCounts` a list of
 * them and those. `size` fixes how many, filled with the smallest or `fillValue`.
 */
export function unique(x: TensorLike, options?: UniqueOptions): Tensor
export function unique(
  x: TensorLike,
  options: UniqueReturns &
    (
      | { readonly returnIndex: true }
      | { readonly returnInverse: true }
      | { readonly returnCounts: true }
    ),
): readonly Tensor[]
export function unique(x: TensorLike, options: UniqueReturns = {}): Tensor | readonly Tensor[] {
  const results = uniqueOf(x, options)
  return results.length === 1 ? results[0]! : results
}

/** The distinct elements, sorted. */
export const uniqueValues = (x: TensorLike, options: SizeOptions = {}): Tensor =>
  uniqueAll(x, options).values
/** The distinct elements and how often each occurs. */
export const uniqueCounts = (
  x: TensorLike,
  options: SizeOptions = {},
): readonly [Tensor, Tensor] => {
  const { values, counts } = uniqueAll(x, options)
  return [values, counts]
}
/** The distinct elements, and for each element its position among them. */
export const uniqueInverse = (
  x: TensorLike,
  options: SizeOptions = {},
): readonly [Tensor, Tensor] => {
  const { values, inverse } = uniqueAll(x, options)
  return [values, inverse]
}

const listed = (x: Tensor): readonly number[] => [...uniqueAll(x).values.data()]

const combine = (
  operation: string,
  x: TensorLike,
  y: TensorLike,
  options: SizeOptions,
  choose: (a: readonly number[], b: readonly number[]) => readonly number[],
  filler: (chosen: readonly number[]) => number,
): Tensor => {
  const [a, b] = promoteDTypes(operation, [x, y])
  const chosen = choose(listed(a!), listed(b!))
  const values = sized(chosen, options.size, options.fillValue ?? filler(chosen))
  return fromNumbers(values, a!.dtype)
}

const fromNumbers = (values: readonly number[], dtype: DType): Tensor =>
  tensor(Float64Array.from(values), { dtype })

const smallest = (chosen: readonly number[]): number => chosen[0] ?? 0
const contains = (list: readonly number[]): ((value: number) => boolean) => {
  const set = new Set(list)
  return (value) => set.has(value)
}
const sortNumbers = (values: readonly number[]): readonly number[] => [
  ...Float64Array.from(values).sort(),
]

/** The elements that occur in both, sorted, each once. @throws TracerError for traced tensors. */
export const intersect1d = (x: TensorLike, y: TensorLike, options: SizeOptions = {}): Tensor =>
  combine('np.intersect1d', x, y, options, (a, b) => a.filter(contains(b)), smallest)
/** The elements that occur in either, sorted, each once. */
export const union1d = (x: TensorLike, y: TensorLike, options: SizeOptions = {}): Tensor =>
  combine('np.union1d', x, y, options, (a, b) => sortNumbers([...new Set([...a, ...b])]), smallest)
/** The elements of `x` that do not occur in `y`, sorted, each once. */
export const setdiff1d = (x: TensorLike, y: TensorLike, options: SizeOptions = {}): Tensor => {
  const differs = (a: readonly number[], b: readonly number[]): readonly number[] => {
    const isIn = contains(b)
    return a.filter((value) => !isIn(value))
  }
  return combine('np.setdiff1d', x, y, options, differs, () => 0)
}
/** The elements that occur in exactly one, sorted. */
export const setxor1d = (x: TensorLike, y: TensorLike, options: SizeOptions = {}): Tensor => {
  const either = (a: readonly number[], b: readonly number[]): readonly number[] => {
    const [inA, inB] = [contains(a), contains(b)]
    return sortNumbers([...a.filter((v) => !inB(v)), ...b.filter((v) => !inA(v))])
  }
  return combine('np.setxor1d', x, y, options, either, smallest)
}

/** Rolling, repeating, tiling; triangles and diagonals. */
import {
  type Axes,
  type DType,
  ShapeError,
  type Shape,
  type Tensor,
  type TensorLike,
  broadcastInDim,
  fill,
  listOfNumbers,
  normalizeAxis,
  range,
  reduceSum,
  requireNumber,
  reshape,
  showAval,
  sizeOf,
  tensor,
} from '@cotangent/core'
import * as compare from '../prims/compare.ts'
import { pad } from '../prims/structural.ts'
import { cast, constantLike, promoteOne } from '../promote.ts'
import { onDiagonal } from './diagonals.ts'
import { at } from './indexing.ts'
import { concatenate } from './joining.ts'
import { sliceAxis } from './sliceAxis.ts'
import { broadcastTo, moveaxis } from './shape.ts'

/**
 * Moves elements along axes, those that fall out coming in at the other end; the flattened tensor
 * by default. @example np.roll([1, 2, 3], 1).toArray() // [3, 1, 2]
 */
export const roll = (
  x: TensorLike,
  shift: number | readonly number[],
  axis: Axes | { readonly axis?: Axes } = null,
): Tensor => {
  const a = promoteOne('np.roll', x)
  const along =
    typeof axis === 'object' && axis !== null && 'axis' in axis
      ? (axis.axis ?? null)
      : plainAxes(axis)
  const shifts = listOfNumbers('np.roll', 'the shift', shift)
  if (along === null) {
    const flat = reshape(a, [a.size])
    return reshape(
      rollOne(
        flat,
        shifts.reduce((p, q) => p + q, 0),
        0,
      ),
      a.shape,
    )
  }
  const axes = listOfNumbers('np.roll', 'the axis', along).map((d) =>
    normalizeAxis('np.roll', d, a.ndim),
  )
  const count = Math.max(shifts.length, axes.length)
  if (shifts.length !== count && shifts.length !== 1) throw unpaired(shifts, axes)
  if (axes.length !== count && axes.length !== 1) throw unpaired(shifts, axes)
  return range(count).reduce(
    (rolled, i) => rollOne(rolled, shifts[i] ?? shifts[0]!, axes[i] ?? axes[0]!),
    a,
  )
}

const plainAxes = (axis: Axes | { readonly axis?: Axes }): Axes =>
  typeof axis === 'number' || axis === null || isAxisList(axis) ? axis : null

const isAxisList = (
  axis: readonly number[] | { readonly axis?: Axes },
): axis is readonly number[] => Array.isArray(axis)

const unpaired = (shifts: readonly number[], axes: readonly number[]): ShapeError =>
  new ShapeError({
    operation: 'np.roll',
    problem: 'every axis needs one shift',
    got: `shifts [${shifts.join(',')}] for axes [${axes.join(',')}]`,
    fix: 'give one shift for each axis, or one for all',
  })

const rollOne = (x: Tensor, shift: number, axis: number): Tensor => {
  const extent = x.shape[axis]!
  const by = extent === 0 ? 0 : ((shift % extent) + extent) % extent
  if (by === 0) return x
  return concatenate(
    [sliceAxis(x, axis, extent - by, extent), sliceAxis(x, axis, 0, extent - by)],
    axis,
  )
}

/**
 * Each element several times in a row: as often for all, or a number each along an axis (the
 * flattened tensor by default). @throws ShapeError where the numbers do not fit the axis.
 * @example
 * np.repeat([1, 2], 2).toArray() // [1, 1, 2, 2]
 */
export const repeat = (
  x: TensorLike,
  repeats: number | readonly number[] | Tensor,
  axis:
    | number
    | null
    | { readonly axis?: number | null; readonly totalRepeatLength?: number } = null,
): Tensor => {
  const options = typeof axis === 'object' && axis !== null ? axis : { axis }
  const given = promoteOne('np.repeat', x)
  const isFlat = options.axis === undefined || options.axis === null
  const a = isFlat ? reshape(given, [given.size]) : given
  const along = normalizeAxis('np.repeat', options.axis ?? 0, a.ndim)
  if (typeof repeats === 'number') return repeatAll(a, repeats, along)
  const counts = countsOf(repeats, a.shape[along]!, a)
  const positions = counts.flatMap((n, i) => new Array<number>(n).fill(i))
  const index = tensor(Int32Array.from(fitted(positions, options.totalRepeatLength)))
  return at(a, [...range(along).map(() => ':'), index])
}

const fitted = (positions: readonly number[], length: number | undefined): readonly number[] => {
  if (length === undefined || length === positions.length) return positions
  return range(length).map((i) => positions[i] ?? positions.at(-1) ?? 0)
}

const repeatAll = (x: Tensor, n: number, axis: number): Tensor => {
  const { shape } = x
  const spread = [...shape.slice(0, axis + 1), n, ...shape.slice(axis + 1)]
  const axes = range(x.ndim).map((d) => (d > axis ? d + 1 : d))
  const wide = broadcastInDim(x, spread, axes)
  return reshape(
    wide,
    shape.map((extent, d) => (d === axis ? extent * n : extent)),
  )
}

const isMany = (repeats: unknown): repeats is readonly number[] | Tensor =>
  Symbol.iterator in Object(repeats)

const countsOf = (
  repeats: readonly number[] | Tensor,
  extent: number,
  x: Tensor,
): readonly number[] => {
  const list = isMany(repeats)
    ? [...tensorNumbers(repeats)]
    : [...listOfNumbers('np.repeat', 'the number of repeats', repeats)]
  const counts = list.length === 1 ? range(extent).map((): number => list[0]!) : list
  if (counts.length === extent && counts.every((n) => Number.isInteger(n) && n >= 0)) return counts
  throw new ShapeError({
    operation: 'np.repeat',
    problem: 'there must be one count for each position',
    got: `${list.length} counts for ${showAval(x.aval)}`,
    want: `${extent} integers from 0`,
    fix: 'give one count for each position, or one number for all',
  })
}

const tensorNumbers = (x: readonly number[] | Tensor): ArrayLike<number> & Iterable<number> =>
  'concrete' in x ? x.concrete('np.repeat').ndarray().data : x

/** The whole tensor several times along each axis; leading axes are added as needed. */
export const tile = (x: TensorLike, reps: number | readonly number[]): Tensor => {
  const a = promoteOne('np.tile', x)
  const list = listOfNumbers('np.tile', 'the number of repetitions', reps)
  const rank = Math.max(a.ndim, list.length)
  const counts = [...new Array<number>(rank - list.length).fill(1), ...list]
  const shape = [...new Array<number>(rank - a.ndim).fill(1), ...a.shape]
  const spread = shape.flatMap((extent, d) => [counts[d]!, extent])
  const wide = broadcastInDim(
    reshape(a, shape),
    spread,
    range(rank).map((d) => 2 * d + 1),
  )
  return reshape(
    wide,
    shape.map((extent, d) => extent * counts[d]!),
  )
}

/** The flattened elements, repeated as often as needed, under another shape. */
export const resize = (x: TensorLike, newShape: Shape | number): Tensor => {
  const a = promoteOne('np.resize', x)
  const shape = listOfNumbers('np.resize', 'the shape', newShape)
  const size = sizeOf(shape)
  if (a.size === 0) return fill(shape, 0, a.dtype)
  const copies = tile(reshape(a, [a.size]), Math.ceil(size / a.size))
  return reshape(sliceAxis(copies, 0, 0, size), shape)
}

type Compare = (x: Tensor, y: Tensor) => Tensor

const triangle = (operation: string, x: TensorLike, k: number, keep: Compare): Tensor => {
  const a = promoteOne(operation, x)
  if (a.ndim < 2) {
    throw new ShapeError({
      operation,
      problem: 'a triangle needs a matrix',
      got: showAval(a.aval),
      fix: 'give a tensor with at least two axes',
    })
  }
  return compare.select(onDiagonal(a.shape, k, keep), a, constantLike(a, 0))
}

/** Zeros above the `k`th diagonal of the last two axes. */
export const tril = (x: TensorLike, k: number | { readonly k?: number } = 0): Tensor =>
  triangle('np.tril', x, typeof k === 'number' ? k : (k.k ?? 0), compare.le)
/** Zeros below the `k`th diagonal of the last two axes. */
export const triu = (x: TensorLike, k: number | { readonly k?: number } = 0): Tensor =>
  triangle('np.triu', x, typeof k === 'number' ? k : (k.k ?? 0), compare.ge)

export interface DiagonalOptions {
  /** Above the main diagonal if positive. */
  readonly offset?: number
  /** The rows and columns; the first two axes by default. */
  readonly axis1?: number
  readonly axis2?: number
}

/** A diagonal, as the last axis of the result. */
export const diagonal = (x: TensorLike, options: DiagonalOptions | number = {}): Tensor => {
  const {
    offset = 0,
    axis1 = 0,
    axis2 = 1,
  }: DiagonalOptions = typeof options === 'number' ? { offset: options } : options
  const a = promoteOne('np.diagonal', x)
  if (a.ndim < 2) {
    throw new ShapeError({
      operation: 'np.diagonal',
      problem: 'a diagonal needs a matrix',
      got: showAval(a.aval),
      fix: 'give a tensor with at least two axes; np.diag makes a matrix of a vector',
    })
  }
  const m = moveaxis(a, [axis1, axis2], [-2, -1])
  const [rows, columns] = [m.shape[m.ndim - 2]!, m.shape[m.ndim - 1]!]
  const count = Math.max(0, Math.min(rows + Math.min(offset, 0), columns - Math.max(offset, 0)))
  const from = [Math.max(0, -offset), Math.max(0, offset)] as const
  const index = (start: number): Tensor => tensor(Int32Array.from(range(count), (i) => i + start))
  return at(m, ['...', index(from[0]), index(from[1])])
}

/** The sum of a diagonal. */
export const trace = (
  x: TensorLike,
  options: DiagonalOptions & { readonly dtype?: DType } = {},
): Tensor => {
  const line = diagonal(x, options)
  const typed = cast(line, options.dtype ?? (line.dtype === 'bool' ? 'int32' : line.dtype))
  return reduceSum(typed, [typed.ndim - 1])
}

/** A vector on the `k`th diagonal of a square matrix; of a matrix, its `k`th diagonal. */
export const diag = (x: TensorLike, k: number | { readonly k?: number } = 0): Tensor => {
  const a = promoteOne('np.diag', x)
  const offset = typeof k === 'number' ? k : (k.k ?? 0)
  if (a.ndim === 2) return diagonal(a, { offset })
  if (a.ndim !== 1) {
    throw new ShapeError({
      operation: 'np.diag',
      problem: 'it takes a vector or a matrix',
      got: showAval(a.aval),
      fix: 'use np.diagonal for more axes',
    })
  }
  const n = a.size + Math.abs(offset)
  const [low, high] = [Math.max(0, offset), Math.max(0, -offset)]
  const row = pad(a, fill([], 0, a.dtype, a.aval.weak), [[low, high, 0]])
  const spread = broadcastTo(row, [n, n])
  return compare.select(onDiagonal([n, n], offset, compare.eq), spread, constantLike(spread, 0))
}

/** The flattened elements on the `k`th diagonal. */
export const diagflat = (x: TensorLike, k = 0): Tensor => {
  const a = promoteOne('np.diagflat', x)
  return diag(reshape(a, [a.size]), k)
}

/** Row and column positions of a diagonal of an `n`-matrix. */
export const diagIndices = (n: number, ndim = 2): readonly Tensor[] => {
  const length = requireNumber('np.diagIndices', 'the extent', n)
  const rank = requireNumber('np.diagIndices', 'the number of axes', ndim)
  return range(rank).map(() => tensor(Int32Array.from(range(length))))
}

const triangleIndices = (
  operation: string,
  [n, m]: readonly [rows: number, columns: number],
  k: number,
  keep: (column: number, diagonal: number) => boolean,
): readonly [Tensor, Tensor] => {
  for (const extent of [n, m]) requireNumber(operation, 'the extent', extent)
  requireNumber(operation, 'the diagonal', k)
  const pairs = range(n).flatMap((i) =>
    range(m)
      .filter((j) => keep(j, i + k))
      .map((j) => [i, j] as const),
  )
  return [tensor(Int32Array.from(pairs, ([i]) => i)), tensor(Int32Array.from(pairs, ([, j]) => j))]
}

/** Rows and columns at and below the `k`th diagonal of an `n`×`m` matrix. */
export const trilIndices = (n: number, k = 0, m: number | null = null): readonly [Tensor, Tensor] =>
  triangleIndices('np.trilIndices', [n, m ?? n], k, (column, diagonal) => column <= diagonal)
/** Rows and columns at and above the `k`th diagonal of an `n`×`m` matrix. */
export const triuIndices = (n: number, k = 0, m: number | null = null): readonly [Tensor, Tensor] =>
  triangleIndices('np.triuIndices', [n, m ?? n], k, (column, diagonal) => column >= diagonal)

/**
 * Powers of a vector as columns, the highest first (`increasing`: last).
 * @example
 * np.vander([2, 3], 3).toArray() // [[4, 2, 1], [9, 3, 1]]
 */
export const vander = (
  x: TensorLike,
  N?: number | null | { readonly N?: number | null; readonly increasing?: boolean },
  increasing = false,
): Tensor => {
  const a = promoteOne('np.vander', x, { numeric: true })
  const options = typeof N === 'object' && N !== null ? N : { N: N ?? null, increasing }
  const count = options.N ?? a.size
  const powers = range(count).map((i) => a.pow(i).expandDims(-1))
  const ordered = options.increasing === true ? powers : powers.reverse()
  return count === 0 ? fill([a.size, 0], 0, a.dtype) : concatenate(ordered, -1)
}

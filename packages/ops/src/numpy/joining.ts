/** Putting tensors together and taking them apart along an axis. */
import {
  ShapeError,
  type Tensor,
  type TensorLike,
  listOfNumbers,
  normalizeAxis,
  range,
  replaced,
  sameShape,
  showAval,
  showShape,
} from '@cotangent/core'
import { concatenate as joinSame } from '../prims/structural.ts'
import { cast, promoteDTypes, promoteOne, requireList } from '../promote.ts'
import { sliceAxis } from './sliceAxis.ts'
import { atleast1d, atleast2d, atleast3d, expandDims, ravel } from './shape.ts'
import type { DType } from '@cotangent/core'

/** An axis, or options that name it. */
export type JoinOptions = number | null | { readonly axis?: number | null; readonly dtype?: DType }

const joinAxis = (options: JoinOptions | undefined, fallback: number): number | null => {
  if (options === undefined) return fallback
  if (options === null || typeof options === 'number') return options
  return options.axis === undefined ? fallback : options.axis
}

const joinDType = (options: JoinOptions | undefined): DType | undefined =>
  typeof options === 'object' && options !== null ? options.dtype : undefined

const requireSome = (operation: string, xs: readonly TensorLike[]): void => {
  if (xs.length > 0) return
  throw new ShapeError({
    operation,
    problem: 'there is nothing to join',
    want: 'at least one tensor',
    fix: 'give at least one tensor',
  })
}

/**
 * Joins tensors along an existing axis (0 by default; `null`: all flattened). Dtypes are promoted.
 * @throws ShapeError where other extents differ, or for an empty list.
 * @example
 * np.concatenate([[1, 2], [3]]).toArray() // [1, 2, 3]
 */
export const concatenate = (xs: readonly TensorLike[], options?: JoinOptions): Tensor => {
  requireList('np.concatenate', xs)
  requireSome('np.concatenate', xs)
  const axis = joinAxis(options, 0)
  const promoted = promoteDTypes('np.concatenate', xs)
  const tensors = axis === null ? promoted.map((x) => ravel(x)) : promoted
  const first = tensors[0]!
  const at = normalizeAxis('np.concatenate', axis ?? 0, first.ndim)
  for (const x of tensors) {
    if (x.ndim === first.ndim && sameShape(replaced(x.shape, at, 0), replaced(first.shape, at, 0)))
      continue
    throw new ShapeError({
      operation: 'np.concatenate',
      problem: `the shapes differ beyond axis ${at}`,
      got: tensors.map((t) => showAval(t.aval)).join(', '),
      want: 'one rank, and equal extents on every other axis',
      fix: 'reshape or pad them to equal extents, or join them along another axis',
    })
  }
  const joined = tensors.length === 1 ? first : joinSame(tensors, at)
  return cast(joined, joinDType(options) ?? joined.dtype)
}
export const concat: (xs: readonly TensorLike[], options?: JoinOptions) => Tensor = concatenate

/**
 * Joins tensors of one shape along a new axis (0 by default).
 * @example
 * np.stack([[1, 2], [3, 4]], 1).toArray() // [[1, 3], [2, 4]]
 */
export const stack = (xs: readonly TensorLike[], options?: JoinOptions): Tensor => {
  requireSome('np.stack', xs)
  const tensors = promoteDTypes('np.stack', xs)
  const { shape, ndim } = tensors[0]!
  if (tensors.some((x) => !sameShape(x.shape, shape))) {
    throw new ShapeError({
      operation: 'np.stack',
      problem: 'the shapes differ',
      got: tensors.map((x) => showShape(x.shape)).join(', '),
      fix: 'pad or broadcast them to one shape first',
    })
  }
  const axis = normalizeAxis('np.stack', joinAxis(options, 0) ?? 0, ndim + 1)
  const dtype = joinDType(options)
  const options2 = dtype === undefined ? { axis } : { axis, dtype }
  return concatenate(
    tensors.map((x) => expandDims(x, axis)),
    options2,
  )
}

/** Joins along the second axis, vectors along their only one. */
export const hstack = (xs: readonly TensorLike[]): Tensor => {
  requireSome('np.hstack', xs)
  const tensors = promoteDTypes('np.hstack', xs).map(atleast1d)
  return concatenate(tensors, tensors[0]!.ndim === 1 ? 0 : 1)
}
/** Joins along the first axis, vectors as rows. */
export const vstack = (xs: readonly TensorLike[]): Tensor => {
  requireSome('np.vstack', xs)
  return concatenate(promoteDTypes('np.vstack', xs).map(atleast2d), 0)
}
/** Joins along the third axis. */
export const dstack = (xs: readonly TensorLike[]): Tensor => {
  requireSome('np.dstack', xs)
  return concatenate(promoteDTypes('np.dstack', xs).map(atleast3d), 2)
}
/** Joins along the second axis, vectors as columns. */
export const columnStack = (xs: readonly TensorLike[]): Tensor => {
  requireSome('np.columnStack', xs)
  const columns = promoteDTypes('np.columnStack', xs).map((x) =>
    x.ndim < 2 ? expandDims(atleast1d(x), 1) : x,
  )
  return concatenate(columns, 1)
}

/** `values` after `x` along an axis; both flattened by default. */
export const append = (x: TensorLike, values: TensorLike, axis: number | null = null): Tensor =>
  concatenate([x, values], axis)

/** Nested lists of blocks. */
export type Blocks = TensorLike | readonly Blocks[]

/**
 * Assembles nested lists of blocks: the innermost along the last axis, the next along the one
 * before it, and so on.
 * @example
 * np.block([[a, b], [c, d]])
 */
export const block = (blocks: readonly Blocks[]): Tensor => joinBlocks(blocks, depthOf(blocks), 0)

const isBlockList = (blocks: Blocks): blocks is readonly Blocks[] =>
  Array.isArray(blocks) && blocks.some((b) => typeof b === 'object' && b !== null)

const depthOf = (blocks: Blocks): number => (isBlockList(blocks) ? 1 + depthOf(blocks[0]!) : 0)

const joinBlocks = (blocks: Blocks, depth: number, level: number): Tensor => {
  if (!isBlockList(blocks)) return ensureRank(promoteOne('np.block', blocks), depth)
  const parts = blocks.map((b) => joinBlocks(b, depth, level + 1))
  return concatenate(parts, level - depth)
}

const ensureRank = (x: Tensor, rank: number): Tensor =>
  x.ndim >= rank ? x : x.reshape([...new Array<number>(rank - x.ndim).fill(1), ...x.shape])

/**
 * Parts along an axis: a number of equal ones, or between the given positions.
 * @throws ShapeError where the parts would not be equal, or a position lies outside.
 * @example
 * np.split(np.arange(6), 3).map((x) => x.toArray()) // [[0, 1], [2, 3], [4, 5]]
 */
export const split = (
  x: TensorLike,
  sections: number | readonly number[],
  axis: number | { readonly axis?: number } = 0,
): readonly Tensor[] => {
  const a = promoteOne('np.split', x)
  const at = normalizeAxis('np.split', typeof axis === 'number' ? axis : (axis.axis ?? 0), a.ndim)
  const extent = a.shape[at]!
  if (typeof sections === 'number' && extent % sections !== 0) {
    throw new ShapeError({
      operation: 'np.split',
      problem: `axis ${at} has no ${sections} equal parts`,
      got: showAval(a.aval),
      fix: 'use np.arraySplit for parts that differ by one',
    })
  }
  return between(a, at, cutsOf('np.split', sections, extent))
}

/** As `split`, but the first parts may be longer by one. */
export const arraySplit = (
  x: TensorLike,
  sections: number | readonly number[],
  axis: number | { readonly axis?: number } = 0,
): readonly Tensor[] => {
  const a = promoteOne('np.arraySplit', x)
  const at = normalizeAxis(
    'np.arraySplit',
    typeof axis === 'number' ? axis : (axis.axis ?? 0),
    a.ndim,
  )
  return between(a, at, cutsOf('np.arraySplit', sections, a.shape[at]!))
}

const cutsOf = (
  operation: string,
  sections: number | readonly number[],
  extent: number,
): readonly number[] =>
  typeof sections === 'number'
    ? evenCuts(extent, sections)
    : listOfNumbers(operation, 'the number of parts', sections)

// The cuts between n parts, of which the first `extent % n` are longer by one.
const evenCuts = (extent: number, n: number): readonly number[] => {
  const small = Math.floor(extent / n)
  return range(n - 1).map((i) => (i + 1) * small + Math.min(i + 1, extent % n))
}

const between = (x: Tensor, axis: number, cuts: readonly number[]): readonly Tensor[] => {
  const extent = x.shape[axis]!
  const resolved = cuts.map((cut) => (cut < 0 ? cut + extent : cut))
  const bounds = [0, ...resolved, extent]
  return range(bounds.length - 1).map((i) => {
    const [start, stop] = [bounds[i]!, bounds[i + 1]!]
    if (start < 0 || stop > extent || start > stop) {
      throw new ShapeError({
        operation: 'np.split',
        problem: 'the positions do not cut the axis in order',
        got: `[${cuts.join(',')}] along axis ${axis} of ${showAval(x.aval)}`,
        want: `increasing positions from 0 to ${extent}`,
        fix: 'sort the positions, and keep them within the axis',
      })
    }
    return sliceAxis(x, axis, start, stop)
  })
}

/** `split` along the second axis (the first of vectors). */
export const hsplit = (x: TensorLike, sections: number | readonly number[]): readonly Tensor[] =>
  split(x, sections, promoteOne('np.hsplit', x).ndim === 1 ? 0 : 1)
/** `split` along the first axis. */
export const vsplit = (x: TensorLike, sections: number | readonly number[]): readonly Tensor[] =>
  split(x, sections, 0)
/** `split` along the third axis. */
export const dsplit = (x: TensorLike, sections: number | readonly number[]): readonly Tensor[] =>
  split(x, sections, 2)
/** The slices along an axis, without it. */
export const unstack = (x: TensorLike, axis = 0): readonly Tensor[] => {
  const a = promoteOne('np.unstack', x)
  const at = normalizeAxis('np.unstack', axis, a.ndim)
  return range(a.shape[at]!).map((i) => sliceAxis(a, at, i, i + 1).squeeze(at))
}

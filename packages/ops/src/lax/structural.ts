/** `lax`: shapes, slices, sorting, reductions, under their JAX names and argument orders. */
import {
  type DType,
  type Shape,
  ShapeError,
  type Tensor,
  type TensorLike,
  broadcastInDim as spreadTo,
  listOfNumbers as numbers,
  normalizeAxis,
  range,
  reduceSum as sumOver,
  requireDTypeName,
  requireInteger,
  reshape as reshapeTo,
  showAval,
  transpose as permute,
} from '@cotangent/core'
import * as numpyShape from '../numpy/shape.ts'
import { argmax as argmaxOf, argmin as argminOf } from '../prims/argExtremum.ts'
import * as reductions from '../prims/reduce.ts'
import * as running from '../prims/cumulative.ts'
import { type AxisPairs, dotGeneral as contractPairs } from '../prims/contract.ts'
import { sort as sortOperands } from '../prims/sort.ts'
import * as structure from '../prims/structural.ts'
import { cast, promoteDTypes, promoteOne } from '../promote.ts'
import { requireAxisPairs, requirePadding } from './requirements.ts'
import { type Computation, computationFunction, computationName } from './computation.ts'

/** `[[lhs contracting, rhs contracting], [lhs batch, rhs batch]]`. */
export type DotDimensionNumbers = readonly [AxisPairs, AxisPairs]

/**
 * Sums products over paired axes; the result has the batch axes, then the free ones of each.
 * @throws ShapeError where paired extents differ, IndexError for dimension numbers of another form.
 * @example
 * lax.dotGeneral(a, b, [[[2], [1]], [[0], [0]]]) // a batched matrix product
 */
export const dotGeneral = (
  lhs: TensorLike,
  rhs: TensorLike,
  dimensionNumbers: DotDimensionNumbers,
  options: { readonly preferredElementType?: DType } = {},
): Tensor => {
  const [a, b] = promoteDTypes('lax.dotGeneral', [lhs, rhs])
  const dtype = options.preferredElementType ?? a!.dtype
  requireDTypeName('lax.dotGeneral', dtype)
  requireAxisPairs('lax.dotGeneral', dimensionNumbers)
  const [contract, batch] = dimensionNumbers
  return contractPairs(cast(a!, dtype), cast(b!, dtype), { contract, batch })
}

/** The product of vectors and matrices. */
export const dot = (lhs: TensorLike, rhs: TensorLike): Tensor => {
  const [a, b] = promoteDTypes('lax.dot', [lhs, rhs])
  return dotGeneral(a!, b!, [
    [[a!.ndim - 1], [0]],
    [[], []],
  ])
}

/** Matrix products over paired leading axes. */
export const batchMatmul = (lhs: TensorLike, rhs: TensorLike): Tensor => {
  const [a, b] = promoteDTypes('lax.batchMatmul', [lhs, rhs])
  const batch = range(a!.ndim - 2)
  return dotGeneral(a!, b!, [
    [[a!.ndim - 1], [b!.ndim - 2]],
    [batch, batch],
  ])
}

/** The same elements, row-major, under another shape; `dimensions` permutes the axes first. */
export const reshape = (x: TensorLike, newSizes: Shape, dimensions?: readonly number[]): Tensor => {
  const a = promoteOne('lax.reshape', x)
  const sizes = numbers('lax.reshape', 'the shape', newSizes)
  if (dimensions === undefined) return reshapeTo(a, sizes)
  return reshapeTo(permute(a, numbers('lax.reshape', 'the permutation', dimensions)), sizes)
}
/** Reorders axes: result axis `d` is input axis `permutation[d]`. */
export const transpose = (x: TensorLike, permutation: readonly number[]): Tensor =>
  permute(promoteOne('lax.transpose', x), numbers('lax.transpose', 'the permutation', permutation))
/** New leading axes. */
export const broadcast = (x: TensorLike, sizes: Shape): Tensor => {
  const a = promoteOne('lax.broadcast', x)
  return numpyShape.broadcastTo(a, [...numbers('lax.broadcast', 'the shape', sizes), ...a.shape])
}
/** Repeats along new axes; `broadcastDimensions[d]` is where axis `d` goes. */
export const broadcastInDim = (
  x: TensorLike,
  shape: Shape,
  broadcastDimensions: readonly number[],
): Tensor =>
  spreadTo(
    promoteOne('lax.broadcastInDim', x),
    numbers('lax.broadcastInDim', 'the shape', shape),
    numbers('lax.broadcastInDim', 'the axes', broadcastDimensions),
  )
/** Reverses the order along axes. */
export const rev = (x: TensorLike, dimensions: readonly number[]): Tensor =>
  numpyShape.flip(x, dimensions)
/** Drops axes of extent 1. */
export const squeeze = (x: TensorLike, dimensions: readonly number[]): Tensor =>
  numpyShape.squeeze(x, dimensions)
/** Inserts axes of extent 1. */
export const expandDims = (x: TensorLike, dimensions: readonly number[]): Tensor =>
  numpyShape.expandDims(x, dimensions)
/** Merges the axes from `start` up to `stop` (the last by default) into one. */
export const collapse = (x: TensorLike, start: number, stop?: number): Tensor => {
  const a = promoteOne('lax.collapse', x)
  const from = start < 0 ? start + a.ndim : start
  const to = stop === undefined ? a.ndim : stop < 0 ? stop + a.ndim : stop
  const merged = a.shape.slice(from, to).reduce((n, extent) => n * extent, 1)
  return reshapeTo(a, [...a.shape.slice(0, from), merged, ...a.shape.slice(to)])
}

/**
 * `0 … size − 1`.
 * @throws DTypeError where the first argument is no dtype, IndexError where the second is no number.
 */
export const iota = (dtype: DType, size: number): Tensor => {
  requireDTypeName('lax.iota', dtype)
  return structure.iota(dtype, [requireInteger('lax.iota', 'the size', size)], 0)
}
/** Positions along one axis, repeated over the others. */
export const broadcastedIota = (dtype: DType, shape: Shape, dimension: number): Tensor => {
  requireDTypeName('lax.broadcastedIota', dtype)
  const sizes = numbers('lax.broadcastedIota', 'the shape', shape)
  return structure.iota(dtype, sizes, normalizeAxis('lax.broadcastedIota', dimension, sizes.length))
}

/** Joins tensors of one dtype along an axis. */
export const concatenate = (xs: readonly TensorLike[], dimension: number): Tensor =>
  structure.concatenate(promoteDTypes('lax.concatenate', xs), dimension)

/** The box from `startIndices` up to `limitIndices`, in steps of `strides`. */
export const slice = (
  x: TensorLike,
  startIndices: Shape,
  limitIndices: Shape,
  strides?: Shape | null,
): Tensor =>
  structure.slice(
    promoteOne('lax.slice', x),
    numbers('lax.slice', 'the start', startIndices),
    numbers('lax.slice', 'the limit', limitIndices),
    strides === undefined || strides === null
      ? undefined
      : numbers('lax.slice', 'the stride', strides),
  )

/** A slice along one axis; negative bounds count from the end. */
export const sliceInDim = (
  x: TensorLike,
  startIndex: number | null,
  limitIndex: number | null,
  stride = 1,
  axis = 0,
): Tensor => {
  const a = promoteOne('lax.sliceInDim', x)
  const at = normalizeAxis('lax.sliceInDim', axis, a.ndim)
  const extent = a.shape[at]!
  const bound = (given: number | null, fallback: number): number => {
    const value = given ?? fallback
    return Math.max(0, Math.min(extent, value < 0 ? value + extent : value))
  }
  const starts = a.shape.map((_, d) => (d === at ? bound(startIndex, 0) : 0))
  const limits = a.shape.map((n, d) => (d === at ? bound(limitIndex, extent) : n))
  return structure.slice(
    a,
    starts,
    limits,
    a.shape.map((_, d) => (d === at ? stride : 1)),
  )
}

/** The slice at a static position, its axis kept or dropped. */
export const indexInDim = (x: TensorLike, index: number, axis = 0, keepdims = true): Tensor => {
  const a = promoteOne('lax.indexInDim', x)
  const at = normalizeAxis('lax.indexInDim', axis, a.ndim)
  const position = normalizeAxis('lax.indexInDim index', index, a.shape[at]!)
  const part = sliceInDim(a, position, position + 1, 1, at)
  return keepdims ? part : numpyShape.squeeze(part, at)
}

/** Adds (or, negative, removes) elements at the ends of each axis, and between elements. */
export const pad = (
  x: TensorLike,
  paddingValue: TensorLike,
  paddingConfig: readonly (readonly [low: number, high: number, interior: number])[],
): Tensor => {
  const a = promoteOne('lax.pad', x)
  requirePadding('lax.pad', paddingConfig, a.ndim)
  return structure.pad(
    a,
    cast(promoteOne('lax.pad', paddingValue), a.dtype, a.aval.weak),
    paddingConfig,
  )
}

export interface SortOptions {
  /** The last by default. */
  readonly dimension?: number
  /** How many leading operands are compared; 1 by default. */
  readonly numKeys?: number
  readonly isStable?: boolean
}

/** Sorts along an axis, stably, NaN last. */
export const sort = (x: TensorLike, options: SortOptions = {}): Tensor => sortAll([x], options)[0]!

/** Sorts several operands by the first `numKeys` of them. */
export const sortAll = (
  xs: readonly TensorLike[],
  options: SortOptions = {},
): readonly Tensor[] => {
  const operands = xs.map((x) => promoteOne('lax.sort', x))
  const axis = normalizeAxis('lax.sort', options.dimension ?? -1, operands[0]?.ndim ?? 0)
  return sortOperands(operands, axis, options.numKeys ?? 1)
}

/** `[sorted keys, values in the same order]`. */
export const sortKeyVal = (
  keys: TensorLike,
  values: TensorLike,
  options: { readonly dimension?: number; readonly isStable?: boolean } = {},
): readonly [Tensor, Tensor] => {
  const [k, v] = sortAll([keys, values], options)
  return [k!, v!]
}

/**
 * The `k` greatest elements along an axis (the last by default), in descending order, and their
 * positions; of equal elements the first come first.
 * @throws ShapeError where the axis is shorter than `k`.
 */
export const topK = (
  x: TensorLike,
  k: number,
  options: { readonly axis?: number } = {},
): readonly [Tensor, Tensor] => {
  const a = promoteOne('lax.topK', x)
  const axis = normalizeAxis('lax.topK', options.axis ?? -1, a.ndim)
  const extent = a.shape[axis]!
  if (!Number.isInteger(k) || k < 0 || k > extent) {
    throw new ShapeError({
      operation: 'lax.topK',
      problem: 'the axis does not have that many elements',
      got: `k = ${k} along axis ${axis} of ${showAval(a.aval)}`,
      fix: 'choose k between 0 and the extent of the axis',
    })
  }
  // Sorted ascending from back to front, so that reversing keeps equal elements in order.
  const positions = structure.reverse(structure.iota('int32', a.shape, axis), [axis])
  const sorted = sortOperands([structure.reverse(a, [axis]), positions], axis, 1, k)
  const [values, indices] = sorted.map((t) => structure.reverse(t, [axis]))
  return [values!, indices!]
}

/** The position of the greatest element along an axis, of the given integer dtype. */
export const argmax = (x: TensorLike, axis: number, dtype: DType = 'int32'): Tensor => {
  const a = promoteOne('lax.argmax', x)
  return cast(argmaxOf(a, normalizeAxis('lax.argmax', axis, a.ndim)), dtype)
}
/** The position of the smallest element along an axis. */
export const argmin = (x: TensorLike, axis: number, dtype: DType = 'int32'): Tensor => {
  const a = promoteOne('lax.argmin', x)
  return cast(argminOf(a, normalizeAxis('lax.argmin', axis, a.ndim)), dtype)
}

export interface RunningOptions {
  /** 0 by default. */
  readonly axis?: number
  /** From the end. */
  readonly reverse?: boolean
}
type Running = (x: TensorLike, options?: RunningOptions | number, reverse?: boolean) => Tensor

const runAlong =
  (name: string, f: (x: Tensor, axis: number, reverse: boolean) => Tensor): Running =>
  (x, options = {}, reverse = false) => {
    const given = typeof options === 'number' ? { axis: options, reverse } : options
    const a = promoteOne(`lax.${name}`, x)
    return f(a, normalizeAxis(`lax.${name}`, given.axis ?? 0, a.ndim), given.reverse ?? false)
  }

/** Sums up to each element. */
export const cumsum: Running = runAlong('cumsum', running.cumsum)
/** Products up to each element. */
export const cumprod: Running = runAlong('cumprod', running.cumprod)
/** The greatest element so far. */
export const cummax: Running = runAlong('cummax', running.cummax)
/** The smallest element so far. */
export const cummin: Running = runAlong('cummin', running.cummin)
/** `log` of the sums of exponentials up to each element, without overflow. */
export const cumlogsumexp: Running = runAlong('cumlogsumexp', running.cumlogsumexp)

/** Sums over axes. */
export const reduceSum = (x: TensorLike, axes: readonly number[]): Tensor =>
  sumOver(promoteOne('lax.reduceSum', x), numbers('lax.reduceSum', 'the axes', axes))
/** The greatest element over axes; equal ones share the derivative. */
export const reduceMax = (x: TensorLike, axes: readonly number[]): Tensor =>
  reductions.reduceMax(promoteOne('lax.reduceMax', x), numbers('lax.reduceMax', 'the axes', axes))
/** The smallest element over axes; equal ones share the derivative. */
export const reduceMin = (x: TensorLike, axes: readonly number[]): Tensor =>
  reductions.reduceMin(promoteOne('lax.reduceMin', x), numbers('lax.reduceMin', 'the axes', axes))
/** The product over axes. */
export const reduceProd = (x: TensorLike, axes: readonly number[]): Tensor =>
  reductions.reduceProd(
    promoteOne('lax.reduceProd', x),
    numbers('lax.reduceProd', 'the axes', axes),
  )
/** Whether all hold over axes; of integers, bitwise. */
export const reduceAnd = (x: TensorLike, axes: readonly number[]): Tensor =>
  reductions.reduceAnd(promoteOne('lax.reduceAnd', x), numbers('lax.reduceAnd', 'the axes', axes))
/** Whether any holds over axes; of integers, bitwise. */
export const reduceOr = (x: TensorLike, axes: readonly number[]): Tensor =>
  reductions.reduceOr(promoteOne('lax.reduceOr', x), numbers('lax.reduceOr', 'the axes', axes))

/**
 * Reduces over axes with an associative computation, starting from `initial`. `lax.add`, `max`,
 * `min` and `mul` have kernels; another function is applied in a balanced tree.
 */
export const reduce = (
  x: TensorLike,
  initial: TensorLike,
  computation: Computation,
  dimensions: readonly number[],
): Tensor => {
  const a = promoteOne('lax.reduce', x)
  const axes = numbers('lax.reduce', 'the axes', dimensions).map((d) =>
    normalizeAxis('lax.reduce', d, a.ndim),
  )
  const combine = computationFunction(computation)
  const start = cast(promoteOne('lax.reduce', initial), a.dtype)
  const total = reduceNamed(computationName(computation), a, axes) ?? reduceTree(a, axes, combine)
  return total === null
    ? numpyShape.broadcastTo(
        start,
        a.shape.filter((_, d) => !axes.includes(d)),
      )
    : combine(numpyShape.broadcastTo(start, total.shape), total)
}

const reduceNamed = (
  name: ReturnType<typeof computationName>,
  x: Tensor,
  axes: readonly number[],
): Tensor | null => {
  const isEmpty = axes.some((d) => x.shape[d] === 0)
  if (name === 'add' && x.dtype !== 'bool') return sumOver(x, axes)
  if (name === 'mul' && x.dtype !== 'bool') return reductions.reduceProd(x, axes)
  if (isEmpty || x.dtype === 'bool') return null
  if (name === 'max') return reductions.reduceMax(x, axes)
  return name === 'min' ? reductions.reduceMin(x, axes) : null
}

const reduceTree = (
  x: Tensor,
  axes: readonly number[],
  combine: (x: Tensor, y: Tensor) => Tensor,
): Tensor | null => {
  let result = x
  for (const axis of [...axes].sort((p, q) => q - p)) {
    if (result.shape[axis] === 0) return null
    while (result.shape[axis]! > 1) result = halve(result, axis, combine)
    result = numpyShape.squeeze(result, axis)
  }
  return result
}

// One level of the tree; an odd last element waits for the next.
const halve = (x: Tensor, axis: number, combine: (x: Tensor, y: Tensor) => Tensor): Tensor => {
  const extent = x.shape[axis]!
  const even = extent - (extent % 2)
  const pairs = combine(sliceInDim(x, 0, even, 2, axis), sliceInDim(x, 1, even, 2, axis))
  if (even === extent) return pairs
  return structure.concatenate([pairs, sliceInDim(x, even, extent, 1, axis)], axis)
}

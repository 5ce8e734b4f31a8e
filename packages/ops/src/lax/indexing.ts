/** `lax`: slices at positions that are tensors. */
import {
  IndexError,
  type Shape,
  ShapeError,
  Tensor,
  type TensorLike,
  add,
  fill,
  listOfNumbers,
  normalizeAxis,
  range,
  reshape,
  showAval,
  showShape,
} from '@cotangent/core'
import * as compare from '../prims/compare.ts'
import { dynamicSlice as sliceAt, dynamicUpdateSlice as updateSliceAt } from '../prims/dynamic.ts'
import { gather as gatherSlices } from '../prims/gather.ts'
import * as scatters from '../prims/scatter.ts'
import { broadcastTensor, cast, constantLike, promoteOne } from '../promote.ts'
import { requireAxesByName } from './requirements.ts'
import { at as readAt } from '../numpy/indexing.ts'

/** Start positions: one a axis, numbers or scalars, or all in one vector. */
export type Starts = readonly (number | Tensor)[] | Tensor

// A negative start counts from the end; clamping is the primitive's.
const resolveStarts = (operation: string, x: Tensor, starts: Starts): readonly Tensor[] => {
  const list =
    starts instanceof Tensor ? range(starts.size).map((i) => readAt(starts, [i])) : (starts ?? [])
  if (list.length !== x.ndim) {
    throw new IndexError({
      operation,
      problem: 'every axis needs one start',
      got: `${list.length} starts for ${showAval(x.aval)}`,
      fix: 'give one start for each axis',
    })
  }
  return list.map((start, d) => fromEnd(operation, start, x.shape[d]!))
}

const fromEnd = (operation: string, start: number | Tensor, extent: number): Tensor => {
  if (typeof start === 'number') return fill([], start < 0 ? start + extent : start, 'int32')
  const position = reshape(cast(promoteOne(operation, start), 'int32'), [])
  const shifted = add(position, constantLike(position, extent))
  return compare.select(compare.lt(position, constantLike(position, 0)), shifted, position)
}

/**
 * The box of `sliceSizes` at positions that may be traced; moved, where necessary, so that it fits.
 * @throws ShapeError where the box is larger than `x`.
 */
export const dynamicSlice = (x: TensorLike, startIndices: Starts, sliceSizes: Shape): Tensor => {
  const a = promoteOne('lax.dynamicSlice', x)
  requireFits('lax.dynamicSlice', a, listOfNumbers('lax.dynamicSlice', 'the shape', sliceSizes))
  return sliceAt(a, resolveStarts('lax.dynamicSlice', a, startIndices), sliceSizes)
}

const requireFits = (operation: string, x: Tensor, sizes: Shape): void => {
  if (sizes.length === x.ndim && sizes.every((n, d) => n <= x.shape[d]!)) return
  throw new ShapeError({
    operation,
    problem: 'the slice is larger than the tensor',
    got: `a slice ${showShape(sizes)} of ${showAval(x.aval)}`,
    fix: 'take at most as much as there is along each axis',
  })
}

/** `x` with the box at traced positions replaced; moved so that it fits. */
export const dynamicUpdateSlice = (
  x: TensorLike,
  update: TensorLike,
  startIndices: Starts,
): Tensor => {
  const a = promoteOne('lax.dynamicUpdateSlice', x)
  const values = cast(promoteOne('lax.dynamicUpdateSlice', update), a.dtype, a.aval.weak)
  requireFits('lax.dynamicUpdateSlice', a, values.shape)
  return updateSliceAt(a, values, resolveStarts('lax.dynamicUpdateSlice', a, startIndices))
}

const along = (x: Tensor, axis: number, start: number | Tensor): readonly (number | Tensor)[] =>
  range(x.ndim).map((d) => (d === axis ? start : 0))

/** `sliceSize` slices along one axis, from a traced position. */
export const dynamicSliceInDim = (
  x: TensorLike,
  startIndex: number | Tensor,
  sliceSize: number,
  axis = 0,
): Tensor => {
  const a = promoteOne('lax.dynamicSliceInDim', x)
  const at = normalizeAxis('lax.dynamicSliceInDim', axis, a.ndim)
  const sizes = a.shape.map((extent, d) => (d === at ? sliceSize : extent))
  return dynamicSlice(a, along(a, at, startIndex), sizes)
}

/** The slice at a traced position, its axis kept or dropped. */
export const dynamicIndexInDim = (
  x: TensorLike,
  index: number | Tensor,
  axis = 0,
  keepdims = true,
): Tensor => {
  const part = dynamicSliceInDim(x, index, 1, axis)
  const at = normalizeAxis('lax.dynamicIndexInDim', axis, part.ndim)
  return keepdims
    ? part
    : reshape(
        part,
        part.shape.filter((_, d) => d !== at),
      )
}

/** `x` with the slices along one axis from a traced position replaced. */
export const dynamicUpdateSliceInDim = (
  x: TensorLike,
  update: TensorLike,
  startIndex: number | Tensor,
  axis: number,
): Tensor => {
  const a = promoteOne('lax.dynamicUpdateSliceInDim', x)
  const at = normalizeAxis('lax.dynamicUpdateSliceInDim', axis, a.ndim)
  return dynamicUpdateSlice(a, update, along(a, at, startIndex))
}

/** `x` with the slice at a traced position replaced; the update may lack the axis. */
export const dynamicUpdateIndexInDim = (
  x: TensorLike,
  update: TensorLike,
  index: number | Tensor,
  axis: number,
): Tensor => {
  const a = promoteOne('lax.dynamicUpdateIndexInDim', x)
  const at = normalizeAxis('lax.dynamicUpdateIndexInDim', axis, a.ndim)
  const values = cast(promoteOne('lax.dynamicUpdateIndexInDim', update), a.dtype)
  const shape = a.shape.map((extent, d) => (d === at ? 1 : extent))
  const whole =
    values.ndim === a.ndim
      ? values
      : reshape(values, values.ndim === a.ndim - 1 ? shape : values.shape)
  return dynamicUpdateSliceInDim(
    a,
    broadcastTensor('lax.dynamicUpdateIndexInDim', whole, shape),
    index,
    at,
  )
}

/** What happens to slices outside; `fill` reads a fill value, `drop` leaves a write out. */
export type GatherScatterMode = 'clip' | 'fill' | 'drop' | 'promiseInBounds'

export interface GatherDimensionNumbers {
  readonly offsetDims: readonly number[]
  readonly collapsedSliceDims: readonly number[]
  readonly startIndexMap: readonly number[]
  readonly operandBatchingDims?: readonly number[]
  readonly startIndicesBatchingDims?: readonly number[]
}

export interface GatherOptions {
  /** `fill` by default. */
  readonly mode?: GatherScatterMode | null
  readonly fillValue?: number
}

/**
 * Slices at the index vectors in the last axis of `startIndices`; XLA's gather.
 * @throws IndexError for dimension numbers that lack a list, ShapeError where they do not fit.
 */
export const gather = (
  x: TensorLike,
  startIndices: TensorLike,
  dimensionNumbers: GatherDimensionNumbers,
  sliceSizes: Shape,
  options: GatherOptions = {},
): Tensor => {
  const { mode, fillValue } = options
  requireAxesByName(
    'lax.gather',
    dimensionNumbers,
    ['offsetDims', 'collapsedSliceDims', 'startIndexMap'],
    ['operandBatchingDims', 'startIndicesBatchingDims'],
  )
  const sizes = listOfNumbers('lax.gather', 'the slice sizes', sliceSizes)
  return gatherSlices(promoteOne('lax.gather', x), indexVectors('lax.gather', startIndices), {
    ...dimensionNumbers,
    sliceSizes: sizes,
    mode: mode === 'clip' ? 'clip' : mode === 'promiseInBounds' ? 'inBounds' : 'fill',
    ...(fillValue === undefined ? {} : { fillValue }),
  })
}

const indexVectors = (operation: string, indices: TensorLike): Tensor => {
  const given = promoteOne(operation, indices)
  return given.aval.weak ? cast(given, given.dtype) : given
}

export interface ScatterDimensionNumbers {
  readonly updateWindowDims: readonly number[]
  readonly insertedWindowDims: readonly number[]
  readonly scatterDimsToOperandDims: readonly number[]
  readonly operandBatchingDims?: readonly number[]
  readonly scatterIndicesBatchingDims?: readonly number[]
}

export interface ScatterOptions {
  /** `drop` by default. */
  readonly mode?: GatherScatterMode | null
  readonly uniqueIndices?: boolean
}

type Scatter = (
  x: TensorLike,
  scatterIndices: TensorLike,
  updates: TensorLike,
  dimensionNumbers: ScatterDimensionNumbers,
  options?: ScatterOptions,
) => Tensor

const scatterWith =
  (name: string, write: typeof scatters.scatter): Scatter =>
  (x, scatterIndices, updates, dimensionNumbers, options = {}) => {
    const operation = `lax.${name}`
    requireAxesByName(
      operation,
      dimensionNumbers,
      ['updateWindowDims', 'insertedWindowDims', 'scatterDimsToOperandDims'],
      ['operandBatchingDims', 'scatterIndicesBatchingDims'],
    )
    const a = promoteOne(operation, x)
    const values = cast(promoteOne(operation, updates), a.dtype, a.aval.weak)
    const { mode, uniqueIndices = false } = options
    return write(a, indexVectors(operation, scatterIndices), values, {
      ...dimensionNumbers,
      mode: mode === 'clip' ? 'clip' : mode === 'promiseInBounds' ? 'inBounds' : 'drop',
      uniqueIndices,
    })
  }

/** `x` with slices replaced; XLA's scatter. */
export const scatter: Scatter = scatterWith('scatter', scatters.scatter)
/** `x` with updates added at slices; equal positions add up. */
export const scatterAdd: Scatter = scatterWith('scatterAdd', scatters.scatterAdd)
/** `x` with slices multiplied by updates. */
export const scatterMul: Scatter = scatterWith('scatterMul', scatters.scatterMul)
/** The smaller of elements and updates. */
export const scatterMin: Scatter = scatterWith('scatterMin', scatters.scatterMin)
/** The larger of elements and updates. */
export const scatterMax: Scatter = scatterWith('scatterMax', scatters.scatterMax)

/** Taking and putting elements by position along an axis. */
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
  tensor,
} from '@cotangent/core'
import * as binary from '../prims/binary.ts'
import * as compare from '../prims/compare.ts'
import { gather } from '../prims/gather.ts'
import { scatter } from '../prims/scatter.ts'
import { broadcastTensor, cast, commonShape, constantLike, promoteOne } from '../promote.ts'
import { at } from './indexing.ts'
import { moduloExtent } from './gatherIndex.ts'
import { truePositions } from './indexParse.ts'
import { concatenate } from './joining.ts'
import { sliceAxis } from './sliceAxis.ts'
import { positionsOf } from './positions.ts'
import { broadcastTo } from './shape.ts'

/** Positions outside: `fill` (the default), `clip` to the nearest, `wrap` around. */
export type TakeMode = 'fill' | 'clip' | 'wrap' | 'drop'

export interface TakeOptions {
  /** The axis; the flattened tensor by default. */
  readonly axis?: number | null
  readonly mode?: TakeMode | null
  /** NaN, the smallest signed or the largest unsigned integer, or true. */
  readonly fillValue?: number
}

// Negative positions count from the end, except under `clip`, where they are the first element.
const resolved = (indices: Tensor, extent: number, mode: TakeMode | null | undefined): Tensor => {
  if (mode === 'clip') return indices
  if (mode === 'wrap') return moduloExtent(indices, extent)
  const isNegative = compare.lt(indices, constantLike(indices, 0))
  return compare.select(isNegative, add(indices, constantLike(indices, extent)), indices)
}

const requireElements = (operation: string, x: Tensor, axis: number, indices: Tensor): void => {
  if (x.shape[axis] !== 0 || indices.size === 0) return
  throw new IndexError({
    operation,
    problem: 'an axis without elements has no position',
    got: `axis ${axis} of ${showAval(x.aval)}`,
    fix: 'take from an axis that has elements',
  })
}

/**
 * The slices of `x` at `indices` along an axis, whose place the axes of `indices` take. Negative
 * positions count from the end; those outside are filled, unlike `x.at`, which clamps.
 * @throws DTypeError for positions that are no integers.
 * @example
 * np.take([10, 20, 30], [2, 0]).toArray() // [30, 10]
 */
export const take = (
  x: TensorLike,
  indices: TensorLike,
  options: TakeOptions | number | null = {},
): Tensor => {
  const given: TakeOptions =
    typeof options === 'object' && options !== null ? options : { axis: options }
  const source = promoteOne('np.take', x)
  const isFlat = given.axis === undefined || given.axis === null
  const a = isFlat ? reshape(source, [source.size]) : source
  const axis = normalizeAxis('np.take', given.axis ?? 0, a.ndim)
  const wanted = positionsOf('np.take', indices)
  requireElements('np.take', a, axis, wanted)
  const places = resolved(wanted, a.shape[axis]!, given.mode)
  if (places.size === 0) {
    return fill(
      [...a.shape.slice(0, axis), ...places.shape, ...a.shape.slice(axis + 1)],
      0,
      a.dtype,
    )
  }
  return gather(a, reshape(places, [...places.shape, 1]), {
    offsetDims: range(a.ndim - 1).map((d) => (d < axis ? d : d + places.ndim)),
    collapsedSliceDims: [axis],
    startIndexMap: [axis],
    sliceSizes: a.shape.map((extent, d) => (d === axis ? 1 : extent)),
    mode: given.mode === 'clip' || given.mode === 'wrap' ? 'clip' : 'fill',
    ...(given.fillValue === undefined ? {} : { fillValue: given.fillValue }),
  })
}

interface Aligned {
  readonly x: Tensor
  readonly indices: Tensor
  readonly axis: number
  readonly others: readonly number[]
}

// Broadcasts all axes but one, so that every line of `x` meets its line of positions.
const align = (operation: string, x: Tensor, indices: Tensor, axis: number): Aligned => {
  if (x.ndim !== indices.ndim) {
    throw new ShapeError({
      operation,
      problem: 'the positions need as many axes as the tensor',
      got: `${showAval(indices.aval)} for ${showAval(x.aval)}`,
      fix: 'reshape the positions so that they broadcast against the tensor',
    })
  }
  const put = (shape: Shape, extent: number): Shape =>
    shape.map((n, d) => (d === axis ? extent : n))
  const common = commonShape(operation, [put(x.shape, 1), put(indices.shape, 1)])
  return {
    x: broadcastTensor(operation, x, put(common, x.shape[axis]!)),
    indices: broadcastTensor(operation, indices, put(common, indices.shape[axis]!)),
    axis,
    others: range(x.ndim).filter((d) => d !== axis),
  }
}

const alongAxis = (
  operation: string,
  x: TensorLike,
  indices: TensorLike,
  axis: number | null,
): Aligned => {
  const source = promoteOne(operation, x)
  const places = positionsOf(operation, indices)
  if (axis !== null)
    return align(operation, source, places, normalizeAxis(operation, axis, source.ndim))
  return align(operation, reshape(source, [source.size]), reshape(places, [places.size]), 0)
}

/**
 * For every line along an axis, its elements at that line's positions; what undoes `argsort`.
 * Positions outside are filled as by `take`.
 * @throws ShapeError where the other axes do not broadcast.
 * @example
 * np.takeAlongAxis(x, np.argsort(x, { axis: 1 }), { axis: 1 }) // np.sort(x, { axis: 1 })
 */
export const takeAlongAxis = (
  x: TensorLike,
  indices: TensorLike,
  options: TakeOptions | number | null = {},
): Tensor => {
  const given: TakeOptions =
    typeof options === 'object' && options !== null ? options : { axis: options }
  const axisGiven = given.axis === undefined ? -1 : given.axis
  const { x: a, indices: i, axis, others } = alongAxis('np.takeAlongAxis', x, indices, axisGiven)
  requireElements('np.takeAlongAxis', a, axis, i)
  if (i.size === 0) return fill(i.shape, 0, a.dtype)
  const places = resolved(i, a.shape[axis]!, given.mode)
  return gather(a, reshape(places, [...places.shape, 1]), {
    offsetDims: [],
    collapsedSliceDims: [axis],
    startIndexMap: [axis],
    operandBatchingDims: others,
    startIndicesBatchingDims: others,
    sliceSizes: a.shape.map(() => 1),
    mode: given.mode === 'clip' || given.mode === 'wrap' ? 'clip' : 'fill',
    ...(given.fillValue === undefined ? {} : { fillValue: given.fillValue }),
  })
}

/** A copy of `x` with `values`, broadcast to the positions, put in along an axis. */
export const putAlongAxis = (
  x: TensorLike,
  indices: TensorLike,
  values: TensorLike,
  options: { readonly axis?: number | null } | number | null = {},
): Tensor => {
  const given = typeof options === 'object' && options !== null ? options : { axis: options }
  const axisGiven = given.axis === undefined ? -1 : given.axis
  const { x: a, indices: i, axis, others } = alongAxis('np.putAlongAxis', x, indices, axisGiven)
  const places = resolved(i, a.shape[axis]!, null)
  const updates = broadcastTo(cast(promoteOne('np.putAlongAxis', values), a.dtype), i.shape)
  const written = scatter(a, reshape(places, [...places.shape, 1]), updates, {
    updateWindowDims: [],
    insertedWindowDims: [axis],
    scatterDimsToOperandDims: [axis],
    operandBatchingDims: others,
    scatterIndicesBatchingDims: others,
  })
  return axisGiven === null ? reshape(written, promoteOne('np.putAlongAxis', x).shape) : written
}

/** A copy of the flattened `x`, reshaped back, with `values` (repeated) at positions. */
export const put = (x: TensorLike, indices: TensorLike, values: TensorLike): Tensor => {
  const a = promoteOne('np.put', x)
  const wanted = positionsOf('np.put', indices)
  const places = reshape(wanted, [wanted.size])
  const source = cast(promoteOne('np.put', values).ravel(), a.dtype)
  const repeated = at(source, [
    moduloExtent(tensor(Int32Array.from(range(places.size))), source.size),
  ])
  return reshape(reshape(a, [a.size]).set([places], repeated), a.shape)
}

/**
 * The slices along an axis (the flattened tensor by default) where a known condition holds.
 * @throws TracerError for a traced condition.
 */
export const compress = (
  condition: TensorLike,
  x: TensorLike,
  options: {
    readonly axis?: number | null
    readonly size?: number
    readonly fillValue?: number
  } = {},
): Tensor => {
  const mask = promoteOne('np.compress', condition).astype('bool')
  const places = truePositions(mask)[0]!
  if (options.size === undefined) return take(x, places, { axis: options.axis ?? null })
  const list = [...places.data()].slice(0, options.size)
  const padded = range(options.size).map((i) => list[i] ?? -1)
  const source = promoteOne('np.compress', x)
  const outside =
    options.axis === undefined || options.axis === null ? source.size : source.shape[options.axis]!
  const index = Int32Array.from(padded, (i) => (i < 0 ? outside : i))
  return take(source, tensor(index), {
    axis: options.axis ?? null,
    fillValue: options.fillValue ?? 0,
  })
}

/** The elements where a known condition holds; `size` fixes their number. */
export const extract = (
  condition: TensorLike,
  x: TensorLike,
  options: { readonly size?: number; readonly fillValue?: number } = {},
): Tensor =>
  compress(
    promoteOne('np.extract', condition).ravel(),
    promoteOne('np.extract', x).ravel(),
    options,
  )

/** Flat positions of coordinates. @throws IndexError where the counts differ. */
export const ravelMultiIndex = (
  indices: readonly TensorLike[],
  dims: Shape,
  options: { readonly mode?: 'clip' | 'wrap' | 'raise' } = {},
): Tensor => {
  const extents = listOfNumbers('np.ravelMultiIndex', 'the shape', dims)
  if (indices.length !== extents.length) {
    throw new IndexError({
      operation: 'np.ravelMultiIndex',
      problem: 'every axis needs its positions',
      got: `${indices.length} for ${extents.length} axes`,
      fix: 'give one array of positions for each axis',
    })
  }
  const columns = indices.map((i, d) =>
    inExtent(positionsOf('np.ravelMultiIndex', i), extents[d]!, options.mode),
  )
  return columns
    .slice(1)
    .reduce(
      (flat, column, d) => flat.mul(extents[d + 1]!).add(column),
      columns[0] ?? tensor(0, { dtype: 'int32' }),
    )
}

const inExtent = (
  indices: Tensor,
  extent: number,
  mode: 'clip' | 'wrap' | 'raise' | undefined,
): Tensor => {
  if (mode === 'wrap') return moduloExtent(indices, extent)
  if (mode === 'clip') return indices.clip(0, extent - 1)
  for (const i of indices.concrete('np.ravelMultiIndex').data()) {
    if (i >= 0 && i < extent) continue
    throw new IndexError({
      operation: 'np.ravelMultiIndex',
      problem: 'a position lies outside',
      got: `${i} of ${extent}`,
      fix: 'pass mode: "clip" or "wrap"',
    })
  }
  return indices
}

/** Coordinates of flat positions, one tensor an axis; positions outside are clamped. */
export const unravelIndex = (indices: TensorLike, shape: Shape): readonly Tensor[] => {
  const places = positionsOf('np.unravelIndex', indices)
  const extents = listOfNumbers('np.unravelIndex', 'the shape', shape)
  const size = extents.reduce((n, extent) => n * extent, 1)
  const wrapped = compare.select(
    compare.lt(places, constantLike(places, 0)),
    add(places, constantLike(places, size)),
    places,
  )
  const flat = wrapped.clip(0, size - 1)
  let inner = size
  return extents.map((extent) => {
    inner /= extent
    const quotient = binary.div(flat, constantLike(flat, inner))
    return binary.rem(quotient, constantLike(quotient, extent))
  })
}

/** `x` without the slices at static positions along an axis (the flattened tensor by default). */
const removeAt = (
  x: TensorLike,
  positions: number | readonly number[] | Tensor,
  options: { readonly axis?: number | null } = {},
): Tensor => {
  const { a, axis } = lineOf('np.delete', x, options.axis)
  const extent = a.shape[axis]!
  const gone = new Set(staticPositions('np.delete', positions, extent))
  const kept = range(extent).filter((i) => !gone.has(i))
  return take(a, tensor(Int32Array.from(kept)), { axis, mode: 'clip' })
}
export { removeAt as delete }

/** `x` with values put in before static positions along an axis (the flattened tensor by default). */
export const insert = (
  x: TensorLike,
  positions: number | readonly number[] | Tensor,
  values: TensorLike,
  options: { readonly axis?: number | null } = {},
): Tensor => {
  const { a, axis } = lineOf('np.insert', x, options.axis)
  const extent = a.shape[axis]!
  const places = staticPositions('np.insert', positions, extent + 1, extent)
  const given = cast(promoteOne('np.insert', values), a.dtype)
  const isScalar = typeof positions === 'number'
  const line =
    given.ndim === a.ndim || given.ndim === 0 ? given : reshape(given, lineShape(given, a, axis))
  const count =
    places.length === 1 && line.ndim > 0 ? Math.max(1, line.shape[axis]!) : places.length
  const block = broadcastTo(
    line,
    a.shape.map((n, d) => (d === axis ? count : n)),
  )
  const order = [...range(count)].sort(
    (p, q) => (places[p] ?? places[0]!) - (places[q] ?? places[0]!),
  )
  const parts: Tensor[] = []
  let from = 0
  for (const i of order) {
    const to = places[isScalar || places.length === 1 ? 0 : i]!
    if (to > from) parts.push(sliceAxis(a, axis, from, to))
    parts.push(sliceAxis(block, axis, i, i + 1))
    from = Math.max(from, to)
  }
  parts.push(sliceAxis(a, axis, from, extent))
  return concatenate(parts, axis)
}

const lineShape = (values: Tensor, x: Tensor, axis: number): Shape =>
  values.ndim === 1 ? x.shape.map((_, d) => (d === axis ? values.size : 1)) : [1, ...values.shape]

const lineOf = (
  operation: string,
  x: TensorLike,
  axis: number | null | undefined,
): { readonly a: Tensor; readonly axis: number } => {
  const source = promoteOne(operation, x)
  if (axis === undefined || axis === null) return { a: reshape(source, [source.size]), axis: 0 }
  return { a: source, axis: normalizeAxis(operation, axis, source.ndim) }
}

const staticPositions = (
  operation: string,
  positions: number | readonly number[] | Tensor,
  bound: number,
  extent: number = bound,
): readonly number[] => {
  const list =
    positions instanceof Tensor
      ? [...positions.concrete(operation).data()]
      : listOfNumbers(operation, 'the position', positions)
  return list.map((i) => {
    const place = i < 0 ? i + extent : i
    if (Number.isInteger(place) && place >= 0 && place < bound) return place
    throw new IndexError({
      operation,
      problem: 'a position lies outside',
      got: `${i} of ${extent}`,
      fix: 'give positions within the axis',
    })
  })
}

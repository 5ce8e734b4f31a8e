/** Reading and updating by index: NumPy's basic and advanced rules, JAX's bounds. */
import {
  type IndexPart,
  type Shape,
  ShapeError,
  Tensor,
  type TensorLike,
  add as addSame,
  asTensor,
  fill,
  range,
  reshape,
  sameShape,
  showAval,
  showShape,
  tensor,
  IndexError,
  describeValue,
} from '@cotangent/core'
import * as binary from '../prims/binary.ts'
import * as compare from '../prims/compare.ts'
import { dynamicUpdateSlice } from '../prims/dynamic.ts'
import { gather } from '../prims/gather.ts'
import { scatter, scatterAdd, scatterMax, scatterMin, scatterMul } from '../prims/scatter.ts'
import { pad, reverse, slice } from '../prims/structural.ts'
import { broadcastTensor, cast, constantLike, promoteOne } from '../promote.ts'
import { power } from './arithmetic.ts'
import { joinIndices, moduloExtent } from './gatherIndex.ts'
import { type Component, type Range, parseIndex } from './indexParse.ts'

/** What happens to positions outside: reads clamp and writes drop by default. */
export type IndexMode = 'clip' | 'fill' | 'drop' | 'wrap' | 'promiseInBounds'

export interface ReadOptions {
  readonly mode?: IndexMode | null
  /** What `fill` reads outside; NaN, the smallest signed or the largest unsigned integer, or true. */
  readonly fillValue?: number
  /** Whether −1 is the last element; true by default. */
  readonly wrapNegativeIndices?: boolean
}

export type UpdateKind =
  | 'set'
  | 'add'
  | 'subtract'
  | 'mul'
  | 'multiply'
  | 'divide'
  | 'power'
  | 'min'
  | 'max'

export interface UpdateOptions {
  readonly mode?: IndexMode | null
  readonly wrapNegativeIndices?: boolean
  /** The caller's promise that no element is written twice. */
  readonly uniqueIndices?: boolean
}

// The static part of an index: which box of the operand, and its axes as the user sees them.
interface Box {
  /** One range for each operand axis. */
  readonly ranges: readonly Range[]
  /** The box with new axes in. */
  readonly shape: Shape
  /** Axes of `shape` that index tensors (and, beside them, positions) select from. */
  readonly axes: readonly number[]
  readonly indices: readonly Tensor[]
  /** Axes of `shape` that a position selected and that vanish; empty beside index tensors. */
  readonly dropped: readonly number[]
  /** Whether the selected axes are adjacent, so that the result keeps their place. */
  readonly isAdjacent: boolean
  /** False where a static position lies outside: writes are dropped. */
  readonly isInside: boolean
}

const plan = (shape: Shape, parts: readonly IndexPart[]): Box => {
  const { components, isAdvanced } = parseIndex(shape, parts)
  const ranges: Range[] = []
  const boxShape: number[] = []
  const axes: number[] = []
  const indices: Tensor[] = []
  const dropped: number[] = []
  const slots: number[] = []
  let isInside = true
  components.forEach((component, slot) => {
    const extent = shape[ranges.length] ?? 0
    const place = boxShape.length
    if (component.kind === 'range') {
      ranges.push(component)
      boxShape.push(component.count)
    } else if (component.kind === 'newaxis') {
      boxShape.push(1)
    } else if (component.kind === 'position' && !isAdvanced) {
      const at = component.at < 0 ? component.at + extent : component.at
      isInside &&= at >= 0 && at < extent
      ranges.push({ kind: 'range', start: clamp(at, extent), step: 1, count: 1 })
      boxShape.push(1)
      dropped.push(place)
    } else {
      axes.push(place)
      slots.push(slot)
      indices.push(indexTensor(component))
      if (component.kind !== 'scalarMask') {
        ranges.push({ kind: 'range', start: 0, step: 1, count: extent })
      }
      boxShape.push(component.kind === 'scalarMask' ? 1 : extent)
    }
  })
  const isAdjacent = slots.every((slot, i) => i === 0 || slot === slots[i - 1]! + 1)
  return { ranges, shape: boxShape, axes, indices, dropped, isAdjacent, isInside }
}

const clamp = (position: number, extent: number): number =>
  Math.max(0, Math.min(extent - 1, position))

const indexTensor = (component: Component): Tensor => {
  if (component.kind === 'array') return component.indices
  if (component.kind === 'position') return tensor(component.at, { dtype: 'int32' })
  return tensor(new Int32Array(component.kind === 'scalarMask' && component.keep ? 1 : 0))
}

const isWhole = (x: Tensor, { ranges }: Box): boolean =>
  ranges.every((r, d) => r.start === 0 && r.step === 1 && r.count === x.shape[d])

// The box in operand axes, always increasing along each: `[start, limit, |step|]`.
const bounds = ({ ranges }: Box): { starts: Shape; limits: Shape; steps: Shape } => {
  const last = (r: Range): number => r.start + (r.count - 1) * r.step
  const low = (r: Range): number => (r.count === 0 ? 0 : Math.min(r.start, last(r)))
  return {
    starts: ranges.map(low),
    limits: ranges.map((r) => (r.count === 0 ? 0 : Math.max(r.start, last(r)) + 1)),
    steps: ranges.map((r) => Math.abs(r.step)),
  }
}

const reversedAxes = ({ ranges }: Box): readonly number[] =>
  range(ranges.length).filter((d) => ranges[d]!.step < 0 && ranges[d]!.count > 1)

const turn = (x: Tensor, axes: readonly number[]): Tensor =>
  axes.length === 0 ? x : reverse(x, axes)

const readBox = (x: Tensor, box: Box): Tensor => {
  const { starts, limits, steps } = bounds(box)
  const cut = isWhole(x, box) ? x : slice(x, starts, limits, steps)
  return reshape(turn(cut, reversedAxes(box)), box.shape)
}

// Where the steps are 1 a contiguous block is replaced; otherwise a mask says which elements are.
const writeBox = (x: Tensor, box: Box, values: Tensor): Tensor => {
  const counts = box.ranges.map((r) => r.count)
  const turned = turn(reshape(values, counts), reversedAxes(box))
  if (isWhole(x, box) || counts.includes(0)) return counts.includes(0) ? x : turned
  const { starts, limits, steps } = bounds(box)
  if (steps.every((step, d) => step === 1 || counts[d] === 1)) {
    return dynamicUpdateSlice(
      x,
      turned,
      starts.map((start) => fill([], start, 'int32')),
    )
  }
  const config = x.shape.map((extent, d): readonly [number, number, number] => [
    starts[d]!,
    extent - limits[d]!,
    steps[d]! - 1,
  ])
  const isWritten = pad(fill(counts, 1, 'bool'), fill([], 0, 'bool'), config)
  return compare.select(isWritten, pad(turned, fill([], 0, x.dtype), config), x)
}

// Result axes: the batch axes in place of the first selected axis, or in front of everything.
const resultLayout = (
  box: Box,
  batch: Shape,
): { readonly offsetDims: readonly number[]; readonly sizes: Shape; readonly shape: Shape } => {
  const kept = range(box.shape.length).filter((d) => !box.axes.includes(d))
  const place = box.isAdjacent ? kept.filter((d) => d < box.axes[0]!).length : 0
  const offsetDims = kept.map((_, i) => (i < place ? i : i + batch.length))
  const shape = kept.map((d) => box.shape[d]!)
  shape.splice(place, 0, ...batch)
  return { offsetDims, sizes: box.shape.map((n, d) => (box.axes.includes(d) ? 1 : n)), shape }
}

const withoutDropped = (x: Tensor, { dropped }: Box): Tensor =>
  reshape(
    x,
    x.shape.filter((_, d) => !dropped.includes(d)),
  )

// Positions along the leading axes and nothing else; null for every other index.
const positionsAlone = (x: Tensor, index: readonly IndexPart[]): Tensor | null => {
  const { shape } = x
  const rank = shape.length
  const count = index.length
  if (count > rank || count === 0) return null
  const start = new Array<number>(rank).fill(0)
  const limit = [...shape]
  for (let d = 0; d < count; d++) {
    const position = index[d]
    const extent = shape[d]!
    if (typeof position !== 'number' || !Number.isInteger(position) || extent === 0) return null
    const place = clamp(position < 0 ? position + extent : position, extent)
    start[d] = place
    limit[d] = place + 1
  }
  return reshape(slice(x, start, limit), shape.slice(count))
}

/**
 * Reads by NumPy's rules. Parts: integers (negative from the end), slice text (`'1:8:2'`, `'::-1'`),
 * `null` (a new axis), `'...'`, integer tensors (broadcast together) and known boolean masks.
 * Positions outside are clamped; their derivative is dropped.
 * @throws IndexError for more parts than axes, TracerError for a mask that is traced.
 * @example
 * np.at(x, [0, '::2', null]) // what x.at(0, '::2', null) gives
 */
export const at = (x: Tensor, index: readonly IndexPart[], options: ReadOptions = {}): Tensor => {
  const cell = positionsAlone(x, index)
  if (cell !== null) return cell
  const box = plan(x.shape, index)
  const cut = readBox(x, box)
  if (box.axes.length === 0) return withoutDropped(cut, box)
  const wraps = options.wrapNegativeIndices ?? true
  const indices = { axes: box.axes, indices: wrapped(box, options.mode), wraps }
  const { vectors, batch } = joinIndices(box.shape, indices)
  const { offsetDims, sizes, shape } = resultLayout(box, batch)
  if (shape.includes(0)) return fill(shape, 0, x.dtype, x.aval.weak)
  return gather(cut, vectors, {
    offsetDims,
    collapsedSliceDims: box.axes,
    startIndexMap: box.axes,
    sliceSizes: sizes,
    mode: gatherMode(options.mode),
    ...(options.fillValue === undefined ? {} : { fillValue: options.fillValue }),
  })
}

// By default reads clamp, but nothing is added back to elements that were not asked for.
const gatherMode = (mode: IndexMode | null | undefined): 'fill' | 'clip' | 'inBounds' => {
  if (mode === 'fill' || mode === 'drop') return 'fill'
  return mode === 'clip' ? 'clip' : 'inBounds'
}

// `wrap` takes positions modulo the extent.
const wrapped = (box: Box, mode: IndexMode | null | undefined): readonly Tensor[] => {
  if (mode !== 'wrap') return box.indices
  return box.indices.map((indices, i) => moduloExtent(indices, box.shape[box.axes[i]!]!))
}

const requireIndexList = (kind: UpdateKind, index: unknown): void => {
  if (Array.isArray(index)) return
  const method = kind === 'set' ? 'set' : `${kind}At`
  throw new IndexError({
    operation: `x.${method}`,
    problem: 'the index is not a list of its parts',
    got: index instanceof Tensor ? showAval(index.aval) : describeValue(index),
    want: 'an array, with one entry for each axis that is indexed',
    fix: `put it into one: x.${method}([index], value)`,
  })
}

/**
 * A copy of `x` with the elements at `index` replaced, added to, multiplied, …; `value` broadcasts
 * to what `at` would read, and takes `x`'s dtype. Writes outside are dropped; of repeated positions
 * `set` keeps the last, the others combine all.
 * @throws ShapeError where the value does not broadcast.
 * @example
 * np.updateAt(np.zeros(3), [[0, 0, 2]], 'add', 1).toArray() // [2, 0, 1]
 */
export const updateAt = (
  x: Tensor,
  index: readonly IndexPart[],
  kind: UpdateKind,
  value: TensorLike,
  options: UpdateOptions = {},
): Tensor => {
  requireIndexList(kind, index)
  const mask = wholeMask(x, index)
  if (mask !== null) {
    const spread = asMaskedValue(x, mask, value)
    if (spread !== null) return compare.select(spread.mask, combine(kind, x, spread.value), x)
  }
  const box = plan(x.shape, index)
  if (box.axes.length > 0) return updateAdvanced(x, box, kind, value, options)
  const cut = readBox(x, box)
  const shape = withoutDropped(cut, box).shape
  const spread = reshape(asValue(x, value, shape), cut.shape)
  if (!box.isInside && options.mode !== 'clip') return x
  return writeBox(x, box, kind === 'set' ? spread : combine(kind, cut, spread))
}

const asValue = (x: Tensor, value: TensorLike, shape: Shape): Tensor => {
  const given = cast(promoteOne('set', value), x.dtype, x.aval.weak)
  const squeezed = dropLeadingOnes(given, shape.length)
  const fits = squeezed.ndim <= shape.length
  if (fits) return broadcastTensor('index update', squeezed, shape)
  throw new ShapeError({
    operation: 'index update',
    problem: 'the value does not broadcast to the indexed elements',
    got: `${showAval(given.aval)} for ${showShape(shape)}`,
    fix: 'give a value of the indexed shape, or one that broadcasts to it',
  })
}

const dropLeadingOnes = (x: Tensor, rank: number): Tensor => {
  let drop = 0
  while (x.ndim - drop > rank && x.shape[drop] === 1) drop++
  return drop === 0 ? x : reshape(x, x.shape.slice(drop))
}

// A lone mask over the leading axes: what `where` can do, and so traced masks too.
const wholeMask = (x: Tensor, index: readonly IndexPart[]): Tensor | null => {
  const [first, ...rest] = index
  const isFull = rest.every((part) => part === ':' || part === '...')
  if (!isFull || first === undefined || first === null || typeof first !== 'object') return null
  const mask = first instanceof Tensor ? first : Array.isArray(first) ? asTensor(first) : null
  if (mask === null || mask.dtype !== 'bool') return null
  return mask.ndim > 0 && sameShape(mask.shape, x.shape.slice(0, mask.ndim)) ? mask : null
}

// The value must not have an axis that runs over the selected elements.
const asMaskedValue = (
  x: Tensor,
  mask: Tensor,
  value: TensorLike,
): { readonly mask: Tensor; readonly value: Tensor } | null => {
  const rest = x.shape.slice(mask.ndim)
  const given = dropLeadingOnes(promoteOne('set', value), rest.length)
  if (given.ndim > rest.length) return null
  const spread = reshape(mask, [...mask.shape, ...rest.map(() => 1)])
  return { mask: broadcastTensor('set', spread, x.shape), value: asValue(x, given, x.shape) }
}

const combine = (kind: UpdateKind, x: Tensor, value: Tensor): Tensor => {
  switch (kind) {
    case 'set':
      return value
    case 'add':
      return x.dtype === 'bool' ? binary.or(x, value) : addSame(x, value)
    case 'subtract':
      return binary.sub(x, value)
    case 'mul':
    case 'multiply':
      return x.dtype === 'bool' ? binary.and(x, value) : binary.mul(x, value)
    case 'divide':
      return cast(binary.div(x, value), x.dtype)
    case 'power':
      return cast(power(x, value), x.dtype)
    case 'min':
      return binary.min(x, value)
    case 'max':
      return binary.max(x, value)
    default:
      return kind satisfies never
  }
}

const updateAdvanced = (
  x: Tensor,
  box: Box,
  kind: UpdateKind,
  value: TensorLike,
  options: UpdateOptions,
): Tensor => {
  const wraps = options.wrapNegativeIndices ?? true
  const indices = { axes: box.axes, indices: wrapped(box, options.mode), wraps }
  const { vectors, batch, areUnique } = joinIndices(box.shape, indices)
  const { offsetDims, shape } = resultLayout(box, batch)
  const dimensions = {
    updateWindowDims: offsetDims,
    insertedWindowDims: box.axes,
    scatterDimsToOperandDims: box.axes,
    mode: options.mode === 'clip' ? ('clip' as const) : ('drop' as const),
    uniqueIndices: options.uniqueIndices ?? areUnique,
  }
  const target = readBox(x, box)
  const spread = asValue(x, value, shape)
  const scattered = (): Tensor => {
    switch (kind) {
      case 'set':
        return scatter(target, vectors, spread, dimensions)
      case 'add':
        return scatterAdd(target, vectors, spread, dimensions)
      case 'subtract':
        return scatterAdd(target, vectors, binary.sub(constantLike(spread, 0), spread), dimensions)
      case 'mul':
      case 'multiply':
        return scatterMul(target, vectors, spread, dimensions)
      case 'divide': {
        const divisor = scatterMul(constantLike(target, 1), vectors, spread, dimensions)
        return binary.div(target, divisor)
      }
      case 'power':
        return power(target, scatterMul(constantLike(target, 1), vectors, spread, dimensions))
      case 'min':
        return scatterMin(target, vectors, spread, dimensions)
      case 'max':
        return scatterMax(target, vectors, spread, dimensions)
      default:
        return kind satisfies never
    }
  }
  return spread.size === 0 ? x : writeBox(x, box, scattered())
}

/**
 * Slices at indexed starts, the geometry that gather and scatter share. A gather's result and a
 * scatter's updates have the same axes: batch axes, which run over the index vectors, and window
 * axes, which run over a slice of the operand.
 */
import {
  type Aval,
  DTypeError,
  type Index,
  type NDArray,
  type Scalar,
  type Shape,
  ShapeError,
  gatherOffsets,
  isInteger,
  range,
  scalars,
  showAval,
  showShape,
  stridesOf,
} from '@cotangent/core'

const { affine, binaryOp, both, compareOp, constant, convertTo, dataIndex, literal } = scalars

/**
 * What an index outside the operand does. `clip` moves the slice inside; `fill` (gather) gives the
 * fill value, `drop` (scatter) skips the update; `inBounds` is the caller's promise that there is
 * none: where it is broken a gather clips and a scatter, a gather's transpose too, skips.
 */
export type OutOfBounds = 'clip' | 'fill' | 'drop' | 'inBounds'

/** The axes of operand, indices and slices, XLA's dimension numbers under one name each. */
export interface SliceAxes {
  /** Axes of the result (updates) that run over a slice, increasing. */
  readonly windowAxes: readonly number[]
  /** Operand axes of slice size 1 that no window axis shows. */
  readonly collapsedAxes: readonly number[]
  /** Operand axes that go with `indexBatchAxes` one to one, as under vmap. */
  readonly operandBatchAxes: readonly number[]
  readonly indexBatchAxes: readonly number[]
  /** `startMap[k]` is the operand axis that component `k` of an index vector positions. */
  readonly startMap: readonly number[]
}

const plusOne = (axes: readonly number[]): readonly number[] => axes.map((a) => a + 1)

/** The axes after a batch axis was put in front of operand, indices and result as said. */
export const batchedAxes = (axes: SliceAxes, operand: boolean, indices: boolean): SliceAxes => {
  const here = operand ? plusOne : (a: readonly number[]): readonly number[] => a
  const windowAxes = plusOne(axes.windowAxes)
  const inIndices = indices ? plusOne(axes.indexBatchAxes) : axes.indexBatchAxes
  const both = operand && indices
  return {
    windowAxes: operand && !indices ? [0, ...windowAxes] : windowAxes,
    collapsedAxes: here(axes.collapsedAxes),
    operandBatchAxes: both ? [0, ...here(axes.operandBatchAxes)] : here(axes.operandBatchAxes),
    indexBatchAxes: both ? [0, ...inIndices] : inIndices,
    startMap: here(axes.startMap),
  }
}

/** A resolved slicing: which operand axis each window axis shows, and where batch axes are. */
export interface Slicing extends SliceAxes {
  readonly operandShape: Shape
  readonly sizes: Shape
  /** Operand axes that window axes show, in order. */
  readonly shownAxes: readonly number[]
  /** Result axes that are no window axes, in order: the leading axes of the indices. */
  readonly batchAxes: readonly number[]
  /** The last start at which a slice still fits, an operand axis. */
  readonly lastStarts: readonly number[]
}

export const slicing = (
  operandShape: Shape,
  sizes: Shape,
  rank: number,
  axes: SliceAxes,
): Slicing => ({
  ...axes,
  operandShape,
  sizes,
  shownAxes: range(operandShape.length).filter(
    (d) => !axes.collapsedAxes.includes(d) && !axes.operandBatchAxes.includes(d),
  ),
  batchAxes: range(rank).filter((d) => !axes.windowAxes.includes(d)),
  lastStarts: operandShape.map((extent, d) => extent - sizes[d]!),
})

/** Throws unless indices are integers and the axes fit operand and index vectors. */
export const checkSlicing = (
  operation: string,
  operand: Aval,
  indices: Aval,
  sizes: Shape,
  axes: SliceAxes,
): void => {
  const got = `operand ${showAval(operand)}, indices ${showAval(indices)}, slices ${showShape(sizes)}`
  if (!isInteger(indices.dtype)) {
    throw new DTypeError({
      operation,
      problem: 'indices must be integers',
      got,
      fix: 'convert them with astype("int32")',
    })
  }
  const refuse = (problem: string, want?: string): ShapeError =>
    new ShapeError({
      operation,
      problem,
      got,
      ...(want === undefined ? {} : { want }),
      fix: 'give indices and sizes that fit the operand',
    })
  const rank = operand.shape.length
  const { collapsedAxes, operandBatchAxes, indexBatchAxes, startMap, windowAxes } = axes
  if (indices.shape.length === 0)
    throw refuse('the last axis of the indices must hold the index vectors')
  if (sizes.length !== rank || sizes.some((s, d) => s < 0 || s > operand.shape[d]!)) {
    throw refuse(
      'the slices do not fit the operand',
      `a size from 0 to the extent for each of ${rank} axes`,
    )
  }
  if (indices.shape.at(-1) !== startMap.length) {
    throw refuse(
      'the index vectors have the wrong length',
      `${startMap.length} components in the last axis of the indices`,
    )
  }
  const hidden = [...collapsedAxes, ...operandBatchAxes]
  if (hidden.some((d, i) => d < 0 || d >= rank || sizes[d]! > 1 || hidden.indexOf(d) !== i)) {
    throw refuse('collapsed and batch axes must be distinct operand axes of slice size 1')
  }
  const started = [...startMap, ...operandBatchAxes]
  if (started.some((d, i) => d < 0 || d >= rank || started.indexOf(d) !== i)) {
    throw refuse('each index component must position an operand axis of its own')
  }
  const paired = operandBatchAxes.every(
    (d, i) => operand.shape[d] === indices.shape[indexBatchAxes[i]!],
  )
  if (operandBatchAxes.length !== indexBatchAxes.length || !paired) {
    throw refuse('the batch axes of operand and indices do not agree')
  }
  if (
    windowAxes.length !== rank - hidden.length ||
    windowAxes.some((a, i) => i > 0 && a <= windowAxes[i - 1]!)
  ) {
    throw refuse(
      'one window axis is needed for each operand axis that is shown, in increasing order',
      `${rank - hidden.length} of them`,
    )
  }
}

/** The shape of a gather's result or a scatter's updates. */
export const slicedShape = (indices: Shape, sizes: Shape, axes: SliceAxes): Shape => {
  const shown = sizes.filter(
    (_, d) => !axes.collapsedAxes.includes(d) && !axes.operandBatchAxes.includes(d),
  )
  const batch = indices.slice(0, -1)
  const rank = shown.length + batch.length
  let nextBatch = 0
  return range(rank).map((d) => {
    const window = axes.windowAxes.indexOf(d)
    return window >= 0 ? shown[window]! : batch[nextBatch++]!
  })
}

/** Visits every index vector with the operand offset of its slice, or -1 where it is outside. */
export const forEachSlice = (
  s: Slicing,
  indices: NDArray,
  clips: boolean,
  visit: (batch: number, operandOffset: number) => void,
): void => {
  const strides = stridesOf(s.operandShape)
  const batchShape = indices.shape.slice(0, -1)
  const batchStrides = stridesOf(batchShape)
  const components = s.startMap.length
  const count = batchShape.reduce((n, extent) => n * extent, 1)
  for (let b = 0; b < count; b++) {
    let offset = 0
    let inside = true
    for (let k = 0; k < components; k++) {
      const axis = s.startMap[k]!
      const last = s.lastStarts[axis]!
      let start = indices.data[b * components + k]!
      if (clips) start = start < 0 ? 0 : start > last ? last : start
      else if (start < 0 || start > last) inside = false
      offset += start * strides[axis]!
    }
    s.operandBatchAxes.forEach((axis, i) => {
      const d = s.indexBatchAxes[i]!
      offset += (Math.floor(b / batchStrides[d]!) % batchShape[d]!) * strides[axis]!
    })
    visit(b, inside ? offset : -1)
  }
}

/** Offsets inside one slice: of the operand, and of the result. */
export const sliceOffsets = (
  s: Slicing,
  result: Shape,
): { readonly operand: Int32Array; readonly result: Int32Array; readonly batch: Int32Array } => {
  const [from, to] = [stridesOf(s.operandShape), stridesOf(result)]
  const window = s.shownAxes.map((d) => s.sizes[d]!)
  return {
    operand: gatherOffsets(
      window,
      s.shownAxes.map((d) => from[d]!),
    ),
    result: gatherOffsets(
      window,
      s.windowAxes.map((d) => to[d]!),
    ),
    batch: gatherOffsets(
      s.batchAxes.map((d) => result[d]!),
      s.batchAxes.map((d) => to[d]!),
    ),
  }
}

/** Where one element of a slice lies in the operand, in the loop IR. */
export interface SlicePosition {
  readonly at: readonly Index[]
  /** Whether the whole slice is inside; null: it always is. */
  readonly inside: Scalar | null
}

/** Reads the index vector through `component` and adds the position inside the slice. */
export const slicePosition = (
  s: Slicing,
  result: readonly Index[],
  clips: boolean,
  component: (k: number) => Scalar,
): SlicePosition => {
  const checks: Scalar[] = []
  const starts = new Map<number, Index>()
  s.startMap.forEach((axis, k) => {
    const last = s.lastStarts[axis]!
    if (clips) {
      starts.set(axis, clippedIndex(component(k), last))
      return
    }
    const start = toInt32(component(k))
    checks.push(
      both(
        compareOp('greaterEqual', start, literal('int32', 0)),
        compareOp('lessEqual', start, literal('int32', last)),
      ),
    )
    starts.set(axis, dataIndex(start, 0, Math.max(0, last)))
  })
  s.operandBatchAxes.forEach((axis, i) => {
    starts.set(axis, result[s.batchAxes[s.indexBatchAxes[i]!]!]!)
  })
  const at = s.operandShape.map((_, d) => {
    const shown = s.shownAxes.indexOf(d)
    const within = shown >= 0 ? result[s.windowAxes[shown]!]! : constant(0)
    const start = starts.get(d)
    return start === undefined
      ? within
      : affine([
          [1, start],
          [1, within],
        ])
  })
  return { at, inside: checks.length === 0 ? null : checks.reduce(both) }
}

// Unsigned indices beyond int32 turn negative, which is outside just as well.
const toInt32 = (value: Scalar): Scalar => convertTo('int32', value)

/** An integer scalar, clamped to `0 … last`, as an index. */
export const clippedIndex = (value: Scalar, last: number): Index => {
  if (last <= 0) return constant(0)
  const unsigned = value.dtype === 'uint32'
  const start = unsigned ? value : toInt32(value)
  const low = unsigned ? start : binaryOp('maximum', start, literal('int32', 0))
  return dataIndex(toInt32(binaryOp('minimum', low, literal(start.dtype, last))), 0, last)
}

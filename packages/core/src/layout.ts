/** Where a tensor's elements lie in memory that is laid out for another: offsets and strides. */
import type { TypedArray } from './dtype.ts'
import { type Shape, range, sizeOf, stridesOf } from './shape.ts'

/** Element `[i, j, …]` is at `offset + i · strides[0] + j · strides[1] + …`, in elements. */
export interface Layout {
  readonly offset: number
  readonly strides: readonly number[]
}

/** The layout of an array that is row-major and has no gaps. */
export const rowMajor = (shape: Shape): Layout => ({ offset: 0, strides: stridesOf(shape) })

/** Whether the elements follow one another, wherever they start. */
export const isContiguous = (shape: Shape, { strides }: Layout): boolean => {
  let step = 1
  for (let d = shape.length - 1; d >= 0; d--) {
    const extent = shape[d]!
    if (extent === 0) return true
    if (extent !== 1 && strides[d] !== step) return false
    step *= extent
  }
  return true
}

/** Whether every element is one and the same. */
export const isUniform = (shape: Shape, { strides }: Layout): boolean => {
  for (let d = 0; d < shape.length; d++) if (shape[d] !== 1 && strides[d] !== 0) return false
  return true
}

/** The least and the greatest position of an element; an empty array has none, and gives `[0, -1]`. */
export const extremesOf = (
  shape: Shape,
  { offset, strides }: Layout,
): readonly [number, number] => {
  let [low, high] = [offset, offset]
  for (let d = 0; d < shape.length; d++) {
    if (shape[d] === 0) return [0, -1]
    const reach = (shape[d]! - 1) * strides[d]!
    if (reach < 0) low += reach
    else high += reach
  }
  return [low, high]
}

/**
 * The strides of the same elements, in the same row-major order, under another shape; null where
 * none exist, as for a transposed matrix made a vector.
 */
export const reshapeLayout = (from: Shape, layout: Layout, to: Shape): Layout | null => {
  if (isContiguous(from, layout)) return { offset: layout.offset, strides: stridesOf(to) }
  const strides = new Array<number>(to.length).fill(1)
  const axes = range(from.length).filter((d) => from[d] !== 1)
  let [a, b] = [0, 0]
  // Groups of axes that hold the same number of elements on both sides.
  while (a < axes.length && b < to.length) {
    let next = a + 1
    let [old, made] = [from[axes[a]!]!, to[b]!]
    const first = b++
    while (old !== made) {
      if (made < old) made *= to[b++]!
      else old *= from[axes[next++]!]!
    }
    for (let k = a; k < next - 1; k++) {
      const inner = axes[k + 1]!
      if (layout.strides[axes[k]!] !== from[inner]! * layout.strides[inner]!) return null
    }
    let stride = layout.strides[axes[next - 1]!]!
    for (let d = b - 1; d >= first; d--) {
      strides[d] = stride
      stride *= to[d]!
    }
    a = next
  }
  return { offset: layout.offset, strides }
}

/** Axes of extent 1 left out, and neighbours joined that are walked as one; at least one is left. */
const simplified = (shape: Shape, strides: readonly number[]): readonly [number[], number[]] => {
  const extents: number[] = []
  const steps: number[] = []
  for (let d = 0; d < shape.length; d++) {
    const [extent, step] = [shape[d]!, strides[d]!]
    if (extent === 1) continue
    const last = extents.length - 1
    if (last >= 0 && steps[last] === extent * step) {
      extents[last] = extents[last]! * extent
      steps[last] = step
    } else {
      extents.push(extent)
      steps.push(step)
    }
  }
  return extents.length === 0 ? [[1], [0]] : [extents, steps]
}

/** Elements of one width copied as one class of arrays, so that the engine specialises the loops. */
const asCells = (data: TypedArray): Uint8Array | Uint16Array | Int32Array | Float64Array => {
  const { buffer, byteOffset, length } = data
  if (data.BYTES_PER_ELEMENT === 4) return new Int32Array(buffer, byteOffset, length)
  if (data.BYTES_PER_ELEMENT === 8) return new Float64Array(buffer, byteOffset, length)
  if (data.BYTES_PER_ELEMENT === 2) return new Uint16Array(buffer, byteOffset, length)
  return new Uint8Array(buffer, byteOffset, length)
}

type Cells = ReturnType<typeof asCells>

/** Planes of at most this many rows and columns are copied together: both sides stay in the cache. */
const tile = 16

const copyPlane = (
  from: Cells,
  start: number,
  to: Cells,
  at: number,
  [rows, columns]: readonly [number, number],
  [down, across]: readonly [number, number],
): void => {
  if (across === 1) {
    for (let i = 0; i < rows; i++) {
      const row = start + i * down
      to.set(from.subarray(row, row + columns), at + i * columns)
    }
    return
  }
  for (let i0 = 0; i0 < rows; i0 += tile) {
    const i1 = Math.min(rows, i0 + tile)
    for (let j0 = 0; j0 < columns; j0 += tile) {
      const j1 = Math.min(columns, j0 + tile)
      for (let i = i0; i < i1; i++) {
        const row = start + i * down
        for (let j = j0; j < j1; j++) to[at + i * columns + j] = from[row + j * across]!
      }
    }
  }
}

/** Copies the elements of a layout into `out`, in row-major order. */
export const gatherLayout = (
  data: TypedArray,
  shape: Shape,
  { offset, strides }: Layout,
  out: TypedArray,
): void => {
  if (sizeOf(shape) === 0) return
  const [extents, steps] = simplified(shape, strides)
  const rank = extents.length
  if (rank === 1 && steps[0] === 0) {
    out.fill(data[offset]!)
    return
  }
  const [from, to] = [asCells(data), asCells(out)]
  const columns = extents[rank - 1]!
  const rows = rank > 1 ? extents[rank - 2]! : 1
  const size = [rows, columns] as const
  const step = [rank > 1 ? steps[rank - 2]! : 0, steps[rank - 1]!] as const
  const counters = new Array<number>(Math.max(0, rank - 2)).fill(0)
  let start = offset
  for (let at = 0; at < to.length; at += rows * columns) {
    copyPlane(from, start, to, at, size, step)
    for (let d = rank - 3; d >= 0; d--) {
      start += steps[d]!
      if (++counters[d]! < extents[d]!) break
      start -= steps[d]! * extents[d]!
      counters[d] = 0
    }
  }
}

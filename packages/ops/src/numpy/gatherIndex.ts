/** Index tensors joined into the index vectors that gather and scatter take. */
import {
  Concrete,
  IndexError,
  type Shape,
  type Tensor,
  add,
  broadcastShapes,
  range,
  reshape,
  showShape,
  sizeOf,
  tensor,
} from '@cotangent/core'
import * as binary from '../prims/binary.ts'
import * as compare from '../prims/compare.ts'
import { concatenate } from '../prims/structural.ts'
import { broadcastTensor, constantLike } from '../promote.ts'

/** One index tensor for each of some axes. */
export interface AxisIndices {
  /** The operand axes, increasing. */
  readonly axes: readonly number[]
  readonly indices: readonly Tensor[]
  /** Whether −1 is the last element. */
  readonly wraps: boolean
}

/** Index vectors of shape `[...batch, axes.length]`. */
export interface IndexVectors {
  readonly vectors: Tensor
  /** The common shape of the index tensors. */
  readonly batch: Shape
  /** Whether no two vectors are known to be equal. */
  readonly areUnique: boolean
}

/** Broadcasts the index tensors together and joins them. @throws IndexError where they do not fit. */
export const joinIndices = (shape: Shape, { axes, indices, wraps }: AxisIndices): IndexVectors => {
  const batch = broadcastShapes(...indices.map((i) => i.shape))
  if (batch === null) {
    throw new IndexError({
      operation: 'index',
      problem: 'the index tensors do not broadcast together',
      got: indices.map((i) => showShape(i.shape)).join(', '),
      fix: 'give them shapes that broadcast, or index one axis at a time',
    })
  }
  const extents = axes.map((d) => shape[d]!)
  const known = indices.filter((i) => i instanceof Concrete)
  if (known.length === indices.length) return joinKnown(known, extents, batch, wraps)
  const columns = indices.map((i, k) => {
    const wrapped = wraps ? wrap(i, extents[k]!) : i
    return reshape(broadcastTensor('index', wrapped, batch), [...batch, 1])
  })
  const vectors = columns.length === 1 ? columns[0]! : concatenate(columns, batch.length)
  return { vectors, batch, areUnique: sizeOf(batch) <= 1 }
}

const wrap = (indices: Tensor, extent: number): Tensor => {
  const isNegative = compare.lt(indices, constantLike(indices, 0))
  return compare.select(isNegative, add(indices, constantLike(indices, extent)), indices)
}

// Known indices are joined here, so that nothing is recorded for them while tracing.
const joinKnown = (
  indices: readonly Concrete[],
  extents: Shape,
  batch: Shape,
  wraps: boolean,
): IndexVectors => {
  const size = sizeOf(batch)
  const joined = new Int32Array(size * indices.length)
  indices.forEach((index, k) => {
    const { data, shape } = index.ndarray()
    const steps = broadcastSteps(shape, batch)
    for (let i = 0; i < size; i++) {
      const value = data[positionOf(i, batch, steps)]!
      joined[i * indices.length + k] = wraps && value < 0 ? value + extents[k]! : value
    }
  })
  const vectors = tensor(joined, { shape: [...batch, indices.length] })
  return { vectors, batch, areUnique: allDiffer(joined, indices.length, extents) }
}

const broadcastSteps = (shape: Shape, batch: Shape): readonly number[] => {
  const offset = batch.length - shape.length
  let stride = 1
  const steps = new Array<number>(batch.length).fill(0)
  for (let d = shape.length - 1; d >= 0; d--) {
    if (shape[d] !== 1) steps[d + offset] = stride
    stride *= shape[d]!
  }
  return steps
}

const positionOf = (flat: number, shape: Shape, steps: readonly number[]): number => {
  let rest = flat
  let position = 0
  for (let d = shape.length - 1; d >= 0; d--) {
    position += (rest % shape[d]!) * steps[d]!
    rest = Math.floor(rest / shape[d]!)
  }
  return position
}

// Vectors outside may be clamped onto others, so they count as equal.
const allDiffer = (joined: Int32Array, width: number, extents: Shape): boolean => {
  const seen = new Set<number>()
  for (let i = 0; i < joined.length; i += width) {
    let flat = 0
    for (const k of range(width)) {
      const at = joined[i + k]!
      if (at < 0 || at >= extents[k]!) return false
      flat = flat * extents[k]! + at
    }
    seen.add(flat)
  }
  return seen.size * width === joined.length
}

/** Positions modulo an extent, never negative. */
export const moduloExtent = (indices: Tensor, extent: number): Tensor => {
  const n = constantLike(indices, Math.max(1, extent))
  return binary.rem(add(binary.rem(indices, n), n), n)
}

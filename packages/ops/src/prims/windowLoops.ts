/** Loops over windows: for evaluation over arrays, and as index expressions of the loop IR. */
import {
  type Index,
  type Scalar,
  type Shape,
  range,
  scalars,
  sizeOf,
  stridesOf,
} from '@cotangent/core'
import { type Windowing, windowOutputShape } from './windows.ts'

const { affine, both, boundsOf, constant, within } = scalars

/**
 * For each output position and window element along one axis, the input position, or -1 for
 * padding and the gaps of a dilated input. Row-major `[output, window]`.
 */
export const axisTaps = (extent: number, outputs: number, w: Windowing, d: number): Int32Array => {
  const size = w.window[d]!
  const taps = new Int32Array(outputs * size).fill(-1)
  for (let o = 0; o < outputs; o++) {
    for (let k = 0; k < size; k++) {
      const at = o * w.strides[d]! + k * w.windowDilation[d]! - w.padding[d]![0]
      const position = at / w.inputDilation[d]!
      if (Number.isInteger(position) && position >= 0 && position < extent)
        taps[o * size + k] = position
    }
  }
  return taps
}

/** One window: flat offsets of the elements that it covers, and which of its elements they are. */
export interface WindowTaps {
  readonly count: number
  readonly offsets: Int32Array
  /** Row-major positions inside the window. */
  readonly elements: Int32Array
}

/**
 * Visits every output position in row-major order with what its window covers. The arrays are
 * reused from one visit to the next.
 */
export const forEachWindow = (
  shape: Shape,
  strides: readonly number[],
  w: Windowing,
  visit: (position: number, taps: WindowTaps) => void,
): void => {
  const outputs = windowOutputShape(shape, w)
  const tables = shape.map((extent, d) => axisTaps(extent, outputs[d]!, w, d))
  const most = w.window.reduce((product, k) => product * k, 1)
  const taps = { count: 0, offsets: new Int32Array(most), elements: new Int32Array(most) }
  const collect = (at: readonly number[], d: number, offset: number, element: number): void => {
    if (d === shape.length) {
      taps.offsets[taps.count] = offset
      taps.elements[taps.count++] = element
      return
    }
    const size = w.window[d]!
    for (let k = 0; k < size; k++) {
      const position = tables[d]![at[d]! * size + k]!
      if (position >= 0) collect(at, d + 1, offset + position * strides[d]!, element * size + k)
    }
  }
  let position = 0
  const walk = (at: number[], d: number): void => {
    if (d === shape.length) {
      taps.count = 0
      collect(at, 0, 0, 0)
      visit(position++, taps)
      return
    }
    for (let o = 0; o < outputs[d]!; o++) {
      at[d] = o
      walk(at, d + 1)
    }
  }
  walk(new Array<number>(shape.length).fill(0), 0)
}

/** Axes along which a window is more than one element in place. */
export const movingAxes = (w: Windowing): readonly number[] =>
  range(w.window.length).filter(
    (d) =>
      w.window[d] !== 1 ||
      w.strides[d] !== 1 ||
      w.inputDilation[d] !== 1 ||
      w.padding[d]!.some((p) => p !== 0),
  )

/** The windowing of some of the axes. */
export const alongAxes = (w: Windowing, axes: readonly number[]): Windowing => ({
  window: axes.map((d) => w.window[d]!),
  strides: axes.map((d) => w.strides[d]!),
  padding: axes.map((d) => w.padding[d]!),
  inputDilation: axes.map((d) => w.inputDilation[d]!),
  windowDilation: axes.map((d) => w.windowDilation[d]!),
})

/** Offsets that treat the axes along which windows do not move as one block axis. */
export interface AxisBlocks {
  readonly moving: readonly number[]
  readonly inStrides: readonly number[]
  readonly inBases: Int32Array
  readonly outBases: Int32Array
  readonly outOffsets: Int32Array
}

export const splitAxes = (input: Shape, output: Shape, moving: readonly number[]): AxisBlocks => {
  const still = range(input.length).filter((d) => !moving.includes(d))
  const [inStrides, outStrides] = [stridesOf(input), stridesOf(output)]
  const pick = <T>(items: readonly T[], axes: readonly number[]): readonly T[] =>
    axes.map((d) => items[d]!)
  return {
    moving,
    inStrides: pick(inStrides, moving),
    inBases: blockOffsets(pick(input, still), pick(inStrides, still)),
    outBases: blockOffsets(pick(output, still), pick(outStrides, still)),
    outOffsets: blockOffsets(pick(output, moving), pick(outStrides, moving)),
  }
}

const blockOffsets = (shape: Shape, strides: readonly number[]): Int32Array => {
  let offsets: readonly number[] = [0]
  shape.forEach((extent, d) => {
    const step = strides[d]!
    offsets = offsets.flatMap((base) => range(extent).map((i) => base + i * step))
  })
  return Int32Array.from(sizeOf(shape) === 0 ? [] : offsets)
}

/** The input position of a window's element, padding counted as negative positions. */
export const windowIndex = (
  w: Windowing,
  moving: readonly number[],
  output: readonly Index[],
  reduced: readonly Index[],
): readonly Index[] =>
  output.map((o, d) => {
    const k = moving.indexOf(d)
    const element = k < 0 ? constant(0) : reduced[k]!
    return affine(
      [
        [w.strides[d]!, o],
        [w.windowDilation[d]!, element],
      ],
      -w.padding[d]![0],
    )
  })

/** Whether an index lies inside the array; null where it always does. */
export const insideOf = (shape: Shape, at: readonly Index[]): Scalar | null => {
  const checks: readonly Scalar[] = at.flatMap((index, d) => {
    const [low, high] = boundsOf(index)
    return low >= 0 && high < shape[d]! ? [] : [within(index, 0, shape[d]!)]
  })
  return checks.length === 0 ? null : checks.reduce(both)
}

/** `lax`: reductions over sliding windows. */
import {
  Concrete,
  type Shape,
  ShapeError,
  type Tensor,
  type TensorLike,
  listOfNumbers,
  range,
  showAval,
  showShape,
} from '@cotangent/core'
import { selectAndScatterAdd as scatterSelected } from '../prims/selectScatter.ts'
import { slice } from '../prims/structural.ts'
import { reduceWindowMax, reduceWindowMin, reduceWindowSum } from '../prims/window.ts'
import { cast, promoteDTypes, promoteOne } from '../promote.ts'
import { type Padding, type PaddingPairs, resolvePadding } from './padding.ts'
import { pad } from './structural.ts'
import { type Computation, computationFunction, computationName } from './computation.ts'

export interface ReduceWindowOptions {
  /** Spreads the input apart. */
  readonly baseDilation?: readonly number[] | null
  /** Spreads the window apart. */
  readonly windowDilation?: readonly number[] | null
}

const dilate = (extent: number, dilation: number): number =>
  extent === 0 ? 0 : (extent - 1) * dilation + 1

/**
 * Reduces every window with an associative computation, starting from `initial`, which also fills
 * the padding. Sum, maximum and minimum have kernels (a maximum gives its whole cotangent to the
 * first of equals); another function is folded over shifted copies.
 * @throws ShapeError where window, strides or padding do not have one entry an axis.
 * @example
 * lax.reduceWindow(x, -Infinity, lax.max, [1, 1, 2, 2], [1, 1, 2, 2], 'VALID') // max pooling
 */
export const reduceWindow = (
  x: TensorLike,
  initial: TensorLike,
  computation: Computation,
  windowDimensions: Shape,
  windowStrides?: readonly number[] | null,
  padding: Padding = 'VALID',
  options: ReduceWindowOptions = {},
): Tensor => {
  const a = promoteOne('lax.reduceWindow', x)
  const window = listOfNumbers('lax.reduceWindow', 'the window', windowDimensions)
  const ones = window.map(() => 1)
  const strides = listOfNumbers('lax.reduceWindow', 'the stride', windowStrides ?? ones)
  const inputDilation = options.baseDilation ?? ones
  const windowDilation = options.windowDilation ?? ones
  requireRank(a, [window, strides, inputDilation, windowDilation])
  const windows = window.map((k, d) => dilate(k, windowDilation[d]!))
  const extents = a.shape.map((n, d) => dilate(n, inputDilation[d]!))
  const pads = resolvePadding('lax.reduceWindow', padding, extents, windows, strides)
  requireRank(a, [pads.map(([low]) => low)])
  const start = cast(promoteOne('lax.reduceWindow', initial), a.dtype)
  const geometry = {
    window,
    strides,
    padding: pads,
    inputDilation,
    windowDilation,
  }
  const combine = computationFunction(computation)
  const name = computationName(computation)
  const isKernel = a.dtype !== 'bool' && (name === 'max' || name === 'min' || name === 'add')
  if (!isKernel) return foldWindows(a, start, combine, geometry)
  const reduced =
    name === 'max'
      ? reduceWindowMax(a, geometry)
      : name === 'min'
        ? reduceWindowMin(a, geometry)
        : reduceWindowSum(a, geometry)
  return isNeutral(initial, name) ? reduced : combine(start, reduced)
}

const requireRank = (x: Tensor, lists: readonly (readonly number[])[]): void => {
  if (lists.every((list) => list.length === x.ndim)) return
  throw new ShapeError({
    operation: 'lax.reduceWindow',
    problem: 'window, strides, dilations and padding need one entry for each axis',
    got: `${lists.map(showShape).join(', ')} for ${showAval(x.aval)}`,
    fix: 'give each of them one entry for every axis, batch and channels too',
  })
}

// The usual starting values change nothing, so nothing is recorded for them.
const isNeutral = (initial: TensorLike, name: 'max' | 'min' | 'add'): boolean => {
  const value = initial instanceof Concrete && initial.size === 1 ? initial.item() : initial
  return value === { max: -Infinity, min: Infinity, add: 0 }[name]
}

interface Geometry {
  readonly window: Shape
  readonly strides: readonly number[]
  readonly padding: PaddingPairs
  readonly inputDilation: readonly number[]
  readonly windowDilation: readonly number[]
}

const foldWindows = (
  x: Tensor,
  start: Tensor,
  combine: (x: Tensor, y: Tensor) => Tensor,
  g: Geometry,
): Tensor => {
  const config = g.padding.map(([low, high], d): readonly [number, number, number] => [
    low,
    high,
    g.inputDilation[d]! - 1,
  ])
  const padded = pad(x, start, config)
  const outputs = padded.shape.map((n, d) =>
    Math.max(0, Math.floor((n - dilate(g.window[d]!, g.windowDilation[d]!)) / g.strides[d]!) + 1),
  )
  const offsets = g.window.reduce<readonly (readonly number[])[]>(
    (all, k, d) => all.flatMap((at) => range(k).map((i) => [...at, i * g.windowDilation[d]!])),
    [[]],
  )
  const copies = offsets.map((from) =>
    slice(
      padded,
      from,
      from.map((s, d) => (outputs[d] === 0 ? s : s + (outputs[d]! - 1) * g.strides[d]! + 1)),
      g.strides,
    ),
  )
  return copies.reduce((total, copy) => combine(total, copy), combine(start, copies[0]!))
}

/**
 * Adds each element of `source` to the element of a zero tensor that its window of `operand`
 * selects: what differentiates max pooling.
 */
export const selectAndScatterAdd = (
  source: TensorLike,
  operand: TensorLike,
  selectPrimitive: 'max' | 'min' | 'ge' | 'le',
  windowDimensions: Shape,
  windowStrides: readonly number[],
  padding: Padding,
): Tensor => {
  const [s, x] = promoteDTypes('lax.selectAndScatterAdd', [source, operand])
  const pads = resolvePadding(
    'lax.selectAndScatterAdd',
    padding,
    x!.shape,
    windowDimensions,
    windowStrides,
  )
  return scatterSelected(s!, x!, {
    select: selectPrimitive === 'max' || selectPrimitive === 'ge' ? 'max' : 'min',
    window: windowDimensions,
    strides: windowStrides,
    padding: pads,
  })
}

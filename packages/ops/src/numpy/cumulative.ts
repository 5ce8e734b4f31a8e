/** Running sums and products, and differences of neighbours. */
import {
  type DType,
  IndexError,
  ShapeError,
  type Tensor,
  type TensorLike,
  add as addSame,
  fill,
  isFloat,
  normalizeAxis,
  reshape,
  showAval,
} from '@cotangent/core'
import * as binary from '../prims/binary.ts'
import * as compare from '../prims/compare.ts'
import * as running from '../prims/cumulative.ts'
import { cast, constantLike, promoteOne } from '../promote.ts'
import { notEqual } from './comparison.ts'
import { concatenate } from './joining.ts'
import { sliceAxis } from './sliceAxis.ts'
import { sum } from './reductions.ts'
import { broadcastTo } from './shape.ts'

export interface CumulativeOptions {
  /** The axis to run along; the flattened tensor by default. */
  readonly axis?: number | null
  readonly dtype?: DType
}

/** Options, or the axis alone. */
export type CumulativeAxis = CumulativeOptions | number | null

const optionsOf = (given: CumulativeAxis | undefined): CumulativeOptions => {
  if (given === undefined) return {}
  return given === null || typeof given === 'number' ? { axis: given } : given
}

const run = (
  operation: string,
  x: TensorLike,
  given: CumulativeAxis | undefined,
  f: (x: Tensor, axis: number) => Tensor,
  nanAs: number | null,
): Tensor => {
  const { axis, dtype } = optionsOf(given)
  const a = promoteOne(operation, x)
  const typed = cast(a, dtype ?? (a.dtype === 'bool' ? 'int32' : a.dtype))
  const clean = nanAs === null || !isFloat(typed.dtype) ? typed : withoutNaN(typed, nanAs)
  if (axis === undefined || axis === null) return f(reshape(clean, [clean.size]), 0)
  return f(clean, normalizeAxis(operation, axis, clean.ndim))
}

const withoutNaN = (x: Tensor, value: number): Tensor =>
  compare.select(compare.ne(x, x), constantLike(x, value), x)

/**
 * The sums of all elements up to each, along an axis or (by default) of the flattened tensor.
 * Booleans are counted in int32; other integers keep their dtype and wrap.
 * @example
 * np.cumsum([1, 2, 3]).toArray() // [1, 3, 6]
 */
export const cumsum = (x: TensorLike, options?: CumulativeAxis): Tensor =>
  run('np.cumsum', x, options, running.cumsum, null)
/** The products of all elements up to each; the derivative is right at zeros. */
export const cumprod = (x: TensorLike, options?: CumulativeAxis): Tensor =>
  run('np.cumprod', x, options, running.cumprod, null)
/** `cumsum` with NaN counted as 0. */
export const nancumsum = (x: TensorLike, options?: CumulativeAxis): Tensor =>
  run('np.nancumsum', x, options, running.cumsum, 0)
/** `cumprod` with NaN counted as 1. */
export const nancumprod = (x: TensorLike, options?: CumulativeAxis): Tensor =>
  run('np.nancumprod', x, options, running.cumprod, 1)

export interface CumulativeInitialOptions extends CumulativeOptions {
  /** Puts the empty sum in front; false by default. */
  readonly includeInitial?: boolean
}

const withInitial = (
  operation: string,
  x: TensorLike,
  options: CumulativeInitialOptions,
  f: (x: TensorLike, options: CumulativeOptions) => Tensor,
  initial: number,
): Tensor => {
  const a = promoteOne(operation, x)
  if (options.axis === undefined && a.ndim !== 1) {
    throw new IndexError({
      operation,
      problem: 'the axis must be given for anything but a vector',
      got: showAval(a.aval),
      fix: 'name the axis: { axis: 0 }',
    })
  }
  const axis = normalizeAxis(operation, options.axis ?? 0, a.ndim)
  const { dtype } = options
  const result = f(a, dtype === undefined ? { axis } : { axis, dtype })
  if (options.includeInitial !== true) return result
  const edge = result.shape.map((extent, d) => (d === axis ? 1 : extent))
  return concatenate([fill(edge, initial, result.dtype), result], axis)
}

/** The array standard's `cumsum`: an axis is needed beyond vectors, and 0 may be put in front. */
export const cumulativeSum = (x: TensorLike, options: CumulativeInitialOptions = {}): Tensor =>
  withInitial('np.cumulativeSum', x, options, cumsum, 0)
/** The array standard's `cumprod`. */
export const cumulativeProd = (x: TensorLike, options: CumulativeInitialOptions = {}): Tensor =>
  withInitial('np.cumulativeProd', x, options, cumprod, 1)

export interface DiffOptions {
  /** How often differences are taken; once by default. */
  readonly n?: number
  /** The last axis by default. */
  readonly axis?: number
  /** Joined in front before differences are taken. */
  readonly prepend?: TensorLike
  /** Joined behind before differences are taken. */
  readonly append?: TensorLike
}

/**
 * Differences of neighbours along an axis; of booleans, whether they differ.
 * @throws ShapeError for a scalar. @example np.diff([1, 4, 9]).toArray() // [3, 5]
 */
export const diff = (x: TensorLike, options: DiffOptions = {}): Tensor => {
  const a = promoteOne('np.diff', x)
  const { n = 1 } = options
  if (a.ndim === 0 || n < 0) {
    throw new ShapeError({
      operation: 'np.diff',
      problem: 'it takes differences along an axis, a number of times',
      got: `${showAval(a.aval)}, n = ${n}`,
      fix: 'give a tensor with an axis, and a count n',
    })
  }
  const axis = normalizeAxis('np.diff', options.axis ?? -1, a.ndim)
  let result = joined(a, axis, options)
  for (let i = 0; i < n; i++) result = difference(result, axis)
  return result
}

const joined = (x: Tensor, axis: number, { prepend, append }: DiffOptions): Tensor => {
  const edge = (value: TensorLike | undefined): readonly Tensor[] => {
    if (value === undefined) return []
    const given = promoteOne('np.diff', value)
    const shape = x.shape.map((extent, d) => (d === axis ? 1 : extent))
    return [given.ndim === 0 ? broadcastTo(given, shape) : given]
  }
  const parts = [...edge(prepend), x, ...edge(append)]
  return parts.length === 1 ? x : concatenate(parts, axis)
}

const difference = (x: Tensor, axis: number): Tensor => {
  const extent = x.shape[axis]!
  if (extent < 2) return sliceAxis(x, axis, 0, 0)
  const later = sliceAxis(x, axis, 1, extent)
  const earlier = sliceAxis(x, axis, 0, extent - 1)
  return x.dtype === 'bool' ? notEqual(later, earlier) : binary.sub(later, earlier)
}

/** Differences of neighbours in the flattened tensor, with values put in front and behind. */
export const ediff1d = (
  x: TensorLike,
  options: { readonly toBegin?: TensorLike; readonly toEnd?: TensorLike } = {},
): Tensor => {
  const a = promoteOne('np.ediff1d', x)
  const steps = difference(reshape(a, [a.size]), 0)
  const edge = (value: TensorLike | undefined): readonly Tensor[] =>
    value === undefined ? [] : [cast(promoteOne('np.ediff1d', value).ravel(), a.dtype)]
  return concatenate([...edge(options.toBegin), steps, ...edge(options.toEnd)])
}

export interface TrapezoidOptions {
  /** The spacing, where no positions are given; 1 by default. */
  readonly dx?: TensorLike
  readonly axis?: number
}

/**
 * The integral by the trapezoid rule over samples at positions `x`: a vector along the axis, or of
 * `y`'s shape; evenly spaced where it is left out.
 * @example
 * np.trapezoid([0, 1, 2]).item() // 2
 */
export const trapezoid = (
  y: TensorLike,
  x: TensorLike | null = null,
  options: TrapezoidOptions = {},
): Tensor => {
  const a = promoteOne('np.trapezoid', y, { inexact: true })
  const axis = normalizeAxis('np.trapezoid', options.axis ?? -1, a.ndim)
  const last = a.shape[axis]!
  const pairs = addSame(sliceAxis(a, axis, 1, last), sliceAxis(a, axis, 0, last - 1))
  const widths = x === null ? promoteOne('np.trapezoid', options.dx ?? 1) : gaps(x, a, axis)
  return sum(pairs.mul(widths).mul(0.5), { axis })
}

const gaps = (x: TensorLike, y: Tensor, axis: number): Tensor => {
  const positions = promoteOne('np.trapezoid', x)
  if (positions.ndim !== 1) return diff(positions, { axis })
  const shape = y.shape.map((_, d) => (d === axis ? positions.size - 1 : 1))
  return reshape(diff(positions), shape)
}

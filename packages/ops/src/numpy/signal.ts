/** Convolution and correlation of vectors, and interpolation between samples. */
import { ShapeError, type Tensor, type TensorLike, reshape, showAval } from '@cotangent/core'
import { conv } from '../prims/conv.ts'
import { reverse } from '../prims/structural.ts'
import { cast, promoteDTypes, promoteOne } from '../promote.ts'
import { at } from './indexing.ts'
import { concatenate } from './joining.ts'
import { searchsorted } from './searching.ts'
import { where } from './select.ts'
import { argsort } from './sorting.ts'

/** `full`: every overlap; `same`: as long as the longer; `valid`: complete overlaps only. */
export type ConvolveMode = 'full' | 'same' | 'valid'

const modeOf = (
  mode: ConvolveMode | { readonly mode?: ConvolveMode },
  fallback: ConvolveMode,
): ConvolveMode => (typeof mode === 'string' ? mode : (mode.mode ?? fallback))

const vectors = (operation: string, x: TensorLike, y: TensorLike): readonly [Tensor, Tensor] => {
  const [a, b] = promoteDTypes(operation, [x, y], { inexact: true })
  if (a!.ndim === 1 && b!.ndim === 1 && a!.size > 0 && b!.size > 0) return [a!, b!]
  throw new ShapeError({
    operation,
    problem: 'it takes two vectors with elements',
    got: `${showAval(a!.aval)} and ${showAval(b!.aval)}`,
    fix: 'flatten them with np.ravel',
  })
}

// Slides `kernel` over a signal that is at least as long.
const slide = (signal: Tensor, kernel: Tensor, mode: ConvolveMode): Tensor => {
  const k = kernel.size
  const half = Math.floor(k / 2)
  const padding: readonly [number, number] =
    mode === 'full' ? [k - 1, k - 1] : mode === 'same' ? [half, k - half - 1] : [0, 0]
  const result = conv(reshape(signal, [1, 1, signal.size]), reshape(kernel, [1, 1, k]), {
    strides: [1],
    padding: [padding],
    inputDilation: [1],
    kernelDilation: [1],
    groups: 1,
  })
  return reshape(result, [result.size])
}

/**
 * The convolution of two vectors.
 * @throws ShapeError for anything but vectors with elements.
 * @example
 * np.convolve([1, 2, 3], [1, 1]).toArray() // [1, 3, 5, 3]
 */
export const convolve = (
  x: TensorLike,
  y: TensorLike,
  mode: ConvolveMode | { readonly mode?: ConvolveMode } = 'full',
): Tensor => {
  const [a, b] = vectors('np.convolve', x, y)
  const [long, short] = a.size >= b.size ? [a, b] : [b, a]
  return slide(long, reverse(short, [0]), modeOf(mode, 'full'))
}

/** The correlation of two vectors: a convolution without turning the second. */
export const correlate = (
  x: TensorLike,
  y: TensorLike,
  mode: ConvolveMode | { readonly mode?: ConvolveMode } = 'valid',
): Tensor => {
  const [a, b] = vectors('np.correlate', x, y)
  if (a.size >= b.size) return slide(a, b, modeOf(mode, 'valid'))
  return reverse(slide(b, a, modeOf(mode, 'valid')), [0])
}

export interface InterpOptions {
  /** The value left of the first sample: a number, or `extrapolate` along the first piece. */
  readonly left?: TensorLike | 'extrapolate'
  /** The value right of the last sample. */
  readonly right?: TensorLike | 'extrapolate'
  /** The samples repeat with this period. */
  readonly period?: TensorLike
}

/**
 * Values at `x` of the line through the samples `(xp, fp)`, whose positions increase.
 * @throws ShapeError where the samples are no vectors of one length.
 * @example
 * np.interp(0.5, [0, 1], [10, 20]).item() // 15
 */
export const interp = (
  x: TensorLike,
  xp: TensorLike,
  fp: TensorLike,
  options: InterpOptions = {},
): Tensor => {
  const [a, knots, values] = promoteDTypes('np.interp', [x, xp, fp], { inexact: true })
  if (
    knots!.ndim !== 1 ||
    values!.ndim !== 1 ||
    knots!.size !== values!.size ||
    knots!.size === 0
  ) {
    throw new ShapeError({
      operation: 'np.interp',
      problem: 'the samples are two vectors of one length',
      got: `${showAval(knots!.aval)} and ${showAval(values!.aval)}`,
      fix: 'give one value for each knot',
    })
  }
  if (options.period !== undefined) return periodic(a!, knots!, values!, options.period)
  const inner = onLine(a!, knots!, values!)
  const { left, right } = options
  const low = left === undefined ? at(values!, [0]) : left
  const high = right === undefined ? at(values!, [-1]) : right
  const fromLeft = low === 'extrapolate' ? inner : where(a!.less(at(knots!, [0])), low, inner)
  return high === 'extrapolate' ? fromLeft : where(a!.greater(at(knots!, [-1])), high, fromLeft)
}

const onLine = (x: Tensor, knots: Tensor, values: Tensor): Tensor => {
  const n = knots.size
  const right = searchsorted(knots, x, { side: 'right' }).clip(Math.min(1, n - 1), n - 1)
  const left = right.sub(n > 1 ? 1 : 0)
  const width = at(knots, [right]).sub(at(knots, [left]))
  const isPoint = width.equal(0)
  const share = x.sub(at(knots, [left])).div(where(isPoint, 1, width))
  const rise = at(values, [right]).sub(at(values, [left]))
  return where(isPoint, at(values, [left]), at(values, [left]).add(share.mul(rise)))
}

// One knot of the neighbouring periods at either end.
const periodic = (x: Tensor, knots: Tensor, values: Tensor, period: TensorLike): Tensor => {
  const length = cast(promoteOne('np.interp', period), knots.dtype)
  const wrapped = knots.mod(length)
  const order = argsort(wrapped)
  const [xs, ys] = [at(wrapped, [order]), at(values, [order])]
  const positions = concatenate([at(xs, ['-1:']).sub(length), xs, at(xs, ['0:1']).add(length)])
  return onLine(x.mod(length), positions, concatenate([at(ys, ['-1:']), ys, at(ys, ['0:1'])]))
}

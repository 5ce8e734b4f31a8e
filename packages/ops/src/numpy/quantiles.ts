/** Quantiles, percentiles, medians. */
import {
  type Axes,
  DTypeError,
  type ReduceOptions,
  ShapeError,
  type Tensor,
  type TensorLike,
  add,
  isFloat,
  range,
  reshape,
  showAval,
  sizeOf,
  transpose,
} from '@cotangent/core'
import * as binary from '../prims/binary.ts'
import * as compare from '../prims/compare.ts'
import { sort as sortOperands } from '../prims/sort.ts'
import * as unary from '../prims/unary.ts'
import { broadcastTensor, cast, constantLike, promoteOne } from '../promote.ts'
import { moveaxis } from './shape.ts'
import { type AxisOr, axisOptions, resolveAxes } from './axes.ts'
import { takeAlongAxis } from './take.ts'

/** Between two elements: `linear`, the `lower`, the `higher`, their `midpoint`, the `nearest`. */
export type QuantileMethod = 'linear' | 'lower' | 'higher' | 'midpoint' | 'nearest'

export interface QuantileOptions {
  /** The axes to sort over; all by default. */
  readonly axis?: Axes
  readonly keepdims?: boolean
  readonly method?: QuantileMethod
}

interface Lines {
  /** Sorted along the last axis. */
  readonly sorted: Tensor
  /** How many elements of each line count, [..., 1]. */
  readonly counts: Tensor
  readonly axes: readonly number[]
  readonly x: Tensor
}

const lastAxis = (x: Tensor): number => x.ndim - 1

const linesOf = (
  operation: string,
  x: TensorLike,
  axis: Axes | undefined,
  skipsNaN: boolean,
): Lines => {
  const given = promoteOne(operation, x, { inexact: true })
  const a = cast(given, given.dtype)
  const axes = resolveAxes(operation, axis, a.ndim)
  const kept = range(a.ndim).filter((d) => !axes.includes(d))
  const size = sizeOf(axes.map((d) => a.shape[d]!))
  if (size === 0) {
    throw new ShapeError({
      operation,
      problem: 'no elements have no quantile',
      got: showAval(a.aval),
      fix: 'take quantiles only where there are elements',
    })
  }
  const rows = reshape(transpose(a, [...kept, ...axes]), [...kept.map((d) => a.shape[d]!), size])
  const isNaN = compare.ne(rows, rows)
  const sorted = sortOperands([rows], lastAxis(rows))[0]!
  const count = cast(unary.not(isNaN), rows.dtype).sum({ axis: -1, keepdims: true })
  if (skipsNaN) return { sorted, counts: count, axes, x: a }
  // One NaN makes its whole line NaN.
  const spoiled = broadcastTensor(operation, isNaN.any({ axis: -1, keepdims: true }), rows.shape)
  const clean = compare.select(spoiled, constantLike(sorted, Number.NaN), sorted)
  return { sorted: clean, counts: constantLike(count, size), axes, x: a }
}

const valuesAt = ({ sorted, counts }: Lines, q: Tensor, method: QuantileMethod): Tensor => {
  // [..., Q] positions between 0 and count − 1.
  const last = binary.sub(counts, constantLike(counts, 1))
  const shape = [...sorted.shape.slice(0, -1), q.size]
  const spread = (t: Tensor): Tensor => broadcastTensor('np.quantile', t, shape)
  const position = binary.mul(spread(q), spread(last))
  const low = unary.floor(position)
  const weight = binary.sub(position, low)
  const inRange = (t: Tensor): Tensor =>
    cast(binary.max(binary.min(t, spread(last)), constantLike(t, 0)), 'int32')
  const below = takeAlongAxis(sorted, inRange(low), { axis: -1, mode: 'clip' })
  const above = takeAlongAxis(sorted, inRange(unary.ceil(position)), { axis: -1, mode: 'clip' })
  return between(below, above, weight, method)
}

const between = (below: Tensor, above: Tensor, weight: Tensor, method: QuantileMethod): Tensor => {
  switch (method) {
    case 'linear': {
      const rest = binary.sub(constantLike(weight, 1), weight)
      return add(binary.mul(below, rest), binary.mul(above, weight))
    }
    case 'lower':
      return below
    case 'higher':
      return above
    case 'midpoint':
      return binary.mul(add(below, above), constantLike(below, 0.5))
    case 'nearest':
      return compare.select(compare.le(weight, constantLike(weight, 0.5)), below, above)
    default:
      return method satisfies never
  }
}

const quantilesOf = (
  operation: string,
  x: TensorLike,
  q: TensorLike,
  given: AxisOr<QuantileOptions> | undefined,
  skipsNaN: boolean,
): Tensor => {
  const options: QuantileOptions = axisOptions<QuantileOptions>(given)
  const lines = linesOf(operation, x, options.axis, skipsNaN)
  const wanted = promoteOne(operation, q, { inexact: true })
  if (wanted.ndim > 1) {
    throw new ShapeError({
      operation,
      problem: 'the fractions are a number or a vector',
      got: showAval(wanted.aval),
      fix: 'flatten the fractions with np.ravel',
    })
  }
  const fractions = reshape(cast(wanted, lines.sorted.dtype), [wanted.size])
  const values = moveaxis(valuesAt(lines, fractions, options.method ?? 'linear'), -1, 0)
  const kept = lines.x.shape.map((extent, d) => (lines.axes.includes(d) ? 1 : extent))
  const shape = options.keepdims === true ? kept : kept.filter((_, d) => !lines.axes.includes(d))
  return reshape(values, [...wanted.shape, ...shape])
}

/**
 * The values below which fractions `q` (0 to 1, a number or a vector, which becomes the first axis)
 * of the elements lie, over axes. NaN where a line has a NaN.
 * @throws ShapeError for no elements.
 * @example
 * np.quantile([1, 2, 4], 0.5).item() // 2
 */
export const quantile = (x: TensorLike, q: TensorLike, options?: AxisOr<QuantileOptions>): Tensor =>
  quantilesOf('np.quantile', x, q, options, false)
/** `quantile` of the elements that are not NaN. */
export const nanquantile = (
  x: TensorLike,
  q: TensorLike,
  options?: AxisOr<QuantileOptions>,
): Tensor => quantilesOf('np.nanquantile', x, q, options, true)

const hundredths = (operation: string, q: TensorLike): Tensor => {
  const percents = promoteOne(operation, q, { inexact: true })
  if (!isFloat(percents.dtype))
    throw new DTypeError({
      operation,
      problem: 'no fraction',
      got: percents.dtype,
      fix: 'give floats',
    })
  return binary.div(percents, constantLike(percents, 100))
}

/** `quantile` of percents. */
export const percentile = (
  x: TensorLike,
  q: TensorLike,
  options?: AxisOr<QuantileOptions>,
): Tensor => quantile(x, hundredths('np.percentile', q), options)
/** `nanquantile` of percents. */
export const nanpercentile = (
  x: TensorLike,
  q: TensorLike,
  options?: AxisOr<QuantileOptions>,
): Tensor => nanquantile(x, hundredths('np.nanpercentile', q), options)

const midpoint = (options: AxisOr<ReduceOptions> | undefined): QuantileOptions => ({
  ...axisOptions<ReduceOptions>(options),
  method: 'midpoint',
})

/** The middle of the sorted elements, or the mean of the middle two. */
export const median = (x: TensorLike, options?: AxisOr<ReduceOptions>): Tensor =>
  quantilesOf('np.median', x, 0.5, midpoint(options), false)
/** The median of the elements that are not NaN. */
export const nanmedian = (x: TensorLike, options?: AxisOr<ReduceOptions>): Tensor =>
  quantilesOf('np.nanmedian', x, 0.5, midpoint(options), true)

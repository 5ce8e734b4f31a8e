/** Sums, products, extremes and logic over axes. */
import {
  type DType,
  type ReduceOptions,
  ShapeError,
  type Tensor,
  type TensorLike,
  add,
  isFloat,
  kindOf,
  reduceSum,
  showAval,
  sizeOf,
} from '@cotangent/core'
import * as binary from '../prims/binary.ts'
import { convert } from '../prims/convert.ts'
import * as reduce from '../prims/reduce.ts'
import { asCondition, cast, promoteOne, promotePair } from '../promote.ts'
import { type AxisOr, axisOptions, highest, keepAxes, lowest, masked, resolveAxes } from './axes.ts'

/** Options of a sum or product. */
export interface SumOptions extends ReduceOptions {
  /** The dtype to accumulate in; small integers widen to 32 bits by default. */
  readonly dtype?: DType
  /** Added (multiplied, …) to the result. */
  readonly initial?: TensorLike
  /** Elements that take part; broadcast to `x`. */
  readonly where?: TensorLike
}
/** Options of a maximum or minimum. */
export interface ExtremeOptions extends ReduceOptions {
  /** A value that takes part; needed for empty tensors and with `where`. */
  readonly initial?: TensorLike
  readonly where?: TensorLike
}
/** Options of a mean. */
export interface MeanOptions extends ReduceOptions {
  readonly dtype?: DType
  readonly where?: TensorLike
}
/** Options of a variance or standard deviation. */
export interface VarianceOptions extends MeanOptions {
  /** Subtracted from the count in the divisor; 0 by default. */
  readonly ddof?: number
  /** The array standard's name for `ddof`. */
  readonly correction?: number
}

// Sums and products of narrow integers would overflow at once: they accumulate in 32 bits.
const accumulatorOf = (dtype: DType): DType => {
  if (isFloat(dtype)) return dtype
  return kindOf(dtype) === 'unsigned' ? 'uint32' : 'int32'
}

const reduction = (
  operation: string,
  x: TensorLike,
  given: AxisOr<SumOptions> | undefined,
  neutral: number,
  reducer: (x: Tensor, axes: readonly number[]) => Tensor,
  combine: (x: Tensor, y: Tensor) => Tensor,
): Tensor => {
  const options: SumOptions = axisOptions<SumOptions>(given)
  const a = promoteOne(operation, x)
  const typed = cast(a, options.dtype ?? accumulatorOf(a.dtype))
  const filled = masked(operation, typed, options.where, neutral)
  const axes = resolveAxes(operation, options.axis, filled.ndim)
  const result = keepAxes(reducer(filled, axes), filled, axes, options.keepdims)
  if (options.initial === undefined) return result
  const [r, initial] = promotePair(operation, result, options.initial)
  return cast(combine(r, initial), result.dtype)
}

/**
 * The sum over axes (all by default). Floats accumulate in float64 and are rounded once; bools and
 * narrow integers are summed as int32 or uint32; an empty sum is 0.
 * @throws IndexError for an axis out of range or given twice.
 * @example
 * np.sum([[1, 2], [3, 4]], { axis: 0 }).toArray() // [4, 6]
 */
export const sum = (x: TensorLike, options?: AxisOr<SumOptions>): Tensor =>
  reduction('np.sum', x, options, 0, reduceSum, add)

/**
 * The product over axes (all by default); an empty product is 1. The derivative is right with any
 * number of zeros.
 */
export const prod = (x: TensorLike, options?: AxisOr<SumOptions>): Tensor =>
  reduction('np.prod', x, options, 1, reduce.reduceProd, binary.mul)

const extremeOf = (
  operation: string,
  x: TensorLike,
  given: AxisOr<ExtremeOptions> | undefined,
  neutral: (dtype: DType) => number,
  reducer: (x: Tensor, axes: readonly number[]) => Tensor,
  combine: (x: Tensor, y: Tensor) => Tensor,
): Tensor => {
  const options: ExtremeOptions = axisOptions<ExtremeOptions>(given)
  const a = promoteOne(operation, x)
  if (options.where !== undefined && options.initial === undefined) throw needsInitial(operation)
  const typed = cast(a, a.dtype)
  const numbers = typed.dtype === 'bool' ? convert(typed, 'uint8') : typed
  const filled = masked(operation, numbers, options.where, neutral(numbers.dtype))
  const axes = resolveAxes(operation, options.axis, filled.ndim)
  if (options.initial === undefined && sizeOf(axes.map((d) => filled.shape[d]!)) === 0) {
    if (axes.length > 0) throw emptyExtreme(operation, filled)
  }
  const result = keepAxes(reducer(filled, axes), filled, axes, options.keepdims)
  if (options.initial === undefined) return cast(result, a.dtype)
  const [r, initial] = promotePair(operation, result, options.initial)
  return cast(combine(r, initial), a.dtype)
}

const needsInitial = (operation: string): ShapeError =>
  new ShapeError({
    operation,
    problem: 'with `where` the result may be of no element at all',
    fix: 'pass `initial`, the value that takes part in every case',
  })

const emptyExtreme = (operation: string, x: Tensor): ShapeError =>
  new ShapeError({
    operation,
    problem: 'a tensor without elements has no extreme',
    got: showAval(x.aval),
    fix: 'pass `initial`, or test the size first',
  })

/**
 * The greatest element over axes (all by default); NaN where there is one. Equal ones share the
 * derivative evenly.
 * @throws ShapeError where nothing is reduced over and no `initial` is given.
 */
export const max = (x: TensorLike, options?: AxisOr<ExtremeOptions>): Tensor =>
  extremeOf('np.max', x, options, lowest, reduce.reduceMax, binary.max)

/** The smallest element over axes (all by default); see `max`. */
export const min = (x: TensorLike, options?: AxisOr<ExtremeOptions>): Tensor =>
  extremeOf('np.min', x, options, highest, reduce.reduceMin, binary.min)

export const amax: (x: TensorLike, options?: AxisOr<ExtremeOptions>) => Tensor = max
export const amin: (x: TensorLike, options?: AxisOr<ExtremeOptions>) => Tensor = min

/** Options of `any` and `all`. */
export interface LogicOptions extends ReduceOptions {
  readonly where?: TensorLike
}

const logicReduction = (
  operation: string,
  x: TensorLike,
  given: AxisOr<LogicOptions> | undefined,
  neutral: number,
  reducer: (x: Tensor, axes: readonly number[]) => Tensor,
): Tensor => {
  const options: LogicOptions = axisOptions<LogicOptions>(given)
  const filled = masked(operation, asCondition(operation, x), options.where, neutral)
  const axes = resolveAxes(operation, options.axis, filled.ndim)
  return keepAxes(reducer(filled, axes), filled, axes, options.keepdims)
}

/** Whether any element is not zero (NaN counts); false for none at all. */
export const any = (x: TensorLike, options?: AxisOr<LogicOptions>): Tensor =>
  logicReduction('np.any', x, options, 0, reduce.reduceOr)

/** Whether all elements are not zero; true for none at all. */
export const all = (x: TensorLike, options?: AxisOr<LogicOptions>): Tensor =>
  logicReduction('np.all', x, options, 1, reduce.reduceAnd)

/** How many elements are not zero, int32. */
export const countNonzero = (x: TensorLike, options?: AxisOr<ReduceOptions>): Tensor =>
  sum(asCondition('np.countNonzero', x), options)

/** How functions over axes read their options, and mask what does not take part. */
import {
  type Axes,
  type DType,
  DTypeError,
  IndexError,
  type Tensor,
  type TensorLike,
  integerRange,
  isFloat,
  listOfNumbers,
  normalizeAxis,
  range,
  reshape,
} from '@cotangent/core'
import * as compare from '../prims/compare.ts'
import { asCondition, broadcastTensor, commonShape, constantLike } from '../promote.ts'

/** An axis, several, or an options object: `np.sum(x, 0)` and `np.sum(x, { axis: 0 })`. */
export type AxisOr<O> = O | number | readonly number[] | null

/** The options, where an axis alone was given. */
export const axisOptions = <O extends { readonly axis?: Axes }>(
  options: AxisOr<O> | undefined,
): O | { readonly axis?: Axes } => {
  if (options === undefined) return {}
  if (options === null || typeof options === 'number') return { axis: options }
  return isAxisList(options) ? { axis: options } : options
}

const isAxisList = (options: object): options is readonly number[] => Array.isArray(options)

/** Resolved, sorted axes; all where absent. @throws IndexError @throws ShapeError for repeats. */
export const resolveAxes = (
  operation: string,
  axis: Axes | undefined,
  rank: number,
): readonly number[] => {
  if (axis === undefined || axis === null) return range(rank)
  const list = listOfNumbers(operation, 'the axis', axis)
  const axes = list.map((a) => normalizeAxis(operation, a, rank))
  if (new Set(axes).size !== axes.length) {
    throw new IndexError({
      operation,
      problem: 'an axis is given twice',
      got: `axes [${list.join(',')}] of a tensor of rank ${rank}`,
      fix: 'name each axis once',
    })
  }
  return axes.sort((a, b) => a - b)
}

/** Puts reduced axes back with extent 1. */
export const keepAxes = (
  reduced: Tensor,
  x: Tensor,
  axes: readonly number[],
  keepdims: boolean | undefined,
): Tensor =>
  keepdims === true
    ? reshape(
        reduced,
        x.shape.map((extent, d) => (axes.includes(d) ? 1 : extent)),
      )
    : reduced

/** `x` where the mask holds, `neutral` elsewhere; both broadcast. */
export const masked = (
  operation: string,
  x: Tensor,
  where: TensorLike | undefined,
  neutral: number,
): Tensor => {
  if (where === undefined) return x
  const condition = asCondition(operation, where)
  const shape = commonShape(operation, [x.shape, condition.shape])
  const spread = broadcastTensor(operation, x, shape)
  const mask = broadcastTensor(operation, condition, shape)
  return compare.select(mask, spread, constantLike(spread, neutral))
}

/** The smallest value of a dtype: −∞ for floats. */
export const lowest = (dtype: DType): number =>
  isFloat(dtype) ? -Infinity : integerRange(dtype)[0]
/** The largest value of a dtype: +∞ for floats. */
export const highest = (dtype: DType): number =>
  isFloat(dtype) ? Infinity : integerRange(dtype)[1]

/** Refuses dtypes other than real numbers in functions that average. */
export const meanDType = (operation: string, dtype: DType): DType => {
  if (!isFloat(dtype)) {
    throw new DTypeError({
      operation,
      problem: 'an average is a float',
      got: dtype,
      fix: 'leave the dtype out, or give a float dtype',
    })
  }
  return dtype
}

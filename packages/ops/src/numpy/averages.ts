/** Means, variances, and their weighted kin. */
import {
  type Axes,
  type DType,
  ShapeError,
  type Tensor,
  type TensorLike,
  broadcastInDim,
  reduceSum,
  reshape,
  sameShape,
  showAval,
  sizeOf,
} from '@cotangent/core'
import * as binary from '../prims/binary.ts'
import * as compare from '../prims/compare.ts'
import * as unary from '../prims/unary.ts'
import {
  asCondition,
  broadcastTensor,
  cast,
  constantLike,
  promoteDTypes,
  promoteOne,
} from '../promote.ts'
import { type MeanOptions, type VarianceOptions, max, min, sum } from './reductions.ts'
import { type AxisOr, axisOptions, keepAxes, masked, meanDType, resolveAxes } from './axes.ts'

// float16 and bfloat16 sums would round, and overflow, at every step towards the mean.
const averagingDType = (dtype: DType): DType =>
  dtype === 'float16' || dtype === 'bfloat16' ? 'float32' : dtype

/**
 * The mean over axes (all by default), in float32 for integers; NaN for no elements.
 * @example
 * np.mean([[1, 2], [3, 4]], { axis: 1 }).toArray() // [1.5, 3.5]
 */
export const mean = (x: TensorLike, options?: AxisOr<MeanOptions>): Tensor => {
  const { axis, keepdims, dtype, where }: MeanOptions = axisOptions<MeanOptions>(options)
  const a = promoteOne('np.mean', x, { inexact: true })
  const result = meanDType('np.mean', dtype ?? a.dtype)
  const wide = cast(a, averagingDType(result))
  const axes = resolveAxes('np.mean', axis, wide.ndim)
  const filled = masked('np.mean', wide, where, 0)
  const total = keepAxes(reduceSum(filled, axes), filled, axes, keepdims)
  return cast(binary.div(total, countOf(filled, axes, where, total)), result)
}

// How many elements each mean is of, in the shape of the total.
const countOf = (
  x: Tensor,
  axes: readonly number[],
  where: TensorLike | undefined,
  total: Tensor,
): Tensor => {
  if (where === undefined) return constantLike(total, sizeOf(axes.map((d) => x.shape[d]!)))
  const mask = broadcastTensor('np.mean', asCondition('np.mean', where), x.shape)
  return reshape(reduceSum(cast(mask, total.dtype), axes), total.shape)
}

/**
 * The variance over axes (all by default): the mean of squared deviations, with `ddof` subtracted
 * from the count. NaN where `ddof` exceeds the count, and (as 0/0) where it equals it.
 * @example
 * np.var([1, 3], { ddof: 1 }).item() // 2
 */
const variance = (x: TensorLike, options?: AxisOr<VarianceOptions>): Tensor => {
  const given: VarianceOptions = axisOptions<VarianceOptions>(options)
  const { axis, keepdims, dtype, where } = given
  const ddof = given.correction ?? given.ddof ?? 0
  const a = promoteOne('np.var', x, { inexact: true })
  const result = meanDType('np.var', dtype ?? a.dtype)
  const wide = cast(a, averagingDType(result))
  const axes = resolveAxes('np.var', axis, wide.ndim)
  const centre = mean(wide, {
    axis: axes,
    keepdims: true,
    ...(where === undefined ? {} : { where }),
  })
  const deviation = binary.sub(wide, broadcastTensor('np.var', centre, wide.shape))
  const squares = masked('np.var', unary.integerPow(deviation, 2), where, 0)
  const total = keepAxes(reduceSum(squares, axes), squares, axes, keepdims)
  const count = countOf(squares, axes, where, total)
  const degrees = binary.sub(count, constantLike(count, ddof))
  const isEnough = compare.ge(degrees, constantLike(degrees, 0))
  const divisor = compare.select(isEnough, degrees, constantLike(degrees, Number.NaN))
  return cast(binary.div(total, divisor), result)
}
export { variance as var }

/** The square root of the variance; see `var`. */
export const std = (x: TensorLike, options?: AxisOr<VarianceOptions>): Tensor =>
  unary.sqrt(variance(x, options))

/** The greatest element minus the smallest, over axes. */
export const ptp = (
  x: TensorLike,
  options?: AxisOr<{ readonly axis?: Axes; readonly keepdims?: boolean }>,
): Tensor => {
  const given = axisOptions(options)
  return binary.sub(max(x, given), min(x, given))
}

export interface AverageOptions {
  readonly axis?: Axes
  readonly keepdims?: boolean
  /** Shaped as `x`, or one weight for each position along `axis`. */
  readonly weights?: TensorLike
}

/**
 * The mean, weighted where `weights` are given; weights that sum to 0 give NaN or an infinity.
 * @throws ShapeError where the weights fit neither `x` nor the axis.
 */
export const average = (x: TensorLike, options?: AxisOr<AverageOptions>): Tensor => {
  const { axis, keepdims = false, weights }: AverageOptions = axisOptions<AverageOptions>(options)
  const axisPart = axis === undefined ? {} : { axis }
  if (weights === undefined) return mean(x, { ...axisPart, keepdims })
  const [a, w] = promoteDTypes('np.average', [x, weights], { inexact: true })
  const spread = spreadWeights(a!, w!, axis)
  const total = sum(spread, { ...axisPart, keepdims })
  return binary.div(sum(binary.mul(a!, spread), { ...axisPart, keepdims }), total)
}

const spreadWeights = (x: Tensor, weights: Tensor, axis: Axes | undefined): Tensor => {
  if (sameShape(x.shape, weights.shape)) return weights
  const axes = resolveAxes('np.average', axis, x.ndim)
  const fits =
    axis !== undefined &&
    axis !== null &&
    sameShape(
      weights.shape,
      axes.map((d) => x.shape[d]!),
    )
  if (!fits) {
    throw new ShapeError({
      operation: 'np.average',
      problem: 'the weights fit neither the tensor nor the axis',
      got: `weights ${showAval(weights.aval)} for ${showAval(x.aval)}`,
      fix: 'give one weight for each element, or for each position along `axis`',
    })
  }
  return broadcastInDim(weights, x.shape, axes)
}

/** Reductions that leave NaN out. */
import { type ReduceOptions, type Tensor, type TensorLike, fill, isFloat } from '@cotangent/core'
import * as binary from '../prims/binary.ts'
import * as compare from '../prims/compare.ts'
import * as unary from '../prims/unary.ts'
import { cast, constantLike, promoteOne } from '../promote.ts'
import { where } from './select.ts'
import {
  type ExtremeOptions,
  type MeanOptions,
  type SumOptions,
  type VarianceOptions,
  all,
  max,
  min,
  prod,
  sum,
} from './reductions.ts'
import { type AxisOr, axisOptions } from './axes.ts'

const isNaNOf = (x: Tensor): Tensor =>
  isFloat(x.dtype) ? compare.ne(x, x) : fill(x.shape, 0, 'bool')

const replaced = (x: Tensor, value: number): Tensor =>
  isFloat(x.dtype) ? compare.select(compare.ne(x, x), constantLike(x, value), x) : x

/** The sum of the elements that are not NaN. */
export const nansum = (x: TensorLike, options?: AxisOr<SumOptions>): Tensor =>
  sum(replaced(promoteOne('np.nansum', x), 0), options)
/** The product of the elements that are not NaN. */
export const nanprod = (x: TensorLike, options?: AxisOr<SumOptions>): Tensor =>
  prod(replaced(promoteOne('np.nanprod', x), 1), options)

const extreme = (
  operation: string,
  x: TensorLike,
  options: AxisOr<ExtremeOptions> | undefined,
  loses: number,
  reduce: (x: TensorLike, options?: AxisOr<ExtremeOptions>) => Tensor,
): Tensor => {
  const a = promoteOne(operation, x)
  if (!isFloat(a.dtype)) return reduce(a, options)
  const given: ExtremeOptions = axisOptions<ExtremeOptions>(options)
  const result = reduce(replaced(a, loses), given)
  if (given.initial !== undefined) return result
  const { axis, keepdims } = given
  const shape = {
    ...(axis === undefined ? {} : { axis }),
    ...(keepdims === undefined ? {} : { keepdims }),
  }
  return where(all(isNaNOf(a), shape), Number.NaN, result)
}

/** The greatest element that is not NaN; NaN where there is none. */
export const nanmax = (x: TensorLike, options?: AxisOr<ExtremeOptions>): Tensor =>
  extreme('np.nanmax', x, options, -Infinity, max)
/** The smallest element that is not NaN; NaN where there is none. */
export const nanmin = (x: TensorLike, options?: AxisOr<ExtremeOptions>): Tensor =>
  extreme('np.nanmin', x, options, Infinity, min)

/** How many elements along axes are not NaN (and not masked out), as floats. */
const countNumbers = (
  x: Tensor,
  options: ReduceOptions & { readonly where?: TensorLike },
): Tensor =>
  sum(unary.not(isNaNOf(x)), { ...options, dtype: isFloat(x.dtype) ? x.dtype : 'float32' })

const shapeOptions = (given: MeanOptions): ReduceOptions & { readonly where?: TensorLike } => ({
  ...(given.axis === undefined ? {} : { axis: given.axis }),
  ...(given.keepdims === undefined ? {} : { keepdims: given.keepdims }),
  ...(given.where === undefined ? {} : { where: given.where }),
})

/** The mean of the elements that are not NaN; NaN where there is none. */
export const nanmean = (x: TensorLike, options?: AxisOr<MeanOptions>): Tensor => {
  const given: MeanOptions = axisOptions<MeanOptions>(options)
  const a = promoteOne('np.nanmean', x, { inexact: true })
  const wide = cast(a, given.dtype ?? a.dtype)
  const kept = shapeOptions(given)
  return binary.div(nansum(wide, kept), countNumbers(wide, kept))
}

/** The variance of the elements that are not NaN; NaN where there are too few. */
export const nanvar = (x: TensorLike, options?: AxisOr<VarianceOptions>): Tensor => {
  const given: VarianceOptions = axisOptions<VarianceOptions>(options)
  const a = promoteOne('np.nanvar', x, { inexact: true })
  const wide = cast(a, given.dtype ?? a.dtype)
  const kept = shapeOptions(given)
  const deviation = wide.sub(nanmean(wide, { ...kept, keepdims: true }))
  const isNumber = unary.not(isNaNOf(wide))
  const squares = where(isNumber, deviation.square(), 0)
  const count = countNumbers(wide, kept)
  const degrees = binary.sub(count, constantLike(count, given.correction ?? given.ddof ?? 0))
  const isEnough = compare.gt(degrees, constantLike(degrees, 0))
  return binary.div(sum(squares, kept), where(isEnough, degrees, Number.NaN))
}

/** The standard deviation of the elements that are not NaN. */
export const nanstd = (x: TensorLike, options?: AxisOr<VarianceOptions>): Tensor =>
  unary.sqrt(nanvar(x, options))

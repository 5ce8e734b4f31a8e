/** Means: sums and counts. */
import { type Tensor, fill, sizeOf } from '@cotangent/core'
import type { Monoid } from 'fp-ts/lib/Monoid.js'
import { type Metric, defineMetric } from './metric.ts'

/** A mean under construction: `sum / count`. */
export interface Total {
  readonly sum: number
  readonly count: number
}

/** Totals of parts add up to the total of the whole. */
export const totalMonoid: Monoid<Total> = {
  empty: { sum: 0, count: 0 },
  concat: (a, b) => ({ sum: a.sum + b.sum, count: a.count + b.count }),
}

/** The mean; NaN of nothing. */
export const meanOf = ({ sum, count }: Total): number => sum / count

/** A total as a function under transformation gives it: two scalars. */
export interface TotalTensors {
  readonly sum: Tensor
  readonly count: Tensor
}

export const readTotal = ({ sum, count }: TotalTensors): Total => ({
  sum: sum.item(),
  count: count.item(),
})

/** The total of values, each of which counts as one. */
export const totalOf = (values: Tensor): TotalTensors =>
  Object.freeze({
    sum: values.astype('float32').sum(),
    count: fill([], sizeOf(values.shape), 'float32'),
  })

/** The total of values where a mask is true. */
export const totalWhere = (values: Tensor, mask: Tensor): TotalTensors =>
  Object.freeze({
    sum: values.astype('float32').where(mask, 0).sum(),
    count: mask.astype('float32').sum(),
  })

/** A metric whose summary is a total. */
export type TotalMetric<Y = Tensor, T = Tensor> = Metric<Y, T, TotalTensors, Total>

/** A metric of a function to sums and counts; its value is the mean, unless told otherwise. */
export const ofTotal = <Y, T>(
  measure: (output: Y, target: T) => TotalTensors,
  value: (total: Total) => number = meanOf,
): TotalMetric<Y, T> =>
  defineMetric({
    measure,
    empty: totalMonoid.empty,
    concat: totalMonoid.concat,
    read: readTotal,
    value,
  })

/**
 * A loss as a metric: the mean of its per-element values.
 * @example
 * metrics.averaged((y: Tensor, t: Tensor) => losses.huber(y, t, { reduction: 'none' }))
 */
export const averaged = <Y, T>(values: (output: Y, target: T) => Tensor): TotalMetric<Y, T> =>
  ofTotal((output, target) => totalOf(values(output, target)))

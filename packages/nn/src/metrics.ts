/** Metrics: sums and counts, so that batches, epochs and devices combine the same way. */
import { type Tensor, fill, sizeOf } from '@cotangent/core'
import type { Monoid } from 'fp-ts/lib/Monoid.js'

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

/** A metric: from outputs and targets to what adds up. */
export type Metric<Y = Tensor, T = Tensor> = (output: Y, target: T) => TotalTensors

export const readTotal = ({ sum, count }: TotalTensors): Total => ({
  sum: sum.item(),
  count: count.item(),
})

const totalOf = (values: Tensor): TotalTensors =>
  Object.freeze({
    sum: values.astype('float32').sum(),
    count: fill([], sizeOf(values.shape), 'float32'),
  })

/**
 * How many of the largest logits (classes on the last axis) are at the integer label. One-hot
 * labels, of the shape of the logits, count too.
 * @example
 * meanOf(readTotal(metrics.accuracy(logits, labels))) // 0.93
 */
export const accuracy: Metric = (logits, labels) => {
  const classes = labels.ndim === logits.ndim ? labels.argmax({ axis: -1 }) : labels
  return totalOf(logits.argmax({ axis: -1 }).equal(classes))
}

/** A loss as a metric: its per-element values, added up. */
export const averaged =
  <Y, T>(values: (output: Y, target: T) => Tensor): Metric<Y, T> =>
  (output, target) =>
    totalOf(values(output, target))

/** What a metric is: a measurement of one batch, and a monoid of what was measured. */
import type { Tensor } from '@cotangent/core'

/**
 * Measures batches, and puts measurements together: called with a model's output and the targets it
 * gives a tree of tensors (so it can be part of a compiled step); `read` takes that to plain numbers, of
 * which `empty` and `concat` make a Monoid, as fp-ts has it. Batches, epochs and devices combine
 * the same way, in any grouping.
 *
 * `A` is what is measured, `S` the summary on the host.
 */
export interface Summarizer<Y = Tensor, T = Tensor, A = unknown, S = unknown> {
  (output: Y, target: T): A
  readonly empty: S
  // Methods, so that metrics of any summaries can stand in one record.
  concat(a: S, b: S): S
  read(measured: A): S
}

/**
 * A summary that comes down to a number: what `train.fit` and `train.evaluate` report.
 * @example
 * const recall = metrics.recall({ classes: 3 })
 * const parts = batches.map(([x, y]) => recall.read(recall(model(x), y)))
 * recall.value(parts.reduce(recall.concat, recall.empty))
 */
export interface Metric<Y = Tensor, T = Tensor, A = unknown, S = unknown>
  extends Summarizer<Y, T, A, S> {
  value(summary: S): number
}

/** The parts of a `Summarizer`. */
export interface SummarizerParts<Y, T, A, S> {
  /** Traced where the step is compiled: a pure function to a tree of tensors. */
  readonly measure: (output: Y, target: T) => A
  readonly empty: S
  readonly concat: (a: S, b: S) => S
  readonly read: (measured: A) => S
}

export interface MetricParts<Y, T, A, S> extends SummarizerParts<Y, T, A, S> {
  readonly value: (summary: S) => number
}

export const defineSummarizer = <Y, T, A, S>({
  measure,
  empty,
  concat,
  read,
}: SummarizerParts<Y, T, A, S>): Summarizer<Y, T, A, S> =>
  Object.freeze(
    Object.assign((output: Y, target: T): A => measure(output, target), { empty, concat, read }),
  )

/**
 * A metric from its parts.
 * @example
 * const largest = defineMetric({ measure: (y: Tensor) => y.max(), empty: -Infinity, concat: Math.max,
 *   read: (y) => y.item(), value: (y) => y })
 */
export const defineMetric = <Y, T, A, S>(parts: MetricParts<Y, T, A, S>): Metric<Y, T, A, S> => {
  const { measure, empty, concat, read, value } = parts
  return Object.freeze(
    Object.assign((output: Y, target: T): A => measure(output, target), {
      empty,
      concat,
      read,
      value,
    }),
  )
}

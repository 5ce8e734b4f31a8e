/** Adding up what batches report. */
import {
  type Metric,
  type TotalTensors,
  type Total,
  ofTotal,
  totalMonoid,
} from '../metrics/index.ts'

/** A metric, or a function to a sum and a count, whose quotient is then reported. */
export type AnyMetric<Y, T> = Metric<Y, T> | ((output: Y, target: T) => TotalTensors)

/** Metrics by the names that they are reported under. */
export type Metrics<Y, T> = Readonly<Record<string, AnyMetric<Y, T>>>

/** What metrics report, by name: trees of tensors, or summaries on the host. */
export type ByName = Readonly<Record<string, unknown>>

/** A loss and named metrics under construction. */
export interface Totals {
  readonly loss: Total
  readonly metrics: ByName
}

/** What is known of named metrics together. */
export interface Scoreboard<Y, T> {
  /** Traced in a compiled step: trees of tensors. */
  readonly measure: (output: Y, target: T) => ByName
  /** To summaries on the host. */
  readonly read: (measured: ByName) => ByName
  readonly empty: Totals
  readonly concat: (a: Totals, b: Totals) => Totals
  readonly values: (summaries: ByName) => Readonly<Record<string, number>>
}

const isMetric = <Y, T>(metric: AnyMetric<Y, T>): metric is Metric<Y, T> => 'value' in metric

/**
 * Named metrics as one: what `fit` and `evaluate` use, for loops of one's own.
 * @example
 * const board = train.scoreboard({ f1: metrics.f1({ classes: 10 }) })
 * let totals = board.empty
 * // Batch by batch, with what makeStep or board.measure gave:
 * totals = board.concat(totals, { loss, metrics: board.read(measured) })
 * board.values(totals.metrics).f1
 */
export const scoreboard = <Y, T>(metrics: Metrics<Y, T> = {}): Scoreboard<Y, T> => {
  const all = Object.entries(metrics).map(([name, metric]): readonly [string, Metric<Y, T>] => [
    name,
    isMetric(metric) ? metric : ofTotal(metric),
  ])
  const each = <B>(f: (metric: Metric<Y, T>, name: string) => B): Readonly<Record<string, B>> =>
    Object.freeze(Object.fromEntries(all.map(([name, metric]) => [name, f(metric, name)])))
  return {
    measure: (output, target) => each((metric) => metric(output, target)),
    read: (measured) => each((metric, name) => metric.read(measured[name])),
    empty: { loss: totalMonoid.empty, metrics: each((metric) => metric.empty) },
    concat: (a, b) => ({
      loss: totalMonoid.concat(a.loss, b.loss),
      metrics: each((metric, name) => metric.concat(a.metrics[name], b.metrics[name])),
    }),
    values: (summaries) => each((metric, name) => metric.value(summaries[name])),
  }
}

/** The total of a mean over so many examples. */
export const weighted = (mean: number, examples: number): Total => ({
  sum: mean * examples,
  count: examples,
})

/** Adding up what batches report. */
import { type Total, type TotalTensors, meanOf, readTotal, totalMonoid } from '../metrics.ts'

/** A loss and named metrics under construction. */
export interface Totals {
  readonly loss: Total
  readonly metrics: Readonly<Record<string, Total>>
}

export const noTotals: Totals = Object.freeze({ loss: totalMonoid.empty, metrics: {} })

export const readMetrics = (
  metrics: Readonly<Record<string, TotalTensors>>,
): Readonly<Record<string, Total>> =>
  Object.fromEntries(Object.entries(metrics).map(([name, total]) => [name, readTotal(total)]))

/** The total of a mean over so many examples. */
export const weighted = (mean: number, examples: number): Total => ({
  sum: mean * examples,
  count: examples,
})

export const addTotals = (a: Totals, b: Totals): Totals => ({
  loss: totalMonoid.concat(a.loss, b.loss),
  metrics: Object.fromEntries(
    Object.entries(b.metrics).map(([name, total]) => [
      name,
      totalMonoid.concat(a.metrics[name] ?? totalMonoid.empty, total),
    ]),
  ),
})

export const meansOf = (
  metrics: Readonly<Record<string, Total>>,
): Readonly<Record<string, number>> =>
  Object.freeze(Object.fromEntries(Object.entries(metrics).map(([name, t]) => [name, meanOf(t)])))

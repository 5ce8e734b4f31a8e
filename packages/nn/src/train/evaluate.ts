/** Loss and metrics over a data set, in inference. */
import type { Tensor } from '@cotangent/core'
import type { Variables } from '../layer.ts'
import { meanOf } from '../metrics/index.ts'
import { type CompileOptions, compilerOf } from './compile.ts'
import { type Batches, examplesIn, pairOf } from './data.ts'
import type { Objective } from './step.ts'
import { type ByName, scoreboard, weighted } from './totals.ts'

export interface EvaluatorOptions<P, S, X, Y, T> extends Objective<P, S, X, Y, T>, CompileOptions {
  /** Stops after the batch in progress; the result is then of the batches so far. */
  readonly signal?: AbortSignal
}

export interface Evaluation {
  /** The mean over all examples. */
  readonly loss: number
  readonly metrics: Readonly<Record<string, number>>
  readonly examples: number
}

export type Evaluator<P, S, X, T> = (
  variables: Variables<P, S>,
  data: Batches<X, T>,
) => Promise<Evaluation>

/**
 * Compiles the evaluation of a model once, for any number of calls. Every batch counts by its
 * examples, so a smaller last batch does no harm: it is compiled for its own shape. The loss is
 * taken to be a mean over the batch.
 * @example
 * const evaluate = train.evaluator({ model, loss: losses.softmaxCrossEntropy, metrics: { accuracy: metrics.accuracy } })
 * const { loss, metrics: { accuracy } } = await evaluate(snapshot, testBatches)
 */
export const evaluator = <P, S, X, Y, T>(
  options: EvaluatorOptions<P, S, X, Y, T>,
): Evaluator<P, S, X, T> => {
  const { model, loss, signal } = options
  const board = scoreboard(options.metrics)
  const step = compilerOf(options)((params: P, state: S, x: X, y: T): Measured => {
    const [output] = model.apply({ params, state }, x, { train: false })
    return { loss: loss(output, y), metrics: board.measure(output, y) }
  })
  return async ({ params, state }, data) => {
    let totals = board.empty
    for await (const batch of data) {
      if (signal?.aborted === true) break
      const [x, y] = pairOf(batch)
      const result = step(params, state, x, y)
      const value = weighted(result.loss.item(), examplesIn(x))
      totals = board.concat(totals, { loss: value, metrics: board.read(result.metrics) })
    }
    return Object.freeze({
      loss: meanOf(totals.loss),
      metrics: board.values(totals.metrics),
      examples: totals.loss.count,
    })
  }
}

interface Measured {
  readonly loss: Tensor
  readonly metrics: ByName
}

/** `evaluator` for a single use. */
export const evaluate = <P, S, X, Y, T>(
  options: EvaluatorOptions<P, S, X, Y, T> & {
    readonly variables: Variables<P, S>
    readonly data: Batches<X, T>
  },
): Promise<Evaluation> => evaluator(options)(options.variables, options.data)

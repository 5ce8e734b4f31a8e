/** Training as an async iterable of snapshots. */
import { TreeError, type Tensor } from '@cotangent/core'
import { random } from '@cotangent/ops'
import type { Variables } from '../layer.ts'
import { type CompileOptions, compilerOf } from './compile.ts'
import { type Data, batchesOf, examplesIn, markLast, pairOf, shapesOf } from './data.ts'
import { divergence } from './divergence.ts'
import { Held, type Running, type Snapshot, copyTree, makeSnapshot } from './snapshot.ts'
import { type StepOptions, type StepResult, type TrainState, makeStep } from './step.ts'
import { type Scoreboard, type Totals, scoreboard, weighted } from './totals.ts'
import { meanOf } from '../metrics/index.ts'

export interface FitOptions<P, S, X, Y, T, O>
  extends StepOptions<P, S, X, Y, T, O>,
    CompileOptions {
  readonly data: Data<X, T>
  /** How often to go through the data; 1 by default. */
  readonly epochs?: number
  /** Of initialisation and of everything random in the steps. */
  readonly key: Tensor
  /**
   * Where to start; by default the model is initialised from the key, for the shapes of the first
   * batch's inputs. Never overwritten.
   */
  readonly variables?: Variables<P, S>
  readonly optimizerState?: O
  /** Steps done before, when going on from a snapshot. */
  readonly firstStep?: number
  /** Update the state in place; true by default. See `Snapshot`. */
  readonly donate?: boolean
  /** Stops after the step in progress. */
  readonly signal?: AbortSignal
}

/** Longest time without giving other tasks (signals, timers) their turn. */
const patience = 50

/**
 * Trains a model: goes through the data `epochs` times and yields a frozen snapshot after every
 * step. The whole step, from the forward pass to the optimiser's update, is one compiled function;
 * it runs when the next snapshot is asked for, and leaving the loop stops training. The same key and
 * data give the same numbers.
 *
 * @throws NumericsError where the loss is NaN or infinite, saying when and which parameters are.
 * @example
 * const run = train.fit({ model, data, key: random.key(0), epochs: 3,
 *   loss: losses.softmaxCrossEntropy, optimizer: optim.adam(1e-3), metrics: { accuracy: metrics.accuracy } })
 * for await (const { step, loss, metrics, isEndOfEpoch, params } of run) {
 *   if (isEndOfEpoch) console.log(step, loss, metrics.accuracy)
 * }
 */
export const fit = async function* <P, S, X, Y, T, O>(
  options: FitOptions<P, S, X, Y, T, O>,
): AsyncGenerator<Snapshot<P, S, O>, void, undefined> {
  const { epochs = 1, donate = true, signal, key, data } = options
  const step = compilerOf(options)(makeStep(options), donate ? { donate: [0] } : {})
  const board = scoreboard(options.metrics)
  const [initKey, stepKey] = [random.foldIn(key, 0), random.foldIn(key, 1)]
  let current: TrainState<P, S, O> | null = null
  let done = options.firstStep ?? 0
  let lastFinite: number | null = null
  let lastTurn = performance.now()

  for (let epoch = 1; epoch <= epochs; epoch++) {
    let totals = board.empty
    let batch = 0
    for await (const { item, isLast } of markLast(batchesOf(data, epoch - 1))) {
      if (isAborted(signal)) return
      const [x, y] = pairOf(item)
      current ??= start(options, initKey, x)
      const began = performance.now()
      const result: StepResult<P, S, O> = step(current, x, y, stepKey, done)
      current = result.next
      const loss = result.loss.item()
      const seconds = (performance.now() - began) / 1000
      done++
      batch++
      if (!Number.isFinite(loss)) throw divergence(done, epoch, loss, lastFinite, current.params)
      lastFinite = loss

      const examples = examplesIn(x)
      const metrics = board.read(result.metrics)
      totals = board.concat(totals, { loss: weighted(loss, examples), metrics })
      const held = new Held(current, done, donate)
      const snapshot = makeSnapshot(
        {
          step: done,
          epoch,
          batch,
          isEndOfEpoch: isLast,
          loss,
          metrics: board.values(metrics),
          running: runningOf(board, totals),
          examples,
          seconds,
          examplesPerSecond: examples / seconds,
        },
        held,
      )
      if (isLast) held.read()
      yield snapshot
      if (performance.now() - lastTurn > patience) {
        await turn()
        lastTurn = performance.now()
      }
      if (isAborted(signal)) return
      held.release()
    }
    if (batch === 0) throw noBatches(epoch)
  }
}

const runningOf = <Y, T>(board: Scoreboard<Y, T>, { loss, metrics }: Totals): Running =>
  Object.freeze({ loss: meanOf(loss), metrics: board.values(metrics) })

// Copied, so that what the caller passes is never overwritten and no two leaves share memory.
const start = <P, S, X, Y, T, O>(
  options: FitOptions<P, S, X, Y, T, O>,
  key: Tensor,
  x: X,
): TrainState<P, S, O> => {
  const { model, optimizer, variables } = options
  const { params, state } = variables ?? model.init(key, shapesOf(x))
  const optimizerState = options.optimizerState ?? optimizer.init(params)
  return copyTree({ params, state, optimizerState })
}

const isAborted = (signal: AbortSignal | undefined): boolean => signal?.aborted === true

// A macrotask: microtasks alone would keep signals and timers waiting until the end.
const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0))

const noBatches = (epoch: number): TreeError =>
  new TreeError({
    operation: 'train.fit',
    problem: `the data has no batch in epoch ${epoch}`,
    fix:
      epoch === 1
        ? 'check the data set and the batch size'
        : 'pass something that can be iterated over again (an array, a pipeline), or a function (epoch) => batches',
  })

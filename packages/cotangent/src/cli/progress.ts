/** Writes progress while training runs: one rewritten line on a terminal, plain lines in a log. */
import {
  type EpochSummary,
  type ProgressState,
  render,
  renderEpoch,
  renderPlain,
} from './progressLine.ts'

/** What is written to: `process.stderr` fits. */
export interface ProgressStream {
  write(text: string): unknown
  readonly isTTY?: boolean | undefined
  readonly columns?: number | undefined
}

export interface ProgressOptions {
  readonly stream: ProgressStream
  /** Milliseconds, never going back; `performance.now` where not given. */
  readonly now?: (() => number) | undefined
  /** Writes nothing at all. */
  readonly silent?: boolean | undefined
  /** Whether to rewrite one line; by default, whether the stream is a terminal that can. */
  readonly live?: boolean | undefined
  /** Shortest time between two drawings of the live line; 100 ms. */
  readonly liveInterval?: number | undefined
  /** Shortest time between two plain lines; 5000 ms. */
  readonly plainInterval?: number | undefined
}

/** What the training loop knows after a step. */
export interface StepReport {
  /** Counted from 1. */
  readonly epoch: number
  readonly epochs: number
  /** Steps done in this epoch, this one included, and in a whole epoch. */
  readonly step: number
  readonly steps: number
  /** Examples in this step. */
  readonly examples: number
  readonly loss?: number | undefined
  readonly accuracy?: number | undefined
}

export interface Progress {
  /** After each step; draws at most every `liveInterval`, so it may be called as often as wanted. */
  readonly step: (report: StepReport) => void
  /** At the end of an epoch: a line that stays. */
  readonly epoch: (summary: EpochSummary) => void
  /** A line that stays, written above the live one. */
  readonly note: (text: string) => void
  /** Takes the live line away. To be called also when training stops early. */
  readonly finish: () => void
}

/** Older intervals count for less, by a factor of e per so many milliseconds. */
const memory = 5000

/** Steps and examples per second over the last seconds: weighted sums, so no start-up bias. */
class Rate {
  #examples = 0
  #steps = 0
  #time = 0
  #last: number | undefined

  /** The first call only starts the clock: its step may hold tracing and compiling. */
  add(examples: number, now: number): void {
    if (this.#last !== undefined && now > this.#last) {
      const decay = Math.exp((this.#last - now) / memory)
      this.#examples = this.#examples * decay + examples
      this.#steps = this.#steps * decay + 1
      this.#time = this.#time * decay + (now - this.#last)
    }
    this.#last = now
  }

  /** The time until the next step does not count: an evaluation runs between two epochs. */
  pause(): void {
    this.#last = undefined
  }

  get examplesPerSecond(): number | undefined {
    return this.#time > 0 ? (this.#examples / this.#time) * 1000 : undefined
  }

  /** A last batch may be smaller, so the time left goes by steps, not by examples. */
  secondsFor(steps: number): number | undefined {
    return this.#time > 0 ? (steps * this.#time) / this.#steps / 1000 : undefined
  }
}

const clearLine = '\r\u001b[K'

/**
 * A progress writer. Rate and time left are its own estimates, from the clock and the examples of
 * each step.
 *
 * Example: `const progress = createProgress({ stream: process.stderr })`
 */
export const createProgress = (options: ProgressOptions): Progress => {
  const { stream, silent = false, liveInterval = 100, plainInterval = 5000 } = options
  const now = options.now ?? ((): number => performance.now())
  const live = options.live ?? (stream.isTTY === true && process.env['TERM'] !== 'dumb')
  const rate = new Rate()
  let drawn = ''
  let lastWrite = live ? Number.NEGATIVE_INFINITY : now()

  const draw = (line: string): void => {
    if (line !== drawn) stream.write(line === '' ? clearLine : `\r${line}\u001b[K`)
    drawn = line
  }

  const note = (text: string): void => {
    if (silent) return
    if (!live) return void stream.write(`${text}\n`)
    const line = drawn
    draw('')
    stream.write(`${text}\n`)
    draw(line)
  }

  const stateAfter = (report: StepReport): ProgressState => {
    const { examples: _, ...state } = report
    const stepsLeft = (report.epochs - report.epoch + 1) * report.steps - report.step
    const { examplesPerSecond } = rate
    return { ...state, examplesPerSecond, secondsLeft: rate.secondsFor(stepsLeft) }
  }

  const step = (report: StepReport): void => {
    if (silent) return
    const time = now()
    rate.add(report.examples, time)
    const due = time - lastWrite >= (live ? liveInterval : plainInterval)
    if (!due && !(live && report.step === report.steps)) return
    lastWrite = time
    const state = stateAfter(report)
    // One column less than there are: some terminals wrap when the last one is written.
    if (live) draw(render(state, Math.max(0, (stream.columns || 80) - 1)))
    else stream.write(`${renderPlain(state)}\n`)
  }

  return {
    step,
    note,
    epoch: (summary) => {
      if (live && !silent) draw('')
      note(renderEpoch(summary))
      rate.pause()
      lastWrite = live ? Number.NEGATIVE_INFINITY : now()
    },
    finish: () => {
      if (!silent && live) draw('')
    },
  }
}

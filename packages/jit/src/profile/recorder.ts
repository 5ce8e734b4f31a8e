/** Taking the time: what generated code calls before and after each step. */

/** A step that ran: which one, from when to when, in milliseconds on the clock of `performance`. */
export interface Span {
  readonly site: number
  readonly start: number
  readonly end: number
}

/** One call of the profiled function. */
export interface CallRecord {
  readonly start: number
  readonly end: number
  /** Milliseconds and number of runs of each step, and the most threads that it ran on. */
  readonly times: readonly number[]
  readonly runs: readonly number[]
  readonly threads: readonly number[]
}

/** More spans than this are counted, but not kept for the timeline. */
const spanLimit = 100_000

export class Recorder {
  /** Steps in the order in which they ended. */
  readonly spans: Span[] = []
  readonly calls: CallRecord[] = []
  /** Spans beyond the limit. */
  dropped = 0
  #times: number[] = []
  #runs: number[] = []
  #threads: number[] = []
  #begun: number[] = []
  /** The step that runs now. */
  #site = -1
  #enabled = false

  /** What generated code calls: `2 * site` before a step, `2 * site + 1` after it. */
  readonly mark = (n: number): void => {
    const now = performance.now()
    const site = n >> 1
    if ((n & 1) === 0) {
      this.#site = site
      this.#begun[site] = now
      return
    }
    if (!this.#enabled) return
    const start = this.#begun[site] ?? now
    this.#times[site] = (this.#times[site] ?? 0) + now - start
    this.#runs[site] = (this.#runs[site] ?? 0) + 1
    if (this.spans.length < spanLimit) this.spans.push({ site, start, end: now })
    else this.dropped += 1
  }

  /** What tells that a part of the current step ran on so many threads. */
  readonly forked = (threads: number): void => {
    const site = this.#site
    if (site >= 0) this.#threads[site] = Math.max(this.#threads[site] ?? 1, threads)
  }

  /** Runs `call` once and keeps what its steps took. */
  record<T>(call: () => T): T {
    this.#times = []
    this.#runs = []
    this.#threads = []
    this.#enabled = true
    const start = performance.now()
    try {
      const result = call()
      const end = performance.now()
      const [times, runs, threads] = [this.#times, this.#runs, this.#threads]
      this.calls.push({ start, end, times, runs, threads })
      return result
    } finally {
      this.#enabled = false
    }
  }
}

/**
 * The faster half of the calls: what interrupts a call (the collector, another process) says
 * nothing about it.
 */
export const undisturbed = (calls: readonly CallRecord[]): readonly CallRecord[] =>
  calls
    .toSorted((a, b) => a.end - a.start - (b.end - b.start))
    .slice(0, Math.max(1, Math.ceil(calls.length / 2)))

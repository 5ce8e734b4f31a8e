/** What `jit.profile` gives. */
import type { CompileRow, ProfileData, ProfileRow, ProfileTotal } from './data.ts'
import { showProfile } from './table.ts'
import { type Timeline, showTrace } from './trace.ts'

/** As many kernels as one reads. */
const shownRows = 20

/** Where the time of a compiled function goes; `String(profile)` is a table. */
export class Profile implements ProfileData {
  readonly name: string
  readonly backend: 'js' | 'wasm'
  readonly threads: number
  readonly repeat: number
  readonly roofs: ProfileData['roofs']
  readonly rows: readonly ProfileRow[]
  readonly total: ProfileTotal
  readonly compile: readonly CompileRow[]
  readonly #timeline: Timeline

  constructor(data: ProfileData, timeline: Timeline) {
    this.name = data.name
    this.backend = data.backend
    this.threads = data.threads
    this.repeat = data.repeat
    this.roofs = data.roofs
    this.rows = data.rows
    this.total = data.total
    this.compile = data.compile
    this.#timeline = timeline
  }

  /** The table with so many kernels, 20 unless told. */
  table(limit: number = shownRows): string {
    return showProfile(this, limit)
  }

  toString(): string {
    return this.table()
  }

  /** Plain data, for `JSON.stringify`. */
  toJSON(): ProfileData {
    const { name, backend, threads, repeat, roofs, rows, total, compile } = this
    return { name, backend, threads, repeat, roofs, rows, total, compile }
  }

  /**
   * The observed calls on a timeline, as JSON in the trace event format: save it to a file and
   * open that in chrome://tracing or ui.perfetto.dev.
   */
  toChromeTrace(): string {
    return showTrace(this, this.#timeline)
  }
}

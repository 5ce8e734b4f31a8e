/** The user's line that an equation comes from, found only when somebody asks. */
import { locate } from './errors.ts'

/** Frames kept of an equation's stack: most of what tracing costs is proportional to them. */
const equationFrames = 14
/** Frames kept of the call that traces a function. */
const traceFrames = 30

/** Captures the stack now (cheap) and reads it when a message needs it (not). */
export class Origin {
  readonly #holder: { readonly stack?: string }
  readonly #trace: Origin | null

  /** `trace` is where the traced function was called from: the answer for what lies too deep. */
  constructor(trace: Origin | null = null) {
    const limit = Error.stackTraceLimit
    Error.stackTraceLimit = trace === null ? traceFrames : equationFrames
    const holder: { stack?: string } = {}
    Error.captureStackTrace(holder, Origin)
    Error.stackTraceLimit = limit
    this.#holder = holder
    this.#trace = trace
  }

  /** `file:line:column`, or undefined where the call did not come from a file. */
  get location(): string | undefined {
    return locate(this.#holder.stack ?? '') ?? this.#trace?.location
  }
}

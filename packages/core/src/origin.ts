/** The user's line that an equation comes from, found only when somebody asks. */
import { locate } from './errors.ts'

/** Captures the stack now (cheap) and reads it when a message needs it (not). */
export class Origin {
  readonly #holder: { readonly stack?: string }

  constructor() {
    const limit = Error.stackTraceLimit
    Error.stackTraceLimit = 30
    const holder: { stack?: string } = {}
    Error.captureStackTrace(holder, Origin)
    Error.stackTraceLimit = limit
    this.#holder = holder
  }

  /** `file:line:column`, or undefined where the call did not come from a file. */
  get location(): string | undefined {
    return locate(this.#holder.stack ?? '')
  }
}

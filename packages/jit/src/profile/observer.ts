/** Generated code that tells of its steps: printed so only for profiling. */
import type { Step } from '../program.ts'

/** Who is told when steps begin and end. */
export interface Observer {
  /** The steps that are told of, by their numbers. */
  readonly sites: ReadonlyMap<Step, number>
  /** Called with `2 * site` before a step and `2 * site + 1` after it. */
  readonly mark: (n: number) => void
  /** Called when a part of the current step has run on so many threads. */
  readonly forked: (threads: number) => void
}

/** What profiling and explaining see of a compiled function, found by the function itself. */
import type { MissLog } from './explain/log.ts'
import type { Call, Variant } from './variant.ts'

export interface Inside {
  /** The name of the function that was compiled. */
  readonly name: string
  readonly isInterpreted: boolean
  /** How many variants may be kept, and those that are. */
  readonly capacity: number
  readonly variants: () => readonly Variant[]
  readonly log: MissLog
  readonly prepare: (args: readonly unknown[]) => Call
  /** Traces the function anew, whatever is cached. */
  readonly trace: (args: readonly unknown[], call: Call) => Variant
}

const insides = new WeakMap<object, Inside>()

export const showInside = (jitted: object, inside: Inside): void => {
  insides.set(jitted, inside)
}

/** Null for functions that `jit` did not make. */
export const insideOf = (f: object): Inside | null => insides.get(f) ?? null

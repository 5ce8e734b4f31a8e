/** What a profile holds: plain data. Times are milliseconds, rates are per second. */
import type { CompileStage } from './stopwatch.ts'

/** One kernel (or call of JavaScript) of the compiled function. */
export interface ProfileRow {
  readonly name: string
  /** Primitives that it computes, in order. */
  readonly operations: readonly string[]
  /** How often it runs in one call of the function. */
  readonly calls: number
  /** Time in one call of the function. */
  readonly time: number
  /** Of the function's time, 0 to 1. */
  readonly share: number
  /** Arithmetic operations in one call of the function; a function such as exp counts for what it is written as. */
  readonly flops: number
  /** Bytes read and written in one call of the function, each array once a run. */
  readonly bytes: number
  readonly flopsPerSecond: number
  readonly bytesPerSecond: number
  /**
   * The time it would take at the measured roof of the threads it used, as a fraction of its time:
   * 1 is as fast as this machine can. Minimal algorithms and what stays in a cache may go beyond.
   */
  readonly roof: number
  /** Which roof: arithmetic or memory. */
  readonly bound: 'compute' | 'memory'
  /** The most threads that a part of it ran on. */
  readonly threads: number
  /** Why it is not one kernel with the one before it. */
  readonly apart: string
  /** Why each of its results is written to memory. */
  readonly stored: readonly string[]
  /** The loops around it: `scan × 20`; empty at the top. */
  readonly inside: string
  /** The line of the program that asked for it, where that is known. */
  readonly at: string | null
  /** The generated code, as text. */
  readonly source: string
}

/** One call of the function. */
export interface ProfileTotal {
  /** Observed: with a clock around every kernel. */
  readonly time: number
  /** Without one. */
  readonly unobserved: number
  /** In kernels. */
  readonly kernels: number
  /** The rest: arguments, results, loops and copies. */
  readonly other: number
  readonly flops: number
  readonly bytes: number
  readonly flopsPerSecond: number
  readonly bytesPerSecond: number
}

/** A part of the first call. */
export interface CompileRow {
  readonly stage: CompileStage | 'first run'
  readonly time: number
}

/** A kernel that ran, on the clock that starts with the first profiled call. */
export interface ProfileSpan {
  /** Which of the rows. */
  readonly row: number
  readonly start: number
  readonly end: number
}

export interface ProfileData {
  /** The function's name. */
  readonly name: string
  readonly backend: 'js' | 'wasm'
  /** How many threads it could use. */
  readonly threads: number
  /** How many calls were observed. The figures are means over the faster half of them. */
  readonly repeat: number
  /** What one thread of this machine can do. */
  readonly roofs: {
    readonly flopsPerSecond: number
    readonly memory: readonly { readonly bytes: number; readonly bytesPerSecond: number }[]
  }
  /** The slowest first. */
  readonly rows: readonly ProfileRow[]
  readonly total: ProfileTotal
  /** Where the first call goes, in order. */
  readonly compile: readonly CompileRow[]
}

/** The ways in which the programs are run. */
import { jit, setThreads } from 'cotangent'
import type { Backend, JitOptions } from '@cotangent/jit'

/** `jit` on a fixed back end. */
export type Compile = <A extends readonly unknown[], R>(
  f: (...args: A) => R,
  options?: JitOptions,
) => (...args: A) => R

export interface Mode {
  readonly name: string
  /** Absent: the best that the engine allows. */
  readonly backend?: Backend
  readonly threads: number
}

const js: Mode = { name: 'js', backend: 'js', threads: 1 }
const interpreter: Mode = { name: 'interpreter', backend: 'interpret', threads: 1 }
const wasm: Mode = { name: 'wasm', backend: 'wasm', threads: 1 }
const threaded: Mode = { name: 'wasm, 2 threads', backend: 'wasm', threads: 2 }

/** What every engine can do. */
export const modes: readonly Mode[] = [js, interpreter, wasm]

/** Where threads can share memory. */
export const threadedModes: readonly Mode[] = [...modes, threaded]

/** What the library chooses by itself. */
export const bestMode: Mode = { name: 'best', threads: 1 }

export const enter = ({ backend, threads }: Mode): Compile => {
  if (threads !== current) setThreads(threads)
  current = threads
  const given = backend === undefined ? {} : { backend }
  return (f, options = {}) => jit(f, { ...options, ...given })
}

let current = 0

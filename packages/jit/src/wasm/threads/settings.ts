/** How many threads to use. */
import { CotangentError, UnsupportedError } from '@cotangent/core'
import { availableThreads, canShareMemory, environmentSetting } from './host.ts'

const most = 256

let chosen: number | null = null
const listeners = new Set<(threads: number) => void>()

/**
 * The number of threads that compiled functions may use, the calling one included: what
 * `setThreads` said, else the environment variable `COTANGENT_THREADS`, else as many as can run at
 * once. It is 1 on pages that are not cross-origin isolated, which cannot share memory.
 * @throws CotangentError where `COTANGENT_THREADS` is not a whole number from 1 to 256
 */
export const getThreads = (): number => {
  chosen ??= initialThreads()
  return chosen
}

/**
 * Sets the number of threads, 1 to 256, from the next call of a compiled function on. Results do
 * not depend on it.
 * @throws CotangentError for other numbers
 * @throws UnsupportedError for more than 1 where threads cannot share memory
 * @example
 * setThreads(1) // leave the other cores to somebody else
 */
export const setThreads = (threads: number): void => {
  if (!isCount(threads)) throw notACount('setThreads', `${threads}`)
  if (threads > 1 && !canShareMemory())
    throw new UnsupportedError({
      operation: 'setThreads',
      problem: 'threads cannot share memory here',
      got: `${threads} threads`,
      fix: 'on a page: serve it with Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp; in Node: use 20.16 or later',
    })
  chosen = threads
  for (const listener of listeners) listener(threads)
}

/** Calls `listener` after each `setThreads`; returns how to stop that. */
export const onThreads = (listener: (threads: number) => void): (() => void) => {
  listeners.add(listener)
  return () => {
    listeners.delete(listener)
  }
}

let always = false

/** Whether all work is shared out that can be, however little. */
export const forksAlways = (): boolean => always

/**
 * Shares out work between threads even where one is sooner done, in functions compiled from now on:
 * to test on small programs what threads do.
 */
export const setForksAlways = (on: boolean): void => {
  always = on
}

const initialThreads = (): number => {
  const setting = environmentSetting('COTANGENT_THREADS')
  const wanted = setting === undefined || setting === '' ? null : Number(setting)
  if (wanted !== null && !isCount(wanted)) throw notACount('COTANGENT_THREADS', `${setting}`)
  if (!canShareMemory()) return 1
  return wanted ?? Math.min(most, availableThreads())
}

const isCount = (n: number): boolean => Number.isInteger(n) && n >= 1 && n <= most

const notACount = (operation: string, got: string): CotangentError =>
  new CotangentError({
    operation,
    problem: `the number of threads is a whole number from 1 to ${most}`,
    got,
    fix: 'give 1 for the calling thread alone, or as many threads as there are cores',
  })

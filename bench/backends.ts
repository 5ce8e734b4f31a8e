/** The ways to run a compiled function that this machine has. */
import { availableParallelism } from 'node:os'
import * as cotangent from 'cotangent'
import { erase } from '@cotangent/core'
import { type JitOptions, jit } from '@cotangent/jit'

export type Backend = NonNullable<JitOptions['backend']>

/** A backend with so many threads: one column of a table. */
export interface Way {
  readonly name: string
  readonly backend: Backend
  readonly threads: number
}

/** Whether `jit` knows a backend by this name. */
export const isBackend = (name: string): name is Backend => {
  try {
    erase(jit)(() => 0, { backend: name })
    return true
  } catch {
    return false
  }
}

const setter: unknown = Reflect.get(cotangent, 'setThreads')

let threadsNow: number | null = null

/** Makes later calls use so many threads; nothing where there are no threads to be had. */
export const useThreads = (count: number): void => {
  if (typeof setter !== 'function' || threadsNow === count) return
  threadsNow = count
  setter(count)
}

const way = (name: string, backend: string, threads: number): readonly Way[] =>
  isBackend(backend) ? [{ name, backend, threads }] : []

/** As many as the comparison with other libraries uses, where the machine has them. */
export const manyThreads: number = Math.min(2, availableParallelism())

/** The best single thread first: it is the one that is judged. */
export const ways: readonly Way[] = [
  ...way('wasm', 'wasm', 1),
  ...(manyThreads > 1 ? way(`wasm, ${manyThreads} threads`, 'wasm', manyThreads) : []),
  ...way('js', 'js', 1),
  ...way('interpreter', 'interpret', 1),
]

/** The ways to run a compiled function that this machine has. */
import { availableParallelism } from 'node:os'
import { type Backend, getThreads, isAvailable, setThreads } from '@cotangent/jit'

/** A backend with so many threads: one column of a table. */
export interface Way {
  readonly name: string
  readonly backend: Backend
  readonly threads: number
}

/** Makes later calls use so many threads. */
export const useThreads = (count: number): void => {
  if (getThreads() !== count) setThreads(count)
}

const way = (name: string, backend: Backend, threads: number): readonly Way[] =>
  backend === 'interpret' || isAvailable(backend) ? [{ name, backend, threads }] : []

/** As many as the comparison with other libraries uses, where the machine has them. */
export const manyThreads: number = Math.min(2, availableParallelism())

/** The best single thread first: it is the one that is judged. */
export const ways: readonly Way[] = [
  ...way('wasm', 'wasm', 1),
  ...(manyThreads > 1 ? way(`wasm, ${manyThreads} threads`, 'wasm', manyThreads) : []),
  ...way('js', 'js', 1),
  ...way('interpreter', 'interpret', 1),
]

/** Threads: a pool of workers over one shared memory. */
export * from './errors.ts'
export {
  type StartThread,
  type Thread,
  availableThreads,
  canShareMemory,
  startThread,
} from './host.ts'
export * from './pool.ts'
export * from './settings.ts'
export type { WorkerData } from './source.ts'

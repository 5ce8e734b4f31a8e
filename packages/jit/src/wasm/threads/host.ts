/** Starting workers, in Node and in browsers, and what the platform can do. */
import type * as Os from 'node:os'
import type * as Threads from 'node:worker_threads'
import type { WatcherData, WorkerData } from './source.ts'

/** A worker, or a failed attempt to start one. */
export interface Thread {
  /** Stops the worker, also in the middle of a loop. */
  readonly terminate: () => void
  /** What the watcher is handed, where this platform has one. */
  readonly port: unknown
}

/** How to start workers; `died` is told when one is gone, or never came to be. */
export type StartThread = (
  source: string,
  data: WorkerData,
  died: (reason: string) => void,
) => Thread

interface NodeModules {
  readonly threads: typeof Threads
  readonly os: typeof Os
}

// Not imported: a page has no such modules, and a bundler would look for them.
const findNode = (): NodeModules | null => {
  if (typeof process === 'undefined' || typeof process.getBuiltinModule !== 'function') return null
  const threads = process.getBuiltinModule('node:worker_threads')
  const os = process.getBuiltinModule('node:os')
  return threads === undefined || os === undefined ? null : { threads, os }
}

let found: { readonly node: NodeModules | null } | null = null

const node = (): NodeModules | null => {
  found ??= { node: findNode() }
  return found.node
}

/**
 * Whether threads can share memory here: always in Node (from 20.16), on a page only when it is
 * cross-origin isolated.
 */
export const canShareMemory = (): boolean => {
  if (typeof SharedArrayBuffer === 'undefined' || typeof WebAssembly === 'undefined') return false
  if (node() !== null) return true
  return typeof Worker === 'function' && Reflect.get(globalThis, 'crossOriginIsolated') === true
}

/** How many threads can run at once. */
export const availableThreads = (): number => {
  const os = node()?.os
  if (os !== undefined) return Math.max(1, os.availableParallelism())
  return typeof navigator === 'undefined' ? 1 : Math.max(1, navigator.hardwareConcurrency)
}

/** A setting from the environment, where there is one. */
export const environmentSetting = (name: string): string | undefined =>
  typeof process === 'undefined' ? undefined : process.env?.[name]

let blocking: boolean | null = null

/** Whether this thread may wait: the main thread of a page may not. */
export const canWait = (): boolean => {
  blocking ??= tryWaiting()
  return blocking
}

const tryWaiting = (): boolean => {
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 0)
    return true
  } catch (error) {
    if (error instanceof TypeError) return false
    throw error
  }
}

/** Starts a worker the way this platform does. */
export const startThread: StartThread = (source, data, died) => {
  const modules = node()
  return modules === null
    ? startInBrowser(source, data, died)
    : startInNode(modules, source, data, died)
}

// Workers never keep a process alive, and take no flags meant for the main program.
const startInNode = (
  { threads }: NodeModules,
  source: string,
  data: WorkerData,
  died: (reason: string) => void,
): Thread => {
  const { port1, port2 } = new threads.MessageChannel()
  const worker = new threads.Worker(source, {
    eval: true,
    name: `cotangent ${data.index}`,
    execArgv: [],
    workerData: { ...data, port: port2 },
    transferList: [port2],
  })
  worker.unref()
  port1.unref()
  worker.on('error', (error) => died(String(error)))
  worker.on('exit', (code) => died(`a worker exited with code ${code}`))
  return {
    port: port1,
    terminate: () => {
      port1.close()
      void worker.terminate()
    },
  }
}

const startInBrowser = (
  source: string,
  data: WorkerData,
  died: (reason: string) => void,
): Thread => {
  const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }))
  const worker = new Worker(url, { name: `cotangent ${data.index}` })
  worker.addEventListener('error', (event) => died(event.message || 'a worker did not start'))
  worker.postMessage(data)
  return {
    port: null,
    terminate: () => {
      worker.terminate()
      URL.revokeObjectURL(url)
    },
  }
}

/** Starts the watcher of a pool, where the platform tells of ports that close; else null. */
export const startWatcher = (
  source: string,
  data: WatcherData,
): { terminate: () => void } | null => {
  const modules = node()
  if (modules === null) return null
  const { MessagePort, Worker: NodeWorker } = modules.threads
  const watcher = new NodeWorker(source, {
    eval: true,
    name: 'cotangent watcher',
    execArgv: [],
    workerData: data,
    transferList: data.ports.filter((port) => port instanceof MessagePort),
  })
  watcher.unref()
  return {
    terminate: () => {
      void watcher.terminate()
    },
  }
}

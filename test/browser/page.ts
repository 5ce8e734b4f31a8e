/** What the pages run: the programs in the modes that the address names, then a report of it. */
import { type Tensor, getThreads, jit, np, setThreads } from 'cotangent'
import { isAvailable, theHeap } from '@cotangent/jit'
import { type Mode, bestMode, threadedModes } from '../smoke/modes.ts'
import { type Report, runSmoke } from '../smoke/run.ts'

/** What a page tells of itself. */
export interface PageReport {
  readonly isIsolated: boolean
  /** The number of threads before anybody set one. */
  readonly threads: number
  /** Why there can be no two threads, or null. */
  readonly refusal: string | null
  /** The most threads that took part in a product of matrices; 0: nobody asked. */
  readonly seen: number
  /** What a function without a back end of its own becomes. */
  readonly code: 'wasm' | 'js' | 'none'
  /** How often tensors had to leave the heap for others. */
  readonly evictions: number
  readonly smoke: Report
}

const listOf = (name: string): readonly string[] =>
  new URLSearchParams(location.search).get(name)?.split('|') ?? []

const modesNamed = (names: readonly string[]): readonly Mode[] =>
  [bestMode, ...threadedModes].filter(({ name }) => names.includes(name))

const product = jit((a: Tensor) => a.matmul(a))
const matrix = np.ones([256, 256])

// Workers start while the page is idle, so the product is tried again until they are there, or
// are known not to come.
const threadsSeen = async (): Promise<number> => {
  const until = performance.now() + 10_000
  let most = 0
  while (most < 2 && performance.now() < until) {
    const { rows } = jit.profile(product, { repeat: 3 })(matrix)
    most = Math.max(most, ...rows.map((row) => row.threads))
    if (listOf('alone').length > 0 && performance.now() > until - 9000) break
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return most
}

const refusalOfThreads = (): string | null => {
  try {
    setThreads(2)
    return null
  } catch (error) {
    return String(error)
  }
}

const codeHere = (): PageReport['code'] => {
  if (!isAvailable(undefined)) return 'none'
  return product.lower(matrix).wasm === null ? 'js' : 'wasm'
}

const run = async (): Promise<PageReport> => {
  const modes = modesNamed(listOf('modes'))
  const programs = listOf('programs')
  const threads = getThreads()
  const refusal = refusalOfThreads()
  const isThreaded = modes.some((mode) => mode.threads > 1)
  const seen = isThreaded ? await threadsSeen() : 0
  const smoke = programs.length === 0 ? runSmoke(modes) : runSmoke(modes, programs)
  const evictions = isAvailable('wasm') ? theHeap().stats().evictions : 0
  const code = codeHere()
  return { isIsolated: crossOriginIsolated, threads, refusal, seen, code, evictions, smoke }
}

const report = await run()
// The browser's driver defines it.
Reflect.apply(Reflect.get(globalThis, 'deliver'), undefined, [JSON.stringify(report)])

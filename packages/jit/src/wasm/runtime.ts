/** What all WebAssembly executables share: the heap, and whether there is WebAssembly at all. */
import { Heap } from './heap/index.ts'
import { Pool, getThreads, onThreads } from './threads/index.ts'

// (func (result v128) i32.const 0; i8x16.splat)
const simdProbe = Uint8Array.of(
  0,
  97,
  115,
  109,
  1,
  0,
  0,
  0,
  1,
  5,
  1,
  96,
  0,
  1,
  123,
  3,
  2,
  1,
  0,
  10,
  8,
  1,
  6,
  0,
  65,
  0,
  253,
  15,
  11,
)

let available: boolean | null = null

/** Whether the engine has WebAssembly with vectors and this page may compile it. Tried once. */
export const wasmAvailable = (): boolean => {
  available ??= tryCompiling()
  return available
}

const tryCompiling = (): boolean => {
  try {
    if (typeof WebAssembly === 'undefined' || !WebAssembly.validate(simdProbe)) return false
    // A content security policy lets bytes be validated, but not compiled.
    return new WebAssembly.Module(simdProbe) instanceof WebAssembly.Module
  } catch {
    return false
  }
}

let shared: Heap | null = null

/** Threads need a shared memory; a page has one only when it is cross-origin isolated. */
const canShare = (): boolean => {
  if (typeof SharedArrayBuffer === 'undefined') return false
  return !('crossOriginIsolated' in globalThis) || globalThis.crossOriginIsolated === true
}

/** The heap of this thread's executables, made when it is first needed. */
export const theHeap = (): Heap => {
  shared ??= Heap.create({ shared: canShare() })
  return shared
}

let pool: Pool | null = null

/** The threads of this page or process, which share the heap. */
export const thePool = (): Pool => {
  if (pool !== null) return pool
  const made = new Pool(theHeap().memory, getThreads())
  onThreads((threads) => made.resize(threads))
  pool = made
  return made
}

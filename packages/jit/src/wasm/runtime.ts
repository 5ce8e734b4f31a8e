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

let tried: { readonly obstacle: string | null } | null = null

/** Why there can be no WebAssembly with vectors here, or null. Tried once. */
export const wasmObstacle = (): string | null => {
  tried ??= { obstacle: findObstacle() }
  return tried.obstacle
}

/** Whether the engine has WebAssembly with vectors and this page may compile it. */
export const wasmAvailable = (): boolean => wasmObstacle() === null

const findObstacle = (): string | null => {
  if (typeof WebAssembly === 'undefined') return 'this engine has no WebAssembly'
  if (!WebAssembly.validate(simdProbe))
    return 'the WebAssembly of this engine has no vectors (SIMD)'
  try {
    // A content security policy lets bytes be validated, but not compiled.
    const module = new WebAssembly.Module(simdProbe)
    return module instanceof WebAssembly.Module ? null : 'this engine compiles no WebAssembly'
  } catch (error) {
    return `WebAssembly cannot be compiled here (${String(error)})`
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

/** The WebAssembly heap: tensors' elements, arenas, and the memory that they lie in. */
export { Arena } from './arena.ts'
export { MemoryError } from './errors.ts'
export { Heap, type HeapOptions } from './heap.ts'
export type { HeapStats } from './stats.ts'
export { guardBytes } from './sizes.ts'
export { Allocator } from './allocator.ts'
export { blockBytes } from './sizes.ts'

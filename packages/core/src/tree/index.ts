/** Trees of tensors: the `tree` namespace. */
export * from './flattening.ts'
export * from './mapping.ts'
export * from './queries.ts'
export type { ClassHandler, Flat, Leaf, Structure } from './structure.ts'

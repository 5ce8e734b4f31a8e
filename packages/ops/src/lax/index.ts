/** `lax`: the structural layer, with JAX's names and argument orders in camelCase. */
export type { Computation } from './computation.ts'
export * from './convolution.ts'
export * from './elementwise.ts'
export * from './indexing.ts'
export type { Padding, PaddingPairs } from './padding.ts'
export * from './structural.ts'
export * from './windows.ts'
export * from '../control/lax.ts'

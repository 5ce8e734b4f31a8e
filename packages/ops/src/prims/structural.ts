/** Primitives that move elements without computing: slices, padding, joins, counting. */
export * from './concatenate.ts'
export * from './iota.ts'
export * from './slice.ts'

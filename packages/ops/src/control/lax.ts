/** What `lax` has of control flow: loops under their JAX names, and the collectives. */
export { type AssociativeScanOptions, associativeScan } from './associativeScan.ts'
export * from './collectives.ts'
export { cond, switchCase } from './cond.ts'
export { foriLoop } from './foriLoop.ts'
export { type MapOptions, map } from './map.ts'
export { scan } from './scan.ts'
export { whileLoop } from './whileLoop.ts'

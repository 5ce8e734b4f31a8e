/** Control flow, and looking into running programs. */
export { type Operands, cond, switchCase } from './cond.ts'
export * as debug from './debug.ts'
export { foriLoop } from './foriLoop.ts'
export { type ScanOptions, scan } from './scan.ts'
export { type Like, type Tensors } from './trees.ts'
export { whileLoop } from './whileLoop.ts'
/** The primitives, for tests and tools. */
export { branchP } from './branchPrimitive.ts'
export { allGatherP, psumP } from './collectivePrimitives.ts'
export { hostP } from './effects.ts'
export { scanP } from './scanPrimitive.ts'
export { whileP } from './whilePrimitive.ts'

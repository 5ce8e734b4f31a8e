/** `@cotangent/jit`: the compiler. */
export { type CompiledKernel, compileKernel, printKernel } from './js/compile.ts'
export { codeGenerationAllowed } from './js/evaluate.ts'
export type { Kernel, KernelBuffer } from './kernel.ts'
export { emitReduction, type ReductionSpec } from './loops/reduction.ts'

/** `@cotangent/jit`: the compiler. Loading it gives eager operations their kernels. */
import './eager/install.ts'

export { type CompiledKernel, compileKernel, printKernel } from './js/compile.ts'
export { codeGenerationAllowed } from './js/evaluate.ts'
export type { Kernel, KernelBuffer, KernelScratch } from './kernel.ts'
export { emitReduction, type ReductionSpec } from './loops/reduction.ts'
export type { VectorReductionSpec } from './loops/vector/nest.ts'
export { describePlan, emitVectorReduction } from './loops/vector/reduction.ts'
export * from './cache.ts'
export { compilingAtOnce, eagerCache } from './eager/evaluate.ts'
export * from './executable.ts'
export type { Change, ChangeKind } from './explain/compare.ts'
export { Explanation, type ExplanationData } from './explain/explanation.ts'
export type { Miss, MissReason } from './explain/log.ts'
export * from './jit.ts'
export * from './profile/data.ts'
export type { ProfileFunction, ProfileOptions } from './profile/profile.ts'
export { Profile } from './profile/result.ts'
export { type Bandwidth, type Roofs, measuredRoofs } from './profile/roofs.ts'
export * from './lowered.ts'
export * from './passes/pipeline.ts'
export * from './program.ts'
export { compileFor, runOn } from './run.ts'
export * as encode from './wasm/encode/index.ts'
export {
  canFuseMultiplyAdd,
  fusesMultiplyAdd,
  setFusedMultiplyAdd,
} from './wasm/fusedMultiplyAdd.ts'
export * as heap from './wasm/heap/index.ts'
export { theHeap } from './wasm/runtime.ts'
export * as threads from './wasm/threads/index.ts'
export { WorkerError, getThreads, setThreads } from './wasm/threads/index.ts'

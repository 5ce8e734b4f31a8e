/** `optim`: gradient transformations and schedules. */
export {
  type AdamOptions,
  type AdamState,
  type AdamWOptions,
  adam,
  adamw,
  scaleByAdam,
} from './adam.ts'
export { clipByGlobalNorm, clipByValue, globalNorm } from './clip.ts'
export { addDecayedWeights } from './decay.ts'
export * from './schedule.ts'
export { type SgdOptions, type SgdState, type TraceState, sgd, trace } from './sgd.ts'
export {
  type AnyTransformation,
  type ChainState,
  type CountState,
  type EmptyState,
  type GradientTransformation,
  applyUpdates,
  chain,
  identity,
} from './transformation.ts'
export type { Mask, Tree } from './trees.ts'

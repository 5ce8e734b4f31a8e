/** `optim`: gradient transformations and schedules. */
export * from './accumulate.ts'
export {
  type AcpropOptions,
  type AdabeliefOptions,
  acprop,
  adabelief,
  scaleByAcprop,
  scaleByBelief,
} from './adabelief.ts'
export * from './adadelta.ts'
export * from './adafactor.ts'
export * from './adagrad.ts'
export {
  type AdamOptions,
  type AdamState,
  type AdamWOptions,
  type DecayOptions,
  adam,
  adamw,
  scaleByAdam,
} from './adam.ts'
export * from './adamax.ts'
export * from './adan.ts'
export * from './ademamix.ts'
export * from './adopt.ts'
export * from './amsgrad.ts'
export * from './clip.ts'
export * from './cocob.ts'
export * from './conditional.ts'
export * from './constrain.ts'
export {
  type AnnealingOptions,
  type CyclicOptions,
  type WarmRestartOptions,
  cosineAnnealing,
  cosineWarmRestarts,
  cyclic,
} from './cycles.ts'
export * from './dadapt.ts'
export * from './decay.ts'
export * from './dog.ts'
export * from './ema.ts'
export { flattened as flatten } from './flattened.ts'
export { type Hyper, type ScheduleOr, biasCorrection } from './hyper.ts'
export * from './inject.ts'
export * from './lbfgs.ts'
export * from './linesearch.ts'
export * from './lion.ts'
export * from './lookahead.ts'
export * from './madgrad.ts'
export * from './masked.ts'
export { type MomentsState, updateMoment } from './moments.ts'
export * from './mechanic.ts'
export * from './momo.ts'
export * from './muon.ts'
export type { MuonDimensionNumbers, WeightDimensionNumbers } from './muonDimensions.ts'
export * from './nadam.ts'
export * from './names.ts'
export * from './noise.ts'
export { globalNorm, maximumNorm, squaredNorm, treeDot, treeSum } from './norms.ts'
export * from './novograd.ts'
export * from './oneCycle.ts'
export * from './optimistic.ts'
export * from './partition.ts'
export * from './perExample.ts'
export * from './polyak.ts'
export * from './prodigy.ts'
export * as projections from './projections.ts'
export * from './radam.ts'
export * from './rate.ts'
export * from './reduceOnPlateau.ts'
export * from './rmsprop.ts'
export * from './rprop.ts'
export * from './sam.ts'
export * from './scaling.ts'
export {
  type CosineOptions,
  type ExponentialDecayOptions,
  type PolynomialOptions,
  type Schedule,
  constantSchedule,
  cosineDecay,
  exponentialDecay,
  joinSchedules,
  linear,
  piecewiseConstant,
  polynomial,
} from './schedule.ts'
export * from './scheduleFree.ts'
export * from './sgd.ts'
export * from './signs.ts'
export * from './sm3.ts'
export {
  type AnyTransformation,
  type ChainState,
  type CountState,
  type EmptyState,
  type Extra,
  type GradientTransformation,
  type NamedChainState,
  type StateOf,
  applyUpdates,
  chain,
  identity,
  incrementalUpdate,
  namedChain,
  periodicUpdate,
  stateless,
} from './transformation.ts'
export type { Mask, Tree } from './trees.ts'
export * from './trust.ts'
export * from './warmup.ts'
export * from './yogi.ts'
export type { ZoomOptions } from './zoom.ts'

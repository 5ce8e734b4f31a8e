/** The same under Optax's names, for those who know them. */
export { accumulate as multiSteps } from './accumulate.ts'
export { clipByValue as clip } from './clip.ts'
export {
  cosineOneCycle as cosineOnecycleSchedule,
  linearOneCycle as linearOnecycleSchedule,
  piecewiseInterpolate as piecewiseInterpolateSchedule,
} from './oneCycle.ts'
export {
  cosineDecay as cosineDecaySchedule,
  linear as linearSchedule,
  piecewiseConstant as piecewiseConstantSchedule,
  polynomial as polynomialSchedule,
} from './schedule.ts'
export {
  sgdr as sgdrSchedule,
  warmupConstant as warmupConstantSchedule,
  warmupCosine as warmupCosineDecaySchedule,
  warmupExponential as warmupExponentialDecaySchedule,
} from './warmup.ts'

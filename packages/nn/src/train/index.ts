/** `train`: fitting and evaluating. */
export type { Compile } from './compile.ts'
export type { Batch, Batches, Data } from './data.ts'
export {
  type Evaluation,
  type Evaluator,
  type EvaluatorOptions,
  evaluate,
  evaluator,
} from './evaluate.ts'
export { type FitOptions, fit } from './fit.ts'
export type { Figures, Running, Snapshot } from './snapshot.ts'
export { type Step, type StepOptions, type StepResult, type TrainState, makeStep } from './step.ts'
export { type AnyMetric, type ByName, type Metrics, type Scoreboard, scoreboard } from './totals.ts'

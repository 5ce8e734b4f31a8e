/** What a training run found out, before it becomes a report. */
import type {
  CompileStage,
  Confusion,
  FilterBank,
  GraphText,
  KernelTime,
  Mistake,
  TestPoint,
} from '../report/data.ts'

export interface Outcome {
  readonly parameters: number
  readonly steps: number
  readonly stepsPerEpoch: number
  /** Per step. */
  readonly loss: readonly number[]
  readonly accuracy: readonly number[]
  readonly tests: readonly TestPoint[]
  readonly trainSeconds: number
  readonly examplesPerSecond: number
  /** Tracing and compiling the step; undefined for an interpreted run. */
  readonly compileSeconds: number | undefined
  /** Medians of one step. */
  readonly compiledStepSeconds: number | undefined
  readonly interpretedStepSeconds: number | undefined
  readonly confusion: Confusion
  readonly mistakes: readonly Mistake[]
  readonly filters: readonly FilterBank[]
  readonly graphs: readonly GraphText[]
  readonly kernels: readonly KernelTime[]
  readonly kernelRuns: number
  /** How many threads compiled functions could use. */
  readonly threads: number
  readonly roofs: string
  readonly firstCall: readonly CompileStage[]
  readonly interrupted: boolean
}

export const median = (values: readonly number[]): number | undefined =>
  [...values].sort((a, b) => a - b)[values.length >> 1]

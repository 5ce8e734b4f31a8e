/** What kernels are written for: decisions of the emitters that depend on the back end. */
import type { DType, Index, Machine, Stmt } from '@cotangent/core'
import type { ReductionSpec } from './loops/reduction.ts'
import { emitReduction } from './loops/reduction.ts'
import { emitVectorReduction } from './loops/vector/reduction.ts'
import { emitWindows } from './loops/windows.ts'

/** A reduction as an emitter is asked for it; scratch may be of any dtype. */
export interface TargetReduction extends Omit<ReductionSpec, 'scratch'> {
  readonly scratch: (size: number, dtype: DType) => string
  /** Takes loops that run before the statements; absent where loops surround them. */
  readonly before?: (phase: readonly Stmt[]) => void
  /** Stores to make for each term of the only output; only where there are vectors. */
  readonly visits?: (reduced: readonly Index[]) => readonly Stmt[]
}

export interface Target {
  readonly name: 'js' | 'wasm'
  readonly machine: Machine
  /** Statements that compute a reduction for every output. */
  readonly reduce: (spec: TargetReduction) => readonly Stmt[]
}

export const jsTarget: Target = {
  name: 'js',
  machine: { vectors: false },
  reduce: (spec) => emitReduction({ ...spec, scratch: (size) => spec.scratch(size, 'float64') }),
}

export const wasmTarget: Target = {
  name: 'wasm',
  machine: { vectors: true },
  reduce: ({ scratch, before, ...spec }) =>
    (spec.visits === undefined ? emitWindows(spec) : null) ??
    // Rounds of loops around the statements, which threads share, would share the scratch too.
    emitVectorReduction(before === undefined ? spec : { ...spec, scratch, before }),
}

/** Operations on tensors whose values are known: views, a compiler's kernels, or the reference. */
import { evaluateConcrete, isInterpreting } from './evaluate.ts'
import type { AnyPrimitive } from './primitive.ts'
import type { Concrete } from './tensor.ts'
import { viewOf } from './views.ts'

/** Runs one primitive as `evaluateConcrete` does, perhaps faster. */
export type EagerBackend = (
  primitive: AnyPrimitive,
  inputs: readonly Concrete[],
  params: unknown,
) => readonly Concrete[]

let installed: EagerBackend = evaluateConcrete

/** Called once, by `@cotangent/jit`; without it, eager operations are interpreted. */
export const installEagerBackend = (backend: EagerBackend): void => {
  installed = backend
}

/** Runs one primitive now. Inside `interpret` it is the reference that runs, without views. */
export const evaluateEagerly: EagerBackend = (primitive, inputs, params) => {
  if (isInterpreting()) return evaluateConcrete(primitive, inputs, params)
  const view = viewOf(primitive, inputs, params)
  return view === null ? installed(primitive, inputs, params) : [view]
}

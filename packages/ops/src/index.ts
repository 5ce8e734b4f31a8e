/** `@cotangent/ops`: the primitives, the NumPy-like functions, `lax`, and the tensor methods. */
import './install.ts'

export * from './checkGrads.ts'
export * from './control/index.ts'
export * from './cost.ts'
export * as lax from './lax/index.ts'
export * as nnFunctions from './activations.ts'
export * as np from './numpy/index.ts'
export { type Primitives, primitives } from './primitives.ts'
export * as prims from './prims/index.ts'
export * from './promote.ts'
export * as random from './random/index.ts'

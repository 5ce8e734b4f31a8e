/**
 * The functions that lanes have no instruction for, as arithmetic that they have: without branches,
 * on float32, float64 and integers.
 */
import { type BinaryOp, type Scalar, type UnaryOp, isInteger } from '@cotangent/core'
import { float64Binary, float64Unary } from './float64/index.ts'
import { integerBinary, integerUnary } from './integers.ts'
import { float32Binary, float32Unary } from './float32/index.ts'

export { pmax, pmin } from './arith.ts'

/**
 * `op` of `x` as a DAG of native nodes; null where it is native itself, or is left to the host.
 * float32 results are within 2 units in the last place of the correctly rounded ones.
 * @example expandUnary('exp', scalars.local('float32', 'x'))
 */
export const expandUnary = (op: UnaryOp, x: Scalar): Scalar | null => {
  if (x.dtype === 'float32') return float32Unary[op]?.(x) ?? null
  if (x.dtype === 'float64') return float64Unary[op]?.(x) ?? null
  return isInteger(x.dtype) ? (integerUnary[op]?.(x) ?? null) : null
}

/** `op` of `x` and `y`, likewise. */
export const expandBinary = (op: BinaryOp, x: Scalar, y: Scalar): Scalar | null => {
  if (x.dtype === 'float32') return float32Binary[op]?.(x, y) ?? null
  if (x.dtype === 'float64') return float64Binary[op]?.(x, y) ?? null
  return isInteger(x.dtype) ? (integerBinary[op]?.(x, y) ?? null) : null
}

/** What the form of an expression says of the sign of its values. */
import { type Scalar, scalars } from '@cotangent/core'

/** Whether a floating-point expression is never above 0; it may be NaN. */
export const isNeverPositive = (s: Scalar): boolean => {
  if (s.tag === 'unary') return s.op === 'negate' && isNeverNegative(s.x)
  if (s.tag === 'literal') return s.value <= 0
  if (s.tag !== 'binary' || s.op !== 'multiply') return false
  const { x, y } = s
  return isNeverPositive(x) ? isNeverNegative(y) : isNeverNegative(x) && isNeverPositive(y)
}

/** Whether a floating-point expression is never below 0; it may be NaN. */
export const isNeverNegative = (s: Scalar): boolean => {
  if (s.tag === 'unary') return s.op === 'absolute' || s.op === 'sqrt'
  if (s.tag === 'literal') return s.value >= 0
  if (s.tag !== 'binary') return false
  const { op, x, y } = s
  if (op === 'multiply' && isSame(x, y)) return true
  return (op === 'multiply' || op === 'add') && isNeverNegative(x) && isNeverNegative(y)
}

// Reads of one element are nodes of their own.
const isSame = (a: Scalar, b: Scalar): boolean => {
  if (a === b) return true
  if (a.tag === 'local') return b.tag === 'local' && a.name === b.name
  if (a.tag !== 'load' || b.tag !== 'load') return false
  return a.buffer === b.buffer && a.dtype === b.dtype && scalars.sameIndex(a.at, b.at)
}

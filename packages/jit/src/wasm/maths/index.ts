import type { UnaryOp, Scalar } from '@cotangent/core'
import * as e from './float32/exponential.ts'
import * as l from './float32/logarithm.ts'
import * as t from './float32/trigonometric.ts'
export const table: Partial<Record<UnaryOp, (x: Scalar) => Scalar>> = {
  log: l.log,
  exp: e.exp,
  exp2: e.exp2,
  expm1: e.expm1,
  logistic: e.logistic,
  tanh: e.tanh,
  sinh: e.sinh,
  cosh: e.cosh,
  sin: t.sin,
  cos: t.cos,
  tan: t.tan,
}

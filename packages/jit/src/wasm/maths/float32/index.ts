/** The functions of float32. */
import type { BinaryOp, Scalar, UnaryOp } from '@cotangent/core'
import { erf } from './error.ts'
import { erfInverse } from './erfInverse.ts'
import { nextAfter, remainder } from './exact.ts'
import { cosh, exp, exp2, expm1, logistic, sinh, tanh } from './exponential.ts'
import { digamma, logGamma } from './gamma.ts'
import { acos, asin, atan, atan2 } from './inverse.ts'
import { acosh, asinh, atanh, log, log1p } from './logarithm.ts'
import { cbrt, rsqrt, sign } from './roots.ts'
import { erfc, power } from './wide.ts'
import { cos, sin, tan } from './trigonometric.ts'

type Unary = Readonly<Partial<Record<UnaryOp, (x: Scalar) => Scalar>>>
type Binary = Readonly<Partial<Record<BinaryOp, (x: Scalar, y: Scalar) => Scalar>>>

export const float32Unary: Unary = {
  acos,
  acosh,
  asin,
  asinh,
  atan,
  atanh,
  cbrt,
  cos,
  cosh,
  digamma,
  erf,
  erfc,
  erfInverse,
  exp,
  exp2,
  expm1,
  log,
  log1p,
  logGamma,
  logistic,
  rsqrt,
  sign,
  sin,
  sinh,
  tan,
  tanh,
}

export const float32Binary: Binary = { atan2, nextAfter, power, remainder }

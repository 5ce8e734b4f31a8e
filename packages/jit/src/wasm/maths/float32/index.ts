/** The functions of float32. */
import type { BinaryOp, Scalar, UnaryOp } from '@cotangent/core'
import { erf } from './error.ts'
import { erfInverse } from './erfInverse.ts'
import { nextAfter, remainder } from './exact.ts'
import { exp2, exponentials } from './exponential.ts'
import { digamma, logGamma } from './gamma.ts'
import { inverses } from './inverse.ts'
import { logarithms } from './logarithm.ts'
import { cbrt, rsqrt, sign } from './roots.ts'
import { erfc, power } from './wide.ts'
import { trigonometric } from './trigonometric.ts'

type Unary = Readonly<Partial<Record<UnaryOp, (x: Scalar) => Scalar>>>
type Binary = Readonly<Partial<Record<BinaryOp, (x: Scalar, y: Scalar) => Scalar>>>

export const float32Unary: Unary = {
  ...exponentials,
  ...logarithms,
  ...inverses.unary,
  ...trigonometric,
  cbrt,
  digamma,
  erf,
  erfc,
  erfInverse,
  exp2,
  logGamma,
  rsqrt,
  sign,
}

export const float32Binary: Binary = { atan2: inverses.atan2, nextAfter, power, remainder }

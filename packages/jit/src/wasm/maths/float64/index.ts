/** The functions of float64; those that are missing are left to the host. */
import type { BinaryOp, Scalar, UnaryOp } from '@cotangent/core'
import { digamma, logGamma } from './gamma.ts'
import { erf, erfInverse, erfc } from './error.ts'
import { exp2, exponentials } from './exponential.ts'
import { inverses } from './inverse.ts'
import { logarithms } from './logarithm.ts'
import { cbrt, rsqrt, sign } from './roots.ts'
import { trigonometric } from './trigonometric.ts'

type Unary = Readonly<Partial<Record<UnaryOp, (x: Scalar) => Scalar>>>
type Binary = Readonly<Partial<Record<BinaryOp, (x: Scalar, y: Scalar) => Scalar>>>

export const float64Unary: Unary = {
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

export const float64Binary: Binary = { atan2: inverses.atan2 }

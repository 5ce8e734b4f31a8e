/** log |Γ| and its derivative for float32, in float64: near their zeros nothing less will do. */
import type { Scalar } from '@cotangent/core'
import { toFloat32, toFloat64 } from '../arith.ts'
import * as wide from '../float64/gamma.ts'

export const logGamma = (x: Scalar): Scalar => toFloat32(wide.logGamma(toFloat64(x)))
export const digamma = (x: Scalar): Scalar => toFloat32(wide.digamma(toFloat64(x)))

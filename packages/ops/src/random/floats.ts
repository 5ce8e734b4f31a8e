/** The limits of float dtypes that samplers keep clear of. */
import { type DType, isHalf } from '@cotangent/core'

export interface FloatLimits {
  /** Explicit mantissa bits. */
  readonly mantissa: number
  /** The spacing above 1. */
  readonly epsilon: number
  /** The spacing below 1. */
  readonly belowOne: number
  /** The smallest normal number. */
  readonly tiny: number
}

const limits = (mantissa: number, tiny: number): FloatLimits => ({
  mantissa,
  epsilon: 2 ** -mantissa,
  belowOne: 2 ** -(mantissa + 1),
  tiny,
})

export const floatLimits = (dtype: DType): FloatLimits => {
  if (dtype === 'float64') return limits(52, 2 ** -1022)
  if (isHalf(dtype)) return dtype === 'float16' ? limits(10, 2 ** -14) : limits(7, 2 ** -126)
  return limits(23, 2 ** -126)
}

/** Which dtypes a primitive computes with, and the words for it in its error. */
import { type Aval, type DType, isComplex, isFloat, isInteger, requireDType } from '@cotangent/core'

export interface Accepts {
  readonly test: (dtype: DType) => boolean
  readonly wanted: string
}

export const floats: Accepts = { test: isFloat, wanted: 'a floating point dtype' }
export const integers: Accepts = { test: isInteger, wanted: 'an integer dtype' }
export const numbers: Accepts = {
  test: (dtype) => isFloat(dtype) || isInteger(dtype),
  wanted: 'a floating point or integer dtype',
}
export const bitPatterns: Accepts = {
  test: (dtype) => isInteger(dtype) || dtype === 'bool',
  wanted: 'an integer dtype or bool',
}
export const anyReal: Accepts = {
  test: (dtype) => !isComplex(dtype),
  wanted: 'any dtype but complex64',
}

/** The input's own dtype, where it is accepted. @throws DTypeError */
export const accepted = (name: string, type: Aval, accepts: Accepts): DType => {
  requireDType(name, type, accepts.test, accepts.wanted)
  return type.dtype
}

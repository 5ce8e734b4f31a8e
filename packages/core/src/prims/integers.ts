/** Two's-complement wrapping, as typed-array stores do it but for intermediate values. */
import type { DType } from '../dtype.ts'

/** Wraps an exact integer to the dtype's width. */
export const wrapInteger = (dtype: DType, x: number): number => {
  switch (dtype) {
    case 'int32':
      return x | 0
    case 'uint32':
      return x >>> 0
    case 'int16':
      return (x << 16) >> 16
    case 'uint16':
      return x & 0xffff
    case 'int8':
      return (x << 24) >> 24
    case 'uint8':
      return x & 0xff
    case 'bool':
      return x & 1
    case 'float16':
    case 'bfloat16':
    case 'float32':
    case 'float64':
    case 'complex64':
      return x
    default:
      return dtype satisfies never
  }
}

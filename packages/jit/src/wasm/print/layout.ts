/** How dtypes lie in memory and in WebAssembly's values. */
import { type DType, InternalError, dtypeInfo, isFloat } from '@cotangent/core'
import { op } from '../encode/opcodes.ts'

/** The type of a uniform value: small integers and bools are i32, half floats compute as f32. */
export type Kind = 'f32' | 'f64' | 'i32'

export const kindOf = (dtype: DType): Kind => {
  if (dtype === 'float64') return 'f64'
  if (isFloat(dtype)) return 'f32'
  if (dtype !== 'complex64') return 'i32'
  throw new InternalError({
    operation: 'print kernel',
    problem: 'a complex64 scalar reached a kernel',
    fix: 'lower complex arithmetic to its real and imaginary parts',
  })
}

/** Bytes of one element in memory. */
export const widthOf = (dtype: DType): number => dtypeInfo[dtype].bytes

export const isUnsigned = (dtype: DType): boolean =>
  dtype === 'uint8' || dtype === 'uint16' || dtype === 'uint32' || dtype === 'bool'

/** The instruction that reads one element as its kind. */
export const loadOf = (dtype: DType): number => {
  switch (dtype) {
    case 'float32':
      return op.f32Load
    case 'float64':
      return op.f64Load
    case 'int32':
    case 'uint32':
      return op.i32Load
    case 'int16':
      return op.i32Load16S
    case 'uint16':
      return op.i32Load16U
    case 'int8':
      return op.i32Load8S
    default:
      return op.i32Load8U
  }
}

/** The instruction that writes one element. */
export const storeOf = (dtype: DType): number => {
  switch (dtype) {
    case 'float32':
      return op.f32Store
    case 'float64':
      return op.f64Store
    default:
      return widthOf(dtype) === 4
        ? op.i32Store
        : widthOf(dtype) === 2
          ? op.i32Store16
          : op.i32Store8
  }
}

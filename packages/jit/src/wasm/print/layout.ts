/** How dtypes lie in memory and in WebAssembly's values. */
import {
  type BinaryOp,
  type DType,
  InternalError,
  dtypeInfo,
  type UnaryOp,
  isFloat,
} from '@cotangent/core'
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

const loads: Readonly<Partial<Record<DType, number>>> = {
  float32: op.f32Load,
  float64: op.f64Load,
  int32: op.i32Load,
  uint32: op.i32Load,
  int16: op.i32Load16S,
  uint16: op.i32Load16U,
  int8: op.i32Load8S,
}

/** The instruction that reads one element as its kind. */
export const loadOf = (dtype: DType): number => loads[dtype] ?? op.i32Load8U

/** The instruction that writes one element. */
export const storeOf = (dtype: DType): number => {
  if (dtype === 'float32') return op.f32Store
  if (dtype === 'float64') return op.f64Store
  const width = widthOf(dtype)
  return width === 4 ? op.i32Store : width === 2 ? op.i32Store16 : op.i32Store8
}

/** What a function of JavaScript that computes an operator is called. */
export const hostName = (name: UnaryOp | BinaryOp, dtype: DType): string => `${name}_${dtype}`

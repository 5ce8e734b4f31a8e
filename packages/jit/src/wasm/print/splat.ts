/** One value in every lane. */
import type { DType, Scalar } from '@cotangent/core'
import { op, simd } from '../encode/opcodes.ts'
import type { Frame } from './frame.ts'
import { emitAddress } from './indices.ts'
import { kindOf, loadOf, widthOf } from './layout.ts'

// What is written at once need not be new.
const sixteen = new ArrayBuffer(16)
const constantBytes = new Uint8Array(sixteen)
const constantFloats = new Float32Array(sixteen)
const constantDoubles = new Float64Array(sixteen)
const constantIntegers = new Int32Array(sixteen)

/** The bytes of a vector with one value in every lane, valid until the next call. */
export const constantVector = (dtype: DType, value: number): Uint8Array => {
  const kind = kindOf(dtype)
  if (kind === 'f32') constantFloats.fill(value)
  else if (kind === 'f64') constantDoubles.fill(value)
  else constantIntegers.fill(value)
  return constantBytes
}

/** Pushes the same value in every lane. */
export const splat = (frame: Frame, s: Scalar): void => {
  const { body } = frame
  const kind = kindOf(s.dtype)
  if (s.tag === 'literal' && s.dtype !== 'bool') return body.v128(constantVector(s.dtype, s.value))
  if (s.tag === 'load' && kind !== 'i32' && loadOf(s.dtype) !== op.i32Load16U) {
    const offset = emitAddress(frame, s.buffer, s.at, widthOf(s.dtype))
    return body.simdLoad(kind === 'f64' ? simd.v128Load64Splat : simd.v128Load32Splat, offset)
  }
  if (s.dtype === 'bool') body.i32(0)
  frame.print.uniform(frame, s)
  if (s.dtype === 'bool') body.op(op.i32Sub)
  if (kind === 'f32') body.simd(simd.f32x4Splat)
  else if (kind === 'f64') body.simd(simd.f64x2Splat)
  else body.simd(simd.i32x4Splat)
}

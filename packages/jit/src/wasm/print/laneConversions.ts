/** Conversions of lanes between dtypes. */
import { type DType, integerRange } from '@cotangent/core'
import { simd } from '../encode/opcodes.ts'
import type { Frame } from './frame.ts'
import { isUnsigned, kindOf, widthOf } from './layout.ts'
import { constantVector } from './splat.ts'

/** Wraps lanes of 32 bits on the stack to a narrower integer dtype. */
export const wrapLanes = ({ body }: Frame, dtype: DType): void => {
  const width = widthOf(dtype)
  if (width >= 4 || kindOf(dtype) !== 'i32') return
  const unused = 32 - 8 * width
  body.i32(unused)
  body.simd(simd.i32x4Shl)
  body.i32(unused)
  body.simd(isUnsigned(dtype) ? simd.i32x4ShrU : simd.i32x4ShrS)
}

/** Converts the lanes on the stack. */
export const convertLanes = (frame: Frame, from: DType, to: DType): void => {
  const { body } = frame
  if (from === to) return
  if (from === 'bool') {
    body.v128(constantVector('int32', 1))
    body.simd(simd.v128And)
    return convertLanes(frame, 'int32', to)
  }
  const [source, target] = [kindOf(from), kindOf(to)]
  if (source === 'i32') {
    if (target === 'i32') return wrapLanes(frame, to)
    const unsigned = isUnsigned(from)
    if (target === 'f32') {
      return body.simd(unsigned ? simd.f32x4ConvertI32x4U : simd.f32x4ConvertI32x4S)
    }
    return body.simd(unsigned ? simd.f64x2ConvertLowI32x4U : simd.f64x2ConvertLowI32x4S)
  }
  if (source === 'f32' && target === 'f32') return
  if (target === 'f64') return body.simd(simd.f64x2PromoteLowF32x4)
  if (target === 'f32') return body.simd(simd.f32x4DemoteF64x2Zero)
  if (widthOf(to) < 4) {
    const [low, high] = integerRange(to)
    const floats = source === 'f32' ? 'float32' : 'float64'
    body.v128(constantVector(floats, low))
    body.simd(source === 'f32' ? simd.f32x4Max : simd.f64x2Max)
    body.v128(constantVector(floats, high))
    body.simd(source === 'f32' ? simd.f32x4Min : simd.f64x2Min)
  }
  const unsigned = to === 'uint32'
  if (source === 'f32') {
    return body.simd(unsigned ? simd.i32x4TruncSatF32x4U : simd.i32x4TruncSatF32x4S)
  }
  body.simd(unsigned ? simd.i32x4TruncSatF64x2UZero : simd.i32x4TruncSatF64x2SZero)
}

/** Conversions of WebAssembly values between dtypes. */
import { type DType, InternalError, integerRange } from '@cotangent/core'
import { extended, op } from '../encode/opcodes.ts'
import type { Frame } from './frame.ts'
import { isUnsigned, kindOf, widthOf } from './layout.ts'

/** Wraps the i32 on the stack to a narrower dtype. */
export const wrap = ({ body }: Frame, dtype: DType): void => {
  if (dtype === 'bool') {
    body.i32(1)
    return body.op(op.i32And)
  }
  const unused = 32 - 8 * widthOf(dtype)
  if (unused === 0) return
  if (isUnsigned(dtype)) {
    body.i32((1 << (32 - unused)) - 1)
    return body.op(op.i32And)
  }
  body.op(unused === 24 ? op.i32Extend8S : op.i32Extend16S)
}

/** Converts what is on the stack. */
export const convert = (frame: Frame, from: DType, to: DType): void => {
  const { body } = frame
  if (from === to) return
  const [source, target] = [kindOf(from), kindOf(to)]
  if (to === 'bool') {
    if (source === 'i32') body.i32(0)
    else if (source === 'f32') body.f32(0)
    else body.f64(0)
    return body.op(source === 'i32' ? op.i32Ne : source === 'f32' ? op.f32Ne : op.f64Ne)
  }
  if (source === 'i32') {
    if (target === 'i32') return wrap(frame, to)
    const unsigned = isUnsigned(from)
    if (target === 'f32') return body.op(unsigned ? op.f32ConvertI32U : op.f32ConvertI32S)
    return body.op(unsigned ? op.f64ConvertI32U : op.f64ConvertI32S)
  }
  if (source === target) return
  if (target === 'f64') return body.op(op.f64PromoteF32)
  if (target === 'f32') return body.op(op.f32DemoteF64)
  truncate(frame, source, to)
}

const truncate = (frame: Frame, source: 'f32' | 'f64', to: DType): void => {
  const { body } = frame
  if (widthOf(to) < 4) {
    const [low, high] = integerRange(to)
    // NaN passes through and becomes 0; max and min keep the rest within the dtype.
    if (source === 'f32') {
      body.f32(low)
      body.op(op.f32Max)
      body.f32(high)
      body.op(op.f32Min)
    } else {
      body.f64(low)
      body.op(op.f64Max)
      body.f64(high)
      body.op(op.f64Min)
    }
    return body.extended(source === 'f32' ? extended.i32TruncSatF32S : extended.i32TruncSatF64S)
  }
  if (isUnsigned(to)) {
    return body.extended(source === 'f32' ? extended.i32TruncSatF32U : extended.i32TruncSatF64U)
  }
  body.extended(source === 'f32' ? extended.i32TruncSatF32S : extended.i32TruncSatF64S)
}

/** Takes the bits of what is on the stack for those of another dtype. */
export const bitcast = (frame: Frame, from: DType, to: DType): void => {
  const { body } = frame
  if (from === to) return
  const [source, target] = [kindOf(from), kindOf(to)]
  if (source === 'f32' && target === 'i32') return body.op(op.i32ReinterpretF32)
  if (source === 'i32' && target === 'f32') return body.op(op.f32ReinterpretI32)
  if (source === 'i32' && target === 'i32') {
    if (to === 'bool') return convert(frame, from, to)
    return wrap(frame, to)
  }
  throw new InternalError({
    operation: 'print kernel',
    problem: 'a bitcast between dtypes of different widths',
    got: `${from} to ${to}`,
  })
}

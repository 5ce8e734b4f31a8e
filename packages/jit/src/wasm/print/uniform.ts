/** Scalars as WebAssembly values: one for all lanes. */
import { type DType, type Scalar, scalars } from '@cotangent/core'
import { op, simd } from '../encode/opcodes.ts'
import { combineLanes, extractFirst, lanesOf } from './across.ts'
import { bitcast, convert } from './conversions.ts'
import type { Frame } from './frame.ts'
import { emitAddress, emitIndex } from './indices.ts'
import { kindOf, loadOf, widthOf } from './layout.ts'
import { binary, comparison, unary } from './operators.ts'

const { boundsOf } = scalars

/** Pushes a value that is the same in every lane. */
export const uniform = (frame: Frame, s: Scalar): void => {
  const { body } = frame
  switch (s.tag) {
    case 'literal':
      return literal(frame, s.dtype, s.value)
    case 'local': {
      const { uniform: local, varying } = frame.local(s.name)
      if (local !== null) return body.get(local)
      // Only a splatted value is asked for this way: every lane has it.
      body.get(varying!)
      return extractFirst(frame, s.dtype)
    }
    case 'load': {
      const offset = emitAddress(frame, s.buffer, s.at, widthOf(s.dtype))
      return body.load(loadOf(s.dtype), offset)
    }
    case 'unary':
      return unary(frame, s.op, s.dtype, s.x)
    case 'binary':
      return binary(frame, s)
    case 'compare':
      uniform(frame, s.x)
      uniform(frame, s.y)
      return body.op(comparison(s.op, s.x.dtype))
    case 'select':
      uniform(frame, s.onTrue)
      uniform(frame, s.onFalse)
      uniform(frame, s.condition)
      return body.op(op.select)
    case 'guard':
      uniform(frame, s.condition)
      body.if(kindOf(s.dtype))
      uniform(frame, s.value)
      body.else()
      uniform(frame, s.otherwise)
      return body.end()
    case 'within':
      return within(frame, s)
    case 'convert':
      uniform(frame, s.x)
      return convert(frame, s.x.dtype, s.dtype)
    case 'bitcast':
      uniform(frame, s.x)
      return bitcast(frame, s.x.dtype, s.dtype)
    case 'fromIndex':
      emitIndex(frame, s.value)
      return convert(frame, 'int32', s.dtype)
    case 'across':
      if (s.op === 'or' && s.x.dtype === 'bool') return anyLane(frame, s.x)
      frame.print.vector(frame, s.x)
      return combineLanes(frame, s.op, s.x.dtype, lanesOf(frame, s.x))
    default:
      s satisfies never
  }
}

// Whether a bool holds in any lane; with two lanes the other half of a narrow mask means nothing.
const anyLane = (frame: Frame, x: Scalar): void => {
  frame.print.mask(frame, x, lanesOf(frame, x) === 2 ? 64 : 32)
  frame.body.simd(simd.v128AnyTrue)
}

const literal = ({ body }: Frame, dtype: DType, value: number): void => {
  const kind = kindOf(dtype)
  if (kind === 'f32') body.f32(value)
  else if (kind === 'f64') body.f64(value)
  else body.i32(value | 0)
}

// One unsigned comparison tests both ends.
const within = (frame: Frame, s: Extract<Scalar, { readonly tag: 'within' }>): void => {
  const { body } = frame
  const [low, high] = boundsOf(s.value)
  if (low >= s.low && high < s.high) return body.i32(1)
  if (high < s.low || low >= s.high) return body.i32(0)
  emitIndex(frame, s.value)
  if (s.low !== 0) {
    body.i32(s.low)
    body.op(op.i32Sub)
  }
  body.i32(s.high - s.low)
  body.op(op.i32LtU)
}

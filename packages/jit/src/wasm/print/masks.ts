/** Bools as masks: all ones or all zeros in each lane, as wide as whoever reads them wants. */
import type { BinaryOp, Scalar } from '@cotangent/core'
import { simd } from '../encode/opcodes.ts'
import { type Frame, varies } from './frame.ts'
import { emitLaneIndex } from './indices.ts'
import { laneComparison, perLane } from './laneOps.ts'
import { kindOf } from './layout.ts'
import { loadLanes } from './loads.ts'
import { constantVector, splat } from './splat.ts'

/** Bits of a mask's lanes. */
export type MaskWidth = 32 | 64

// Numbers 0 and 1 under add and multiply wrap modulo 2.
const boolOperators: Readonly<Partial<Record<BinaryOp, number>>> = {
  and: simd.v128And,
  multiply: simd.v128And,
  minimum: simd.v128And,
  or: simd.v128Or,
  maximum: simd.v128Or,
  xor: simd.v128Xor,
  add: simd.v128Xor,
  subtract: simd.v128Xor,
}

/** The instruction of an operator on masks; null where there is none. */
export const boolOperator = ({
  op: name,
}: Extract<Scalar, { readonly tag: 'binary' }>): number | null => boolOperators[name] ?? null

/** Pushes a bool as a mask with lanes of so many bits. */
export const mask = (frame: Frame, s: Scalar, width: MaskWidth): void => {
  const { body } = frame
  if (!varies(frame, s)) {
    splat(frame, s)
    return
  }
  switch (s.tag) {
    case 'compare': {
      if (s.x.dtype === 'bool') {
        compareMasks(frame, s, width)
        return
      }
      frame.print.vector(frame, s.x)
      frame.print.vector(frame, s.y)
      body.simd(laneComparison(s.op, s.x.dtype))
      return resize(frame, kindOf(s.x.dtype) === 'f64' ? 64 : 32, width)
    }
    case 'binary': {
      const code = boolOperator(s)
      if (code === null) throw perLane(s.op)
      mask(frame, s.x, width)
      mask(frame, s.y, width)
      return body.simd(code)
    }
    case 'unary':
      mask(frame, s.x, width)
      if (s.op === 'not') body.simd(simd.v128Not)
      return
    case 'select':
      mask(frame, s.onTrue, width)
      mask(frame, s.onFalse, width)
      mask(frame, s.condition, width)
      return body.simd(simd.v128Bitselect)
    case 'guard':
      if (varies(frame, s.condition)) throw perLane('a guard')
      frame.print.uniform(frame, s.condition)
      body.if('v128')
      mask(frame, s.value, width)
      body.else()
      mask(frame, s.otherwise, width)
      return body.end()
    case 'within':
      emitLaneIndex(frame, s.value)
      body.v128(constantVector('int32', s.low))
      body.simd(simd.i32x4Sub)
      body.v128(constantVector('int32', s.high - s.low))
      body.simd(simd.i32x4LtU)
      return resize(frame, 32, width)
    case 'local':
      body.get(frame.local(s.name).varying!)
      return resize(frame, 32, width)
    case 'load':
      loadLanes(frame, s)
      body.v128(constantVector('int32', 0))
      body.simd(simd.i32x4Ne)
      return resize(frame, 32, width)
    case 'convert': {
      if (s.x.dtype === 'bool') return mask(frame, s.x, width)
      frame.print.vector(frame, s.x)
      body.v128(constantVector(s.x.dtype, 0))
      body.simd(laneComparison('notEqual', s.x.dtype))
      return resize(frame, kindOf(s.x.dtype) === 'f64' ? 64 : 32, width)
    }
    case 'bitcast':
    case 'fromIndex':
    case 'literal':
    case 'across':
      throw perLane(s.tag)
    default:
      s satisfies never
  }
}

// As numbers, true is 1: masks are −1, so the order is reversed.
const compareMasks = (
  frame: Frame,
  s: Extract<Scalar, { readonly tag: 'compare' }>,
  width: MaskWidth,
): void => {
  const { body } = frame
  mask(frame, s.y, 32)
  mask(frame, s.x, 32)
  body.simd(laneComparison(s.op, 'int32'))
  resize(frame, 32, width)
}

const resize = ({ body }: Frame, from: MaskWidth, to: MaskWidth): void => {
  if (from === to) return
  if (to === 64) return body.simd(simd.i64x2ExtendLowI32x4S)
  body.v128(constantVector('int32', 0))
  body.shuffle([0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 20, 21, 22, 23])
}

/**
 * Scalars as vectors: a value for each lane. float32 and integers take 32 bits of a vector, float64
 * takes 64; with two lanes the 32-bit ones are in the lower half. A bool is a mask, all ones or zeros,
 * as wide as whoever reads it wants.
 */
import type { DType, Scalar } from '@cotangent/core'
import { simd } from '../encode/opcodes.ts'
import { emitExtreme, isExtreme } from './extremes.ts'
import { type Frame, varies } from './frame.ts'
import { emitLaneIndex } from './indices.ts'
import { convertLanes, wrapLanes } from './laneConversions.ts'
import { laneOperator, laneUnary, perLane } from './laneOps.ts'
import { isUnsigned, kindOf } from './layout.ts'
import { boolOperator, mask } from './masks.ts'
import { loadLanes } from './loads.ts'
import { constantVector, splat } from './splat.ts'
import { uniform } from './uniform.ts'

type Binary = Extract<Scalar, { readonly tag: 'binary' }>
type Select = Extract<Scalar, { readonly tag: 'select' }>

/** Pushes a value for each lane; a bool as a mask of 32 bits. */
export const vector = (frame: Frame, s: Scalar): void => {
  const { body } = frame
  if (s.tag === 'local') {
    const { varying } = frame.local(s.name)
    if (varying !== null) return body.get(varying)
  }
  if (!varies(frame, s)) return splat(frame, s)
  if (s.dtype === 'bool') return mask(frame, s, 32)
  switch (s.tag) {
    case 'load':
      return loadLanes(frame, s)
    case 'unary':
      return unary(frame, s)
    case 'binary':
      return binary(frame, s)
    case 'select':
      return select(frame, s)
    case 'guard': {
      if (varies(frame, s.condition)) throw perLane('a guard')
      uniform(frame, s.condition)
      body.if('v128')
      vector(frame, s.value)
      body.else()
      vector(frame, s.otherwise)
      return body.end()
    }
    case 'convert':
      return convert(frame, s.x, s.dtype)
    case 'bitcast':
      if (kindOf(s.dtype) === 'f64' || kindOf(s.x.dtype) === 'f64') throw perLane('a bitcast')
      vector(frame, s.x)
      return wrapLanes(frame, s.dtype)
    case 'fromIndex':
      emitLaneIndex(frame, s.value)
      return convertLanes(frame, 'int32', s.dtype)
    case 'literal':
    case 'local':
    case 'across':
      throw perLane(s.tag)
    default:
      s satisfies never
  }
}

/** Whether the printer has vector code for an operator of one operand. */
export const isVectorUnary = (s: Extract<Scalar, { readonly tag: 'unary' }>): boolean => {
  if (s.dtype === 'bool') return s.op === 'not' || s.op === 'absolute' || s.op === 'sign'
  if (kindOf(s.dtype) !== 'i32') return laneUnary(s.op, s.dtype) !== null
  return s.op !== 'populationCount' && s.op !== 'countLeadingZeros' && !isTranscendental(s)
}

const isTranscendental = (s: Extract<Scalar, { readonly tag: 'unary' }>): boolean =>
  !['negate', 'not', 'absolute', 'sign', 'floor', 'ceil', 'round'].includes(s.op)

const unary = (frame: Frame, s: Extract<Scalar, { readonly tag: 'unary' }>): void => {
  const { body } = frame
  if (kindOf(s.dtype) === 'i32' && s.op === 'sign') return integerSign(frame, s.x)
  vector(frame, s.x)
  if (s.op === 'negate' && kindOf(s.dtype) === 'f32') {
    // The instruction makes the mask anew each time.
    body.v128(constantVector('int32', -(2 ** 31)))
    return body.simd(simd.v128Xor)
  }
  const code = laneUnary(s.op, s.dtype)
  if (code === null) {
    const isWhole = kindOf(s.dtype) === 'i32'
    if (isWhole && ['floor', 'ceil', 'round', 'absolute'].includes(s.op)) return
    throw perLane(s.op)
  }
  body.simd(code)
  wrapLanes(frame, s.dtype)
}

// A comparison gives −1: below zero plus that, above zero minus that.
const integerSign = (frame: Frame, x: Scalar): void => {
  const { body } = frame
  const unsigned = isUnsigned(x.dtype)
  frame.scratch('v128', (local) => {
    vector(frame, x)
    body.set(local)
    body.v128(constantVector('int32', 0))
    if (!unsigned) {
      body.get(local)
      body.simd(simd.i32x4GtS)
    }
    body.get(local)
    body.v128(constantVector('int32', 0))
    body.simd(unsigned ? simd.i32x4GtU : simd.i32x4GtS)
    body.simd(simd.i32x4Sub)
  })
}

/** Whether the printer has vector code for an operator of two operands. */
export const isVectorBinary = (s: Binary): boolean => {
  if (s.dtype === 'bool') return boolOperator(s) !== null
  if (shiftCode(s) !== null) return true
  return laneOperator(s.op, s.dtype) !== null
}

// Distances must be known: the general rule for large ones is not the instruction's.
const shiftCode = (s: Binary): number | null => {
  const wide = s.dtype === 'int32' || s.dtype === 'uint32'
  if (!wide || s.y.tag !== 'literal' || s.y.value < 0 || s.y.value > 31) return null
  if (s.op === 'shiftLeft') return simd.i32x4Shl
  if (s.op === 'shiftRightLogical') return simd.i32x4ShrU
  return s.op === 'shiftRightArithmetic' ? simd.i32x4ShrS : null
}

const binary = (frame: Frame, s: Binary): void => {
  const { body } = frame
  if (isExtreme(s)) return emitExtreme(frame, s)
  const shift = shiftCode(s)
  vector(frame, s.x)
  if (shift !== null) {
    uniform(frame, s.y)
    return body.simd(shift)
  }
  vector(frame, s.y)
  const code = laneOperator(s.op, s.dtype)
  if (code === null) throw perLane(s.op)
  body.simd(code)
  if (s.op === 'add' || s.op === 'subtract' || s.op === 'multiply') wrapLanes(frame, s.dtype)
}

// `y < x ? y : x` and `x < y ? y : x` are one instruction each, NaN and zeros included.
const pseudoExtreme = (
  s: Select,
): { readonly code: number; readonly x: Scalar; readonly y: Scalar } | null => {
  const c = s.condition
  if (c.tag !== 'compare' || c.op !== 'less') return null
  const kind = kindOf(s.dtype)
  if (kind === 'i32' || c.x.dtype !== s.dtype) return null
  const [x, y] = [s.onFalse, s.onTrue]
  const f32 = kind === 'f32'
  if (same(c.x, y) && same(c.y, x)) return { code: f32 ? simd.f32x4Pmin : simd.f64x2Pmin, x, y }
  if (same(c.x, x) && same(c.y, y)) return { code: f32 ? simd.f32x4Pmax : simd.f64x2Pmax, x, y }
  return null
}

const same = (a: Scalar, b: Scalar): boolean => {
  if (a === b) return true
  if (a.tag === 'local') return b.tag === 'local' && a.name === b.name
  return a.tag === 'literal' && b.tag === 'literal' && Object.is(a.value, b.value)
}

const select = (frame: Frame, s: Select): void => {
  const { body } = frame
  const extreme = pseudoExtreme(s)
  if (extreme !== null) {
    vector(frame, extreme.x)
    vector(frame, extreme.y)
    return body.simd(extreme.code)
  }
  const width = kindOf(s.dtype) === 'f64' ? 64 : 32
  const [masked, code] = isZero(s.onFalse)
    ? [s.onTrue, simd.v128And]
    : isZero(s.onTrue)
      ? [s.onFalse, simd.v128Andnot]
      : [null, simd.v128Bitselect]
  vector(frame, masked ?? s.onTrue)
  if (masked === null) vector(frame, s.onFalse)
  mask(frame, s.condition, width)
  body.simd(code)
}

// No bit is set, so that a choice is one instruction in place of three.
const isZero = (s: Scalar): boolean => s.tag === 'literal' && Object.is(s.value, 0)

const convert = (frame: Frame, x: Scalar, to: DType): void => {
  vector(frame, x)
  convertLanes(frame, x.dtype, to)
}

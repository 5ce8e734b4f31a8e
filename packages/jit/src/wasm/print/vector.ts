/**
 * Scalars as vectors: a value for each lane. float32 and integers take 32 bits of a vector, float64
 * takes 64; with two lanes the 32-bit ones are in the lower half. A bool is a mask, all ones or zeros,
 * as wide as whoever reads it wants.
 */
import {
  type BinaryOp,
  type DType,
  InternalError,
  type Scalar,
  integerRange,
} from '@cotangent/core'
import { op, simd } from '../encode/opcodes.ts'
import { type Frame, varies } from './frame.ts'
import { emitAddress, emitLaneIndex } from './indices.ts'
import { laneComparison, laneOperator, laneUnary } from './laneOps.ts'
import { isUnsigned, kindOf, loadOf, widthOf } from './layout.ts'
import { loadLanes } from './memory.ts'
import { uniform } from './uniform.ts'

type Binary = Extract<Scalar, { readonly tag: 'binary' }>
type Select = Extract<Scalar, { readonly tag: 'select' }>

/** Bits of a mask's lanes. */
export type MaskWidth = 32 | 64

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

const perLane = (what: string): InternalError =>
  new InternalError({
    operation: 'print kernel',
    problem: `${what} that varies over lanes has no vector instruction`,
  })

/** Pushes the same value in every lane. */
const splat = (frame: Frame, s: Scalar): void => {
  const { body } = frame
  const kind = kindOf(s.dtype)
  if (s.tag === 'literal' && s.dtype !== 'bool') return body.v128(constantVector(s.dtype, s.value))
  if (s.tag === 'load' && kind !== 'i32' && loadOf(s.dtype) !== op.i32Load16U) {
    const offset = emitAddress(frame, s.buffer, s.at, widthOf(s.dtype))
    return body.simdLoad(kind === 'f64' ? simd.v128Load64Splat : simd.v128Load32Splat, offset)
  }
  if (s.dtype === 'bool') body.i32(0)
  uniform(frame, s)
  if (s.dtype === 'bool') body.op(op.i32Sub)
  if (kind === 'f32') body.simd(simd.f32x4Splat)
  else if (kind === 'f64') body.simd(simd.f64x2Splat)
  else body.simd(simd.i32x4Splat)
}

// What is written at once need not be new.
const sixteen = new ArrayBuffer(16)
const constantBytes = new Uint8Array(sixteen)
const constantFloats = new Float32Array(sixteen)
const constantDoubles = new Float64Array(sixteen)
const constantIntegers = new Int32Array(sixteen)

const constantVector = (dtype: DType, value: number): Uint8Array => {
  const kind = kindOf(dtype)
  if (kind === 'f32') constantFloats.fill(value)
  else if (kind === 'f64') constantDoubles.fill(value)
  else constantIntegers.fill(value)
  return constantBytes
}

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
  vector(frame, s.onTrue)
  vector(frame, s.onFalse)
  mask(frame, s.condition, kindOf(s.dtype) === 'f64' ? 64 : 32)
  body.simd(simd.v128Bitselect)
}

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

const boolOperator = ({ op: name }: Binary): number | null => boolOperators[name] ?? null

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
      vector(frame, s.x)
      vector(frame, s.y)
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
      uniform(frame, s.condition)
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
      vector(frame, s.x)
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

const convert = (frame: Frame, x: Scalar, to: DType): void => {
  vector(frame, x)
  convertLanes(frame, x.dtype, to)
}

/** Converts the lanes on the stack. */
const convertLanes = (frame: Frame, from: DType, to: DType): void => {
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

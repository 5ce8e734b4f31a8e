/** The vector instructions of operators, by dtype. */
import {
  type BinaryOp,
  type CompareOp,
  type DType,
  InternalError,
  type UnaryOp,
} from '@cotangent/core'
import { simd } from '../encode/opcodes.ts'
import { isUnsigned, kindOf } from './layout.ts'

type Table<Op extends string> = Readonly<Partial<Record<Op, number>>>

const unaryF32: Table<UnaryOp> = {
  negate: simd.f32x4Neg,
  absolute: simd.f32x4Abs,
  floor: simd.f32x4Floor,
  ceil: simd.f32x4Ceil,
  round: simd.f32x4Nearest,
  sqrt: simd.f32x4Sqrt,
}
const unaryF64: Table<UnaryOp> = {
  negate: simd.f64x2Neg,
  absolute: simd.f64x2Abs,
  floor: simd.f64x2Floor,
  ceil: simd.f64x2Ceil,
  round: simd.f64x2Nearest,
  sqrt: simd.f64x2Sqrt,
}
const unaryI32: Table<UnaryOp> = {
  negate: simd.i32x4Neg,
  not: simd.v128Not,
  absolute: simd.i32x4Abs,
}

/** The instruction for an operator of one operand, or null. Small integers wrap afterwards. */
export const laneUnary = (name: UnaryOp, dtype: DType): number | null => {
  const kind = kindOf(dtype)
  if (kind === 'f32') return unaryF32[name] ?? null
  if (kind === 'f64') return unaryF64[name] ?? null
  return name === 'absolute' && isUnsigned(dtype) ? null : (unaryI32[name] ?? null)
}

const binaryF32: Table<BinaryOp> = {
  add: simd.f32x4Add,
  subtract: simd.f32x4Sub,
  multiply: simd.f32x4Mul,
  divide: simd.f32x4Div,
  maximum: simd.f32x4Max,
  minimum: simd.f32x4Min,
}
const binaryF64: Table<BinaryOp> = {
  add: simd.f64x2Add,
  subtract: simd.f64x2Sub,
  multiply: simd.f64x2Mul,
  divide: simd.f64x2Div,
  maximum: simd.f64x2Max,
  minimum: simd.f64x2Min,
}
const binaryI32: Table<BinaryOp> = {
  add: simd.i32x4Add,
  subtract: simd.i32x4Sub,
  multiply: simd.i32x4Mul,
  and: simd.v128And,
  or: simd.v128Or,
  xor: simd.v128Xor,
  maximum: simd.i32x4MaxS,
  minimum: simd.i32x4MinS,
}

/** The instruction for an operator of two operands, or null. Small integers wrap afterwards. */
export const laneOperator = (name: BinaryOp, dtype: DType): number | null => {
  const kind = kindOf(dtype)
  if (kind === 'f32') return binaryF32[name] ?? null
  if (kind === 'f64') return binaryF64[name] ?? null
  if (isUnsigned(dtype) && name === 'maximum') return simd.i32x4MaxU
  if (isUnsigned(dtype) && name === 'minimum') return simd.i32x4MinU
  return binaryI32[name] ?? null
}

type Comparison = Readonly<Record<CompareOp, number>>
const compareF32: Comparison = {
  equal: simd.f32x4Eq,
  notEqual: simd.f32x4Ne,
  less: simd.f32x4Lt,
  lessEqual: simd.f32x4Le,
  greater: simd.f32x4Gt,
  greaterEqual: simd.f32x4Ge,
}
const compareF64: Comparison = {
  equal: simd.f64x2Eq,
  notEqual: simd.f64x2Ne,
  less: simd.f64x2Lt,
  lessEqual: simd.f64x2Le,
  greater: simd.f64x2Gt,
  greaterEqual: simd.f64x2Ge,
}
const compareSigned: Comparison = {
  equal: simd.i32x4Eq,
  notEqual: simd.i32x4Ne,
  less: simd.i32x4LtS,
  lessEqual: simd.i32x4LeS,
  greater: simd.i32x4GtS,
  greaterEqual: simd.i32x4GeS,
}
const compareUnsigned: Comparison = {
  equal: simd.i32x4Eq,
  notEqual: simd.i32x4Ne,
  less: simd.i32x4LtU,
  lessEqual: simd.i32x4LeU,
  greater: simd.i32x4GtU,
  greaterEqual: simd.i32x4GeU,
}

/** The instruction that compares values of a dtype, giving a mask as wide as they are. */
export const laneComparison = (name: CompareOp, dtype: DType): number => {
  const kind = kindOf(dtype)
  if (kind === 'f32') return compareF32[name]
  if (kind === 'f64') return compareF64[name]
  return (isUnsigned(dtype) ? compareUnsigned : compareSigned)[name]
}

/** The error of what cannot be printed for each lane. */
export const perLane = (what: string): InternalError =>
  new InternalError({
    operation: 'print kernel',
    problem: `${what} that varies over lanes has no vector instruction`,
  })

/** Operators on WebAssembly values: what has an instruction, what takes a few, what JavaScript does. */
import {
  type BinaryOp,
  type CompareOp,
  type DType,
  InternalError,
  type Scalar,
  type UnaryOp,
  isFloat,
} from '@cotangent/core'
import { op } from '../encode/opcodes.ts'
import { wrap } from './conversions.ts'
import type { Frame } from './frame.ts'
import { hostName, isUnsigned, kindOf } from './layout.ts'

type Binary = Extract<Scalar, { readonly tag: 'binary' }>

const floatUnary: Readonly<Partial<Record<UnaryOp, readonly [f32: number, f64: number]>>> = {
  negate: [op.f32Neg, op.f64Neg],
  absolute: [op.f32Abs, op.f64Abs],
  floor: [op.f32Floor, op.f64Floor],
  ceil: [op.f32Ceil, op.f64Ceil],
  round: [op.f32Nearest, op.f64Nearest],
  sqrt: [op.f32Sqrt, op.f64Sqrt],
}

/** Whether the printer writes an operator itself; the others are expanded or called. */
export const isNativeUnary = (name: UnaryOp, dtype: DType): boolean => {
  if (isFloat(dtype)) return floatUnary[name] !== undefined
  if (dtype === 'bool') return name === 'not' || name === 'absolute' || name === 'sign'
  return integerUnary.has(name)
}

const integerUnary: ReadonlySet<UnaryOp> = new Set<UnaryOp>([
  'negate',
  'not',
  'floor',
  'ceil',
  'round',
  'absolute',
  'sign',
])

/** Pushes an operator of one operand. */
export const unary = (frame: Frame, name: UnaryOp, dtype: DType, x: Scalar): void => {
  const { body } = frame
  if (!isNativeUnary(name, dtype)) {
    frame.print.uniform(frame, x)
    return callHost(frame, name, dtype)
  }
  if (isFloat(dtype)) {
    frame.print.uniform(frame, x)
    return body.op(floatUnary[name]![dtype === 'float64' ? 1 : 0])
  }
  if (name === 'negate') body.i32(0)
  frame.print.uniform(frame, x)
  if (dtype === 'bool') {
    if (name === 'not') body.op(op.i32Eqz)
    return
  }
  if (name === 'negate') body.op(op.i32Sub)
  else if (name === 'not') {
    body.i32(-1)
    body.op(op.i32Xor)
  } else if (name === 'absolute' && !isUnsigned(dtype)) integerAbsolute(frame)
  else if (name === 'sign') return integerSign(frame, dtype)
  // Integers are whole numbers: rounding leaves them as they are.
  wrap(frame, dtype)
}

// `(x ^ sign) − sign`, where the sign is 0 or −1.
const integerAbsolute = (frame: Frame): void => {
  const { body } = frame
  frame.scratch('i32', (x) =>
    frame.scratch('i32', (sign) => {
      body.tee(x)
      body.i32(31)
      body.op(op.i32ShrS)
      body.tee(sign)
      body.get(x)
      body.op(op.i32Xor)
      body.get(sign)
      body.op(op.i32Sub)
    }),
  )
}

const integerSign = (frame: Frame, dtype: DType): void => {
  const { body } = frame
  frame.scratch('i32', (x) => {
    body.set(x)
    body.get(x)
    body.i32(0)
    body.op(isUnsigned(dtype) ? op.i32GtU : op.i32GtS)
    if (isUnsigned(dtype)) return
    body.get(x)
    body.i32(0)
    body.op(op.i32LtS)
    body.op(op.i32Sub)
  })
}

/** Calls JavaScript with what is on the stack. */
const callHost = (frame: Frame, name: UnaryOp | BinaryOp, dtype: DType): void => {
  const index = frame.host.get(hostName(name, dtype))
  if (index === undefined) {
    throw new InternalError({
      operation: 'print kernel',
      problem: `${name} of ${dtype} was not imported`,
    })
  }
  frame.body.call(index)
}

const floatBinary: Readonly<Partial<Record<BinaryOp, readonly [f32: number, f64: number]>>> = {
  add: [op.f32Add, op.f64Add],
  subtract: [op.f32Sub, op.f64Sub],
  multiply: [op.f32Mul, op.f64Mul],
  divide: [op.f32Div, op.f64Div],
  maximum: [op.f32Max, op.f64Max],
  minimum: [op.f32Min, op.f64Min],
}

const integerBinary: Readonly<Partial<Record<BinaryOp, number>>> = {
  add: op.i32Add,
  subtract: op.i32Sub,
  multiply: op.i32Mul,
  and: op.i32And,
  or: op.i32Or,
  xor: op.i32Xor,
}

const boolBinary: Readonly<Partial<Record<BinaryOp, number>>> = {
  and: op.i32And,
  multiply: op.i32And,
  minimum: op.i32And,
  or: op.i32Or,
  maximum: op.i32Or,
  xor: op.i32Xor,
  add: op.i32Xor,
  subtract: op.i32Xor,
}

/** A shift by a known distance within 32 bits, of a dtype that fills them. */
const isPlainShift = (s: Binary): boolean => {
  const shifts =
    s.op === 'shiftLeft' || s.op === 'shiftRightLogical' || s.op === 'shiftRightArithmetic'
  const wide = s.dtype === 'int32' || s.dtype === 'uint32'
  return shifts && wide && s.y.tag === 'literal' && s.y.value >= 0 && s.y.value < 32
}

/** Whether the printer writes an operator of two operands itself; the others are expanded or called. */
export const isNativeBinary = (s: Binary): boolean => {
  if (isFloat(s.dtype)) return floatBinary[s.op] !== undefined
  if (s.dtype === 'bool') return boolBinary[s.op] !== undefined
  const extreme = s.op === 'maximum' || s.op === 'minimum'
  return integerBinary[s.op] !== undefined || extreme || isPlainShift(s)
}

/** Pushes an operator of two operands. */
export const binary = (frame: Frame, s: Binary): void => {
  const { body } = frame
  if (!isNativeBinary(s)) {
    frame.print.uniform(frame, s.x)
    frame.print.uniform(frame, s.y)
    return callHost(frame, s.op, s.dtype)
  }
  if ((s.op === 'maximum' || s.op === 'minimum') && !isFloat(s.dtype) && s.dtype !== 'bool') {
    return extreme(frame, s)
  }
  frame.print.uniform(frame, s.x)
  frame.print.uniform(frame, s.y)
  if (isFloat(s.dtype)) return body.op(floatBinary[s.op]![s.dtype === 'float64' ? 1 : 0])
  if (s.dtype === 'bool') return body.op(boolBinary[s.op]!)
  if (s.op === 'shiftLeft') return body.op(op.i32Shl)
  if (s.op === 'shiftRightLogical') return body.op(op.i32ShrU)
  if (s.op === 'shiftRightArithmetic') return body.op(op.i32ShrS)
  body.op(integerBinary[s.op]!)
  if (s.op === 'add' || s.op === 'subtract' || s.op === 'multiply') wrap(frame, s.dtype)
}

const extreme = (frame: Frame, s: Binary): void => {
  const { body } = frame
  frame.scratch('i32', (x) =>
    frame.scratch('i32', (y) => {
      frame.print.uniform(frame, s.x)
      body.set(x)
      frame.print.uniform(frame, s.y)
      body.set(y)
      body.get(x)
      body.get(y)
      body.get(x)
      body.get(y)
      const unsigned = isUnsigned(s.dtype)
      if (s.op === 'maximum') body.op(unsigned ? op.i32GtU : op.i32GtS)
      else body.op(unsigned ? op.i32LtU : op.i32LtS)
      body.op(op.select)
    }),
  )
}

type Comparison = Readonly<Record<CompareOp, number>>
const compareF32: Comparison = {
  equal: op.f32Eq,
  notEqual: op.f32Ne,
  less: op.f32Lt,
  lessEqual: op.f32Le,
  greater: op.f32Gt,
  greaterEqual: op.f32Ge,
}
const compareF64: Comparison = {
  equal: op.f64Eq,
  notEqual: op.f64Ne,
  less: op.f64Lt,
  lessEqual: op.f64Le,
  greater: op.f64Gt,
  greaterEqual: op.f64Ge,
}
const compareSigned: Comparison = {
  equal: op.i32Eq,
  notEqual: op.i32Ne,
  less: op.i32LtS,
  lessEqual: op.i32LeS,
  greater: op.i32GtS,
  greaterEqual: op.i32GeS,
}
const compareUnsigned: Comparison = {
  equal: op.i32Eq,
  notEqual: op.i32Ne,
  less: op.i32LtU,
  lessEqual: op.i32LeU,
  greater: op.i32GtU,
  greaterEqual: op.i32GeU,
}

/** The instruction that compares two numbers on the stack. */
export const comparison = (name: CompareOp, dtype: DType): number => {
  const kind = kindOf(dtype)
  if (kind === 'f32') return compareF32[name]
  if (kind === 'f64') return compareF64[name]
  return (isUnsigned(dtype) ? compareUnsigned : compareSigned)[name]
}

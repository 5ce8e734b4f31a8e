/** Scalars as WebAssembly values: one for all lanes. */
import {
  type BinaryOp,
  type CompareOp,
  type DType,
  InternalError,
  type Scalar,
  type UnaryOp,
  integerRange,
  isFloat,
  scalars,
} from '@cotangent/core'
import { extended, op, simd } from '../encode/opcodes.ts'
import type { Frame } from './frame.ts'
import { emitAddress, emitIndex } from './indices.ts'
import { hostName, isUnsigned, kindOf, loadOf, widthOf } from './layout.ts'
import { combineLanes, extractFirst, lanesOf } from './across.ts'

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

/** Wraps the i32 on the stack to a narrower dtype. */
const wrap = ({ body }: Frame, dtype: DType): void => {
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

const unary = (frame: Frame, name: UnaryOp, dtype: DType, x: Scalar): void => {
  const { body } = frame
  if (!isNativeUnary(name, dtype)) {
    uniform(frame, x)
    return callHost(frame, name, dtype)
  }
  if (isFloat(dtype)) {
    uniform(frame, x)
    return body.op(floatUnary[name]![dtype === 'float64' ? 1 : 0])
  }
  if (name === 'negate') body.i32(0)
  uniform(frame, x)
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
export const callHost = (frame: Frame, name: UnaryOp | BinaryOp, dtype: DType): void => {
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
export const isPlainShift = (s: Extract<Scalar, { readonly tag: 'binary' }>): boolean => {
  const shifts =
    s.op === 'shiftLeft' || s.op === 'shiftRightLogical' || s.op === 'shiftRightArithmetic'
  const wide = s.dtype === 'int32' || s.dtype === 'uint32'
  return shifts && wide && s.y.tag === 'literal' && s.y.value >= 0 && s.y.value < 32
}

export const isNativeBinary = (s: Extract<Scalar, { readonly tag: 'binary' }>): boolean => {
  if (isFloat(s.dtype)) return floatBinary[s.op] !== undefined
  if (s.dtype === 'bool') return boolBinary[s.op] !== undefined
  const extreme = s.op === 'maximum' || s.op === 'minimum'
  return integerBinary[s.op] !== undefined || extreme || isPlainShift(s)
}

const binary = (frame: Frame, s: Extract<Scalar, { readonly tag: 'binary' }>): void => {
  const { body } = frame
  if (!isNativeBinary(s)) {
    uniform(frame, s.x)
    uniform(frame, s.y)
    return callHost(frame, s.op, s.dtype)
  }
  if ((s.op === 'maximum' || s.op === 'minimum') && !isFloat(s.dtype) && s.dtype !== 'bool') {
    return extreme(frame, s)
  }
  uniform(frame, s.x)
  uniform(frame, s.y)
  if (isFloat(s.dtype)) return body.op(floatBinary[s.op]![s.dtype === 'float64' ? 1 : 0])
  if (s.dtype === 'bool') return body.op(boolBinary[s.op]!)
  if (s.op === 'shiftLeft') return body.op(op.i32Shl)
  if (s.op === 'shiftRightLogical') return body.op(op.i32ShrU)
  if (s.op === 'shiftRightArithmetic') return body.op(op.i32ShrS)
  body.op(integerBinary[s.op]!)
  if (s.op === 'add' || s.op === 'subtract' || s.op === 'multiply') wrap(frame, s.dtype)
}

const extreme = (frame: Frame, s: Extract<Scalar, { readonly tag: 'binary' }>): void => {
  const { body } = frame
  frame.scratch('i32', (x) =>
    frame.scratch('i32', (y) => {
      uniform(frame, s.x)
      body.set(x)
      uniform(frame, s.y)
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

const comparison = (name: CompareOp, dtype: DType): number => {
  const kind = kindOf(dtype)
  if (kind === 'f32') return compareF32[name]
  if (kind === 'f64') return compareF64[name]
  return (isUnsigned(dtype) ? compareUnsigned : compareSigned)[name]
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

const bitcast = (frame: Frame, from: DType, to: DType): void => {
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

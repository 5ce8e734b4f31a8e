/** The loop IR run by walking it: slow, checked, and independent of every pass and printer. */
import {
  type DType,
  type Index,
  type Scalar,
  type Stmt,
  type TypedArray,
  decodeBfloat16,
  decodeFloat16,
  encodeBfloat16,
  encodeFloat16,
  integerRange,
  isFloat,
  isHalf,
  isInteger,
  makeStore,
  maths,
} from '@cotangent/core'
import type { Kernel } from '@cotangent/jit'

interface State {
  readonly buffers: ReadonlyMap<string, { readonly dtype: DType; readonly data: TypedArray }>
  readonly counters: Map<string, number>
  readonly locals: Map<string, number>
}

const round = (dtype: DType, x: number): number =>
  isFloat(dtype) && dtype !== 'float64' ? Math.fround(x) : x

const place = (buffer: string, data: TypedArray, at: number): number => {
  if (!Number.isInteger(at) || at < 0 || at >= data.length) {
    throw new RangeError(`${buffer}[${at}] lies outside its ${data.length} elements`)
  }
  return at
}

export const walkIndex = (i: Index, state: State): number => {
  switch (i.tag) {
    case 'constant':
      return i.value
    case 'counter': {
      const value = state.counters.get(i.name)
      if (value === undefined) throw new Error(`no loop has the counter ${i.name}`)
      return value
    }
    case 'affine':
      return i.terms.reduce((sum, t) => sum + t.coefficient * walkIndex(t.term, state), i.constant)
    case 'floorDivide':
      return Math.floor(walkIndex(i.value, state) / i.by)
    case 'modulo': {
      const value = walkIndex(i.value, state)
      return value - Math.floor(value / i.by) * i.by
    }
    case 'data':
      return walkScalar(i.value, state)
    default:
      return i satisfies never
  }
}

const convert = (from: DType, to: DType, x: number): number => {
  if (from === to) return x
  if (to === 'bool') return Number(x !== 0)
  if (to === 'float16') return decodeFloat16(encodeFloat16(x))
  if (to === 'bfloat16') return decodeBfloat16(encodeBfloat16(x))
  if (isFloat(to)) return round(to, x)
  const [low, high] = integerRange(to)
  if (isFloat(from)) return Number.isNaN(x) ? 0 : Math.min(high, Math.max(low, Math.trunc(x))) + 0
  const span = high - low + 1
  return ((((x - low) % span) + span) % span) + low
}

const bitcast = (from: DType, to: DType, x: number): number => {
  if (from === to) return x
  const write = makeStore(from, 1)
  const plain = Number.isNaN(x) ? NaN : x
  write[0] = isHalf(from)
    ? from === 'float16'
      ? encodeFloat16(plain)
      : encodeBfloat16(plain)
    : plain
  const sample = makeStore(to, 1)
  new Uint8Array(sample.buffer).set(new Uint8Array(write.buffer))
  const code = sample[0]!
  return to === 'float16' ? decodeFloat16(code) : to === 'bfloat16' ? decodeBfloat16(code) : code
}

export const walkScalar = (s: Scalar, state: State): number => {
  const value = (x: Scalar): number => walkScalar(x, state)
  switch (s.tag) {
    case 'literal':
      return isInteger(s.dtype) ? convert('int32', s.dtype, s.value) : round(s.dtype, s.value)
    case 'load': {
      const { dtype, data } = state.buffers.get(s.buffer)!
      const element = data[place(s.buffer, data, walkIndex(s.at, state))]!
      if (dtype === 'float16') return decodeFloat16(element)
      return dtype === 'bfloat16' ? decodeBfloat16(element) : element
    }
    case 'local': {
      const found = state.locals.get(s.name)
      if (found === undefined) throw new Error(`no local is called ${s.name}`)
      return found
    }
    case 'unary':
      return round(s.dtype, maths.unaryFunction(s.op, s.dtype)(value(s.x)))
    case 'binary':
      return round(s.dtype, maths.binaryFunction(s.op, s.dtype)(value(s.x), value(s.y)))
    case 'compare':
      return maths.compareFunction(s.op)(value(s.x), value(s.y))
    case 'select': {
      const [onTrue, onFalse] = [value(s.onTrue), value(s.onFalse)]
      return value(s.condition) === 0 ? onFalse : onTrue
    }
    case 'guard':
      return value(s.condition) === 0 ? value(s.otherwise) : value(s.value)
    case 'within': {
      const i = walkIndex(s.value, state)
      return Number(i >= s.low && i < s.high)
    }
    case 'convert':
      return convert(s.x.dtype, s.dtype, value(s.x))
    case 'bitcast':
      return bitcast(s.x.dtype, s.dtype, value(s.x))
    case 'fromIndex':
      return convert('int32', s.dtype, walkIndex(s.value, state))
    case 'across':
      throw new Error('one value has no lanes to combine')
    default:
      return s satisfies never
  }
}

const walkBody = (body: readonly Stmt[], state: State): void => {
  for (const s of body) walkStmt(s, state)
}

const walkStmt = (s: Stmt, state: State): void => {
  switch (s.tag) {
    case 'comment':
      return
    case 'for': {
      const values: number[] = []
      for (let i = 0; i < s.extent; i += s.step ?? 1) values.push(i)
      for (const i of s.reverse === true ? values.reverse() : values) {
        state.counters.set(s.counter, i)
        walkBody(s.body, state)
      }
      state.counters.delete(s.counter)
      return
    }
    case 'while':
      while (walkScalar(s.condition, state) !== 0) walkBody(s.body, state)
      return
    case 'if':
      return walkBody(walkScalar(s.condition, state) === 0 ? s.otherwise : s.then, state)
    case 'let':
    case 'variable':
    case 'assign':
      state.locals.set(s.name, walkScalar(s.value, state))
      return
    case 'store': {
      const { dtype, data } = state.buffers.get(s.buffer)!
      const value = walkScalar(s.value, state)
      const code = dtype === 'float16' ? encodeFloat16(value) : encodeBfloat16(value)
      data[place(s.buffer, data, walkIndex(s.at, state))] = isHalf(dtype) ? code : value
      return
    }
    default:
      s satisfies never
  }
}

/** Runs a kernel on its buffers, in order. Throws where it would leave one of them. */
export const walkKernel = (kernel: Kernel, buffers: readonly TypedArray[]): void => {
  const named = kernel.buffers.map((b, n) => {
    const data = buffers[n]!
    return [b.name, { dtype: b.dtype, data }] as const
  })
  walkBody(kernel.body, { buffers: new Map(named), counters: new Map(), locals: new Map() })
}

/**
 * A typed array that throws where an element outside it is read or written. Kernels take it like
 * any other.
 */
export const checkedArray = <T extends TypedArray>(data: T): T =>
  new Proxy(data, {
    get: (target, key) => {
      if (typeof key === 'string' && /^-?\d/.test(key)) place('array', target, Number(key))
      const value: unknown = Reflect.get(target, key, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
    set: (target, key, value) => {
      if (typeof key === 'string' && /^-?\d/.test(key)) place('array', target, Number(key))
      return Reflect.set(target, key, value, target)
    },
  })

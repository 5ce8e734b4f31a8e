/** Random loop IR, from a seed: scalars of every dtype, and loop nests with state. */
import {
  type BinaryOp,
  type CompareOp,
  type DType,
  type Index,
  type Scalar,
  type Stmt,
  type TypedArray,
  type UnaryOp,
  decodeBfloat16,
  decodeFloat16,
  dtypeInfo,
  encodeBfloat16,
  encodeFloat16,
  integerRange,
  isFloat,
  isInteger,
  makeStore,
  scalars,
} from '@cotangent/core'

const { affine, binaryOp, bitcastTo, compareOp, constant, convertTo, counter, floorDivide } =
  scalars
const { fromIndex, guard, literal, load, local, modulo, selectOp, unaryOp, within } = scalars

/** Draws: a stream of choices from one seed. */
export interface Draws {
  readonly below: (n: number) => number
  readonly pick: <T>(items: readonly T[]) => T
  readonly chance: (probability: number) => boolean
}

export const drawsFrom = (seed: number): Draws => {
  let state = (seed ^ 0x9e3779b9) >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (n: number): number => Math.floor(next() * n)
  return { below, pick: (items) => items[below(items.length)]!, chance: (p) => next() < p }
}

export const realDTypes: readonly DType[] = [
  'bool',
  'int8',
  'uint8',
  'int16',
  'uint16',
  'int32',
  'uint32',
  'float16',
  'bfloat16',
  'float32',
  'float64',
]

const floatEdges = [
  0, -0, 1, -1, 0.5, -2.5, 3.5, 1e-40, 65504, 1e30, -1e30, 255.7, -128.9, 2147483648,
]

/** Values at which arithmetic of a dtype goes wrong if it can. */
export const edgesOf = (dtype: DType): readonly number[] => {
  if (dtype === 'bool') return [0, 1]
  if (isFloat(dtype)) return [...floatEdges, NaN, Infinity, -Infinity, Math.PI]
  const [low, high] = integerRange(dtype)
  return [low, low + 1, 0, 1, 2, 5, 7, high - 1, high, ...(low < 0 ? [-1, -2, -7] : [])]
}

export const encode = (dtype: DType, values: readonly number[]): TypedArray => {
  const out = makeStore(dtype, values.length)
  values.forEach((x, i) => {
    out[i] = dtype === 'float16' ? encodeFloat16(x) : dtype === 'bfloat16' ? encodeBfloat16(x) : x
  })
  return out
}

export const decode = (dtype: DType, data: TypedArray): readonly number[] =>
  Array.from(data, (x) =>
    dtype === 'float16' ? decodeFloat16(x) : dtype === 'bfloat16' ? decodeBfloat16(x) : x,
  )

const floatUnary: readonly UnaryOp[] = [
  'negate',
  'absolute',
  'sign',
  'floor',
  'ceil',
  'round',
  'sqrt',
  'rsqrt',
  'cbrt',
  'log',
  'log1p',
  'sin',
  'cos',
  'atan',
  'asinh',
  'expm1',
  'exp2',
  'erf',
  'erfc',
  'logGamma',
  'digamma',
]
const integerUnary: readonly UnaryOp[] = [
  'negate',
  'absolute',
  'sign',
  'not',
  'populationCount',
  'countLeadingZeros',
]
const floatBinary: readonly BinaryOp[] = [
  'add',
  'subtract',
  'multiply',
  'divide',
  'remainder',
  'power',
  'maximum',
  'minimum',
  'atan2',
  'nextAfter',
]
const integerBinary: readonly BinaryOp[] = [
  'add',
  'subtract',
  'multiply',
  'divide',
  'remainder',
  'maximum',
  'minimum',
  'and',
  'or',
  'xor',
  'power',
  'shiftLeft',
  'shiftRightLogical',
  'shiftRightArithmetic',
]
const comparisons: readonly CompareOp[] = [
  'equal',
  'notEqual',
  'less',
  'lessEqual',
  'greater',
  'greaterEqual',
]

/** A random scalar of a dtype over the leaves that `leaf` offers. */
export const randomScalar = (
  draws: Draws,
  dtype: DType,
  depth: number,
  leaf: (dtype: DType) => Scalar,
  index: Index,
): Scalar => {
  const made: Scalar[] = []
  const operand = (d: DType, below: number): Scalar => {
    const reusable = made.filter((s) => s.dtype === d)
    if (reusable.length > 0 && draws.chance(0.3)) return draws.pick(reusable)
    const s = grow(d, below)
    made.push(s)
    return s
  }
  const grow = (d: DType, below: number): Scalar => {
    if (below === 0) {
      return draws.chance(0.3) ? literal(d, draws.pick(edgesOf(d))) : leaf(d)
    }
    const sub = (t: DType): Scalar => operand(t, below - 1)
    switch (draws.below(8)) {
      case 0:
        return selectOp(sub('bool'), sub(d), sub(d))
      case 1:
        return guard(within(index, draws.below(4), 3 + draws.below(9)), sub(d), sub(d))
      case 2:
        return convertTo(d, sub(draws.pick(realDTypes)))
      case 3:
        return isInteger(d) ? fromIndex(d, index) : sub(d)
      case 4: {
        const width = dtypeInfo[d].bytes
        const twins = realDTypes.filter((t) => dtypeInfo[t].bytes === width && t !== 'bool')
        return d === 'bool' || width === 8 ? sub(d) : bitcastTo(d, sub(draws.pick(twins)))
      }
      case 5:
        if (d === 'bool') return unaryOp('not', sub(d))
        return unaryOp(draws.pick(isFloat(d) ? floatUnary : integerUnary), sub(d))
      default: {
        if (d === 'bool') {
          const t = draws.pick(realDTypes)
          return draws.chance(0.5)
            ? compareOp(draws.pick(comparisons), sub(t), sub(t))
            : binaryOp(draws.pick(['and', 'or', 'xor']), sub(d), sub(d))
        }
        const op = draws.pick(isFloat(d) ? floatBinary : integerBinary)
        return binaryOp(op, sub(d), sub(d))
      }
    }
  }
  return grow(dtype, depth)
}

/** Elements of each of the buffers `a`, `b` and `c` that a random nest works on. */
export const nestSize = 24

/** Random statements: loops of every kind, locals, branches, loads and stores of shared buffers. */
export const randomNest = (seed: number): readonly Stmt[] => {
  const draws = drawsFrom(seed)
  let names = 0
  const name = (prefix: string): string => `${prefix}${names++}`
  const buffers = ['a', 'b', 'c'] as const

  interface Scope {
    readonly counters: readonly Index[]
    readonly locals: readonly string[]
    readonly variables: readonly string[]
  }
  const index = (scope: Scope): Index => {
    const parts = scope.counters
      .filter(() => draws.chance(0.7))
      .map((c) => [draws.pick([1, 2, 6, -1, -3]), c] as const)
    const raw = affine(parts, draws.below(30))
    const shaped = draws.chance(0.2) ? floorDivide(raw, 1 + draws.below(4)) : raw
    if (draws.chance(0.1)) {
      const whole = convertTo('int32', binaryOp('minimum', value(scope, 1), literal('float32', 9)))
      const clipped = binaryOp('maximum', whole, literal('int32', 0))
      return modulo(
        affine([
          [1, scalars.dataIndex(clipped, 0, 9)],
          [1, shaped],
        ]),
        nestSize,
      )
    }
    return modulo(shaped, nestSize)
  }
  const value = (scope: Scope, depth: number): Scalar => {
    if (depth === 0) {
      const names_ = [...scope.locals, ...scope.variables]
      if (names_.length > 0 && draws.chance(0.5)) return local('float32', draws.pick(names_))
      if (draws.chance(0.2)) return literal('float32', draws.below(7) - 3)
      const flat = scope.counters.length > 0 ? draws.pick(scope.counters) : constant(3)
      return draws.chance(0.6)
        ? load(draws.pick(buffers), 'float32', modulo(flat, nestSize))
        : fromIndex('float32', flat)
    }
    if (draws.chance(0.15)) return load(draws.pick(buffers), 'float32', index(scope))
    const [x, y] = [value(scope, depth - 1), value(scope, depth - 1)]
    if (draws.chance(0.15)) {
      const at = scope.counters.length > 0 ? draws.pick(scope.counters) : constant(2)
      return guard(within(at, 1, 3), binaryOp('multiply', x, x), y)
    }
    if (draws.chance(0.1)) return selectOp(compareOp('less', x, y), x, y)
    return binaryOp(draws.pick(['add', 'subtract', 'multiply', 'maximum'] as const), x, y)
  }
  const block = (outer: Scope, depth: number): readonly Stmt[] => {
    const out: Stmt[] = []
    let scope = outer
    for (let n = 1 + draws.below(4); n > 0; n--) {
      const kind = draws.below(depth > 0 ? 8 : 5)
      if (kind === 0) {
        const local_ = name('v')
        out.push({ tag: 'let', name: local_, value: value(scope, 2) })
        scope = { ...scope, locals: [...scope.locals, local_] }
      } else if (kind === 1) {
        const variable = name('w')
        out.push({ tag: 'variable', name: variable, value: value(scope, 1) })
        scope = { ...scope, variables: [...scope.variables, variable] }
      } else if (kind === 2 && scope.variables.length > 0) {
        out.push({ tag: 'assign', name: draws.pick(scope.variables), value: value(scope, 2) })
      } else if (kind <= 4) {
        out.push({
          tag: 'store',
          buffer: draws.pick(buffers),
          at: index(scope),
          value: value(scope, 2),
        })
      } else if (kind === 5) {
        const condition = compareOp('less', value(scope, 1), value(scope, 1))
        // oxlint-disable-next-line unicorn/no-thenable -- the field's name in the loop IR
        out.push({ tag: 'if', condition, then: block(scope, 0), otherwise: block(scope, 0) })
      } else if (kind === 6 && draws.chance(0.3)) {
        const rounds = name('w')
        const current = local('float32', rounds)
        const next = binaryOp('add', current, literal('float32', 1))
        out.push(
          { tag: 'variable', name: rounds, value: literal('float32', 0) },
          {
            tag: 'while',
            condition: compareOp('less', current, literal('float32', 2)),
            body: [...block(scope, 0), { tag: 'assign', name: rounds, value: next }],
          },
        )
      } else {
        const loop = name('i')
        const extent = 1 + draws.below(draws.chance(0.2) ? 12 : 5)
        const step = draws.chance(0.2) ? 2 : 1
        const inner = { ...scope, counters: [...scope.counters, counter(loop, extent)] }
        const reverse = draws.chance(0.2)
        out.push({
          tag: 'for',
          counter: loop,
          extent,
          step,
          reverse,
          body: block(inner, depth - 1),
        })
      }
    }
    return out
  }
  return block({ counters: [], locals: [], variables: [] }, 3)
}

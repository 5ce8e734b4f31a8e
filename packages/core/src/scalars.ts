/**
 * Constructors of the loop IR, so that lowering rules read like arithmetic. What is called for every node
 * counts with an index: until the engine has optimised a function, `for … of` makes an object a step.
 */
import type { DType } from './dtype.ts'
import type { BinaryOp, CompareOp, Index, Scalar, UnaryOp } from './loop.ts'
import { type Shape, sameShape, stridesOf } from './shape.ts'

export const literal = (dtype: DType, value: number): Scalar => ({ tag: 'literal', dtype, value })
export const local = (dtype: DType, name: string): Scalar => ({ tag: 'local', dtype, name })
export const unaryOp = (op: UnaryOp, x: Scalar): Scalar => ({ tag: 'unary', dtype: x.dtype, op, x })
export const binaryOp = (op: BinaryOp, x: Scalar, y: Scalar): Scalar => ({
  tag: 'binary',
  dtype: x.dtype,
  op,
  x,
  y,
})
export const compareOp = (op: CompareOp, x: Scalar, y: Scalar): Scalar => ({
  tag: 'compare',
  dtype: 'bool',
  op,
  x,
  y,
})
/** Both branches may be evaluated; use `guard` where one must not be. */
export const selectOp = (condition: Scalar, onTrue: Scalar, onFalse: Scalar): Scalar => ({
  tag: 'select',
  dtype: onTrue.dtype,
  condition,
  onTrue,
  onFalse,
})
/** `value` is evaluated only where `condition` holds. */
export const guard = (condition: Scalar, value: Scalar, otherwise: Scalar): Scalar => ({
  tag: 'guard',
  dtype: value.dtype,
  condition,
  value,
  otherwise,
})
export const within = (value: Index, low: number, high: number): Scalar => ({
  tag: 'within',
  dtype: 'bool',
  value,
  low,
  high,
})
export const convertTo = (dtype: DType, x: Scalar): Scalar =>
  x.dtype === dtype ? x : { tag: 'convert', dtype, x }
export const bitcastTo = (dtype: DType, x: Scalar): Scalar => ({ tag: 'bitcast', dtype, x })
export const fromIndex = (dtype: DType, value: Index): Scalar => ({
  tag: 'fromIndex',
  dtype,
  value,
})
/** One value from a vector's lanes. */
export const across = (op: BinaryOp, x: Scalar): Scalar => ({
  tag: 'across',
  dtype: x.dtype,
  op,
  x,
})
export const both = (x: Scalar, y: Scalar): Scalar => binaryOp('and', x, y)
export const load = (buffer: string, dtype: DType, at: Index): Scalar => ({
  tag: 'load',
  dtype,
  buffer,
  at,
})

export const constant = (value: number): Index => ({ tag: 'constant', value })
export const counter = (name: string, extent: number): Index =>
  extent === 1 ? constant(0) : { tag: 'counter', name, extent }
/** An integer read from data; the producer promises `low ≤ value ≤ high`. */
export const dataIndex = (value: Scalar, low: number, high: number): Index => ({
  tag: 'data',
  value,
  low,
  high,
})

const zeroIndex: Index = constant(0)

type Term = { readonly coefficient: number; readonly term: Index }

// Adds to the terms, which are not affine and all different; returns what is constant.
const addTerm = (terms: Term[], coefficient: number, term: Index): number => {
  if (coefficient === 0) return 0
  if (term.tag === 'constant') return coefficient * term.value
  if (term.tag === 'affine') {
    let sum = coefficient * term.constant
    for (let n = 0; n < term.terms.length; n++) {
      const inner = term.terms[n]!
      sum += addTerm(terms, coefficient * inner.coefficient, inner.term)
    }
    return sum
  }
  for (let position = 0; position < terms.length; position++) {
    const other = terms[position]!
    if (!sameIndex(other.term, term)) continue
    terms.splice(position, 1)
    const merged = coefficient + other.coefficient
    if (merged !== 0) terms.push({ coefficient: merged, term })
    return 0
  }
  terms.push({ coefficient, term })
  return 0
}

/** `Σ coefficient · term + constant`, flattened into one affine form over non-affine terms. */
export const affine = (
  parts: readonly (readonly [coefficient: number, term: Index])[],
  offset = 0,
): Index => {
  const terms: Term[] = []
  let sum = offset
  for (let n = 0; n < parts.length; n++) sum += addTerm(terms, parts[n]![0], parts[n]![1])
  if (terms.length === 0) return sum === 0 ? zeroIndex : constant(sum)
  const only = terms[0]!
  if (terms.length === 1 && sum === 0 && only.coefficient === 1) return only.term
  return { tag: 'affine', constant: sum, terms }
}

export const plus = (x: Index, y: Index | number): Index =>
  typeof y === 'number'
    ? affine([[1, x]], y)
    : affine([
        [1, x],
        [1, y],
      ])
export const minus = (x: Index, y: Index | number): Index =>
  typeof y === 'number'
    ? affine([[1, x]], -y)
    : affine([
        [1, x],
        [-1, y],
      ])
export const times = (x: Index, factor: number): Index => affine([[factor, x]])

/** The least and greatest value an index can take. */
export const boundsOf = (index: Index): readonly [number, number] => {
  switch (index.tag) {
    case 'constant':
      return [index.value, index.value]
    case 'counter':
      return [0, index.extent - 1]
    case 'data':
      return [index.low, index.high]
    case 'floorDivide': {
      const [low, high] = boundsOf(index.value)
      return [Math.floor(low / index.by), Math.floor(high / index.by)]
    }
    case 'modulo':
      return [0, index.by - 1]
    case 'affine': {
      let low = index.constant
      let high = index.constant
      for (let n = 0; n < index.terms.length; n++) {
        const { coefficient, term } = index.terms[n]!
        const bounds = boundsOf(term)
        low += coefficient * bounds[coefficient > 0 ? 0 : 1]
        high += coefficient * bounds[coefficient > 0 ? 1 : 0]
      }
      return [low, high]
    }
    default:
      return index satisfies never
  }
}

// Splits `index` into `by · quotient + rest` term by term.
const splitBy = (index: Index, by: number): { readonly quotient: Index; readonly rest: Index } => {
  const terms = index.tag === 'affine' ? index.terms : [{ coefficient: 1, term: index }]
  const constantPart = index.tag === 'affine' ? index.constant : 0
  const divisible = terms.filter((t) => t.coefficient % by === 0)
  const others = terms.filter((t) => t.coefficient % by !== 0)
  const wholes = Math.floor(constantPart / by)
  return {
    quotient: affine(
      divisible.map((t) => [t.coefficient / by, t.term]),
      wholes,
    ),
    rest: affine(
      others.map((t) => [t.coefficient, t.term]),
      constantPart - wholes * by,
    ),
  }
}

/**
 * `index` as `unit · wholes + rest` for a unit that divides `by`, where `0 ≤ rest < unit`: what is divided by
 * `by` then are whole units. Rows of an array under another shape, of which the columns do not matter.
 */
const coarsen = (
  index: Index,
  by: number,
): { readonly unit: number; readonly wholes: Index; readonly rest: Index } | null => {
  if (index.tag !== 'affine' || index.terms.length + Math.abs(index.constant) < 2) return null
  const units = new Set(index.terms.map((t) => greatestCommonDivisor(by, Math.abs(t.coefficient))))
  for (const unit of [...units].sort((a, b) => b - a)) {
    if (unit <= 1) continue
    const { quotient, rest } = splitBy(index, unit)
    const [low, high] = boundsOf(rest)
    const wholes = Math.floor(low / unit)
    if (wholes !== Math.floor(high / unit)) continue
    return { unit, wholes: plus(quotient, wholes), rest: minus(rest, wholes * unit) }
  }
  return null
}

const greatestCommonDivisor = (a: number, b: number): number =>
  b === 0 ? a : greatestCommonDivisor(b, a % b)

/** `⌊index / by⌋`, simplified through the ranges of the counters. */
export const floorDivide = (index: Index, by: number): Index => {
  if (by === 1) return index
  if (index.tag === 'constant') return constant(Math.floor(index.value / by))
  const { quotient, rest } = splitBy(index, by)
  const [low, high] = boundsOf(rest)
  const low_ = Math.floor(low / by)
  if (low_ === Math.floor(high / by)) return plus(quotient, low_)
  const coarse = coarsen(rest, by)
  const inner: Index =
    coarse === null
      ? { tag: 'floorDivide', value: rest, by }
      : floorDivide(coarse.wholes, by / coarse.unit)
  return plus(quotient, inner)
}

/** `index mod by` (never negative), simplified through the ranges of the counters. */
export const modulo = (index: Index, by: number): Index => {
  if (by === 1) return zeroIndex
  if (index.tag === 'constant') return constant(((index.value % by) + by) % by)
  const { rest } = splitBy(index, by)
  const [low, high] = boundsOf(rest)
  const wholes = Math.floor(low / by)
  if (wholes === Math.floor(high / by)) return minus(rest, wholes * by)
  const coarse = coarsen(rest, by)
  if (coarse === null) return { tag: 'modulo', value: rest, by }
  const { wholes: units, unit, rest: inside } = coarse
  return affine([
    [unit, modulo(units, by / unit)],
    [1, inside],
  ])
}

// Index vectors made by `unflatten` remember the flat position that they came from, so that reading
// a reshaped buffer needs no division.
const flatOrigins = new WeakMap<readonly Index[], { readonly shape: Shape; readonly flat: Index }>()

/** The row-major flat position of an index vector. */
export const flatten = (shape: Shape, index: readonly Index[]): Index => {
  const origin = flatOrigins.get(index)
  if (origin !== undefined && sameShape(origin.shape, shape)) return origin.flat
  const strides = stridesOf(shape)
  return affine(index.map((i, d) => [strides[d]!, i]))
}

/** The index vector at a row-major flat position. */
export const unflatten = (shape: Shape, flat: Index): readonly Index[] => {
  const strides = stridesOf(shape)
  const index = shape.map((extent, d) => {
    if (extent === 1) return zeroIndex
    const above = floorDivide(flat, strides[d]!)
    return d === 0 ? above : modulo(above, extent)
  })
  flatOrigins.set(index, { shape, flat })
  return index
}

/** Structural equality. Scalars inside data indices compare by identity. */
export const sameIndex = (a: Index, b: Index): boolean => {
  if (a === b) return true
  switch (a.tag) {
    case 'constant':
      return b.tag === 'constant' && a.value === b.value
    case 'counter':
      return b.tag === 'counter' && a.name === b.name
    case 'data':
      return b.tag === 'data' && a.value === b.value
    case 'floorDivide':
      return b.tag === 'floorDivide' && a.by === b.by && sameIndex(a.value, b.value)
    case 'modulo':
      return b.tag === 'modulo' && a.by === b.by && sameIndex(a.value, b.value)
    case 'affine':
      return (
        b.tag === 'affine' &&
        a.constant === b.constant &&
        a.terms.length === b.terms.length &&
        a.terms.every((t, i) => {
          const other = b.terms[i]!
          return t.coefficient === other.coefficient && sameIndex(t.term, other.term)
        })
      )
    default:
      return a satisfies never
  }
}

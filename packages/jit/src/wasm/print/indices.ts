/** Indices and addresses. */
import { type Index, InternalError, scalars } from '@cotangent/core'
import { insert } from '../../loops/insert.ts'
import { op, simd } from '../encode/opcodes.ts'
import { type Frame, indexVaries } from './frame.ts'
import { type Loop, firstOf, isOnce } from './rounds.ts'

const { boundsOf } = scalars

type Term = { readonly coefficient: number; readonly term: Index }

export const termsOf = (i: Index): readonly Term[] => {
  if (i.tag === 'affine') return i.terms
  return i.tag === 'constant' ? [] : [{ coefficient: 1, term: i }]
}

export const constantOf = (i: Index): number => {
  if (i.tag === 'affine') return i.constant
  return i.tag === 'constant' ? i.value : 0
}

const noLoops: readonly Loop[] = []

/** The value of a counter that stands still: that of a loop of one round, or of a lane of a tile. */
const standing = (frame: Frame, name: string, inner: readonly Loop[]): number | undefined => {
  // The innermost of a name is meant.
  for (let n = inner.length - 1; n >= 0; n--) {
    const loop = inner[n]!
    if (loop.counter === name && isOnce(loop)) return firstOf(loop)
  }
  const at = frame.counters.get(name)?.at
  return at?.tag === 'constant' ? at.value : undefined
}

/**
 * The index with counters that stand still as constants, also those of the loops `inner`. Accesses
 * that differ in nothing else share a pointer.
 */
export const settled = (frame: Frame, i: Index, inner: readonly Loop[] = noLoops): Index => {
  if (i.tag === 'counter') {
    const value = standing(frame, i.name, inner)
    return value === undefined ? i : { tag: 'constant', value }
  }
  if (i.tag !== 'affine') return i
  let constant = i.constant
  let left: Term[] | null = null
  for (let n = 0; n < i.terms.length; n++) {
    const t = i.terms[n]!
    const value = t.term.tag === 'counter' ? standing(frame, t.term.name, inner) : undefined
    if (value === undefined) left?.push(t)
    else {
      left ??= i.terms.slice(0, n)
      constant += t.coefficient * value
    }
  }
  if (left === null) return i
  return left.length === 0
    ? { tag: 'constant', value: constant }
    : { tag: 'affine', constant, terms: left }
}

/**
 * Names the part of an index that is not constant; null where data other than locals is in it. It is
 * remembered, unless the index was made just now of another, `from`, and nobody will ask again.
 */
export const variableKey = (i: Index, from: Index = i): string | null => {
  if (i !== from) return writtenKey(i)
  const known = variableKeys.get(i)
  if (known !== undefined) return known
  const made = writtenKey(i)
  variableKeys.set(i, made)
  return made
}

const variableKeys = new WeakMap<Index, string | null>()

const writtenKey = (i: Index): string | null => {
  const parts: string[] = []
  const terms = termsOf(i)
  for (let n = 0; n < terms.length; n++) {
    const { coefficient, term } = terms[n]!
    const key = termKey(term)
    if (key === null) return null
    insert(parts, `${coefficient}*${key}`)
  }
  return parts.length === 1 ? parts[0]! : parts.join('+')
}

const termKey = (i: Index): string | null => {
  switch (i.tag) {
    case 'constant':
      return `${i.value}`
    case 'counter':
      return i.name
    case 'affine': {
      const key = variableKey(i)
      return key === null ? null : `(${key}+${i.constant})`
    }
    case 'floorDivide':
    case 'modulo': {
      const key = termKey(i.value)
      return key === null ? null : `${i.tag}(${key},${i.by})`
    }
    case 'data':
      return i.value.tag === 'local' ? `$${i.value.name}` : null
    default:
      return i satisfies never
  }
}

/** How far lane `l` lies from lane 0, divided by `l`; null where the lanes are not evenly spaced. */
export const laneStride = (frame: Frame, i: Index): number | null => {
  let stride = 0
  const terms = termsOf(i)
  for (let n = 0; n < terms.length; n++) {
    const { coefficient, term } = terms[n]!
    if (!indexVaries(frame, term)) continue
    if (term.tag !== 'counter') return null
    stride += coefficient
  }
  return stride
}

/** Pushes an index as i32: its value, or that of the first lane. */
export const emitIndex = (frame: Frame, i: Index): void => {
  const { body } = frame
  switch (i.tag) {
    case 'constant':
      body.i32(i.value)
      return
    case 'counter': {
      const { at } = frame.counter(i.name)
      if (at.tag === 'constant') body.i32(at.value)
      else body.get(at.local)
      return
    }
    case 'affine':
      emitSum(frame, i.terms, i.constant)
      return
    case 'floorDivide':
      emitDivision(frame, i.value, i.by, false)
      return
    case 'modulo':
      emitDivision(frame, i.value, i.by, true)
      return
    case 'data':
      frame.print.uniform(frame, i.value)
      return
    default:
      i satisfies never
  }
}

/** Pushes `Σ coefficient · term + constant`, all multiplied by `scale`. */
export const emitSum = (
  frame: Frame,
  terms: readonly Term[],
  constant: number,
  scale = 1,
): void => {
  const { body } = frame
  let pushed = false
  let sum = constant * scale
  for (const { coefficient, term } of terms) {
    if (term.tag === 'counter') {
      const { at } = frame.counter(term.name)
      if (at.tag === 'constant') {
        sum += coefficient * scale * at.value
        continue
      }
    }
    emitIndex(frame, term)
    emitTimes(frame, coefficient * scale)
    if (pushed) body.op(op.i32Add)
    pushed = true
  }
  if (!pushed) {
    body.i32(sum)
    return
  }
  if (sum === 0) return
  body.i32(sum)
  body.op(op.i32Add)
}

const emitTimes = ({ body }: Frame, factor: number): void => {
  if (factor === 1) return
  const shift = Math.log2(factor)
  body.i32(Number.isInteger(shift) ? shift : factor)
  body.op(Number.isInteger(shift) ? op.i32Shl : op.i32Mul)
}

const emitDivision = (frame: Frame, value: Index, by: number, remainder: boolean): void =>
  emitQuotient(frame, () => emitIndex(frame, value), boundsOf(value)[0], by, remainder)

// Floors: wasm truncates, so negative values are moved up by a multiple of the divisor first.
const emitQuotient = (
  { body }: Frame,
  value: () => void,
  low: number,
  by: number,
  remainder: boolean,
): void => {
  const wholes = low < 0 ? Math.ceil(-low / by) : 0
  value()
  if (wholes > 0) {
    body.i32(wholes * by)
    body.op(op.i32Add)
  }
  const shift = Math.log2(by)
  if (Number.isInteger(shift)) {
    body.i32(remainder ? by - 1 : shift)
    body.op(remainder ? op.i32And : op.i32ShrU)
  } else {
    body.i32(by)
    body.op(remainder ? op.i32RemU : op.i32DivU)
  }
  if (remainder || wholes === 0) return
  body.i32(wholes)
  body.op(op.i32Sub)
}

/** Pushes an index as a vector of i32, one for each lane. */
export const emitLaneIndex = (frame: Frame, i: Index): void => {
  const { body } = frame
  const stride = laneStride(frame, i)
  if (stride !== null) {
    emitIndex(frame, i)
    body.simd(simd.i32x4Splat)
    if (stride === 0) return
    emitLanes(frame, stride)
    body.simd(simd.i32x4Add)
    return
  }
  if (i.tag === 'data') {
    frame.print.vector(frame, i.value)
    return
  }
  if (i.tag === 'floorDivide' || i.tag === 'modulo') {
    emitLaneDivision(frame, i)
    return
  }
  if (i.tag !== 'affine') {
    throw new InternalError({ operation: 'print kernel', problem: `${i.tag} varies over lanes` })
  }
  body.i32(i.constant)
  body.simd(simd.i32x4Splat)
  for (const { coefficient, term } of i.terms) {
    emitLaneIndex(frame, term)
    if (coefficient !== 1) {
      body.i32(coefficient)
      body.simd(simd.i32x4Splat)
      body.simd(simd.i32x4Mul)
    }
    body.simd(simd.i32x4Add)
  }
}

// Vectors of integers cannot be divided: lane by lane.
const emitLaneDivision = (
  frame: Frame,
  i: Extract<Index, { readonly tag: 'floorDivide' | 'modulo' }>,
): void => {
  const { body } = frame
  frame.scratch('v128', (values) =>
    frame.scratch('i32', (one) => {
      emitLaneIndex(frame, i.value)
      body.set(values)
      for (let lane = 0; lane < (frame.lanes ?? 1); lane++) {
        body.get(values)
        body.get(values)
        body.simdLane(simd.i32x4ExtractLane, lane)
        body.set(one)
        emitQuotient(frame, () => body.get(one), boundsOf(i.value)[0], i.by, i.tag === 'modulo')
        body.simdLane(simd.i32x4ReplaceLane, lane)
        body.set(values)
      }
      body.get(values)
    }),
  )
}

/** Pushes `[0, stride, 2 · stride, 3 · stride]`. */
const emitLanes = ({ body }: Frame, stride: number): void => {
  body.v128(new Uint8Array(Int32Array.of(0, stride, 2 * stride, 3 * stride).buffer))
}

/** Below this distance from the start of a buffer lie addresses that exist: the heap's own. */
const slackBelow = 512

/**
 * Pushes the address of an element, or of that of the first lane; gives the constant part, for the
 * instruction.
 */
export const emitAddress = (frame: Frame, buffer: string, index: Index, width: number): number => {
  const { body } = frame
  const at = settled(frame, index)
  const key = variableKey(at, index)
  const constant = constantOf(at)
  const known = key === null ? undefined : frame.pointers.get(`${buffer} ${key}`)
  if (known !== undefined && constant >= known.offset) {
    body.get(known.local)
    return (constant - known.offset) * width
  }
  const terms = termsOf(at)
  const fixed = terms.every(
    (t) => t.term.tag === 'counter' && frame.counter(t.term.name).at.tag === 'constant',
  )
  if (fixed) {
    let sum = constant
    for (const { coefficient, term } of terms) {
      const binding = term.tag === 'counter' ? frame.counter(term.name).at : null
      if (binding?.tag === 'constant') sum += coefficient * binding.value
    }
    if (sum >= 0) {
      body.get(frame.buffer(buffer))
      return sum * width
    }
  }
  const low = boundsOf(at)[0] - constant
  const folded = constant < 0 || low * width < -slackBelow
  body.get(frame.buffer(buffer))
  emitSum(frame, terms, folded ? constant : 0, width)
  body.op(op.i32Add)
  return folded ? 0 : constant * width
}

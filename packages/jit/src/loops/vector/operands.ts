/** The operands of a reduction's step: what it reads for each output and term, and how that moves. */
import { type Index, type Scalar, scalars } from '@cotangent/core'
import { type Access, accessesOf } from '../access.ts'
import { mapScalar } from '../rewrite.ts'
import { walk } from '../visit.ts'
import type { Nest } from './nest.ts'

const { local } = scalars

/** A part of the step that reads memory and no accumulator; a factor of a product, for instance. */
export interface Operand {
  /** The local that stands for it in the steps. */
  readonly name: string
  readonly value: Scalar
  /** The counters it depends on. */
  readonly counters: ReadonlySet<string>
  readonly accesses: readonly Access[]
  /** Counters that decide which memory is read at all. */
  readonly guarded: ReadonlySet<string>
  /** Operations besides loads. */
  readonly work: number
  /** Whether it may be evaluated elsewhere: it names no local. */
  readonly movable: boolean
}

const countersIn = (s: Scalar): ReadonlySet<string> => {
  const names = new Set<string>()
  walk({
    index: (i: Index) => {
      if (i.tag === 'counter') names.add(i.name)
    },
  }).scalar(s)
  return names
}

const guardedIn = (s: Scalar): ReadonlySet<string> => {
  const names = new Set<string>()
  walk({
    scalar: (inner) => {
      if (inner.tag === 'guard') for (const name of countersIn(inner.condition)) names.add(name)
    },
  }).scalar(s)
  return names
}

const sameSet = (a: ReadonlySet<string>, b: ReadonlySet<string>): boolean =>
  a.size === b.size && [...a].every((x) => b.has(x))

const describe = (value: Scalar, name: string): Operand => {
  let [work, movable] = [0, true]
  walk({
    scalar: (s) => {
      if (s.tag === 'local') movable = false
      if (s.tag !== 'literal' && s.tag !== 'local' && s.tag !== 'load') work += weightOf(s)
    },
  }).scalar(value)
  const shared = { counters: countersIn(value), accesses: accessesOf([value]) }
  return { name, value, ...shared, guarded: guardedIn(value), work, movable }
}

// Calls become a dozen instructions, divisions wait as long.
const weightOf = (s: Scalar): number => {
  if (s.tag === 'convert') return s.dtype === s.x.dtype ? 0 : 1
  if (s.tag === 'unary')
    return ['negate', 'absolute', 'floor', 'ceil', 'not'].includes(s.op) ? 1 : 14
  return s.tag === 'binary' && (s.op === 'divide' || s.op === 'power') ? 8 : 1
}

/** Steps in which locals stand for the operands. */
export interface Split {
  readonly steps: readonly Scalar[]
  readonly operands: readonly Operand[]
}

/** Splits steps into arithmetic and the operands it combines. */
export const splitOperands = (nest: Nest, steps: readonly Scalar[]): Split => {
  const own = new Set(nest.accumulators.map((a) => a.name))
  const reads = new Map<Scalar, boolean>()
  // Whether a value depends on an accumulator, or on nothing in memory.
  const isBound = (s: Scalar): boolean => {
    const done = reads.get(s)
    if (done !== undefined) return done
    let found = false
    walk({
      scalar: (x) => {
        if (x.tag === 'local' && own.has(x.name)) found = true
      },
    }).scalar(s)
    reads.set(s, found)
    return found
  }
  const operands = new Map<Scalar, Operand>()
  const memo = new Map<Scalar, Scalar>()
  const split = (s: Scalar): Scalar => {
    const done = memo.get(s)
    if (done !== undefined) return done
    const made = isBound(s) || isProduct(s) ? mapScalar(s, split, (i) => i) : operandFor(s)
    memo.set(s, made)
    return made
  }
  const operandFor = (s: Scalar): Scalar => {
    if (accessesOf([s]).length === 0) return s
    const known = operands.get(s) ?? describe(s, `${nest.prefix}x${operands.size}`)
    operands.set(s, known)
    return local(s.dtype, known.name)
  }
  const split_ = steps.map(split)
  return { steps: split_, operands: [...operands.values()] }
}

// Two factors that move differently: each serves many products.
const isProduct = (s: Scalar): boolean => {
  if (s.tag !== 'binary') return false
  const [x, y] = [countersIn(s.x), countersIn(s.y)]
  const both = accessesOf([s.x]).length > 0 && accessesOf([s.y]).length > 0
  return both && !sameSet(x, y)
}

/** How an operand's loads move from one lane to the next. */
export type LaneMovement = 'uniform' | 'beside' | 'apart' | 'anyhow' | 'never'

export const movementOf = (operand: Operand, counter: string): LaneMovement => {
  if (operand.guarded.has(counter)) return 'never'
  if (!operand.counters.has(counter)) return 'uniform'
  let worst: LaneMovement = 'uniform'
  for (const access of operand.accesses) {
    if (access.uneven.has(counter)) worst = 'anyhow'
    const stride = access.strides.get(counter) ?? 0
    if (stride < 0) worst = 'anyhow'
    else if (stride > 1 && worst !== 'anyhow') worst = 'apart'
    else if (stride === 1 && worst === 'uniform') worst = 'beside'
  }
  return worst === 'uniform' ? 'beside' : worst
}

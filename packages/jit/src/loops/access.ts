/** How the loads of an expression move with loop counters. */
import type { Index, Scalar } from '@cotangent/core'
import { walk } from './visit.ts'

/** One load of an expression. */
export interface Access {
  readonly buffer: string
  /** Elements that one step of a counter moves the load by; absent: it does not move. */
  readonly strides: ReadonlyMap<string, number>
  /** Counters below a division, a remainder or data: the load moves, but not evenly. */
  readonly uneven: ReadonlySet<string>
  readonly offset: number
  /** Read from a copy in the order of the tiles: neighbours in memory wherever they came from. */
  readonly packed: boolean
}

const countersBelow = (i: Index, into: Set<string>): void => {
  walk({
    index: (inner) => {
      if (inner.tag === 'counter') into.add(inner.name)
    },
  }).index(i)
}

/** The strides of an index in each counter. */
export const accessOf = (buffer: string, at: Index): Access => {
  const strides = new Map<string, number>()
  const uneven = new Set<string>()
  const add = (coefficient: number, term: Index): void => {
    if (term.tag === 'counter') {
      strides.set(term.name, (strides.get(term.name) ?? 0) + coefficient)
    } else if (term.tag !== 'constant') countersBelow(term, uneven)
  }
  if (at.tag === 'affine') for (const t of at.terms) add(t.coefficient, t.term)
  else add(1, at)
  for (const name of uneven) strides.delete(name)
  const offset = at.tag === 'affine' ? at.constant : at.tag === 'constant' ? at.value : 0
  return { buffer, strides, uneven, offset, packed: false }
}

/** Every distinct load below the scalars. */
export const accessesOf = (values: readonly Scalar[]): readonly Access[] => {
  const found: Access[] = []
  const w = walk({
    scalar: (s) => {
      if (s.tag === 'load') found.push(accessOf(s.buffer, s.at))
    },
  })
  for (const value of values) w.scalar(value)
  return found
}

/** A counter that takes several values in one body, at unit distance: a tile or a tap. */
export interface Copies {
  readonly counter: string
  readonly count: number
}

/** The distinct elements that the copies of one load touch, as offsets from the first. */
export const offsetsOf = (access: Access, copies: readonly Copies[]): readonly number[] => {
  let offsets = new Set([0])
  for (const { counter, count } of copies) {
    // Uneven movement: assume that no two copies meet.
    const stride = access.uneven.has(counter) ? 1_000_003 : (access.strides.get(counter) ?? 0)
    if (stride === 0 || count === 1) continue
    const moved = new Set<number>()
    for (const offset of offsets) for (let n = 0; n < count; n++) moved.add(offset + n * stride)
    offsets = moved
  }
  return [...offsets]
}

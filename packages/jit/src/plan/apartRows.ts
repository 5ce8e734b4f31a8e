/** Loops whose rounds each have elements of their own: rows that no other round touches. */
import type { Index, Stmt } from '@cotangent/core'

type Loop = Extract<Stmt, { readonly tag: 'for' }>

interface Term {
  readonly coefficient: number
  /** Its largest value; the smallest is 0. */
  readonly most: number
}

/** An index as the part of one counter, and the others; null where they cannot be told apart. */
interface Parts {
  readonly stride: number
  readonly others: readonly Term[]
  readonly constant: number
}

const partsOf = (at: Index, counter: string): Parts | null => {
  const sum =
    at.tag === 'affine' ? at : { constant: 0, terms: [{ coefficient: 1, term: at }] as const }
  let stride = 0
  let { constant } = sum
  const others: Term[] = []
  for (const { coefficient, term } of sum.terms) {
    if (term.tag === 'counter' && term.name === counter) stride += coefficient
    else if (term.tag === 'counter') others.push({ coefficient, most: term.extent - 1 })
    else if (term.tag === 'data' && term.low >= 0) others.push({ coefficient, most: term.high })
    else if (term.tag === 'constant') constant += coefficient * term.value
    else return null
  }
  return { stride, others, constant }
}

/**
 * Whether these indices name the round of every one of the loops, as a digit of the element that they
 * stand for: what one round touches, no other does.
 */
export const areApart = (loops: readonly Loop[], indices: readonly Index[]): boolean =>
  loops.every(({ counter, extent }) => {
    if (extent === 1) return true
    let common: number | null = null
    for (const at of indices) {
      const parts = partsOf(at, counter)
      if (parts === null || parts.stride <= 0) return false
      const { stride, others } = parts
      if (common !== null && common !== stride) return false
      common = stride
      let { constant: last } = parts
      if (last < 0) return false
      for (const { coefficient, most } of others) {
        if (coefficient < 0) return false
        if (coefficient % (stride * extent) !== 0) last += coefficient * most
      }
      if (last >= stride) return false
    }
    return true
  })

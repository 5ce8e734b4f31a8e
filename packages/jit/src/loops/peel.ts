/**
 * Splits loops where index conditions change, so that the long middle part tests nothing: the
 * interior of a padded window, the pieces of a concatenation.
 */
import { type Index, type Scalar, type Stmt, scalars } from '@cotangent/core'
import { replaceEach, substitution, withBodies } from './rewrite.ts'
import { unrollSmall } from './unroll.ts'
import { gathering, sizeOfBody, walk } from './visit.ts'

const { boundsOf, counter, plus } = scalars

type Loop = Extract<Stmt, { readonly tag: 'for' }>

/** Parts shorter than this are not worth a copy of the body. */
const leastRounds = 4
/** Nodes that the copies of one loop may have together. */
const budget = 500

/** Splits every loop whose conditions are constant along a long part of it, but those to keep. */
export const peel = (
  body: readonly Stmt[],
  keeps: (loop: Loop) => boolean = () => false,
): readonly Stmt[] =>
  replaceEach(body, (s) =>
    s.tag === 'for' ? peelLoop(s, keeps) : withBodies(s, (inner) => peel(inner, keeps)),
  )

type Parts = (body: readonly Stmt[]) => readonly Stmt[]

const peelLoop = (loop: Loop, keeps: (loop: Loop) => boolean): readonly Stmt[] | Stmt => {
  const conditions = conditionsOf(loop.body)
  // Loops inside have no other conditions.
  if (conditions.length === 0) return loop
  const whole: readonly Stmt[] = [{ ...loop, body: peel(loop.body, keeps) }]
  const part = loop.reverse === true ? null : longestPart(loop, conditions)
  if (part === null || keeps(loop)) return whole
  const before = piece(loop, 0, part.from)
  const middle = piece(loop, part.from, part.to)
  const after = piece(loop, part.to, loop.extent)
  const parts = (inMiddle: Parts, inBorders: Parts): readonly Stmt[] => [
    ...inBorders(before),
    ...inMiddle(middle),
    ...inBorders(after),
  ]
  const asIs: Parts = (body) => body
  const again: Parts = (body) => peel(body, keeps)
  // The more is split, the larger the code: borders are the first to keep their tests.
  const choices = [parts(again, again), parts(again, asIs), parts(asIs, asIs)]
  return choices.find((c) => sizeOfBody(unrollSmall(c)) <= budget) ?? whole
}

// The rounds from `from` up to `to`, counted from 0 again.
const piece = (loop: Loop, from: number, to: number): readonly Stmt[] => {
  if (to <= from) return []
  const extent = to - from
  const step = loop.step ?? 1
  const last = Math.floor((extent - 1) / step) * step
  const counters = new Map([[loop.counter, plus(counter(loop.counter, last + 1), from)]])
  return [{ ...loop, extent, body: substitution({ counters }).body(loop.body) }]
}

interface Part {
  readonly from: number
  readonly to: number
}

// The longest part between two values at which some condition starts or stops to hold for certain.
const longestPart = (loop: Loop, conditions: readonly Within[]): Part | null => {
  const step = loop.step ?? 1
  // The first round at or behind a value.
  const roundAt = (x: number): number => Math.ceil(x / step) * step
  const cuts = new Set([0, loop.extent])
  for (const condition of conditions) {
    for (const cut of cutsOf(condition, loop.counter)) {
      const at = roundAt(cut)
      if (at > 0 && at < loop.extent) cuts.add(at)
    }
  }
  if (cuts.size === 2 || cuts.size > 16) return null
  const sorted = [...cuts].sort((a, b) => a - b)
  let longest: Part = { from: 0, to: 0 }
  sorted.slice(1).forEach((to, n) => {
    const from = sorted[n]!
    if (to - from > longest.to - longest.from) longest = { from, to }
  })
  return longest.to - longest.from >= leastRounds * step ? longest : null
}

type Within = Extract<Scalar, { readonly tag: 'within' }>

// The index tests that decide guards and branches.
const conditionsOf = gathering<Within>((add) => {
  const deciding = walk({
    scalar: (s) => {
      if (s.tag === 'within') add(s)
    },
  })
  return {
    scalar: (s) => {
      if (s.tag === 'guard' || s.tag === 'select') deciding.scalar(s.condition)
    },
    statement: (s) => {
      if (s.tag === 'if') deciding.scalar(s.condition)
    },
  }
})

// Counter values where `low ≤ value < high` changes between never, sometimes and always.
const cutsOf = (condition: Within, name: string): readonly number[] => {
  const { value, low, high } = condition
  const terms = value.tag === 'affine' ? value.terms : [{ coefficient: 1, term: value }]
  const own = terms.find((t) => t.term.tag === 'counter' && t.term.name === name)
  if (own === undefined) return []
  const others = terms.filter((t) => t !== own)
  if (others.some((t) => mentions(t.term, name))) return []
  let least = value.tag === 'affine' ? value.constant : 0
  let most = least
  for (const { coefficient, term } of others) {
    const [a, b] = boundsOf(term)
    least += Math.min(coefficient * a, coefficient * b)
    most += Math.max(coefficient * a, coefficient * b)
  }
  const c = own.coefficient
  // Solves c · x + rest = bound for both ends of the rest, at both bounds.
  return [low - least, low - most, high - least, high - most].flatMap((gap) => {
    const x = gap / c
    return c > 0 ? [Math.ceil(x)] : [Math.floor(x) + 1]
  })
}

const mentions = (i: Index, name: string): boolean => {
  let found = false
  walk({
    index: (inner) => {
      if (inner.tag === 'counter' && inner.name === name) found = true
    },
  }).index(i)
  return found
}

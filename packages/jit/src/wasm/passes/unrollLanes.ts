/**
 * Loops with lanes inside of other loops, as those over rows that wait in a cache: several vectors a round.
 * Of the dozen instructions that a map takes for a vector half may be pointers, counter and branch.
 */
import { type Stmt, scalars } from '@cotangent/core'
import { mapBody, substitution, withBodies } from '../../loops/rewrite.ts'
import type { Loop } from '../../loops/unroll.ts'
import { effectsOf, freshNames, sizeOfBody } from '../../loops/visit.ts'

const { affine, constant, counter } = scalars

/** Nodes that a round may have. */
const mostNodes = 120
const fewestRounds = 4

/** Gives the innermost maps inside of loops four vectors a round, or two, where that stays small. */
export const unrollLanes = (body: readonly Stmt[]): readonly Stmt[] => {
  const fresh = freshNames(body)
  const inside = (block: readonly Stmt[]): readonly Stmt[] =>
    block.flatMap((s) => {
      const unrolled = s.tag === 'for' ? unroll(s, fresh) : null
      return unrolled ?? [withBodies(s, inside)]
    })
  const hasMap = (block: readonly Stmt[]): boolean =>
    block.some((s) => {
      if (s.tag === 'for') return vectorsOf(s) > 1 || hasMap(s.body)
      if (s.tag === 'while') return hasMap(s.body)
      return s.tag === 'if' && (hasMap(s.then) || hasMap(s.otherwise))
    })
  return mapBody(body, (s) => withBodies(s, (inner) => (hasMap(inner) ? inside(inner) : inner)))
}

const vectorsOf = ({ lanes, extent, reverse, body }: Loop): number => {
  if (lanes === undefined || reverse === true) return 1
  if (!body.every((s) => s.tag === 'let' || s.tag === 'store' || s.tag === 'comment')) return 1
  const fits = (vectors: number): boolean =>
    vectors * sizeOfBody(body) <= mostNodes && extent >= fewestRounds * vectors * lanes
  return fits(4) ? 4 : fits(2) ? 2 : 1
}

const unroll = (s: Loop, fresh: (prefix: string) => string): readonly Stmt[] | null => {
  const vectors = vectorsOf(s)
  const { lanes } = s
  if (vectors === 1 || lanes === undefined) return null
  const { declared } = effectsOf(s.body)
  const each = vectors * lanes
  const rounds = Math.floor(s.extent / each)
  const round = fresh(`${s.counter}u`)
  const copy = (n: number): readonly Stmt[] => {
    const at = affine(
      [
        [each, counter(round, rounds)],
        [1, counter(s.counter, lanes)],
      ],
      n * lanes,
    )
    return substitution({
      counters: new Map([[s.counter, at]]),
      declared: new Map(n === 0 ? [] : [...declared].map((name) => [name, fresh(`${name}_`)])),
    }).body(s.body)
  }
  const copies = Array.from({ length: vectors }, (_, n) => copy(n)).flat()
  const { step: _, ...own } = s
  const main: Stmt = {
    tag: 'for',
    counter: round,
    extent: rounds,
    ...(s.parallel === true ? { parallel: true } : {}),
    body: [{ ...own, extent: lanes, body: copies }],
  }
  const left = s.extent - rounds * each
  if (left === 0) return [main]
  const name = fresh(`${s.counter}w`)
  const at = affine([
    [1, counter(name, left)],
    [1, constant(rounds * each)],
  ])
  const rest = substitution({
    counters: new Map([[s.counter, at]]),
    declared: new Map([...declared].map((local) => [local, fresh(`${local}_`)])),
  }).body(s.body)
  return [main, { ...own, counter: name, extent: left, body: rest }]
}

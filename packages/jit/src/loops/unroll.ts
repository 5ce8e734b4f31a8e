/** Short innermost loops written out: kernel taps, pooling windows, tiny extents. */
import { type Stmt, scalars } from '@cotangent/core'
import { knownTruth } from './fold.ts'
import { replaceEach, substitution, withBodies } from './rewrite.ts'
import { bodyBudget, tapExtent } from './tiling.ts'
import { effectsOf, freshNames, sizeOfBody } from './visit.ts'

const { constant } = scalars

export type Loop = Extract<Stmt, { readonly tag: 'for' }>

/** Writes out loops of at most 8 rounds while the result stays small. Names are unique. */
export const unrollSmall = (
  body: readonly Stmt[],
  worthUnrolling: (loop: Loop) => boolean = worthInJavaScript,
): readonly Stmt[] => {
  const fresh = freshNames(body)
  const block = (statements: readonly Stmt[]): readonly Stmt[] => replaceEach(statements, statement)
  const statement = (s: Stmt): readonly Stmt[] | Stmt => {
    const known = s.tag === 'if' ? knownTruth(s.condition) : null
    if (s.tag === 'if' && known !== null) return block(known ? s.then : s.otherwise)
    const inner = withBodies(s, block)
    return inner.tag === 'for' && worthUnrolling(inner) ? unroll(inner, fresh) : inner
  }
  return block(body)
}

/** Nodes that a loop over whole outputs may have after unrolling. */
const outputBudget = 100

/** How often a loop runs. */
export const roundsOf = (s: Loop): number => Math.max(0, Math.ceil(s.extent / (s.step ?? 1)))

const worthInJavaScript = (s: Loop): boolean => {
  const rounds = roundsOf(s)
  if (rounds <= 1) return true
  // A loop with a step is a tile or unrolled as far as pays already.
  if (rounds > tapExtent || (s.step ?? 1) > 1 || hasLoop(s.body)) return false
  // A body with accumulators is a whole output, or a tile of them: its loop costs it little.
  const budget = s.body.some((inner) => inner.tag === 'variable') ? outputBudget : bodyBudget
  return rounds * sizeOfBody(s.body) <= budget
}

/** Whether statements hold a loop, in branches too. */
export const hasLoop = (body: readonly Stmt[]): boolean =>
  body.some((s) => {
    if (s.tag === 'for' || s.tag === 'while') return true
    return s.tag === 'if' && (hasLoop(s.then) || hasLoop(s.otherwise))
  })

const unroll = (s: Loop, fresh: (prefix: string) => string): readonly Stmt[] => {
  const step = s.step ?? 1
  const rounds = Array.from({ length: roundsOf(s) }, (_, n) => n * step)
  const { declared } = effectsOf(s.body)
  return (s.reverse === true ? rounds.reverse() : rounds).flatMap((value, n) =>
    substitution({
      counters: new Map([[s.counter, constant(value)]]),
      declared: new Map(n === 0 ? [] : [...declared].map((name) => [name, fresh(`${name}_`)])),
    }).body(s.body),
  )
}

/** Two perfectly nested loops become one where every index walks straight through both. */
import { type Index, type Stmt, scalars } from '@cotangent/core'
import { substitution } from './rewrite.ts'
import { branching, indexOf, walk } from './visit.ts'

const { constant, counter } = scalars

type Loop = Extract<Stmt, { readonly tag: 'for' }>

/** Collapses nests, innermost first, so that a contiguous kernel becomes one flat loop. */
export const collapse = (body: readonly Stmt[]): readonly Stmt[] => body.map(collapseStmt)

const collapseStmt = (s: Stmt): Stmt => {
  if (s.tag === 'while') return { ...s, body: collapse(s.body) }
  if (s.tag === 'if') return branching(s.condition, collapse(s.then), collapse(s.otherwise))
  if (s.tag !== 'for') return s
  const outer: Loop = { ...s, body: collapse(s.body) }
  const inner = outer.body[0]
  const nested = outer.body.length === 1 && inner?.tag === 'for' ? inner : null
  return nested !== null && isStraight(outer, nested) ? merged(outer, nested) : outer
}

const merged = (outer: Loop, inner: Loop): Loop => {
  const extent = outer.extent * inner.extent
  const counters = new Map([
    [outer.counter, constant(0)],
    [inner.counter, counter(inner.counter, extent)],
  ])
  return { ...inner, extent, body: substitution({ counters }).body(inner.body) }
}

const isStraight = (outer: Loop, inner: Loop): boolean => {
  if ((outer.step ?? 1) !== 1 || (inner.step ?? 1) !== 1) return false
  if ((outer.reverse === true) !== (inner.reverse === true)) return false
  if ((outer.parallel === true) !== (inner.parallel === true)) return false
  if (outer.lanes !== undefined || inner.lanes !== undefined) return false
  let straight = true
  const seen = new Set<Index>()
  // The counters of an affine index are judged with it; one that stands alone has the other's
  // stride 0, which never fits.
  const judge = (i: Index): void => {
    if (seen.has(i)) return
    seen.add(i)
    const terms = i.tag === 'affine' ? i.terms : [{ coefficient: 1, term: i }]
    const strideIn = (name: string): number =>
      terms.reduce((sum, t) => sum + (isCounter(t.term, name) ? t.coefficient : 0), 0)
    if (strideIn(outer.counter) !== strideIn(inner.counter) * inner.extent) straight = false
    for (const { term } of terms) {
      if (term.tag === 'floorDivide' || term.tag === 'modulo') judge(term.value)
    }
  }
  const w = walk({
    scalar: (s) => {
      const at = indexOf(s)
      if (at !== null) judge(at)
    },
    statement: (s) => {
      if (s.tag === 'store') judge(s.at)
    },
  })
  w.body(inner.body)
  return straight
}

const isCounter = (i: Index, name: string): boolean => i.tag === 'counter' && i.name === name

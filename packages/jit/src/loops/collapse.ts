/** Two perfectly nested loops become one where every index walks straight through both. */
import { type Index, type Stmt, scalars } from '@cotangent/core'
import { mapBody, substitution, withBodies } from './rewrite.ts'
import { indicesIn } from './visit.ts'

const { constant, counter } = scalars

type Loop = Extract<Stmt, { readonly tag: 'for' }>

/** Collapses nests, innermost first, so that a contiguous kernel becomes one flat loop. */
export const collapse = (body: readonly Stmt[]): readonly Stmt[] => mapBody(body, collapseStmt)

const collapseStmt = (s: Stmt): Stmt => {
  const outer = withBodies(s, collapse)
  if (outer.tag !== 'for') return outer
  // Axes of extent 1 leave a comment.
  const [inner, ...rest] = outer.body.filter(({ tag }) => tag !== 'comment')
  const nested = inner?.tag === 'for' && rest.length === 0 ? inner : null
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
  return indicesIn(inner.body).every((i) => isEven(i, outer, inner))
}

// The counters of an affine index are judged with it; one that stands alone has the other's stride 0,
// which never fits.
const isEven = (i: Index, outer: Loop, inner: Loop): boolean => {
  const terms = i.tag === 'affine' ? i.terms : [{ coefficient: 1, term: i }]
  let along = 0
  let across = 0
  for (let n = 0; n < terms.length; n++) {
    const { coefficient, term } = terms[n]!
    if (term.tag === 'counter') {
      if (term.name === inner.counter) along += coefficient
      else if (term.name === outer.counter) across += coefficient
    } else if (term.tag === 'floorDivide' || term.tag === 'modulo') {
      if (!isEven(term.value, outer, inner)) return false
    }
  }
  return across === along * inner.extent
}

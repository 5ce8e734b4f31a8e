/**
 * Transpositions: where an inner loop writes neighbours but reads far apart, and the loop around it
 * would read neighbours, eight rounds of the outer loop run at once. Every line of memory that is
 * fetched then is used eightfold.
 */
import { type Index, type Scalar, type Stmt, scalars } from '@cotangent/core'
import { accessOf } from './access.ts'
import { makeInterner } from './intern.ts'
import { substitution } from './rewrite.ts'
import { branching, effectsOf, sizeOfBody, walk } from './visit.ts'

const { counter, fromIndex, plus } = scalars

type Loop = Extract<Stmt, { readonly tag: 'for' }>

const width = 8
/** Nodes of a body that is worth writing out eightfold. */
const largestBody = 24

/** Unrolls outer loops over transposed reads into the inner ones. */
export const jamTransposed = (body: readonly Stmt[]): readonly Stmt[] => body.flatMap(jamStmt)

const jamStmt = (s: Stmt): readonly Stmt[] => {
  if (s.tag === 'while') return [{ ...s, body: jamTransposed(s.body) }]
  if (s.tag === 'if')
    return [branching(s.condition, jamTransposed(s.then), jamTransposed(s.otherwise))]
  if (s.tag !== 'for') return [s]
  const inner = s.body.length === 1 ? s.body[0]! : null
  if (inner?.tag !== 'for' || !isTransposed(s, inner))
    return [{ ...s, body: jamTransposed(s.body) }]
  return jammed(s, inner)
}

const jammed = (outer: Loop, inner: Loop): readonly Stmt[] => {
  const rest = outer.extent % width
  const full = outer.extent - rest
  const at = (i: Index): readonly Stmt[] =>
    substitution({ counters: new Map([[outer.counter, i]]) }).body(inner.body)
  const base = counter(outer.counter, full - width + 1)
  const copies = Array.from({ length: width }, (_, n) => at(plus(base, n)))
  const main: Stmt = {
    ...outer,
    extent: full,
    step: width,
    body: [{ ...inner, body: copies.flat() }],
  }
  if (rest === 0) return [main]
  const tail = at(plus(counter(outer.counter, rest), full))
  return [main, { ...outer, extent: rest, body: [{ ...inner, body: tail }] }]
}

const isTransposed = (outer: Loop, inner: Loop): boolean => {
  const plain = [outer, inner].every((l) => (l.step ?? 1) === 1 && l.reverse !== true)
  if (!plain || outer.extent < 2 * width || inner.extent < width) return false
  if (!inner.body.every((s) => s.tag === 'store')) return false
  if (sizeOfBody(inner.body) > largestBody || !isParallel(outer, inner)) return false
  return loadsOf(inner.body).some((load) => {
    const { strides, uneven } = accessOf(load.buffer, load.at)
    if (uneven.has(inner.counter) || uneven.has(outer.counter)) return false
    const far = Math.abs(strides.get(inner.counter) ?? 0) >= 16
    return far && Math.abs(strides.get(outer.counter) ?? 0) === 1
  })
}

type Load = Extract<Scalar, { readonly tag: 'load' }>

const loadsOf = (body: readonly Stmt[]): readonly Load[] => {
  const found: Load[] = []
  walk({
    scalar: (s) => {
      if (s.tag === 'load') found.push(s)
    },
  }).body(body)
  return found
}

// Rounds may change places: each writes elements of its own, and reads none that others write.
const isParallel = (outer: Loop, inner: Loop): boolean => {
  const { idOf } = makeInterner()
  const { stored } = effectsOf(inner.body)
  const written = new Map<string, Set<number>>()
  for (const s of inner.body) {
    if (s.tag !== 'store') return false
    const { strides, uneven } = accessOf(s.buffer, s.at)
    const near = strides.get(inner.counter) ?? 0
    const far = strides.get(outer.counter) ?? 0
    if (uneven.size > 0 || near === 0) return false
    if (Math.abs(far) < Math.abs(near) * inner.extent) return false
    const places = written.get(s.buffer) ?? new Set()
    written.set(s.buffer, places.add(idOf(fromIndex('int32', s.at))))
  }
  if ([...written.values()].some((places) => places.size > 1)) return false
  return loadsOf(inner.body).every(
    (load) =>
      !stored.has(load.buffer) || written.get(load.buffer)!.has(idOf(fromIndex('int32', load.at))),
  )
}

/**
 * Loops whose counter is divided by a constant become loops over the quotient. A small divisor's
 * remainders are written out (repeated elements, gradients of pooling); a large one's are a loop
 * inside (arrays under another shape). Indices are even again, as vectors want them.
 */
import { type Index, type Stmt, scalars } from '@cotangent/core'
import { replaceEach, substitution, withBodies } from './rewrite.ts'
import { hasLoop } from './unroll.ts'
import { effectsOf, freshNames, indicesIn, sizeOfBody, walk } from './visit.ts'

const { affine, counter } = scalars

type Loop = Extract<Stmt, { readonly tag: 'for' }>

/** Remainders that are written out, of one loop and of a nest. */
const mostWrittenOut = 8
const mostCopies = 16
/** Nodes that the copies of one body may have together; most are the same ones again. */
const budget = 1200

/** Splits nests of parallel loops by the divisors of their counters. */
export const splitDivided = (body: readonly Stmt[]): readonly Stmt[] =>
  split(body, freshNames(body))

type Fresh = (prefix: string) => string

const split = (body: readonly Stmt[], fresh: Fresh): readonly Stmt[] =>
  replaceEach(body, (s) => {
    const nest = s.tag === 'for' ? nestFrom(s) : null
    const made = nest === null ? null : splitNest(nest, fresh)
    return made ?? withBodies(s, (inner) => split(inner, fresh))
  })

const isPlain = (loop: Loop): boolean =>
  loop.parallel === true &&
  (loop.step ?? 1) === 1 &&
  loop.reverse !== true &&
  loop.lanes === undefined

// Parallel loops with nothing between them, down to one without any inside.
const nestFrom = (loop: Loop): readonly Loop[] | null => {
  if (!isPlain(loop)) return null
  const only = loop.body.length === 1 ? loop.body[0] : undefined
  if (only?.tag === 'for' && only.parallel === true) {
    const rest = nestFrom(only)
    return rest === null ? null : [loop, ...rest]
  }
  let parallel = false
  walk({
    statement: (s) => {
      if (s.tag === 'for' && s.parallel === true) parallel = true
    },
  }).body(loop.body)
  return parallel ? null : [loop]
}

const splitNest = (nest: readonly Loop[], fresh: Fresh): readonly Stmt[] | null => {
  const inner = nest.at(-1)!
  const by = divisorOf(inner)
  if (by === null || inner.extent <= by) return null
  const around = nest.slice(0, -1)
  if (by > mostWrittenOut) {
    if (inner.extent % by !== 0) return null
    const name = fresh(`${inner.counter}_`)
    const wholes = inner.extent / by
    const parts = [
      [by, counter(inner.counter, wholes)],
      [1, counter(name, by)],
    ] as const
    const rounds: Loop = { ...inner, counter: name, extent: by, body: at(inner, parts) }
    return split(inLoops(around, [{ ...inner, extent: wholes, body: [rounds] }]), fresh)
  }
  if (hasLoop(inner.body)) return null
  const divisors = new Map([[inner, by]])
  let copies = by
  for (const loop of around.toReversed()) {
    const own = divisorOf(loop)
    if (own === null || copies * own > mostCopies || loop.extent % own !== 0) continue
    divisors.set(loop, own)
    copies *= own
  }
  if (copies * sizeOfBody(inner.body) > budget) return null
  const left = inner.extent % by
  const last = at(inner, [[1, counter(inner.counter, left)]], inner.extent - left)
  const wholes = inLoops(
    nest.map((l) => ({ ...l, extent: Math.floor(l.extent / (divisors.get(l) ?? 1)) })),
    writtenOut(divisors, inner.body, fresh),
  )
  const rest = left === 0 ? [] : inLoops(around, [{ ...inner, extent: left, body: last }])
  return split([...wholes, ...rest], fresh)
}

const inLoops = (loops: readonly Loop[], body: readonly Stmt[]): readonly Stmt[] =>
  loops.reduceRight<readonly Stmt[]>((inner, loop) => [{ ...loop, body: inner }], body)

// A copy for each remainder; those of the innermost loop are next to each other.
const writtenOut = (
  divisors: ReadonlyMap<Loop, number>,
  body: readonly Stmt[],
  fresh: Fresh,
): readonly Stmt[] => {
  const { declared } = effectsOf(body)
  let copies: readonly (readonly Stmt[])[] = [body]
  for (const [loop, by] of divisors) {
    const wholes = counter(loop.counter, Math.floor(loop.extent / by))
    copies = Array.from({ length: by }, (_, rest) =>
      copies.map((copy) => at({ ...loop, body: copy }, [[by, wholes]], rest)),
    ).flat()
  }
  return copies.flatMap((copy, n) => {
    if (n === 0) return copy
    const renamed = new Map([...declared].map((name) => [name, fresh(`${name}_`)]))
    return substitution({ declared: renamed }).body(copy)
  })
}

const at = (
  loop: Loop,
  parts: readonly (readonly [number, Index])[],
  offset = 0,
): readonly Stmt[] =>
  substitution({ counters: new Map([[loop.counter, affine(parts, offset)]]) }).body(loop.body)

// The smallest number that the counter is divided by, if that leaves all indices even.
const divisorOf = (loop: Loop): number | null => {
  const found = new Set<number>()
  for (const i of indicesIn(loop.body)) addDivisors(i, loop.counter, found)
  if (found.size === 0) return null
  const divisors = [...found].filter((d) => d > 1).sort((a, b) => a - b)
  const least = divisors[0]
  return least !== undefined && divisors.every((d) => d % least === 0) ? least : null
}

const addDivisors = (i: Index, counterName: string, found: Set<number>): void => {
  if (i.tag === 'affine') {
    for (const { term } of i.terms)
      if (term.tag !== 'counter') addDivisors(term, counterName, found)
  } else if (i.tag === 'floorDivide' || i.tag === 'modulo') {
    const factor = coefficientOf(i.value, counterName)
    if (factor !== 0) found.add(i.by / greatestCommonDivisor(i.by, Math.abs(factor)))
    addDivisors(i.value, counterName, found)
  }
}

// What the counter is multiplied by in an even index; below a division it is that one's concern.
const coefficientOf = (i: Index, name: string): number => {
  const terms = i.tag === 'affine' ? i.terms : [{ coefficient: 1, term: i }]
  return terms.reduce(
    (sum, { coefficient, term }) =>
      term.tag === 'counter' && term.name === name ? sum + coefficient : sum,
    0,
  )
}

const greatestCommonDivisor = (a: number, b: number): number =>
  b === 0 ? a : greatestCommonDivisor(b, a % b)

/**
 * Sums down the rows of a kernel over rows, such as the gradients of a scale and a bias: they read what
 * its rows read, so a few rows at a time they are taken while those are in a cache.
 */
import { type Atom, currentMachine, range, sameShape, scalars, sizeOf } from '@cotangent/core'
import { associativeStep } from '../loops/associative.ts'
import { lowerEquation } from '../passes/lowering.ts'
import { type Analysis, memoryOf } from './analysis.ts'
import { outputCounters } from './probe.ts'
import { readsOf } from './reads.ts'
import type { Cluster, Read, Root, Unit } from './unit.ts'

/** Rows, and elements of what is shared, that make sharing worthwhile. */
const fewestRows = 64
const fewestElements = 1 << 15
const mostReads = 32

/**
 * The units, sums down rows being part of the kernel over the rows where that can be: null stands in
 * their place.
 */
export const shareRows = (units: readonly Unit[], analysis: Analysis): readonly (Unit | null)[] => {
  if (!currentMachine().vectors) return units
  const made: (Unit | null)[] = [...units]
  units.forEach((unit, u) => {
    if (unit.tag !== 'cluster' || !isSumOfRows(unit, analysis)) return
    const v = hostOf(made, unit, u, analysis)
    if (v === null) return
    const host = made[v]
    if (host?.tag !== 'cluster') return
    made[v] = { ...host, sums: unit }
    made[u] = null
  })
  return made
}

const reductionsOf = (unit: Cluster): readonly Root[] =>
  unit.roots.filter((r) => r.extents !== null)

// Reductions of the same rows, each element of which is read once, in any order.
const isSumOfRows = (unit: Cluster, analysis: Analysis): boolean => {
  if (!unit.tiled || unit.sums !== null) return false
  const reductions = reductionsOf(unit)
  const extents = reductions[0]?.extents
  if (extents === null || extents === undefined || sizeOf(extents) < fewestRows) return false
  if (sizeOf(extents) * sizeOf(unit.outer) < fewestElements) return false
  return reductions.every(
    (root) =>
      sameShape(root.extents!, extents) &&
      readsOf(root, analysis).every((read) => isReadOnce(read, root)) &&
      isAssociative(root, analysis),
  )
}

// Of memory that is as large as all terms, or much smaller.
const isReadOnce = ({ atom }: Read, root: Root): boolean => {
  const terms = sizeOf(root.extents!) * sizeOf(root.shape)
  const elements = sizeOf(atom.aval.shape)
  return elements >= terms || elements * 8 <= terms
}

const isAssociative = (root: Root, analysis: Analysis): boolean => {
  const { lowering } = analysis.probes.get(root.equation)!
  if (lowering.tag !== 'reduce') return false
  const pulls = root.equation.inputs.map(
    ({ aval }) =>
      () =>
        scalars.local(aval.dtype, 'read'),
  )
  const again = lowerEquation(root.equation, pulls)
  if (again.tag !== 'reduce') return false
  const { accumulators, extents, step } = again.reduction
  const names = accumulators.map((_, a) => `accumulator${a}`)
  const steps = step(
    accumulators.map((a, n) => scalars.local(a.dtype, names[n]!)),
    outputCounters(root.shape),
    outputCounters(extents, 'k'),
  )
  return steps.every((s, n) => associativeStep(s, names[n]!, new Set(names)) !== null)
}

const madeBy = (unit: Unit | null): ReadonlySet<Atom> => {
  if (unit === null) return new Set()
  if (unit.tag === 'single') return new Set(unit.equation.outputs)
  return new Set([...rootsOf(unit).flatMap((r) => r.outputs), ...(unit.moments?.outputs ?? [])])
}

const readBy = (unit: Unit | null, analysis: Analysis): ReadonlySet<Atom> => {
  if (unit === null) return new Set()
  if (unit.tag === 'single') {
    return new Set(unit.equation.inputs.map((x) => memoryOf(x, analysis.aliases)))
  }
  return new Set([...unit.reads, ...(unit.sums?.reads ?? [])])
}

/** All roots of a kernel, sums over its rows last. */
export const rootsOf = (unit: Cluster): readonly Root[] =>
  unit.sums === null ? unit.roots : [...unit.roots, ...unit.sums.roots]

// The kernel over the same rows that shares the most memory with the sums, and may wait or hurry for them.
const hostOf = (
  units: readonly (Unit | null)[],
  sums: Cluster,
  u: number,
  analysis: Analysis,
): number | null => {
  const makers = new Map<Atom, number>()
  units.forEach((unit, n) => {
    for (const atom of madeBy(unit)) makers.set(atom, n)
  })
  const own = madeBy(sums)
  const { extents } = reductionsOf(sums)[0]!
  let [best, most] = [null as number | null, 0]
  units.forEach((unit, v) => {
    if (v === u || unit?.tag !== 'cluster' || unit.tiled || unit.sums !== null) return
    if (!sameShape(unit.outer, extents!)) return
    if (!unit.roots.every((r) => sameShape(r.axes, range(unit.outer.length)))) return
    if (unit.reads.size + sums.reads.size > mostReads) return
    const inTime =
      v < u
        ? [...sums.reads].every((atom) => (makers.get(atom) ?? -1) <= v)
        : units.slice(u + 1, v + 1).every((w) => ![...readBy(w, analysis)].some((x) => own.has(x)))
    if (!inTime) return
    const makes = madeBy(unit)
    if (!isOfRows(sums, makes, analysis)) return
    let shared = 0
    for (const atom of sums.reads) {
      if (unit.reads.has(atom) || makes.has(atom)) shared += sizeOf(atom.aval.shape)
    }
    if (shared > most && shared >= fewestElements) [best, most] = [v, shared]
  })
  return best
}

// What the rows make is read in the row in which it is made, and by nothing after the sums.
const isOfRows = (sums: Cluster, makes: ReadonlySet<Atom>, analysis: Analysis): boolean =>
  sums.roots.every((root) =>
    readsOf(root, analysis).every(({ atom, index }) => {
      if (!makes.has(atom)) return true
      const row = root.extents === null ? null : outputCounters(root.extents, 'k')
      return row?.every((k, d) => index[d] !== undefined && scalars.sameIndex(k, index[d])) ?? false
    }),
  )

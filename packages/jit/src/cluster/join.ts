/** Whether a root can share the loops of a kernel, and which of them. */
import {
  type Atom,
  type Shape,
  currentMachine,
  dtypeInfo,
  range,
  sameShape,
  scalars,
  sizeOf,
} from '@cotangent/core'
import { type Probe, outputCounters } from './probe.ts'
import type { Apart, Cluster, Read, Root } from './unit.ts'

/** Row kernels need enough rows, and enough work in each, to be worth their loops. */
const fewestRows = 4
const shortestRow = 8
/** Bytes that one round of a kernel goes over several times. */
export const cachedRow: number = 768 * 1024
/** Reductions that share their loops: each has registers of its own. */
const mostReductions = 3

/** The outer loops that a root's kernel has with it, and which of its axes they are. */
export interface Joined {
  readonly outer: Shape
  readonly axes: readonly number[]
}

const along = (outer: Shape): Joined => ({ outer, axes: range(outer.length) })

/** The outer loops of the cluster with a root that reads what it makes, or why it cannot join. */
export const joinAfter = (
  unit: Cluster,
  root: Root,
  internal: readonly Read[],
  reads: readonly Read[],
  tiled: boolean,
): Joined | Apart => {
  if (tiled) return 'tile reads memory'
  const isPrefix = unit.roots.every((r) => r.axes.every((axis, d) => axis === d))
  if (unit.tiled) {
    const fits = root.extents === null && sameShape(root.shape, unit.outer)
    const isLocal = internal.every((r) => isRowLocal(r, root.shape))
    return fits && isLocal ? along(unit.outer) : 'in a tile'
  }
  const outer = commonPrefix(unit.outer, root.shape)
  const whole = sameShape(outer, unit.outer) && sameShape(outer, root.shape)
  if (isPrefix && (whole || (outer.length > 0 && sizeOf(outer) >= fewestRows))) {
    if (internal.every((r) => isRowLocal(r, outer))) return along(outer)
  }
  return (
    joinAlong(unit, root, internal, reads) ?? (outer.length === 0 ? 'other loops' : 'other rows')
  )
}

/**
 * The axes of the root that the outer loops of the cluster run along, as its reads have it: those of
 * channels, for instance, with statistics and what is normalised by them in one kernel. What one round
 * touches must stay in a cache.
 */
const joinAlong = (
  unit: Cluster,
  root: Root,
  internal: readonly Read[],
  reads: readonly Read[],
): Joined | null => {
  if (!currentMachine().vectors || sizeOf(unit.outer) < fewestRows) return null
  const counters = outputCounters(root.shape)
  const axes = unit.outer.map((extent, d): number => {
    const found = internal.map(({ atom, index }) => {
      const maker = unit.roots.find((r) => r.outputs.some((v) => v === atom))
      const at = maker === undefined ? undefined : index[maker.axes[d]!]
      return at === undefined ? -1 : counters.findIndex((c) => scalars.sameIndex(c, at))
    })
    const axis = extent === 1 ? -1 : (found[0] ?? -1)
    return root.shape[axis] === extent && found.every((f) => f === axis) ? axis : -1
  })
  if (axes.length === 0 || axes.includes(-1) || new Set(axes).size !== axes.length) return null
  const touched = new Set<Atom>([...unit.reads, ...reads.map(({ atom }) => atom)])
  for (const r of [...unit.roots, root]) for (const v of r.outputs) touched.add(v)
  let bytes = 0
  for (const { aval } of touched) bytes += dtypeInfo[aval.dtype].bytes * sizeOf(aval.shape)
  return bytes / sizeOf(unit.outer) > cachedRow ? null : { outer: unit.outer, axes }
}

/** The same for a root that reads nothing the cluster makes: it joins to share what both read. */
export const joinBeside = (
  unit: Cluster,
  root: Root,
  reads: readonly Read[],
  tiled: boolean,
  found: Probe,
): Joined | Apart => {
  if (!sameShape(unit.outer, root.shape) || unit.tiled !== tiled) return 'other loops'
  // Products that share an operand would share registers, which their tiles need.
  if (tiled && currentMachine().vectors && usesAgain(reads, found)) return 'other loops'
  if (isRowValue(unit, root)) return along(unit.outer)
  if (!isAlike(unit, root)) return 'other loops'
  return reads.some(({ atom }) => unit.reads.has(atom)) ? along(unit.outer) : 'nothing shared'
}

// One value for each row of a kernel that reduces rows: less than a kernel of its own.
const isRowValue = (unit: Cluster, root: Root): boolean =>
  currentMachine().vectors &&
  !unit.tiled &&
  root.extents === null &&
  unit.roots.some((r) => r.extents !== null)

const isAlike = (unit: Cluster, root: Root): boolean => {
  if (root.extents === null) return unit.roots.every((r) => r.extents === null)
  const { extents } = root
  const reductions = unit.roots.filter((r) => r.extents !== null)
  const alike = reductions.every((r) => sameShape(r.extents!, extents))
  if (!currentMachine().vectors) return alike && reductions.length === 1 && unit.roots.length === 1
  return alike && reductions.length > 0 && reductions.length < mostReductions
}

/** The read stays in the row that the outer counters name. */
const isRowLocal = ({ index }: Read, outer: Shape): boolean => {
  const counters = outputCounters(outer)
  return index.length >= outer.length && counters.every((c, d) => scalars.sameIndex(c, index[d]!))
}

const commonPrefix = (a: Shape, b: Shape): Shape => {
  let length = 0
  while (length < Math.min(a.length, b.length) && a[length] === b[length]) length++
  return a.slice(0, length)
}

const largestOf = (reads: readonly Read[]): Read =>
  reads.reduce((a, b) => (sizeOf(a.atom.aval.shape) >= sizeOf(b.atom.aval.shape) ? a : b))

/** Whether a reduction reads its operands several times over, as products of matrices do. */
const usesAgain = (reads: readonly Read[], found: Probe): boolean =>
  reads.length > 0 && found.iterations > 1.5 * sizeOf(largestOf(reads).atom.aval.shape)

/**
 * A reduction along memory whose operands serve one output each: better as a loop over rows, which
 * other stages can share, than tiled over its outputs.
 */
export const isRowReduction = (root: Root, reads: readonly Read[], found: Probe): boolean => {
  const extents = root.extents ?? []
  if (sizeOf(extents) < shortestRow || reads.length === 0) return false
  if (usesAgain(reads, found)) return false
  const largest = largestOf(reads)
  const last = outputCounters(extents, 'k').findLast((c) => c.tag === 'counter')
  const flat = scalars.flatten(largest.atom.aval.shape, largest.index)
  const terms = flat.tag === 'affine' ? flat.terms : [{ coefficient: 1, term: flat }]
  return (
    last !== undefined && terms.some((t) => t.coefficient === 1 && scalars.sameIndex(t.term, last))
  )
}

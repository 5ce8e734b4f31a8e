/** Clustering: which equations share a kernel. */
import {
  type Atom,
  type Equation,
  type Graph,
  type Index,
  type Shape,
  type Var,
  currentMachine,
  dtypeInfo,
  isVar,
  range,
  sameShape,
  scalars,
  sizeOf,
} from '@cotangent/core'
import { lowerEquation } from '../passes/lowering.ts'
import { type Analysis, Reader, isPointwise, memoryOf } from './analysis.ts'
import { type Probe, outputCounters } from './probe.ts'

/** An equation that a kernel computes into memory. */
export interface Root {
  readonly equation: Equation
  readonly shape: Shape
  /** The outputs that have memory. */
  readonly outputs: readonly Var[]
  /** Extents of the reduced axes, or null for an element-wise root. */
  readonly extents: Shape | null
  /** Operations for one element or step, with those of everything inlined into it. */
  readonly work: number
  /** Which of its axes the outer loops of its kernel run along. */
  axes: readonly number[]
}

/** Equations computed by one kernel: loops over `outer`, and whatever each root needs inside. */
export interface Cluster {
  readonly tag: 'cluster'
  outer: Shape
  readonly roots: Root[]
  /** Register-tiled over its outputs; later roots only join point by point. */
  readonly tiled: boolean
  work: number
  readonly reads: Set<Atom>
}

/** An equation that is a step of its own: a routine, control flow, a host call. */
export interface Single {
  readonly tag: 'single'
  readonly equation: Equation
}

export type Unit = Cluster | Single

/** Why a root did not join a kernel. */
export type Apart =
  /** The other is a routine, control flow or a host call. */
  | 'no kernel'
  | 'work limit'
  | 'read limit'
  /** A tiled reduction reads its operands again and again: they must be finished. */
  | 'tile reads memory'
  /** Only point-wise work on the same elements follows in a tile. */
  | 'in a tile'
  /** It reads rows of the other beside its own. */
  | 'other rows'
  /** The two have too few loops in common. */
  | 'other loops'
  /** The two read nothing in common. */
  | 'nothing shared'

/** Where a root was put, and which kernels it could not join, the latest first. */
export interface Placement {
  readonly root: Root
  readonly unit: number
  readonly isFirst: boolean
  /** The latest unit that it reads from, or −1. */
  readonly after: number
  readonly apart: readonly { readonly unit: number; readonly why: Apart }[]
}

/** Beyond this many operations per element a kernel stops growing. */
export const workLimit = 160
export const readLimit = 20
/** Row kernels need enough rows, and enough work in each, to be worth their loops. */
const fewestRows = 4
const shortestRow = 8
/** Bytes that one round of a kernel goes over several times. */
const cachedRow = 768 * 1024
/** Reductions that share their loops: each has registers of its own. */
const mostReductions = 3

interface Read {
  readonly atom: Atom
  readonly index: readonly Index[]
}

/** Groups equations into kernels; decisions are appended to `log`, where somebody wants to know. */
export const cluster = (
  graph: Graph,
  analysis: Analysis,
  log: Placement[] | null = null,
): readonly Unit[] => {
  const units: Unit[] = []
  const madeBy = new Map<Var, number>()
  for (const equation of graph.equations) {
    const found = analysis.probes.get(equation)!
    if (!isPointwise(found)) {
      for (const v of equation.outputs) madeBy.set(v, units.length)
      units.push({ tag: 'single', equation })
      continue
    }
    const outputs = equation.outputs.filter((v) => analysis.materialized.has(v))
    if (outputs.length === 0) continue
    const root: Root = {
      equation,
      outputs,
      shape: outputs[0]!.aval.shape,
      extents: found.lowering.tag === 'reduce' ? found.lowering.reduction.extents : null,
      work: analysis.work.get(equation)!,
      axes: range(outputs[0]!.aval.shape.length),
    }
    const reads = readsOf(root, analysis)
    const position = place(units, root, reads, madeBy, found, log)
    for (const v of outputs) madeBy.set(v, position)
  }
  return units
}

/** Every element of memory that computing one element of the root reads. */
const readsOf = (root: Root, analysis: Analysis): readonly Read[] => {
  const reads: Read[] = []
  const reader = new Reader(analysis, (atom, index) => {
    reads.push({ atom: memoryOf(atom, analysis.aliases), index })
    return scalars.local(atom.aval.dtype, `read${reads.length}`)
  })
  const index = outputCounters(root.shape)
  const lowering = lowerEquation(root.equation, reader.pullsOf(root.equation))
  if (lowering.tag === 'pull') for (const pull of lowering.outputs) pull(index)
  if (lowering.tag === 'reduce') {
    const { accumulators, extents, step } = lowering.reduction
    step(
      accumulators.map((a, i) => scalars.local(a.dtype, `acc${i}`)),
      index,
      outputCounters(extents, 'k'),
    )
  }
  return reads
}

const place = (
  units: Unit[],
  root: Root,
  reads: readonly Read[],
  madeBy: ReadonlyMap<Var, number>,
  found: Probe,
  log: Placement[] | null,
): number => {
  const apart: { readonly unit: number; readonly why: Apart }[] = []
  const after = Math.max(
    -1,
    ...reads.map(({ atom }) => (isVar(atom) ? (madeBy.get(atom) ?? -1) : -1)),
  )
  const tiled = root.extents !== null && !isRowReduction(root, reads, found)
  for (let position = units.length - 1; position >= Math.max(after, 0); position--) {
    const unit = units[position]!
    const refuse = (why: Apart): void => {
      if (log !== null) apart.push({ unit: position, why })
    }
    if (unit.tag !== 'cluster') {
      refuse('no kernel')
      continue
    }
    if (unit.work + root.work > workLimit) {
      refuse('work limit')
      continue
    }
    const outside = reads.filter(({ atom }) => !isVar(atom) || madeBy.get(atom) !== position)
    if (unit.reads.size + outside.length > readLimit && unit.reads.size > 0) {
      refuse('read limit')
      continue
    }
    const internal = reads.filter(({ atom }) => isVar(atom) && madeBy.get(atom) === position)
    const joined =
      position === after
        ? joinAfter(unit, root, internal, reads, tiled)
        : joinBeside(unit, root, reads, tiled, found)
    if (typeof joined === 'string') {
      refuse(joined)
      continue
    }
    unit.outer = joined.outer
    unit.roots.push(root)
    root.axes = joined.axes
    for (const r of unit.roots) r.axes = r.axes.slice(0, joined.outer.length)
    unit.work += root.work
    for (const { atom } of outside) unit.reads.add(atom)
    log?.push({ root, unit: position, isFirst: false, after, apart })
    return position
  }
  log?.push({ root, unit: units.length, isFirst: true, after, apart })
  const reading = new Set(reads.map(({ atom }) => atom))
  units.push({
    tag: 'cluster',
    outer: root.shape,
    roots: [root],
    tiled,
    work: root.work,
    reads: reading,
  })
  return units.length - 1
}

/** The outer loops that a root's kernel has with it, and which of its axes they are. */
interface Joined {
  readonly outer: Shape
  readonly axes: readonly number[]
}

const along = (outer: Shape): Joined => ({ outer, axes: range(outer.length) })

/** The outer loops of the cluster with a root that reads what it makes, or why it cannot join. */
const joinAfter = (
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
const joinBeside = (
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
const isRowReduction = (root: Root, reads: readonly Read[], found: Probe): boolean => {
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

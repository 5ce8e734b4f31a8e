/** Clustering: which equations share a kernel. */
import {
  type Atom,
  type Equation,
  type Graph,
  type Var,
  currentMachine,
  isVar,
  range,
  sameShape,
  sizeOf,
} from '@cotangent/core'
import { type Analysis, isPointwise, memoryOf } from './analysis.ts'
import { isRowReduction, joinAfter, joinBeside } from './join.ts'
import { partMomentsIn } from './partMoments.ts'
import type { Probe } from './probe.ts'
import { readsOf } from './reads.ts'
import { finishesSlabs } from './slabs.ts'
import type { Apart, Placement, Read, Root, Unit } from './unit.ts'

export type { Apart, Cluster, Placement, Root, Single, Unit } from './unit.ts'

/** Beyond this many operations per element a kernel stops growing. */
export const workLimit = 160
export const readLimit = 20
/** Groups equations into kernels; decisions are appended to `log`, where somebody wants to know. */
export const cluster = (
  graph: Graph,
  analysis: Analysis,
  log: Placement[] | null = null,
): readonly Unit[] => {
  const units: Unit[] = []
  const madeBy = new Map<Var, number>()
  const lastRead = new Map<Atom, number>()
  const noteRead = (atom: Atom, unit: number): void => {
    lastRead.set(atom, Math.max(unit, lastRead.get(atom) ?? 0))
  }
  const given = new Set<Atom>(graph.inputs)
  const returned = new Set<Atom>(graph.outputs)
  // A new state may take the memory of the old one if nobody after it reads that: not, where a
  // gradient's own tiles would make the new weights before the old ones have been used.
  const afterReaders = (root: Root, reads: readonly Read[]): number => {
    if (!root.outputs.some((v) => returned.has(v))) return -1
    const { dtype } = root.outputs[0]!.aval
    const replaced = reads.filter(
      ({ atom: { aval }, atom }) =>
        given.has(atom) && aval.dtype === dtype && sameShape(aval.shape, root.shape),
    )
    return Math.max(-1, ...replaced.map(({ atom }) => lastRead.get(atom) ?? -1))
  }
  for (const equation of smallFirst(graph, analysis)) {
    const found = analysis.probes.get(equation)!
    if (!isPointwise(found) && found.lowering.tag !== 'tiles') {
      const position = placeMoments(units, equation, madeBy, analysis) ?? units.length
      for (const v of equation.outputs) madeBy.set(v, position)
      for (const x of equation.inputs) noteRead(memoryOf(x, analysis.aliases), position)
      if (position === units.length) units.push({ tag: 'single', equation })
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
      laneable: !analysis.unlaneable.has(equation),
      axes: range(outputs[0]!.aval.shape.length),
    }
    const reads = readsOf(root, analysis)
    const position =
      found.lowering.tag === 'tiles'
        ? placeTiles(units, root, reads, madeBy, log)
        : place(units, root, reads, madeBy, afterReaders(root, reads), found, log)
    for (const v of outputs) madeBy.set(v, position)
    for (const { atom } of reads) noteRead(atom, position)
  }
  return units
}

/**
 * Single numbers made of single inputs come before everything else: what scales an update, for
 * instance, so that everything about one parameter can share a kernel.
 */
const smallFirst = (graph: Graph, analysis: Analysis): readonly Equation[] => {
  const isSmall = ({ aval }: Atom): boolean => sizeOf(aval.shape) === 1
  const known = new Set<Atom>(graph.inputs)
  const isEarly = (equation: Equation): boolean => {
    const { inputs, outputs } = equation
    if (!isPointwise(analysis.probes.get(equation)!)) return false
    if (!inputs.every((x) => isSmall(x) && (!isVar(x) || known.has(x)))) return false
    if (!outputs.every(isSmall)) return false
    for (const v of outputs) known.add(v)
    return true
  }
  const early = new Set(graph.equations.filter(isEarly))
  return [...early, ...graph.equations.filter((equation) => !early.has(equation))]
}

/** The latest unit that makes something of what is read, or −1. */
const latestOf = (reads: readonly Read[], madeBy: ReadonlyMap<Var, number>): number =>
  Math.max(-1, ...reads.map(({ atom }) => (isVar(atom) ? (madeBy.get(atom) ?? -1) : -1)))

// The moments of slabs belong to the kernel that makes those.
const placeMoments = (
  units: readonly Unit[],
  equation: Equation,
  madeBy: ReadonlyMap<Var, number>,
  analysis: Analysis,
): number | null => {
  const moments = partMomentsIn(equation)
  const [of] = equation.inputs
  const position = of !== undefined && isVar(of) ? madeBy.get(of) : undefined
  if (moments === null || position === undefined) return null
  const unit = units[position]!
  if (unit.tag !== 'cluster' || !finishesSlabs(unit, moments.rows, analysis)) return null
  unit.moments = equation
  return position
}

// Tiles that come as statements begin a kernel, whatever is before.
const placeTiles = (
  units: Unit[],
  root: Root,
  reads: readonly Read[],
  madeBy: ReadonlyMap<Var, number>,
  log: Placement[] | null,
): number => {
  const after = latestOf(reads, madeBy)
  const why: Apart = units[after]?.tag === 'single' ? 'no kernel' : 'tile reads memory'
  const apart = after < 0 ? [] : [{ unit: after, why }]
  log?.push({ root, unit: units.length, isFirst: true, after, apart })
  const reading = new Set(reads.map(({ atom }) => atom))
  units.push({
    tag: 'cluster',
    outer: root.shape,
    roots: [root],
    tiled: true,
    work: root.work,
    reads: reading,
    sums: null,
    moments: null,
  })
  return units.length - 1
}

const place = (
  units: Unit[],
  root: Root,
  reads: readonly Read[],
  madeBy: ReadonlyMap<Var, number>,
  earliest: number,
  found: Probe,
  log: Placement[] | null,
): number => {
  const apart: { readonly unit: number; readonly why: Apart }[] = []
  const after = latestOf(reads, madeBy)
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
    if (unit.tiled && position < earliest) {
      refuse('in a tile')
      continue
    }
    if (unit.tiled && !root.laneable && currentMachine().vectors) {
      refuse('no lanes')
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
    sums: null,
    moments: null,
  })
  return units.length - 1
}

/**
 * The loop nests of a kernel over rows: roots that can share one do, and what is mapped over the terms of
 * a reduction happens in the loop of the reduction.
 */
import {
  type Atom,
  type Index,
  type Machine,
  type Scalar,
  type Shape,
  sameShape,
  scalars,
  sizeOf,
} from '@cotangent/core'
import { lowerEquation } from '../passes/lowering.ts'
import { type Analysis, Reader, memoryOf } from './analysis.ts'
import type { Root } from './unit.ts'

/** Roots of a cluster that run in one loop nest. */
export interface Stage {
  readonly inner: Shape
  /** Which axes of its roots the outer loops run along. */
  readonly axes: readonly number[]
  readonly extents: Shape | null
  readonly roots: readonly Root[]
  /** What is computed for each term of its reductions. */
  readonly maps: readonly Root[]
}

/** An element that computing one element of a root reads. */
interface Read {
  readonly memory: Atom
  readonly atom: Atom
  readonly index: readonly Index[]
}

type Reads = ReadonlyMap<Root, readonly Read[]>

/** The nests, in the order in which they run. */
export const stagesOf = (
  roots: readonly Root[],
  analysis: Analysis,
  { vectors }: Machine,
): readonly Stage[] => {
  const reads: Reads = new Map(roots.map((root) => [root, readsOf(root, analysis)]))
  if (!vectors) return neighbours(roots, reads)
  return withMaps(early(roots, reads), reads)
}

const stageOf = (root: Root): Stage => {
  const { axes, extents } = root
  return { inner: innerOf(root.shape, axes), axes, extents, roots: [root], maps: [] }
}

const isAlike = (a: Stage, b: Stage): boolean =>
  sameShape(a.inner, b.inner) &&
  sameShape(a.axes, b.axes) &&
  (a.extents === null ? b.extents === null : b.extents !== null && sameShape(a.extents, b.extents))

const madeBy = (stage: Stage, reads: readonly Read[]): readonly Read[] =>
  reads.filter(({ memory }) => stage.roots.some((r) => r.outputs.some((v) => v === memory)))

const joined = (stage: Stage, root: Root): Stage => ({ ...stage, roots: [...stage.roots, root] })

// Roots that come one after the other.
const neighbours = (roots: readonly Root[], reads: Reads): readonly Stage[] => {
  const stages: Stage[] = []
  for (const root of roots) {
    const own = stageOf(root)
    const before = stages.at(-1)
    const fits =
      before !== undefined &&
      isAlike(before, own) &&
      madeBy(before, reads.get(root)!).every((r) => isShared(r, root))
    if (fits) stages[stages.length - 1] = joined(before, root)
    else stages.push(own)
  }
  return stages
}

// Each root in the first nest that it fits into; single values as soon as they can be had.
const early = (roots: readonly Root[], reads: Reads): readonly Stage[] => {
  const stages: Stage[] = []
  for (const root of roots) {
    const own = stageOf(root)
    const needed = stages.findLastIndex((s) => madeBy(s, reads.get(root)!).length > 0)
    const shares = (s: Stage): boolean =>
      isAlike(s, own) && madeBy(s, reads.get(root)!).every((r) => isShared(r, root))
    const from = needed >= 0 && shares(stages[needed]!) ? needed : needed + 1
    const isSingle = own.extents === null && sizeOf(own.inner) === 1
    const found = isSingle
      ? from < stages.length && shares(stages[from]!)
        ? from
        : -1
      : stages.findIndex((s, n) => n >= from && shares(s))
    if (found >= 0) stages[found] = joined(stages[found]!, root)
    else stages.splice(isSingle ? from : stages.length, 0, own)
  }
  return stages
}

/** Results that the loop of a reduction writes at most. */
const mostStores = 4

// Maps over the terms of reductions go into the loops of those.
const withMaps = (given: readonly Stage[], reads: Reads): readonly Stage[] => {
  const stages: (Stage | null)[] = [...given]
  given.forEach((map, m) => {
    if (map.extents !== null || sizeOf(map.inner) === 1) return
    if (map.roots.reduce((n, r) => n + r.outputs.length, 0) > mostStores) return
    const distance = (r: number): number => Math.abs(r - m)
    const fitting = given.flatMap((_, r) => {
      const stage = stages[r]
      const fits =
        stage?.extents !== null &&
        stage?.extents !== undefined &&
        stage.maps.length === 0 &&
        sizeOf(stage.inner) === 1 &&
        sameShape(stage.axes, map.axes) &&
        sameShape(stage.extents, map.inner) &&
        (m < r ? mayWait(stages, m, r, reads) : mayHurry(stages, m, r, reads))
      return fits ? [r] : []
    })
    const nearest = fitting.sort((a, b) => distance(a) - distance(b))[0]
    if (nearest === undefined) return
    stages[nearest] = { ...stages[nearest]!, maps: map.roots }
    stages[m] = null
  })
  return stages.filter((s) => s !== null)
}

const readsIn = (stage: Stage | null | undefined, reads: Reads): readonly Read[] =>
  stage === null || stage === undefined
    ? []
    : [...stage.roots, ...stage.maps].flatMap((root) => reads.get(root)!)

// Nobody in between needs it, and the reduction only in its own place.
const mayWait = (
  stages: readonly (Stage | null)[],
  m: number,
  r: number,
  reads: Reads,
): boolean => {
  const map = stages[m]!
  const between = stages.slice(m + 1, r)
  return (
    between.every((s) => madeBy(map, readsIn(s, reads)).length === 0) &&
    stages[r]!.roots.every((root) => {
      const at = placed(
        map.axes,
        root.axes.map((axis) => scalars.counter(`i${axis}`, root.shape[axis]!)),
        root.extents!.map((extent, d) => scalars.counter(`k${d}`, extent)),
      )
      return madeBy(map, reads.get(root)!).every(
        ({ memory, atom, index }) => memory === atom && sameIndices(index, at),
      )
    })
  )
}

// It needs nothing of what runs before it and after the reduction's loop has begun.
const mayHurry = (
  stages: readonly (Stage | null)[],
  m: number,
  r: number,
  reads: Reads,
): boolean => {
  const needed = readsIn(stages[m], reads)
  return stages.slice(r, m).every((s) => {
    if (s === null) return true
    return madeBy({ ...s, roots: [...s.roots, ...s.maps] }, needed).length === 0
  })
}

const readsOf = (root: Root, analysis: Analysis): readonly Read[] => {
  const reads: Read[] = []
  const reader: Reader = new Reader(analysis, (atom, index): Scalar => {
    reads.push({ memory: memoryOf(atom, analysis.aliases), atom, index })
    return scalars.local(atom.aval.dtype, 'read')
  })
  const counters = countersOf(root)
  const lowering = lowerEquation(root.equation, reader.pullsOf(root.equation))
  if (lowering.tag === 'pull') for (const pull of lowering.outputs) pull(counters)
  if (lowering.tag === 'reduce') {
    const { accumulators, extents, step } = lowering.reduction
    const reduced = extents.map((extent, d) => scalars.counter(`k${d}`, extent))
    step(
      accumulators.map((a, i) => scalars.local(a.dtype, `acc${i}`)),
      counters,
      reduced,
    )
  }
  return reads
}

const countersOf = (root: Root): readonly Index[] =>
  root.shape.map((extent, d) => scalars.counter(`i${d}`, extent))

// Sharing a nest is right if what the stage makes is read at the same position, or not at all.
const isShared = ({ memory, atom, index }: Read, root: Root): boolean =>
  root.extents === null && memory === atom && sameIndices(index, countersOf(root))

/** The extents of the axes that the outer loops do not run along. */
export const innerOf = (shape: Shape, axes: readonly number[]): Shape =>
  shape.filter((_, d) => !axes.includes(d))

/** The index of an element: the outer loops' counters along these axes, the others in between. */
export const placed = (
  axes: readonly number[],
  outer: readonly Index[],
  inner: readonly Index[],
): readonly Index[] => {
  const index: Index[] = []
  let next = 0
  for (let d = 0; d < outer.length + inner.length; d++) {
    const k = axes.indexOf(d)
    index.push(k < 0 ? inner[next++]! : outer[k]!)
  }
  return index
}

export const sameIndices = (a: readonly Index[], b: readonly Index[]): boolean =>
  a.length === b.length && a.every((index, d) => scalars.sameIndex(index, b[d]!))

/** A graph's kernels as clustering made them: done again, with everything asked and written down. */
import {
  type Atom,
  type Equation,
  type Graph,
  type Index,
  type Var,
  isVar,
  scalars,
  sizeOf,
} from '@cotangent/core'
import { type Analysis, Reader, analyze, memoryOf } from '../cluster/analysis.ts'
import { type Placement, type Root, type Unit, cluster } from '../cluster/cluster.ts'
import { rootsOf, shareRows } from '../cluster/rowSums.ts'
import { outputCounters } from '../cluster/probe.ts'
import { lowerEquation } from '../passes/lowering.ts'
import { operationsIn } from './work.ts'
import { type Neighbour, wordsApart, wordsKept } from './words.ts'

/** One kernel, or one step of another kind, of a graph. */
export interface UnitStudy {
  /** Primitives that it computes, those written into its expressions too, in order. */
  readonly operations: readonly string[]
  /** Arithmetic operations of one run; null where the statements have to tell. */
  readonly flops: number | null
  /** How many elements it reads of memory, repetitions counted. */
  readonly reads: ReadonlyMap<Atom, number>
  /** Why it is apart from the kernel before it. */
  readonly apart: (nameOf: NameOf) => string
  /** Why a result is in memory. */
  readonly stored: (v: Var, nameOf: NameOf) => string
}

/** What a kernel is called, by its first equation. */
export type NameOf = (equation: Equation) => string

/** The kernels of a graph by their first equations. */
export const studyGraph = (graph: Graph): ReadonlyMap<Equation, UnitStudy> => {
  const analysis = analyze(graph)
  const log: Placement[] = []
  const units = cluster(graph, analysis, log)
  const shared = shareRows(units, analysis)
  const works = shared.map((unit) => workOf(unit, analysis))
  const readers = new Map<Atom, number[]>()
  works.forEach(({ reads }, u) => {
    for (const atom of reads.keys()) readers.set(atom, [...(readers.get(atom) ?? []), u])
  })
  const firsts = new Map(log.filter((p) => p.isFirst).map((p) => [p.unit, p]))
  return new Map(
    shared.flatMap((unit, u): readonly (readonly [Equation, UnitStudy])[] =>
      unit === null
        ? []
        : [
            [
              firstEquation(unit),
              {
                ...works[u]!,
                operations: operationsOfUnit(unit, analysis),
                apart: (nameOf) => apartOf(unit, firsts.get(u), units, nameOf),
                stored: (v, nameOf) => {
                  const others = (readers.get(v) ?? []).filter((r) => r !== u)
                  const names = others.map((r) => nameOf(firstEquation(units[r]!)))
                  const why = graph.outputs.includes(v) ? 'returned' : analysis.kept.get(v)
                  return wordsKept(why ?? 'computed whole', v, names)
                },
              },
            ],
          ],
    ),
  )
}

const firstEquation = (unit: Unit): Equation =>
  unit.tag === 'cluster' ? unit.roots[0]!.equation : unit.equation

const apartOf = (
  unit: Unit,
  placement: Placement | undefined,
  units: readonly Unit[],
  nameOf: NameOf,
): string => {
  if (unit.tag === 'single') return 'a routine: its statements are its own, and nothing joins them'
  // Its producer is the neighbour that counts; without one, the kernel just before.
  const refusal =
    placement?.apart.find((a) => a.unit === placement.after) ?? placement?.apart[0] ?? null
  if (placement === undefined || refusal === null) return 'the first kernel'
  const other = units[refusal.unit]!
  const neighbour: Neighbour = {
    name: nameOf(firstEquation(other)),
    outer: other.tag === 'cluster' ? other.outer : null,
  }
  return wordsApart(refusal.why, placement.root, neighbour)
}

const workOf = (
  unit: Unit | null,
  analysis: Analysis,
): { readonly flops: number | null; readonly reads: ReadonlyMap<Atom, number> } => {
  const reads = new Map<Atom, number>()
  const add = (atom: Atom, count: number): void => {
    const memory = memoryOf(atom, analysis.aliases)
    reads.set(memory, (reads.get(memory) ?? 0) + count)
  }
  if (unit === null) return { flops: null, reads }
  if (unit.tag === 'single') {
    for (const atom of unit.equation.inputs) add(atom, Number.POSITIVE_INFINITY)
    return { flops: null, reads }
  }
  const first = unit.roots[0]!.equation
  if (analysis.probes.get(first)!.lowering.tag === 'tiles') {
    for (const atom of first.inputs) add(atom, Number.POSITIVE_INFINITY)
    for (const root of unit.roots.slice(1)) workOfRoot(root, analysis, add)
    return { flops: null, reads }
  }
  return { flops: rootsOf(unit).reduce((n, root) => n + workOfRoot(root, analysis, add), 0), reads }
}

const workOfRoot = (
  root: Root,
  analysis: Analysis,
  add: (atom: Atom, count: number) => void,
): number => {
  const { equation, shape, extents } = root
  const elements = sizeOf(shape)
  const rounds = elements * sizeOf(extents ?? [])
  let n = 0
  const reader = new Reader(analysis, (atom: Atom, _: readonly Index[]) => {
    add(atom, rounds)
    return scalars.local(atom.aval.dtype, `read${n++}`)
  })
  const index = outputCounters(shape)
  const lowering = lowerEquation(equation, reader.pullsOf(equation))
  if (lowering.tag === 'pull') {
    return elements * operationsIn(lowering.outputs.map((pull) => pull(index)))
  }
  if (lowering.tag !== 'reduce') return 0
  const { accumulators, step, finish } = lowering.reduction
  const locals = accumulators.map((a, i) => scalars.local(a.dtype, `accumulator${i}`))
  const reduced = outputCounters(extents ?? [], 'k')
  const once = operationsIn(finish(locals))
  return rounds * operationsIn(step(locals, index, reduced)) + elements * once
}

const isMovement = (equation: Equation, { probes }: Analysis): boolean => {
  const lowering = probes.get(equation)?.lowering
  return lowering?.tag === 'pull' && lowering.cost === 'movement'
}

const operationsOfUnit = (unit: Unit, analysis: Analysis): readonly string[] => {
  if (unit.tag === 'single') return [unit.equation.primitive.name]
  const found = new Set<Equation>()
  const visit = (equation: Equation): void => {
    if (found.has(equation)) return
    for (const atom of equation.inputs) {
      if (!isVar(atom) || analysis.materialized.has(atom)) continue
      const producer = analysis.producers.get(atom)
      if (producer !== undefined) visit(producer.equation)
    }
    found.add(equation)
  }
  for (const root of rootsOf(unit)) visit(root.equation)
  if (unit.moments !== null) visit(unit.moments)
  const all = [...found]
  const working = all.filter((e) => !isMovement(e, analysis))
  return (working.length === 0 ? all : working).map((e) => e.primitive.name)
}

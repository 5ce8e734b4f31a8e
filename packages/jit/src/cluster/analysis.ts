/** Which values get memory, and how the others are read through. */
import {
  type Atom,
  type Equation,
  type Graph,
  type Index,
  Literal,
  type Scalar,
  type Var,
  currentMachine,
  isVar,
  scalars,
  sizeOf,
} from '@cotangent/core'
import { brokenLowering, lowerEquation } from '../passes/lowering.ts'
import { type Probe, probe } from './probe.ts'

/** Recomputing costs more than this many operations per element than a store and loads would. */
const recomputeBudget = 3
/** An inlined expression beyond this is cut: generated functions must stay small. */
export const expressionLimit = 64

export interface Producer {
  readonly equation: Equation
  readonly output: number
}

/** Why a variable has memory of its own. */
export type Kept =
  /** A reduction, which has to be finished before it is read; or a routine's or loop's result. */
  | 'computed whole'
  | 'returned'
  /** By a routine or control flow. */
  | 'read whole'
  /** Inlined, its expression would be too long. */
  | 'long'
  /** Computing it again for each read costs more than a store and loads. */
  | 'read often'
  /** Somebody's view of it under another shape has to be somewhere. */
  | 'viewed'

export interface Analysis {
  readonly probes: ReadonlyMap<Equation, Probe>
  readonly producers: ReadonlyMap<Var, Producer>
  /** Variables with memory of their own. */
  readonly materialized: ReadonlySet<Var>
  /** Variables that are another one's memory under a different shape. */
  readonly aliases: ReadonlyMap<Var, Atom>
  /** Operations for one element (one step of a reduction), with those of everything inlined. */
  readonly work: ReadonlyMap<Equation, number>
  /** Equations whose element, with everything inlined, vectors cannot compute. */
  readonly unlaneable: ReadonlySet<Equation>
  /** Why each variable of an equation that has memory has it. */
  readonly kept: ReadonlyMap<Var, Kept>
}

/** True for equations that the compiler writes as element-wise code or reductions. */
export const isPointwise = ({ lowering }: Probe): boolean =>
  lowering.tag === 'pull' || lowering.tag === 'reduce'

export const analyze = (graph: Graph): Analysis => {
  const probes = new Map<Equation, Probe>()
  const producers = new Map<Var, Producer>()
  for (const equation of graph.equations) {
    probes.set(equation, probe(equation))
    equation.outputs.forEach((v, output) => producers.set(v, { equation, output }))
  }
  const returned = new Set<Var>(graph.outputs.filter(isVar))
  const whole = readWhole(graph, probes)
  const fanout = countReads(graph, probes)
  const materialized = new Set<Var>(graph.inputs)
  const aliases = new Map<Var, Atom>()
  const work = new Map<Var, number>()
  const total = new Map<Equation, number>()
  const kept = new Map<Var, Kept>()
  const unlaneable = new Set<Equation>()
  // Vectors have masks for nothing, but pack and unpack those in memory.
  const maskBudget = currentMachine().vectors ? 8 * recomputeBudget : recomputeBudget
  const inlined = (atom: Atom): number =>
    isVar(atom) && !materialized.has(atom) ? (work.get(atom) ?? 0) : 0
  const isLaneable = (atom: Atom): boolean => {
    const producer = isVar(atom) && !materialized.has(atom) ? producers.get(atom) : undefined
    return producer === undefined || !unlaneable.has(producer.equation)
  }

  const needsMemory = (v: Var, { lowering }: Probe, own: number): Kept | null => {
    if (lowering.tag !== 'pull') return 'computed whole'
    if (returned.has(v)) return 'returned'
    if (whole.has(v)) return 'read whole'
    if (own > expressionLimit) return 'long'
    const reads = fanout.get(v)! / Math.max(1, sizeOf(v.aval.shape))
    const budget = v.aval.dtype === 'bool' ? maskBudget : recomputeBudget
    return (reads - 1) * own > budget ? 'read often' : null
  }

  for (const equation of graph.equations) {
    const found = probes.get(equation)!
    const own =
      found.work + found.accesses.reduce((n, a) => n + inlined(equation.inputs[a.input]!), 0)
    total.set(equation, own)
    const reads = found.accesses.map((a) => equation.inputs[a.input]!)
    if (!found.laneable || !reads.every(isLaneable)) unlaneable.add(equation)
    for (const v of equation.outputs) {
      const source = found.alias ? equation.inputs[0]! : null
      const share = (): void => {
        aliases.set(v, source!)
        work.set(v, 0)
      }
      const why = needsMemory(v, found, own)
      if (source !== null && !returned.has(v) && hasMemory(source, materialized, aliases)) share()
      else if (why === null) work.set(v, own)
      else if (source !== null && isVar(source) && !returned.has(v)) {
        // Give the memory to what is reshaped: its own axes make the better loops.
        materialized.add(source)
        kept.set(source, 'viewed')
        share()
      } else {
        materialized.add(v)
        kept.set(v, why)
      }
    }
  }
  return { probes, producers, materialized, aliases, work: total, unlaneable, kept }
}

const hasMemory = (
  atom: Atom,
  materialized: ReadonlySet<Var>,
  aliases: ReadonlyMap<Var, Atom>,
): boolean => !isVar(atom) || materialized.has(atom) || aliases.has(atom)

/** The variable or constant whose memory an atom is. */
export const memoryOf = (atom: Atom, aliases: ReadonlyMap<Var, Atom>): Atom => {
  let current = atom
  while (isVar(current)) {
    const next = aliases.get(current)
    if (next === undefined) break
    current = next
  }
  return current
}

// What routines and control flow read as whole arrays.
const readWhole = (graph: Graph, probes: ReadonlyMap<Equation, Probe>): ReadonlySet<Var> => {
  const whole = new Set<Var>()
  for (const equation of graph.equations) {
    if (isPointwise(probes.get(equation)!)) continue
    for (const atom of equation.inputs) if (isVar(atom)) whole.add(atom)
  }
  return whole
}

// How many element reads each variable gets from pointwise equations.
const countReads = (
  graph: Graph,
  probes: ReadonlyMap<Equation, Probe>,
): ReadonlyMap<Var, number> => {
  const reads = new Map<Var, number>()
  for (const equation of graph.equations) for (const v of equation.outputs) reads.set(v, 0)
  for (const equation of graph.equations) {
    const { accesses, iterations } = probes.get(equation)!
    for (const { input } of accesses) {
      const atom = equation.inputs[input]!
      if (isVar(atom) && reads.has(atom)) reads.set(atom, reads.get(atom)! + iterations)
    }
  }
  return reads
}

export const indexKey = (index: Index): string => {
  switch (index.tag) {
    case 'constant':
      return `${index.value}`
    case 'counter':
      return index.name
    case 'affine':
      return `(${index.terms.map((t) => `${t.coefficient}*${indexKey(t.term)}`).join('+')}+${index.constant})`
    case 'floorDivide':
      return `(${indexKey(index.value)}/${index.by})`
    case 'modulo':
      return `(${indexKey(index.value)}%${index.by})`
    case 'data':
      return `[${scalarId(index.value)}]`
    default:
      return index satisfies never
  }
}

// Data-dependent indices are compared by the identity of the scalar they come from.
const scalarIds = new WeakMap<Scalar, number>()
let nextScalarId = 0
const scalarId = (scalar: Scalar): number => {
  const known = scalarIds.get(scalar)
  if (known !== undefined) return known
  scalarIds.set(scalar, nextScalarId)
  return nextScalarId++
}

/** Reads elements of variables as scalar expressions, inlining whatever has no memory. */
export class Reader {
  readonly #analysis: Analysis
  /** How an element of something with memory is read. */
  readonly #load: (atom: Atom, index: readonly Index[]) => Scalar
  readonly #memo = new Map<Var, Map<string, Scalar>>()

  constructor(analysis: Analysis, load: (atom: Atom, index: readonly Index[]) => Scalar) {
    this.#analysis = analysis
    this.#load = load
  }

  read(atom: Atom, index: readonly Index[]): Scalar {
    if (atom instanceof Literal) {
      return atom.value.size === 1
        ? scalars.literal(atom.aval.dtype, atom.value.item())
        : this.#load(atom, index)
    }
    if (this.#analysis.materialized.has(atom)) return this.#load(atom, index)
    return this.inline(atom, index)
  }

  /** The element by its producer's own expression, memory or not. */
  inline(variable: Var, index: readonly Index[]): Scalar {
    let entries = this.#memo.get(variable)
    if (entries === undefined) {
      entries = new Map()
      this.#memo.set(variable, entries)
    }
    const key = index.map(indexKey).join(',')
    const known = entries.get(key)
    if (known !== undefined) return known
    const { equation, output } = this.#analysis.producers.get(variable)!
    const lowering = lowerEquation(equation, this.pullsOf(equation))
    if (lowering.tag !== 'pull') throw brokenLowering(equation, 'it cannot be inlined')
    const scalar = lowering.outputs[output]!(index)
    entries.set(key, scalar)
    return scalar
  }

  pullsOf(equation: Equation): readonly ((index: readonly Index[]) => Scalar)[] {
    return equation.inputs.map((atom) => (index) => this.read(atom, index))
  }
}

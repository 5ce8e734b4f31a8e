/**
 * Keeping less for the second half of a program: a value that a few cheap operations make from
 * values that are kept anyway is made again. Of a logistic gate `y` and its slope `y·(1 − y)`, one
 * array is kept.
 */
import {
  type Atom,
  type Equation,
  type Graph,
  Literal,
  type Tensor,
  type Var,
  bindAny,
  isEffectful,
  isVar,
  runGraph,
  trace,
  typesOf,
  withOrigin,
} from '@cotangent/core'
import { loweringOf } from '../lowering.ts'

/** At most so many operations to make one value again. */
const budget = 8

export interface Kept {
  /** The values that are kept: no more than the residuals, and free ones. */
  readonly values: readonly Var[]
  /** What makes the residuals of them, in order. */
  readonly equations: readonly Equation[]
}

/** Chooses what to keep of `graph` to have the residuals. `isFree` values cost nothing to keep. */
export const keepLess = (
  graph: Graph,
  residuals: readonly Var[],
  isFree: (v: Var) => boolean,
): Kept => {
  const makers = new Map<Var, number>()
  graph.equations.forEach((equation, i) => {
    if (isCheap(equation)) makers.set(equation.outputs[0]!, i)
  })
  const kept = new Set<Var>(residuals)
  const order = new Map(graph.equations.flatMap((e, i) => e.outputs.map((v) => [v, i] as const)))
  const latestFirst = [...kept].sort((a, b) => (order.get(b) ?? -1) - (order.get(a) ?? -1))
  for (const v of latestFirst) {
    if (isFree(v)) continue
    kept.delete(v)
    const used = madeFrom(graph, makers, [v], kept, isFree)
    if (used === null || used.size > budget) kept.add(v)
  }
  const used = madeFrom(graph, makers, residuals, kept, isFree) ?? new Set<number>()
  const equations = graph.equations.filter((_, i) => used.has(i))
  const inner = new Set(equations.flatMap((e) => e.outputs))
  const read = [...residuals, ...equations.flatMap((e) => e.inputs)].filter(isVar)
  return { values: [...new Set(read.filter((v) => !inner.has(v)))], equations }
}

// The equations that make `targets` of kept and free values, or null where something else is needed.
const madeFrom = (
  graph: Graph,
  makers: ReadonlyMap<Var, number>,
  targets: readonly Var[],
  kept: ReadonlySet<Var>,
  isFree: (v: Var) => boolean,
): ReadonlySet<number> | null => {
  const used = new Set<number>()
  const pending = [...targets]
  for (let v = pending.pop(); v !== undefined; v = pending.pop()) {
    const maker = makers.get(v)
    const constant = maker !== undefined && graph.equations[maker]!.inputs.length === 0
    if (kept.has(v) || (isFree(v) && !constant)) continue
    if (maker === undefined) return null
    if (used.has(maker)) continue
    used.add(maker)
    pending.push(...graph.equations[maker]!.inputs.filter(isVar))
  }
  return used
}

// One output, computed element by element, by no function that is worth keeping the result of.
const isCheap = (equation: Equation): boolean => {
  if (equation.outputs.length !== 1 || isEffectful(equation)) return false
  const lowering = loweringOf(equation)
  return lowering.tag === 'pull' && lowering.cost !== 'expensive'
}

/** `rest: [...residuals, ...others]` as a graph of `[...kept values, ...others]`. */
export const restored = (rest: Graph, residuals: readonly Atom[], kept: Kept): Graph =>
  trace(
    'partition',
    (...inputs) => {
      const env = new Map<Var, Tensor>(kept.values.map((v, i) => [v, inputs[i]!]))
      const read = (a: Atom): Tensor => (a instanceof Literal ? a.value : env.get(a)!)
      for (const { primitive, inputs: atoms, params, outputs, origin } of kept.equations) {
        const [y] = withOrigin(origin, () => bindAny(primitive, atoms.map(read), params))
        env.set(outputs[0]!, y!)
      }
      return runGraph(rest, [...residuals.map(read), ...inputs.slice(kept.values.length)])
    },
    [...kept.values.map((v) => v.aval), ...typesOf(rest.inputs.slice(residuals.length))],
  ).graph

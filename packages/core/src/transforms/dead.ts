/** Dropping equations whose results nobody reads, and the unread parts of loops and branches. */
import { type Equation, type Graph, type Var, isEffectful, isVar } from '../graph.ts'
import { pruneEquation } from './deadRegions.ts'

export const dropDead = (graph: Graph): Graph => {
  const used = new Set<Var>(graph.outputs.filter(isVar))
  const kept: Equation[] = []
  for (const equation of graph.equations.toReversed()) {
    if (!isEffectful(equation) && !equation.outputs.some((v) => used.has(v))) continue
    const pruned = pruneEquation(equation, used, dropDead)
    for (const atom of pruned.inputs) if (isVar(atom)) used.add(atom)
    kept.push(pruned)
  }
  return { ...graph, equations: kept.reverse() }
}

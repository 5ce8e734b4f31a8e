/** Dropping equations whose results nobody reads. */
import { type Equation, type Graph, type Var, isEffectful, isVar } from '../graph.ts'

export const dropDead = (graph: Graph): Graph => {
  const used = new Set<Var>(graph.outputs.filter(isVar))
  const kept: Equation[] = []
  for (const equation of graph.equations.toReversed()) {
    if (!isEffectful(equation) && !equation.outputs.some((v) => used.has(v))) continue
    for (const atom of equation.inputs) if (isVar(atom)) used.add(atom)
    kept.push(equation)
  }
  return { ...graph, equations: kept.reverse() }
}

/** Calls become the equations they call; primitives that rewrite themselves are expanded. */
import { type Equation, type Graph, type Tensor, trace, withOrigin } from '@cotangent/core'
import { loweringKind } from './lowering.ts'
import { Substitution, freshVariables, mapSubgraphs, substituteInputs } from './rewrite.ts'

/**
 * Inlines `call` regions, so that later passes see through `jit` in `jit` and custom rules. Calls
 * behind a barrier (recomputation) stay until `barriers` is set, after equal equations are merged.
 */
export const inlineCalls =
  (barriers: boolean) =>
  (graph: Graph): Graph => {
    const equations: Equation[] = []
    const s = new Substitution()
    const visit = (source: Graph, inner: Substitution): void => {
      for (const before of source.equations) {
        const equation = substituteInputs(before, inner)
        const lowering = loweringKind(equation)
        if (
          lowering.tag === 'region' &&
          lowering.region.kind === 'call' &&
          (barriers || !lowering.region.barrier)
        ) {
          const callee = lowering.region.graph
          const scope = new Substitution()
          callee.inputs.forEach((v, i) => scope.set(v, equation.inputs[i]!))
          const fresh = freshVariables(callee, scope)
          visit(fresh, scope)
          equation.outputs.forEach((v, i) => inner.set(v, scope.of(fresh.outputs[i]!)))
        } else if (lowering.tag === 'expand') {
          const fresh = expandEquation(equation, lowering.expand)
          const scope = new Substitution()
          fresh.inputs.forEach((v, i) => scope.set(v, equation.inputs[i]!))
          visit(fresh, scope)
          equation.outputs.forEach((v, i) => inner.set(v, scope.of(fresh.outputs[i]!)))
        } else {
          equations.push(mapSubgraphs(equation, inlineCalls(barriers)))
        }
      }
    }
    visit(graph, s)
    return { inputs: graph.inputs, equations, outputs: s.all(graph.outputs) }
  }

const expandEquation = (
  equation: Equation,
  expand: (inputs: readonly Tensor[]) => readonly Tensor[],
): Graph => {
  const types = equation.inputs.map((a) => a.aval)
  const traced = trace('expand', (...xs) => withOrigin(equation.origin, () => expand(xs)), types)
  return traced.graph
}

/** Rebuilding a graph while replacing variables: what every pass does. */
import { type Atom, type Equation, type Graph, Var, isVar, subgraphs } from '@cotangent/core'

/** Variables and what stands for them now. */
export class Substitution {
  readonly #map = new Map<Var, Atom>()

  set(v: Var, atom: Atom): void {
    this.#map.set(v, atom)
  }

  of(atom: Atom): Atom {
    return isVar(atom) ? (this.#map.get(atom) ?? atom) : atom
  }

  all(atoms: readonly Atom[]): readonly Atom[] {
    return atoms.map((a) => this.of(a))
  }
}

/** An equation with its inputs replaced; the same object where nothing changed. */
export const substituteInputs = (equation: Equation, s: Substitution): Equation => {
  const inputs = s.all(equation.inputs)
  return inputs.every((a, i) => a === equation.inputs[i]) ? equation : { ...equation, inputs }
}

/** Applies a pass to the graphs that an equation holds. */
export const mapSubgraphs = (equation: Equation, f: (graph: Graph) => Graph): Equation => {
  const held = subgraphs(equation.params)
  if (held.length === 0) return equation
  const replaced = new Map(held.map(([, graph]) => [graph, f(graph)] as const))
  if ([...replaced].every(([before, after]) => before === after)) return equation
  const swap = (value: unknown): unknown => {
    for (const [before, after] of replaced) if (value === before) return after
    return Array.isArray(value) ? value.map(swap) : value
  }
  const params = Object.fromEntries(
    Object.entries(Object(equation.params)).map(([name, value]: [string, unknown]) => [
      name,
      swap(value),
    ]),
  )
  return { ...equation, params }
}

/**
 * The same graph with variables of its own for what its equations define: one graph may be placed
 * many times. Outputs that are inputs are what `scope` says they stand for.
 */
export const freshVariables = (graph: Graph, scope: Substitution): Graph => {
  const renamed = new Substitution()
  const equations = graph.equations.map((equation): Equation => {
    const inputs = renamed.all(equation.inputs)
    const outputs = equation.outputs.map((v) => {
      const copy = new Var(v.aval)
      renamed.set(v, copy)
      return copy
    })
    return { ...equation, inputs, outputs }
  })
  return { inputs: graph.inputs, equations, outputs: scope.all(renamed.all(graph.outputs)) }
}

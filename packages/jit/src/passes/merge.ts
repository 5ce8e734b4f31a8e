/** Common subexpressions: equal equations are computed once. */
import { type Atom, type Equation, type Graph, Literal, isEffectful } from '@cotangent/core'
import { Substitution, mapSubgraphs, substituteInputs } from './rewrite.ts'

/** Numbers objects by identity, so that keys never confuse two of them. */
class Identities {
  readonly #ids = new Map<unknown, number>()

  of(value: unknown): number {
    const known = this.#ids.get(value)
    if (known !== undefined) return known
    this.#ids.set(value, this.#ids.size)
    return this.#ids.size - 1
  }
}

const atomKey = (atom: Atom, ids: Identities): string => {
  if (!(atom instanceof Literal) || atom.value.size !== 1)
    return `v${ids.of(atom instanceof Literal ? atom.value : atom)}`
  const value = atom.value.item()
  return `${atom.aval.dtype}:${atom.aval.shape.length}:${Object.is(value, -0) ? '-0' : value}`
}

// Plain data by content; functions, graphs and class instances by identity.
const paramKey = (value: unknown, ids: Identities): string => {
  if (Array.isArray(value)) return `[${value.map((v: unknown) => paramKey(v, ids)).join(',')}]`
  if (
    typeof value === 'object' &&
    value !== null &&
    !('equations' in value) &&
    Object.getPrototypeOf(value) === Object.prototype
  ) {
    return `{${Object.entries(value)
      .map(([k, v]) => `${k}:${paramKey(v, ids)}`)
      .join(',')}}`
  }
  if (typeof value === 'object' || typeof value === 'function')
    return value === null ? 'null' : `#${ids.of(value)}`
  // JSON has no -0, NaN or Infinity.
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value)
  return JSON.stringify(value) ?? typeof value
}

export const mergeEqual = (graph: Graph): Graph => {
  const ids = new Identities()
  const seen = new Map<string, Equation>()
  const s = new Substitution()
  const equations: Equation[] = []
  for (const before of graph.equations) {
    const equation = mapSubgraphs(substituteInputs(before, s), mergeEqual)
    if (isEffectful(equation)) {
      equations.push(equation)
      continue
    }
    const inputs = equation.inputs.map((a) => atomKey(a, ids)).join(' ')
    const key = `${ids.of(equation.primitive)} ${inputs} ${paramKey(equation.params, ids)}`
    const twin = seen.get(key)
    if (twin === undefined) {
      seen.set(key, equation)
      equations.push(equation)
    } else equation.outputs.forEach((v, i) => s.set(v, twin.outputs[i]!))
  }
  return { inputs: graph.inputs, equations, outputs: s.all(graph.outputs) }
}

/** The IR as people and tools read it: text, DOT, JSON. */
import { showAval } from './aval.ts'
import { type Atom, type Graph, Literal, Var, subgraphs } from './graph.ts'

/** Names for the variables of a graph: a, b, … z, a1, … in order of appearance. */
class Names {
  readonly #names = new Map<Var, string>()

  of(v: Var): string {
    const known = this.#names.get(v)
    if (known !== undefined) return known
    const n = this.#names.size
    const name = `${String.fromCharCode(97 + (n % 26))}${n < 26 ? '' : Math.floor(n / 26)}`
    this.#names.set(v, name)
    return name
  }

  atom(atom: Atom): string {
    if (atom instanceof Var) return this.of(atom)
    return atom.value.size === 1 ? String(atom.value.item()) : `const:${showAval(atom.aval)}`
  }
}

const showParam = (value: unknown): string => {
  if (typeof value === 'function') return '<function>'
  if (Array.isArray(value)) return `[${value.map(showParam).join(',')}]`
  if (typeof value === 'object' && value !== null) {
    return `{${Object.entries(value)
      .map(([k, v]) => `${k}: ${showParam(v)}`)
      .join(', ')}}`
  }
  return String(value)
}

const plainParams = (params: unknown): readonly (readonly [string, unknown])[] => {
  if (typeof params !== 'object' || params === null) return []
  const held = new Set(subgraphs(params).map(([name]) => name.replace(/\[\d+\]$/, '')))
  return Object.entries(params).filter(([name]) => !held.has(name))
}

/** A graph as text, one equation a line; graphs that equations hold are indented below them. */
export const printGraph = (graph: Graph, indent = ''): string => {
  const names = new Names()
  const typed = (v: Var): string => `${names.of(v)}:${showAval(v.aval)}`
  const lines = [`${indent}{ (${graph.inputs.map(typed).join(', ')}) =>`]
  for (const { primitive, inputs, params, outputs } of graph.equations) {
    const shown = plainParams(params).map(([name, value]) => `${name}=${showParam(value)}`)
    const suffix = shown.length === 0 ? '' : ` [${shown.join(' ')}]`
    const args = inputs.map((a) => names.atom(a)).join(' ')
    const results = outputs.map(typed).join(' ')
    lines.push(
      `${indent}  ${results === '' ? '_' : results} = ${primitive.name} ${args}${suffix}`.trimEnd(),
    )
    for (const [name, inner] of subgraphs(params)) {
      lines.push(`${indent}    ${name}:`, printGraph(inner, `${indent}    `))
    }
  }
  lines.push(`${indent}  return (${graph.outputs.map((a) => names.atom(a)).join(', ')}) }`)
  return lines.join('\n')
}

/** A traced function to look at. `String(ir)` prints it. */
export class IR {
  readonly graph: Graph

  constructor(graph: Graph) {
    this.graph = graph
  }

  toString(): string {
    return printGraph(this.graph)
  }

  /** Graphviz DOT: one node an equation, one edge a value. */
  toDot(): string {
    const names = new Names()
    const lines = ['digraph ir {', '  rankdir=TB; node [shape=box, fontname="monospace"];']
    const producers = new Map<Var, string>()
    this.graph.inputs.forEach((v, i) => {
      producers.set(v, `in${i}`)
      lines.push(
        `  in${i} [shape=ellipse, label=${JSON.stringify(`${names.of(v)} ${showAval(v.aval)}`)}];`,
      )
    })
    this.graph.equations.forEach(({ primitive, inputs, outputs }, i) => {
      lines.push(`  eq${i} [label=${JSON.stringify(primitive.name)}];`)
      for (const atom of inputs)
        if (atom instanceof Var)
          lines.push(
            `  ${producers.get(atom)!} -> eq${i} [label=${JSON.stringify(showAval(atom.aval))}];`,
          )
      for (const v of outputs) producers.set(v, `eq${i}`)
    })
    this.graph.outputs.forEach((atom, i) => {
      lines.push(`  out${i} [shape=ellipse, label="out ${i}"];`)
      if (atom instanceof Var) lines.push(`  ${producers.get(atom)!} -> out${i};`)
    })
    return [...lines, '}'].join('\n')
  }

  /** Plain data: inputs, equations with their nested graphs, outputs. */
  toJSON(): unknown {
    return graphToJSON(this.graph)
  }
}

const graphToJSON = (graph: Graph): unknown => {
  const names = new Names()
  const typed = (v: Var): unknown => ({
    name: names.of(v),
    shape: v.aval.shape,
    dtype: v.aval.dtype,
    weak: v.aval.weak,
  })
  return {
    inputs: graph.inputs.map(typed),
    equations: graph.equations.map(({ primitive, inputs, params, outputs, origin }) => ({
      primitive: primitive.name,
      inputs: inputs.map((a) =>
        a instanceof Literal
          ? { constant: showAval(a.aval), value: a.value.size === 1 ? a.value.item() : null }
          : names.of(a),
      ),
      params: Object.fromEntries(
        plainParams(params).map(([k, v]) => [k, typeof v === 'function' ? '<function>' : v]),
      ),
      graphs: Object.fromEntries(subgraphs(params).map(([k, g]) => [k, graphToJSON(g)])),
      outputs: outputs.map(typed),
      location: origin.location ?? null,
    })),
    outputs: graph.outputs.map((a) => names.atom(a)),
  }
}

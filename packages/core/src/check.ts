/** The graph checker: what must hold after every transform and every pass. */
import { type Aval, sameType, showAval } from './aval.ts'
import { InternalError } from './errors.ts'
import { type Graph, Var, subgraphs } from './graph.ts'

/**
 * Verifies single assignment, that nothing is read before it is made, and that every output has
 * the type its primitive gives it; nested graphs too.
 * @throws InternalError naming the stage and the equation.
 */
export const check = (graph: Graph, stage: string): Graph => {
  const defined = new Set<Var>()
  const define = (v: Var, where: string): void => {
    if (defined.has(v)) throw broken(stage, `${where} assigns a variable twice`)
    defined.add(v)
  }
  for (const v of graph.inputs) define(v, 'the input list')
  graph.equations.forEach(({ primitive, inputs, params, outputs }, i) => {
    const where = `equation ${i} (${primitive.name})`
    for (const atom of inputs) {
      if (atom instanceof Var && !defined.has(atom))
        throw broken(stage, `${where} reads a variable that nothing defines`)
    }
    const types: readonly Aval[] = primitive.typing(
      inputs.map((a) => a.aval),
      params,
    )
    if (types.length !== outputs.length)
      throw broken(stage, `${where} has ${outputs.length} outputs, its primitive ${types.length}`)
    outputs.forEach((v, o) => {
      if (!sameType(v.aval, types[o]!)) {
        throw broken(
          stage,
          `${where} output ${o} is ${showAval(v.aval)}, its primitive gives ${showAval(types[o]!)}`,
        )
      }
      define(v, where)
    })
    for (const [name, inner] of subgraphs(params)) check(inner, `${stage}, ${name} of ${where}`)
  })
  for (const atom of graph.outputs) {
    if (atom instanceof Var && !defined.has(atom))
      throw broken(stage, 'an output that nothing defines')
  }
  return graph
}

const broken = (stage: string, problem: string): InternalError =>
  new InternalError({ operation: `check after ${stage}`, problem })

/** Whether checks run outside tests: `COTANGENT_CHECK=1`. */
export const checksEnabled = (): boolean =>
  typeof process !== 'undefined' && process.env['COTANGENT_CHECK'] === '1'

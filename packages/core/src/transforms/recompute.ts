/** How `checkpoint` splits a graph: the second half computes again what it needs of the first. */
import { type Graph, type Var, typesOf } from '../graph.ts'
import { trace } from '../trace.ts'
import { dropDead } from './dead.ts'
import { knownOutputs, partitionGraph } from './partition.ts'
import { mask, remember } from './remember.ts'

/** Whether the outputs of an equation are kept for the backward pass (by primitive name). */
export type SavePolicy = (primitive: string) => boolean

export interface RecomputePlan {
  /** The known inputs to `[...known outputs, ...saved values]`. */
  readonly known: Graph
  /**
   * `[...known inputs, ...saved values, ...unknown inputs]` to the unknown outputs. It is the whole
   * graph again, so an equation in it may be partly known.
   */
  readonly rest: Graph
  readonly unknownOutputs: readonly boolean[]
  readonly saved: number
}

const plans = remember<WeakMap<SavePolicy, RecomputePlan>>()

export const recomputeOf = (
  graph: Graph,
  unknownInputs: readonly boolean[],
  save: SavePolicy,
): RecomputePlan => {
  const known = plans(graph, mask(unknownInputs), () => new WeakMap())
  const found = known.get(save)
  if (found !== undefined) return found
  const made = makePlan(dropDead(graph), unknownInputs, save)
  known.set(save, made)
  return made
}

const makePlan = (
  graph: Graph,
  unknownInputs: readonly boolean[],
  save: SavePolicy,
): RecomputePlan => {
  const inputs = graph.inputs.filter((_, i) => !unknownInputs[i]!)
  let unknownOutputs: readonly boolean[] = []
  let saved: readonly Var[] = []
  const traced = trace(
    'checkpoint',
    (...values) => {
      let next = 0
      const parts = partitionGraph(
        'checkpoint',
        graph,
        unknownInputs.map((u) => (u ? null : values[next++]!)),
      )
      unknownOutputs = parts.unknownOutputs
      saved = graph.equations.flatMap(({ primitive, outputs }) =>
        save(primitive.name)
          ? outputs.filter((v) => parts.known.has(v) && !parts.constants.has(v))
          : [],
      )
      return [...knownOutputs(graph, parts), ...saved.map((v) => parts.known.get(v)!)]
    },
    typesOf(inputs),
  )
  const given = new Set<Var>(saved)
  return {
    known: dropDead(traced.graph),
    rest: dropDead({
      inputs: [...inputs, ...saved, ...graph.inputs.filter((_, i) => unknownInputs[i]!)],
      equations: graph.equations.filter(
        ({ outputs }) => outputs.length === 0 || !outputs.every((v) => given.has(v)),
      ),
      outputs: graph.outputs.filter((_, i) => unknownOutputs[i]!),
    }),
    unknownOutputs,
    saved: saved.length,
  }
}

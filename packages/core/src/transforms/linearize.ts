/**
 * Linearisation: stage the JVP, run what does not depend on the tangents, and keep the rest as a
 * linear graph, whose captured inputs are the residuals.
 */
import { type Aval, strong } from '../aval.ts'
import type { Graph } from '../graph.ts'
import { zerosLike } from '../prims/structural.ts'
import type { Tensor } from '../tensor.ts'
import { type Traced, trace } from '../trace.ts'
import { dropDead } from './dead.ts'
import { jvpGraph } from './jvp.ts'
import { knownOutputs, partitionGraph } from './partition.ts'

export interface Linearized {
  readonly outputs: readonly Tensor[]
  /** Tangent inputs to tangent outputs; leading inputs are the captured residuals. */
  readonly linear: Traced
  /** For each output: does it depend on the differentiated inputs at all? */
  readonly dependent: readonly boolean[]
}

/**
 * Linearises `graph` at `primals` with respect to the inputs marked in `wrt`. The linear graph has
 * one tangent input for each of those, and one output for each dependent output.
 */
export const linearizeGraph = (
  graph: Graph,
  primals: readonly Tensor[],
  wrt: readonly boolean[],
): Linearized => {
  const joint = jointGraph(
    graph,
    primals.map((x) => x.aval),
    wrt,
  )
  const tangents = wrt.filter((w) => w).map(() => null)
  const parts = partitionGraph('linearize', joint.graph, [
    ...joint.captures,
    ...primals,
    ...tangents,
  ])
  const count = graph.outputs.length
  const primalGraph: Graph = { ...joint.graph, outputs: joint.graph.outputs.slice(0, count) }
  return {
    outputs: knownOutputs(primalGraph, {
      ...parts,
      unknownOutputs: parts.unknownOutputs.slice(0, count),
    }),
    // A tangent output that turns out not to depend on any tangent is a symbolic zero's twin.
    linear: parts.rest,
    dependent: joint.tangentOutputs.map((o) => o !== null && parts.unknownOutputs[count + o]!),
  }
}

interface Joint extends Traced {
  /** For each output, which of the joint graph's tangent outputs is its tangent; null: zero. */
  readonly tangentOutputs: readonly (number | null)[]
}

/** Primals and tangents in, outputs and non-zero output tangents out. */
const jointGraph = (graph: Graph, types: readonly Aval[], wrt: readonly boolean[]): Joint => {
  const tangentTypes = types.filter((_, i) => wrt[i]!).map(strong)
  const tangentOutputs: (number | null)[] = []
  const traced = trace(
    'jvp',
    (...inputs) => {
      const primals = inputs.slice(0, types.length)
      let next = types.length
      const tangents = wrt.map((differentiated) => (differentiated ? inputs[next++]! : null))
      const { outputs, tangents: dys } = jvpGraph(graph, primals, tangents)
      let position = 0
      for (const dy of dys) tangentOutputs.push(dy === null ? null : position++)
      return [...outputs, ...dys.filter((d) => d !== null)]
    },
    [...types, ...tangentTypes],
  )
  return { ...traced, graph: dropDead(traced.graph), tangentOutputs }
}

/** The tangent outputs of a linearised function, zeros materialised. */
export const withZeros = (
  dependent: readonly boolean[],
  tangents: readonly Tensor[],
  types: readonly Aval[],
): readonly Tensor[] => {
  let next = 0
  return dependent.map((d, i) => (d ? tangents[next++]! : zerosLike(types[i]!)))
}

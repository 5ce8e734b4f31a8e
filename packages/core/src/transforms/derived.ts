/**
 * Graphs derived from a graph, remembered by its identity: what graph-holding primitives put in
 * place of their graphs. All are closed: they take everything that they read as inputs.
 */
import { type Aval, strong } from '../aval.ts'
import { type Graph, Literal, typesOf } from '../graph.ts'
import { alignBatch } from '../prims/batching.ts'
import { moveBatchToFront, zerosLike } from '../prims/structural.ts'
import type { BatchAxis, BatchDim, MaybeZero } from '../primitive.ts'
import { inserted } from '../shape.ts'
import type { Tensor } from '../tensor.ts'
import { runGraph, trace } from '../trace.ts'
import { dropDead } from './dead.ts'
import { jvpGraph } from './jvp.ts'
import { knownOutputs, partitionGraph, remade } from './partition.ts'
import { mask, remember } from './remember.ts'
import { transposeGraph } from './transpose.ts'
import { vmapGraph } from './vmap.ts'

export interface JvpOfGraph {
  /** `[...inputs, ...tangents of the marked inputs]` to `[...outputs, ...non-zero tangents]`. */
  readonly graph: Graph
  /** Which outputs have a tangent. */
  readonly tangentOutputs: readonly boolean[]
}

const jvps = remember<JvpOfGraph>()
/** The JVP of a graph as a graph. `instantiate` forces tangents of the marked outputs. */
export const jvpOf = (
  graph: Graph,
  tangentInputs: readonly boolean[],
  instantiate: readonly boolean[] = [],
): JvpOfGraph =>
  jvps(graph, `${mask(tangentInputs)}|${mask(instantiate)}`, () => {
    const types = typesOf(graph.inputs)
    let tangentOutputs: readonly boolean[] = []
    const traced = trace(
      'jvp',
      (...inputs) => {
        let next = types.length
        const tangents = tangentInputs.map((t) => (t ? inputs[next++]! : null))
        const result = jvpGraph(graph, inputs.slice(0, types.length), tangents)
        const dys = result.tangents.map(
          (dy, i) => dy ?? (instantiate[i] ? zerosLike(result.outputs[i]!) : null),
        )
        tangentOutputs = dys.map((dy) => dy !== null)
        return [...result.outputs, ...dys.filter((dy) => dy !== null)]
      },
      [...types, ...types.filter((_, i) => tangentInputs[i]!).map(strong)],
    )
    return { graph: traced.graph, tangentOutputs }
  })

export interface PartitionOfGraph {
  /** The known inputs to `[...known outputs, ...residuals]`. */
  readonly known: Graph
  /** `[...residuals, ...unknown inputs]` to the unknown outputs. */
  readonly rest: Graph
  readonly unknownOutputs: readonly boolean[]
  readonly residuals: number
}

const partitions = remember<PartitionOfGraph>()
/** Both halves of a graph, as graphs. `forceUnknown` marks outputs that must be in the second half. */
export const partitionOf = (
  graph: Graph,
  unknownInputs: readonly boolean[],
  forceUnknown: readonly boolean[] = [],
): PartitionOfGraph =>
  partitions(graph, `${mask(unknownInputs)}|${mask(forceUnknown)}`, () => {
    const clean = dropDead(graph)
    const types = typesOf(clean.inputs)
    let rest: Graph = clean
    let unknownOutputs: readonly boolean[] = []
    let residuals = 0
    const known = trace(
      'partition',
      (...values) => {
        let next = 0
        const parts = partitionGraph(
          'partition',
          clean,
          unknownInputs.map((u) => (u ? null : values[next++]!)),
        )
        const forced = forceOutputs(clean, parts, forceUnknown)
        rest = forced.rest.graph
        unknownOutputs = forced.unknownOutputs
        residuals = forced.rest.captures.length
        return [...knownOutputs(clean, forced), ...forced.rest.captures]
      },
      types.filter((_, i) => !unknownInputs[i]!),
    )
    return { known: known.graph, rest, unknownOutputs, residuals }
  })

type Parts = ReturnType<typeof partitionGraph>

// An output that is known but must come from the second half passes through as a residual.
const forceOutputs = (graph: Graph, parts: Parts, force: readonly boolean[]): Parts => {
  if (!force.some((f, i) => f && !parts.unknownOutputs[i]!)) return parts
  const unknownOutputs = parts.unknownOutputs.map((u, i) => u || force[i] === true)
  const inner = parts.rest
  const unknownTypes = typesOf(inner.graph.inputs.slice(inner.captures.length))
  const rest = trace(
    'partition',
    (...values) => {
      const ys = runGraph(inner.graph, [...inner.captures, ...values])
      let next = 0
      return graph.outputs.flatMap((a, i) => {
        if (!unknownOutputs[i]!) return []
        if (parts.unknownOutputs[i]!) return [ys[next++]!]
        return [a instanceof Literal ? a.value : (remade(parts, a) ?? parts.known.get(a)!)]
      })
    },
    unknownTypes,
  )
  return { ...parts, unknownOutputs, rest }
}

export interface TransposeOfGraph {
  /** `[...nonlinear inputs, ...non-zero cotangents]` to the non-zero input cotangents. */
  readonly graph: Graph
  /** For each linear input: does it get a cotangent? */
  readonly cotangentInputs: readonly boolean[]
}

const transposes = remember<TransposeOfGraph>()
/**
 * The transpose of a graph that is linear in the marked inputs, as a graph. Where `mixed`, single
 * equations of it may be partly linear (a loop that carries primals and tangents): it is split first.
 */
export const transposeOf = (
  graph: Graph,
  linearInputs: readonly boolean[],
  cotangentOutputs: readonly boolean[],
  mixed = false,
): TransposeOfGraph =>
  transposes(graph, `${mask(linearInputs)}|${mask(cotangentOutputs)}|${mixed}`, () => {
    const clean = dropDead(graph)
    const types = typesOf(clean.inputs)
    let cotangentInputs: readonly boolean[] = []
    const nonlinearTypes = types.filter((_, i) => !linearInputs[i]!)
    const cotangentTypes = typesOf(clean.outputs)
      .filter((_, i) => cotangentOutputs[i]!)
      .map(strong)
    const traced = trace(
      'transpose',
      (...values) => {
        let next = 0
        const inputs = linearInputs.map((l) => (l ? null : values[next++]!))
        const cts: readonly MaybeZero[] = cotangentOutputs.map((c) => (c ? values[next++]! : null))
        const results = (mixed ? transposeMixed : transposeGraph)(clean, inputs, cts)
        cotangentInputs = results.map((ct) => ct !== null)
        return results.filter((ct) => ct !== null)
      },
      [...nonlinearTypes, ...cotangentTypes],
    )
    return { graph: dropDead(traced.graph), cotangentInputs }
  })

/** `transposeGraph` for a graph whose equations may be partly linear. */
export const transposeMixed: typeof transposeGraph = (graph, inputs, cotangents) => {
  const { rest, unknownOutputs } = partitionGraph('transpose', graph, inputs)
  return transposeGraph(
    rest.graph,
    [...rest.captures, ...inputs.filter((x) => x === null)],
    cotangents.filter((_, i) => unknownOutputs[i]!),
  )
}

export interface BatchOfGraph {
  /** Batched inputs carry the axis at the front. */
  readonly graph: Graph
  /** Which outputs are batched (at the front). */
  readonly batched: readonly boolean[]
}

const batches = remember<BatchOfGraph>()
/** A graph over a whole batch, as a graph. `force` marks outputs to be batched in any case. */
export const batchOf = (
  graph: Graph,
  batchedInputs: readonly boolean[],
  axis: BatchAxis,
  force: readonly boolean[] = [],
): BatchOfGraph =>
  batches(graph, `${mask(batchedInputs)}|${mask(force)}|${axis.size}|${axis.name ?? ''}`, () => {
    const types = typesOf(graph.inputs).map((t, i) =>
      batchedInputs[i]! ? withAxis(t, axis.size) : t,
    )
    let batched: readonly boolean[] = []
    const dims: readonly BatchDim[] = batchedInputs.map((b) => (b ? 0 : null))
    const traced = trace(
      'vmap',
      (...inputs) => {
        const result = vmapGraph(graph, inputs, dims, axis)
        batched = result.dims.map((d, i) => d !== null || force[i] === true)
        return result.outputs.map((y, i) =>
          batched[i]! ? alignBatch([y], [result.dims[i]!], axis.size)[0]! : y,
        )
      },
      types,
    )
    return { graph: traced.graph, batched }
  })

export const withAxis = (type: Aval, size: number): Aval => ({
  ...type,
  shape: inserted(type.shape, 0, size),
})

/** Inputs with the batch axis first, as `batchOf` graphs want them. */
export const batchFirst = (
  inputs: readonly Tensor[],
  dims: readonly BatchDim[],
): readonly Tensor[] => inputs.map((x, i) => moveBatchToFront(x, dims[i]!))

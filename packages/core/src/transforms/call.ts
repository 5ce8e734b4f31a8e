/** Calling a graph as one equation: what `jit` and `checkpoint` record while being traced. */
import { evaluateGraph } from '../evaluate.ts'
import { type Equation, type Graph, type Var, isVar, typesOf } from '../graph.ts'
import {
  type BatchRule,
  type MaybeZero,
  type NDArray,
  type Primitive,
  type SplitRule,
  type WholeJvp,
  type WholeTranspose,
  definePrimitive,
  variadic,
} from '../primitive.ts'
import type { Tensor } from '../tensor.ts'
import { bind } from '../trace.ts'
import { dropDead } from './dead.ts'
import { batchFirst, batchOf, jvpOf, partitionOf, transposeOf } from './derived.ts'
import { isLinear } from './transpose.ts'

/** Runs a graph on arrays: the interpreter, or a compiler's. */
export type Execute = (graph: Graph, inputs: readonly NDArray[]) => readonly NDArray[]

export interface CallParams {
  readonly name: string
  readonly graph: Graph
  readonly execute: Execute
  /** Which values of a recomputed graph are saved all the same; null: an ordinary call. */
  readonly recompute: SavePolicy | null
}

/** Whether the outputs of an equation are kept for the backward pass (by primitive name). */
export type SavePolicy = (primitive: string) => boolean

type Rest = readonly string[]
const call = (params: CallParams, graph: Graph, inputs: readonly Tensor[]): readonly Tensor[] =>
  bind(callP, inputs, { ...params, graph })

const spread = (flags: readonly boolean[], values: readonly Tensor[]): readonly MaybeZero[] => {
  let next = 0
  return flags.map((f) => (f ? values[next++]! : null))
}

const callJvp: WholeJvp<Rest, CallParams> = (inputs, tangents, params) => {
  const derived = jvpOf(
    params.graph,
    tangents.map((t) => t !== null),
  )
  const results = call(params, derived.graph, [...inputs, ...tangents.filter((t) => t !== null)])
  const count = params.graph.outputs.length
  return {
    outputs: results.slice(0, count),
    tangents: spread(derived.tangentOutputs, results.slice(count)),
  }
}

const callTranspose: WholeTranspose<Rest, CallParams> = (cotangents, inputs, params) => {
  const linear = inputs.map(isLinear)
  const derived = transposeOf(
    params.graph,
    linear,
    cotangents.map((ct) => ct !== null),
  )
  const known = inputs.filter((_, i) => !linear[i]!)
  const results = call(params, derived.graph, [...known, ...cotangents.filter((ct) => ct !== null)])
  const cts = spread(derived.cotangentInputs, results)
  let next = 0
  return linear.map((l) => (l ? cts[next++]! : null))
}

const callBatch: BatchRule<Rest, CallParams> = (inputs, dims, params, axis) => {
  const derived = batchOf(
    params.graph,
    dims.map((d) => d !== null),
    axis,
  )
  return {
    outputs: call(params, derived.graph, batchFirst(inputs, dims)),
    dims: derived.batched.map((b) => (b ? 0 : null)),
  }
}

const callSplit: SplitRule<CallParams> = (inputs, _, params) => {
  const unknown = inputs.map((x) => x === null)
  const known = inputs.filter((x) => x !== null)
  if (params.recompute !== null) return recomputeSplit(params, params.recompute, known, unknown)
  const parts = partitionOf(params.graph, unknown)
  const results = call(params, parts.known, known)
  const count = results.length - parts.residuals
  return {
    known: { outputs: results.slice(0, count), residuals: results.slice(count) },
    linearOutputs: parts.unknownOutputs,
    linear: (residuals, rest) => call(params, parts.rest, [...residuals, ...rest]),
  }
}

// The second half keeps the inputs (and what the policy saves) and computes everything else again.
const recomputeSplit = (
  params: CallParams,
  save: SavePolicy,
  known: readonly Tensor[],
  unknown: readonly boolean[],
): ReturnType<SplitRule<CallParams>> => {
  const { graph } = params
  const reached = reachedBy(graph, unknown)
  const saved = graph.equations.flatMap((e) =>
    save(e.primitive.name) ? e.outputs.filter((v) => !reached.has(v)) : [],
  )
  const isUnknown = graph.outputs.map((a) => isVar(a) && reached.has(a))
  const inputs = graph.inputs.filter((_, i) => !unknown[i]!)
  const knownGraph = dropDead({
    inputs,
    equations: graph.equations.filter((e) => !touches(e, reached)),
    outputs: [...graph.outputs.filter((_, i) => !isUnknown[i]!), ...saved],
  })
  const savedSet = new Set<Var>(saved)
  const rest = dropDead({
    inputs: [...inputs, ...saved, ...graph.inputs.filter((_, i) => unknown[i]!)],
    equations: graph.equations.filter((e) => !e.outputs.some((v) => savedSet.has(v))),
    outputs: graph.outputs.filter((_, i) => isUnknown[i]!),
  })
  const results = call({ ...params, recompute: null }, knownGraph, known)
  const count = results.length - saved.length
  return {
    known: { outputs: results.slice(0, count), residuals: [...known, ...results.slice(count)] },
    linearOutputs: isUnknown,
    linear: (residuals, tangents) => call(params, rest, [...residuals, ...tangents]),
  }
}

const reachedBy = (graph: Graph, unknown: readonly boolean[]): ReadonlySet<Var> => {
  const reached = new Set<Var>(graph.inputs.filter((_, i) => unknown[i]!))
  for (const equation of graph.equations) {
    if (touches(equation, reached)) for (const v of equation.outputs) reached.add(v)
  }
  return reached
}

const touches = ({ inputs }: Equation, reached: ReadonlySet<Var>): boolean =>
  inputs.some((a) => isVar(a) && reached.has(a))

/** Runs `params.graph` on the inputs. */
export const callP: Primitive<Rest, CallParams> = definePrimitive({
  name: 'call',
  slots: variadic,
  typing: (_, { graph }) => typesOf(graph.outputs),
  evaluate: (inputs, { graph, execute }) => execute(graph, inputs),
  jvp: callJvp,
  transpose: callTranspose,
  partition: callSplit,
  batch: callBatch,
  lower: (_, { graph, recompute }) => ({
    tag: 'region',
    region: { kind: 'call', graph, barrier: recompute !== null },
  }),
  effectful: false,
})

export const interpretCall: Execute = evaluateGraph

/** Calling a graph as one equation: what `jit` and `checkpoint` record while being traced. */
import { evaluateGraph } from '../evaluate.ts'
import { type Graph, typesOf } from '../graph.ts'
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
import { batchFirst, batchOf, jvpOf, partitionOf, transposeOf } from './derived.ts'
import { type SavePolicy, recomputeOf } from './recompute.ts'
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
    params.recompute !== null,
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
  const plan = recomputeOf(params.graph, unknown, save)
  const results = call({ ...params, recompute: null }, plan.known, known)
  const count = results.length - plan.saved
  return {
    known: { outputs: results.slice(0, count), residuals: [...known, ...results.slice(count)] },
    linearOutputs: plan.unknownOutputs,
    linear: (residuals, tangents) => call(params, plan.rest, [...residuals, ...tangents]),
  }
}

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

/** Batching: a graph run on a whole axis at once. */
import { type Atom, type Graph, Literal, type Var } from '../graph.ts'
import type { BatchAxis, BatchDim } from '../primitive.ts'
import type { Tensor } from '../tensor.ts'
import { bindAny, withOrigin } from '../trace.ts'

export interface Batched {
  readonly outputs: readonly Tensor[]
  /** Where each output carries the batch axis; null: it is the same for the whole batch. */
  readonly dims: readonly BatchDim[]
}

/** Runs `graph` on inputs whose batch axis is at `dims`, through `bind`. */
export const vmapGraph = (
  graph: Graph,
  inputs: readonly Tensor[],
  dims: readonly BatchDim[],
  axis: BatchAxis,
): Batched => {
  const env = new Map<Var, readonly [Tensor, BatchDim]>()
  graph.inputs.forEach((v, i) => env.set(v, [inputs[i]!, dims[i]!]))
  const read = (atom: Atom): readonly [Tensor, BatchDim] =>
    atom instanceof Literal ? [atom.value, null] : env.get(atom)!

  for (const { primitive, inputs: atoms, params, outputs, origin } of graph.equations) {
    const operands = atoms.map(read)
    const xs = operands.map(([x]) => x)
    const ds = operands.map(([, d]) => d)
    const result: Batched = withOrigin(origin, () =>
      ds.every((d) => d === null)
        ? { outputs: bindAny(primitive, xs, params), dims: outputs.map(() => null) }
        : primitive.batch(xs, ds, params, axis),
    )
    outputs.forEach((v, i) => env.set(v, [result.outputs[i]!, result.dims[i]!]))
  }
  const results = graph.outputs.map(read)
  return { outputs: results.map(([x]) => x), dims: results.map(([, d]) => d) }
}

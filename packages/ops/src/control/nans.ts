/** Finding the first operation that makes a NaN or an infinity. */
import {
  type Atom,
  type Equation,
  type Graph,
  Literal,
  type NDArray,
  NumericsError,
  type Tensor,
  type Var,
  bind,
  bindAny,
  erase,
  flatten,
  isFloat,
  leafTensor,
  mapSubgraphs,
  remember,
  showAval,
  trace,
  traceTree,
  typed,
  typesOf,
  unflatten,
  withOrigin,
} from '@cotangent/core'
import { hostP } from './effects.ts'

/**
 * The same function, which throws as soon as one of its operations makes a NaN or an infinity
 * from finite values: the error names the operation and the line of the program it comes from.
 * Operations inside loops, branches and compiled functions are watched too.
 * @throws NumericsError
 * @example
 * debug.nans((x: Tensor) => x.log().sum())(tensor([1, 0])) // NumericsError: debug.nans: log made -Infinity …
 */
export const nans = <A extends readonly unknown[], R>(f: (...args: A) => R): ((...args: A) => R) =>
  typed((...args) => {
    const { leaves, structure } = flatten(args, 'debug.nans')
    const xs = leaves.map(leafTensor)
    const types = xs.map((x) => x.aval)
    const traced = traceTree('debug.nans', erase(f), structure, types, xs)
    const outputs = runWatched(traced.graph, [...traced.captures, ...xs])
    return unflatten(traced.structure, outputs)
  })

const runWatched = (graph: Graph, inputs: readonly Tensor[]): readonly Tensor[] => {
  const env = new Map<Var, Tensor>()
  graph.inputs.forEach((v, i) => env.set(v, inputs[i]!))
  const read = (atom: Atom): Tensor => (atom instanceof Literal ? atom.value : env.get(atom)!)
  for (const equation of graph.equations) {
    const xs = equation.inputs.map(read)
    const ys = withOrigin(equation.origin, () => {
      const params = mapSubgraphs(equation.params, watched)
      const results = bindAny(equation.primitive, xs, params)
      watch(equation, xs, results)
      return results
    })
    equation.outputs.forEach((v, i) => env.set(v, ys[i]!))
  }
  return graph.outputs.map(read)
}

const memory = remember<Graph>()
const watched = (graph: Graph): Graph =>
  memory(
    graph,
    'debug.nans',
    () => trace('debug.nans', (...xs) => runWatched(graph, xs), typesOf(graph.inputs)).graph,
  )

// Constants are as the user wrote them: an operation without inputs is not watched.
const watch = (
  { primitive, origin }: Equation,
  inputs: readonly Tensor[],
  outputs: readonly Tensor[],
): void => {
  const results = outputs.filter((y) => isFloat(y.dtype))
  if (results.length === 0 || inputs.length === 0) return
  const operands = inputs.filter((x) => isFloat(x.dtype))
  const call = (arrays: readonly NDArray[]): void => {
    if (arrays.slice(0, operands.length).some((x) => firstBad(x) >= 0)) return
    for (const y of arrays.slice(operands.length)) {
      const at = firstBad(y)
      if (at < 0) continue
      throw new NumericsError(
        {
          operation: 'debug.nans',
          problem: `${primitive.name} made ${y.data[at]!} from finite values`,
          got: `element ${at} of ${showAval({ ...y, weak: false })}; the inputs are ${
            operands.length === 0 ? 'integers' : operands.map((x) => showAval(x.aval)).join(', ')
          }`,
          fix: 'keep its inputs where it is finite: clip them, or choose with np.where before it',
        },
        origin.location,
      )
    }
  }
  bind(hostP, [...operands, ...results], { label: `watch ${primitive.name}`, batchAxes: 0, call })
}

const firstBad = ({ data }: NDArray): number => {
  for (let i = 0; i < data.length; i++) if (!Number.isFinite(data[i]!)) return i
  return -1
}

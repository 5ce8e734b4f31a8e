/** Branches traced apart are brought to one list of inputs and one list of output types. */
import {
  type Aval,
  DTypeError,
  type Graph,
  ShapeError,
  type Structure,
  type Tensor,
  type TracedFunction,
  TreeError,
  Var,
  leafPaths,
  promote,
  runGraph,
  sameShape,
  showAval,
  trace,
  typesOf,
} from '@cotangent/core'
import { cast } from '../promote.ts'

export interface Joined {
  readonly branches: readonly Graph[]
  /** Outer tensors that any branch closes over: the leading inputs of all. */
  readonly captures: readonly Tensor[]
  readonly structure: Structure
}

/** @throws TreeError, ShapeError or DTypeError where the branches' results differ. */
export const joinBranches = (
  operation: string,
  names: readonly string[],
  traced: readonly TracedFunction[],
): Joined => {
  const { structure } = traced[0]!
  traced.forEach((branch, b) => {
    if (branch.structure.key === structure.key) return
    throw new TreeError({
      operation,
      problem: 'the branches return trees of different structures',
      got: `${branch.structure.key} from ${names[b]!}`,
      want: `${structure.key}, as ${names[0]!} returns`,
      fix: 'return the same nesting and the same property names from every branch',
    })
  })
  const types = commonTypes(operation, names, traced)
  const captures = [...new Set(traced.flatMap((branch) => branch.captures))]
  const branches = traced.map((branch) => withTypes(withCaptures(branch, captures), types))
  return { branches, captures, structure }
}

const withCaptures = (
  { graph, captures: own }: TracedFunction,
  captures: readonly Tensor[],
): Graph => ({
  ...graph,
  inputs: [
    ...captures.map((x) => {
      const at = own.indexOf(x)
      return at < 0 ? new Var(x.aval) : graph.inputs[at]!
    }),
    ...graph.inputs.slice(own.length),
  ],
})

// A weakly typed result gives way to the others; strong ones must agree.
const commonTypes = (
  operation: string,
  names: readonly string[],
  traced: readonly TracedFunction[],
): readonly Aval[] => {
  const lists = traced.map(({ graph }) => typesOf(graph.outputs))
  return lists[0]!.map((first, o) => {
    const types = lists.map((list) => list[o]!)
    const common = { ...first, ...promote(types) }
    for (const type of types) {
      const shapes = sameShape(type.shape, first.shape)
      if (shapes && (type.dtype === common.dtype || type.weak)) continue
      const path = leafPaths(traced[0]!.structure)[o]!
      const report = {
        operation,
        problem: `the branches return different types${path === '' ? '' : ` at ${path}`}`,
        got: types.map((t, i) => `${showAval(t)} from ${names[i]!}`).join(', '),
        want: `one ${shapes ? 'dtype' : 'shape'}`,
        fix: shapes ? 'convert the results with astype' : 'return one shape from every branch',
      }
      throw shapes ? new DTypeError(report) : new ShapeError(report)
    }
    return common
  })
}

const withTypes = (graph: Graph, types: readonly Aval[]): Graph => {
  const fits = typesOf(graph.outputs).every(
    (type, i) => type.dtype === types[i]!.dtype && type.weak === types[i]!.weak,
  )
  if (fits) return graph
  return trace(
    'cond',
    (...values) => runGraph(graph, values).map((y, i) => cast(y, types[i]!.dtype, types[i]!.weak)),
    typesOf(graph.inputs),
  ).graph
}

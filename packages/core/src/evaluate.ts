/** The reference interpreter: graphs on arrays, one primitive at a time, plain loops. */
import type { Aval } from './aval.ts'
import { isHalf } from './dtype.ts'
import { type Atom, type Graph, Literal, type Var, subgraphs, typesOf } from './graph.ts'
import { roundToHalf } from './half.ts'
import type { AnyPrimitive, NDArray } from './primitive.ts'
import { Concrete, fromNDArray } from './tensor.ts'

/** Evaluates one primitive on arrays; results of half precision are rounded to it. */
export const evaluateArrays = (
  primitive: AnyPrimitive,
  inputs: readonly NDArray[],
  params: unknown,
  types: readonly Aval[],
): readonly NDArray[] => {
  const outputs: readonly NDArray[] = primitive.evaluate(inputs, params, types)
  for (const { dtype, data } of outputs) if (isHalf(dtype)) roundToHalf(dtype, data)
  return outputs
}

/** Evaluates one primitive on concrete tensors: the reference for every other way to run it. */
export const evaluateConcrete = (
  primitive: AnyPrimitive,
  inputs: readonly Concrete[],
  params: unknown,
): readonly Concrete[] => {
  const types: readonly Aval[] = primitive.typing(
    inputs.map((x) => x.aval),
    params,
  )
  return evaluateTyped(primitive, inputs, params, types)
}

/** `evaluateConcrete` where the types of the outputs are known already. */
export const evaluateTyped = (
  primitive: AnyPrimitive,
  inputs: readonly Concrete[],
  params: unknown,
  types: readonly Aval[],
): readonly Concrete[] => {
  const arrays = inputs.map((x) => x.ndarray())
  const results = evaluateArrays(primitive, arrays, params, types)
  const outputs = wrapResults(results, types, inputs, arrays)
  // What a held graph returns may be a constant of it.
  if (subgraphs(params).length > 0) for (const { storage } of outputs) storage.share()
  return outputs
}

/** Evaluates a graph on concrete tensors. */
export const evaluateGraphConcrete = (
  graph: Graph,
  inputs: readonly Concrete[],
): readonly Concrete[] => {
  const arrays = inputs.map((x) => x.ndarray())
  const outputs = wrapResults(evaluateGraph(graph, arrays), typesOf(graph.outputs), inputs, arrays)
  for (const { storage } of outputs) storage.share()
  return outputs
}

// A result may be an input under another shape: both then know that they share their elements.
const wrapResults = (
  results: readonly NDArray[],
  types: readonly Aval[],
  inputs: readonly Concrete[],
  arrays: readonly NDArray[],
): readonly Concrete[] =>
  results.map((result, i) => {
    const { weak } = types[i]!
    const source = inputs[arrays.findIndex((x) => x.data === result.data)]
    if (source === undefined || isHalf(result.dtype)) return fromNDArray(result, weak)
    const { shape, dtype } = result
    return new Concrete({ shape, dtype, weak }, source.storage.share())
  })

/** Runs a graph on arrays. Intermediates are dropped after their last use. */
export const evaluateGraph = (graph: Graph, inputs: readonly NDArray[]): readonly NDArray[] => {
  const env = new Map<Var, NDArray>()
  const lastUse = lastUses(graph)
  graph.inputs.forEach((v, i) => env.set(v, inputs[i]!))
  const read = (atom: Atom): NDArray =>
    atom instanceof Literal ? atom.value.ndarray() : env.get(atom)!
  graph.equations.forEach((equation, position) => {
    const { primitive, inputs: atoms, params, outputs } = equation
    const values = evaluateArrays(
      primitive,
      atoms.map(read),
      params,
      outputs.map((v) => v.aval),
    )
    outputs.forEach((v, i) => env.set(v, values[i]!))
    for (const v of lastUse[position]!) env.delete(v)
  })
  return graph.outputs.map(read)
}

// For each equation, the variables that nothing reads after it.
const usesCache = new WeakMap<Graph, readonly (readonly Var[])[]>()

const lastUses = (graph: Graph): readonly (readonly Var[])[] => {
  const cached = usesCache.get(graph)
  if (cached !== undefined) return cached
  const seen = new Set<Atom>(graph.outputs)
  const result: (readonly Var[])[] = new Array(graph.equations.length)
  for (let i = graph.equations.length - 1; i >= 0; i--) {
    const { inputs, outputs } = graph.equations[i]!
    const dying: Var[] = []
    for (const atom of [...inputs, ...outputs]) {
      if (atom instanceof Literal || seen.has(atom)) continue
      seen.add(atom)
      dying.push(atom)
    }
    result[i] = dying
  }
  usesCache.set(graph, result)
  return result
}

// Set while `interpret(f)` runs, so that compiled calls inside it are interpreted too.
let interpreting = false

export const isInterpreting = (): boolean => interpreting

export const whileInterpreting = <T>(f: () => T): T => {
  const outer = interpreting
  interpreting = true
  try {
    return f()
  } finally {
    interpreting = outer
  }
}

// Set while a traced value is looked at early: the real run will print and check, once.
let effectsHeld = false

/** Whether host effects (prints, checks) are to be left out of this evaluation. */
export const areEffectsHeld = (): boolean => effectsHeld

export const withEffectsHeld = <T>(f: () => T): T => {
  const outer = effectsHeld
  effectsHeld = true
  try {
    return f()
  } finally {
    effectsHeld = outer
  }
}

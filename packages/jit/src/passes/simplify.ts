/** Folding what is known and dropping what does nothing, without naming any primitive. */
import {
  type Atom,
  type Equation,
  type Graph,
  type Pull,
  Literal,
  evaluateConcrete,
  full,
  isEffectful,
  sameType,
  scalars,
  sizeOf,
  subgraphs,
} from '@cotangent/core'
import { Substitution, mapSubgraphs, substituteInputs } from './rewrite.ts'
import { lowerEquation, loweringKind } from './lowering.ts'

/** Results of more elements than this are cheaper to compute in kernels than to load. */
const foldLimit = 1

const isSmallConstant = (atom: Atom): boolean =>
  atom instanceof Literal && atom.value.size <= foldLimit

// An array without elements is known whatever it is made from.
const isEmpty = (equation: Equation): boolean =>
  equation.outputs.length > 0 && equation.outputs.every((v) => sizeOf(v.aval.shape) === 0)

/** Equations of small constants become constants, and so do all that make no element. */
export const foldConstants = (graph: Graph): Graph => {
  const s = new Substitution()
  const equations: Equation[] = []
  for (const before of graph.equations) {
    const equation = mapSubgraphs(substituteInputs(before, s), foldConstants)
    const { inputs, outputs, primitive, params } = equation
    if (isEmpty(equation) && !isEffectful(equation)) {
      for (const v of outputs) s.set(v, new Literal(full(v.aval.shape, 0, v.aval.dtype)))
      continue
    }
    const foldable =
      !isEffectful(equation) &&
      inputs.every(isSmallConstant) &&
      outputs.every((v) => sizeOf(v.aval.shape) <= foldLimit) &&
      subgraphs(params).length === 0
    if (!foldable) {
      equations.push(equation)
      continue
    }
    const values = inputs.flatMap((a) => (a instanceof Literal ? [a.value] : []))
    const results = evaluateConcrete(primitive, values, params)
    outputs.forEach((v, i) => s.set(v, new Literal(results[i]!)))
  }
  return { inputs: graph.inputs, equations, outputs: s.all(graph.outputs) }
}

/**
 * The input that an equation merely repeats: a movement whose element at every index is the
 * input's element there (a broadcast to the same shape, a stopped gradient).
 */
const repeatedInput = (equation: Equation): Atom | null => {
  const out = equation.outputs[0]
  if (equation.inputs.length !== 1 || equation.outputs.length !== 1 || out === undefined)
    return null
  const input = equation.inputs[0]!
  if (!sameType(input.aval, out.aval) || isEffectful(equation)) return null
  if (loweringKind(equation).tag !== 'pull') return null
  const index = out.aval.shape.map((extent, d) => scalars.counter(`i${d}`, extent))
  const element = scalars.local(input.aval.dtype, 'element')
  let readThere = false
  const pull: Pull = (at) => {
    readThere = at.every((i, d) => scalars.sameIndex(i, index[d]!))
    return element
  }
  const lowering = lowerEquation(equation, [pull])
  if (lowering.tag !== 'pull' || lowering.cost !== 'movement') return null
  return lowering.outputs[0]!(index) === element && readThere ? input : null
}

/** Equations that repeat their input are dropped. */
export const dropIdentities = (graph: Graph): Graph => {
  const s = new Substitution()
  const equations: Equation[] = []
  for (const before of graph.equations) {
    const equation = mapSubgraphs(substituteInputs(before, s), dropIdentities)
    const same = repeatedInput(equation)
    if (same === null) equations.push(equation)
    else s.set(equation.outputs[0]!, same)
  }
  return { inputs: graph.inputs, equations, outputs: s.all(graph.outputs) }
}

/** Loop-invariant code motion: what no step of a loop changes is computed once, before the loop. */
import {
  type Atom,
  type Equation,
  type Graph,
  type Region,
  type Var,
  dropDead,
  isEffectful,
  isVar,
  sizeOf,
} from '@cotangent/core'
import { loweringKind } from './lowering.ts'
import { Substitution, freshVariables, mapSubgraphs, substituteInputs } from './rewrite.ts'

type Loop = Extract<Region, { readonly kind: 'scan' | 'while' }>

/** A loop's graph without its invariant work, which `before` does on the graph's constants. */
interface Split {
  readonly before: Graph
  /** The graph, with the results of `before` behind its other constants. */
  readonly inside: Graph
}

/**
 * Moves equations of the bodies and conditions of loops that depend only on constants out of them,
 * innermost loops first. Only pure ones move: a loop that takes no step then does work in vain, but
 * nothing that can be seen.
 */
export const hoistInvariants = (graph: Graph): Graph => {
  const equations = graph.equations.flatMap((before): readonly Equation[] => {
    const equation = mapSubgraphs(before, hoistInvariants)
    const lowering = loweringKind(equation)
    if (lowering.tag !== 'region') return [equation]
    const { region } = lowering
    if (region.kind === 'scan') return region.length < 2 ? [equation] : hoistScan(equation, region)
    return region.kind === 'while' ? hoistWhile(equation, region) : [equation]
  })
  return { inputs: graph.inputs, equations, outputs: graph.outputs }
}

const hoistScan = (
  equation: Equation,
  region: Extract<Loop, { readonly kind: 'scan' }>,
): readonly Equation[] => {
  const split = splitInvariants(region.body, region.constants)
  if (split === null) return [equation]
  const constants = equation.inputs.slice(0, region.constants)
  const { equations, results } = place(split.before, constants)
  const params = {
    ...fieldsOf(region),
    body: split.inside,
    constants: constants.length + results.length,
  }
  const inputs = [...constants, ...results, ...equation.inputs.slice(region.constants)]
  return [...equations, { ...equation, inputs, params }]
}

const hoistWhile = (
  equation: Equation,
  region: Extract<Loop, { readonly kind: 'while' }>,
): readonly Equation[] => {
  const { conditionConstants, bodyConstants } = region
  const ofCondition = splitInvariants(region.condition, conditionConstants)
  const ofBody = splitInvariants(region.body, bodyConstants)
  if (ofCondition === null && ofBody === null) return [equation]
  const given = equation.inputs.slice(0, conditionConstants)
  const givenBody = equation.inputs.slice(conditionConstants, conditionConstants + bodyConstants)
  const condition = ofCondition === null ? nothing : place(ofCondition.before, given)
  const body = ofBody === null ? nothing : place(ofBody.before, givenBody)
  const params = {
    ...fieldsOf(region),
    condition: ofCondition?.inside ?? region.condition,
    body: ofBody?.inside ?? region.body,
    conditionConstants: conditionConstants + condition.results.length,
    bodyConstants: bodyConstants + body.results.length,
  }
  const carry = equation.inputs.slice(conditionConstants + bodyConstants)
  const inputs = [...given, ...condition.results, ...givenBody, ...body.results, ...carry]
  return [...condition.equations, ...body.equations, { ...equation, inputs, params }]
}

// The parameters of a loop are the fields of its region.
const fieldsOf = <L extends Loop>({ kind: _, ...fields }: L): Omit<L, 'kind'> => fields

interface Placed {
  readonly equations: readonly Equation[]
  readonly results: readonly Atom[]
}
const nothing: Placed = { equations: [], results: [] }

// One body may serve several loops, so the equations placed before each are its own.
const place = (before: Graph, constants: readonly Atom[]): Placed => {
  const scope = new Substitution()
  before.inputs.forEach((v, i) => scope.set(v, constants[i]!))
  const { equations, outputs } = freshVariables(before, scope)
  return { equations: equations.map((e) => substituteInputs(e, scope)), results: outputs }
}

const splitInvariants = (graph: Graph, constants: number): Split | null => {
  const known = new Set<Var>(graph.inputs.slice(0, constants))
  const invariant = graph.equations.filter((equation) => {
    if (isEffectful(equation)) return false
    if (!equation.inputs.every((a) => !isVar(a) || known.has(a))) return false
    for (const v of equation.outputs) known.add(v)
    return true
  })
  const moved = new Set(invariant.filter(isWorthMoving))
  const made = new Set([...moved].flatMap((e) => e.outputs))
  const left = dropDead({ ...graph, equations: graph.equations.filter((e) => !moved.has(e)) })
  const read = [...left.outputs, ...left.equations.flatMap((e) => e.inputs)].filter(isVar)
  const further = [...new Set(read.filter((v) => made.has(v)))]
  if (further.length === 0) return null
  const outer = graph.inputs.slice(0, constants)
  return {
    before: dropDead({ inputs: outer, equations: invariant, outputs: further }),
    inside: { ...left, inputs: [...outer, ...further, ...graph.inputs.slice(constants)] },
  }
}

// Constants and rearrangements cost a fused loop nothing; a cheap result that is larger than what it
// is made from costs more to read back than to make.
const isWorthMoving = (equation: Equation): boolean => {
  if (equation.inputs.length === 0) return false
  const lowering = loweringKind(equation)
  if (lowering.tag !== 'pull' || lowering.cost === 'expensive') return true
  if (lowering.cost === 'movement') return false
  const sizes = equation.inputs.map((a) => sizeOf(a.aval.shape))
  return equation.outputs.every((v) => sizeOf(v.aval.shape) <= Math.max(...sizes))
}

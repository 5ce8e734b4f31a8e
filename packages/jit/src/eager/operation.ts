/** One operation as a graph, and what it would cost to interpret. */
import {
  type AnyPrimitive,
  type Aval,
  type Equation,
  type Graph,
  Origin,
  Var,
  aval,
  isEffectful,
  sizeOf,
} from '@cotangent/core'
import { loweringKind } from '../passes/lowering.ts'
import { type Strides, windowLayout } from './inputs.ts'
import { stridedP } from './strided.ts'

/** What an operation costs beside its elements, in elements. */
export const callWork = 32
/** How often a loop whose end depends on data is taken to run. */
const guessedTurns = 16

export interface Operation {
  readonly primitive: AnyPrimitive
  readonly types: readonly Aval[]
  /** Null: every input is an array without gaps. */
  readonly strides: readonly Strides[] | null
  readonly params: unknown
  readonly outputs: readonly Aval[]
}

/** The operation as a graph. Inputs with gaps are the memory that they span. */
export const graphOf = ({ primitive, types, strides, params, outputs }: Operation): Graph => {
  const origin = new Origin()
  const inputs: Var[] = []
  const equations: Equation[] = []
  const operands = types.map((type, i) => {
    const own = strides?.[i] ?? null
    if (own === null) {
      const input = new Var(type)
      inputs.push(input)
      return input
    }
    const { layout, length } = windowLayout(type.shape, own)
    const [input, read] = [new Var(aval([length], type.dtype)), new Var(type)]
    inputs.push(input)
    const reading = { primitive: stridedP, inputs: [input], params: { type, layout } }
    equations.push({ ...reading, outputs: [read], origin })
    return read
  })
  const results = outputs.map((type) => new Var(type))
  equations.push({ primitive, inputs: operands, params, outputs: results, origin })
  return { inputs, equations, outputs: results }
}

const elements = (types: readonly Aval[]): number => {
  let sum = 0
  for (const { shape } of types) sum += sizeOf(shape)
  return sum
}

/** Elements read and written. */
export const workOf = ({ types, outputs }: Operation): number =>
  callWork + elements(types) + elements(outputs)

const workOfGraph = (graph: Graph): number =>
  graph.equations.reduce((n, e) => n + workOfEquation(e), 0)

const typesOfVars = (atoms: readonly { readonly aval: Aval }[]): readonly Aval[] =>
  atoms.map((a) => a.aval)

/** Elements read and written by an equation and all that it holds. */
export const workOfEquation = (equation: Equation): number => {
  const lowering = loweringKind(equation)
  if (lowering.tag !== 'region') {
    return (
      callWork + elements(typesOfVars(equation.inputs)) + elements(typesOfVars(equation.outputs))
    )
  }
  const { region } = lowering
  switch (region.kind) {
    case 'call':
      return workOfGraph(region.graph)
    case 'scan':
      return region.length * workOfGraph(region.body)
    case 'while':
      return guessedTurns * (workOfGraph(region.condition) + workOfGraph(region.body))
    case 'branch':
      return Math.max(...region.branches.map(workOfGraph))
    case 'host':
      return callWork
    default:
      return region satisfies never
  }
}

/** Whether it may run as a kernel: effects, and calls of the host, happen in the reference. */
export const isCompilable = (operation: Operation): boolean => {
  const equation = graphOf(operation).equations.at(-1)!
  if (isEffectful(equation)) return false
  const lowering = loweringKind(equation)
  return lowering.tag !== 'region' || lowering.region.kind !== 'host'
}

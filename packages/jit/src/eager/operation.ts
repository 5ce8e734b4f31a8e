/** One operation as a graph, and how it is best run. */
import {
  type AnyPrimitive,
  type Aval,
  type Equation,
  type Graph,
  Origin,
  type Region,
  Var,
  aval,
  isEffectful,
  sizeOf,
} from '@cotangent/core'
import type { CodeBackend } from '../executable.ts'
import { codeGenerationAllowed } from '../js/evaluate.ts'
import { loweringKind } from '../passes/lowering.ts'
import { type Strides, windowLayout } from './inputs.ts'
import { stridedP } from './strided.ts'

/** What interpreting an operation takes beside its rounds, in rounds. */
const callWork = 150
/** How often a loop whose end depends on data is taken to run. */
const guessedTurns = 16
/** Rounds for each element read or written, where the loops are the primitive's own. */
const routineRounds = 4
/** The same for operations that are made of others: windows, products. */
const expandedRounds = 30
/** Up to this many rounds an operation is JavaScript, and may be interpreted while it is new. */
const fewRounds = 1 << 16

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

const typesOfAtoms = (atoms: readonly { readonly aval: Aval }[]): readonly Aval[] =>
  atoms.map((a) => a.aval)

const roundsOfGraph = (graph: Graph): number => graph.equations.reduce((n, e) => n + roundsOf(e), 0)

/** How many rounds of loops an equation takes, with all that it holds; a few for the call itself. */
const roundsOf = (equation: Equation): number => {
  const lowering = loweringKind(equation)
  const outputs = elements(typesOfAtoms(equation.outputs))
  const all = outputs + elements(typesOfAtoms(equation.inputs))
  switch (lowering.tag) {
    case 'pull':
      return callWork + all
    case 'reduce':
      return callWork + all + outputs * sizeOf(lowering.reduction.extents)
    case 'routine':
    case 'tiles':
      return callWork + routineRounds * all
    case 'expand':
      return callWork + expandedRounds * all
    case 'region':
      return callWork + roundsOfRegion(lowering.region)
    default:
      return lowering satisfies never
  }
}

const roundsOfRegion = (region: Region): number => {
  switch (region.kind) {
    case 'call':
      return roundsOfGraph(region.graph)
    case 'scan':
      return region.length * roundsOfGraph(region.body)
    case 'while':
      return guessedTurns * (roundsOfGraph(region.condition) + roundsOfGraph(region.body))
    case 'branch':
      return Math.max(...region.branches.map(roundsOfGraph))
    case 'host':
      return 0
    default:
      return region satisfies never
  }
}

/** How an operation is run. */
export interface Strategy {
  /** False: by its reference only. Effects, and calls of the host, happen there. */
  readonly isCompiled: boolean
  /** Rounds of loops that interpreting it once takes. */
  readonly rounds: number
  /**
   * What it is compiled to; undefined: the best. Small operations are JavaScript, which computes as
   * the reference does: they may be interpreted while they are new, and give the same afterwards.
   */
  readonly backend: CodeBackend | undefined
}

export const strategyOf = (operation: Operation): Strategy => {
  const equation = graphOf(operation).equations.at(-1)!
  const lowering = loweringKind(equation)
  const isHost = lowering.tag === 'region' && lowering.region.kind === 'host'
  const rounds = roundsOf(equation)
  return {
    isCompiled: !isHost && !isEffectful(equation),
    rounds,
    backend: rounds <= fewRounds && codeGenerationAllowed() ? 'js' : undefined,
  }
}

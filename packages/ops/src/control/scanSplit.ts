/**
 * A scan in two: what the known inputs decide runs now; the rest is a scan of its own. What the
 * second reads of the first is kept small: values that are the same in every step are passed once,
 * slices of a known input are passed as that input, and only what is left is stacked.
 */
import {
  type Atom,
  type Graph,
  type Tensor,
  type Var,
  dropDead,
  isEffectful,
  isVar,
  partitionOf,
  remember,
} from '@cotangent/core'
import { type Flags, chosen, count, others, reordered, span } from './graphs.ts'
import { keepLess, restored } from './residuals.ts'
import { type ScanParams, inputSections, reachedCarries, scanKey } from './scanPlan.ts'

/** Where the second scan takes a residual from. */
interface Place {
  readonly from: 'constant' | 'invariant' | 'xs' | 'stacked'
  readonly index: number
}

export interface ScanSplitPlan {
  readonly unknownCarry: Flags
  /** For each original output: is it in the second scan? */
  readonly unknownOutputs: Flags
  /** Of the known constants: residuals that are the same in every step. */
  readonly invariants: Graph
  /** The known scan; its ys are the known ones, then the stacked residuals. */
  readonly known: Graph
  /** The second scan: `[residual constants, constants | carry | residual xs, xs]`. */
  readonly rest: Graph
  /** The first of the two lists of residuals has no scanned axis. */
  readonly constantPlaces: readonly Place[]
  readonly scannedPlaces: readonly Place[]
}

const plans = remember<ScanSplitPlan>()

export const planScanSplit = (params: ScanParams, unknown: Flags): ScanSplitPlan =>
  plans(params.body, scanKey(params, unknown), () => makePlan(params, unknown))

const makePlan = (params: ScanParams, unknown: Flags): ScanSplitPlan => {
  const { body } = params
  const given = inputSections(params, unknown)
  const unknownCarry = reachedCarries(params, unknown)
  const parts = partitionOf(body, [...given.constants, ...unknownCarry, ...given.xs], unknownCarry)
  const { unknownOutputs, residuals } = parts
  const knownOutputs = parts.known.outputs.length - residuals
  const knownCarries = unknownCarry.length - count(unknownCarry)
  const constantInputs = given.constants.length - count(given.constants)

  const invariant = fixedByConstants(parts.known, constantInputs)
  const sizes = { outputs: knownOutputs, carries: knownCarries, constants: constantInputs }
  const carry = new Set<Atom>(
    parts.known.inputs.slice(constantInputs, constantInputs + knownCarries),
  )
  const ys = new Set<Atom>(parts.known.outputs.slice(knownCarries, knownOutputs))
  const free = new Set<Var>(parts.known.inputs.filter((v) => !carry.has(v)))
  const needed = parts.known.outputs.slice(knownOutputs)
  const kept = keepLess(
    parts.known,
    needed.filter(isVar),
    (v) => free.has(v) || invariant.has(v) || ys.has(v),
  )
  const rest = restored(parts.rest, needed, kept)
  const { places, invariants, stacked } = placeResiduals(parts.known, kept.values, sizes, invariant)
  const isScanned = places.map(({ from }) => from === 'xs' || from === 'stacked')
  const keptPositions = span(0, places.length)
  const constants = count(given.constants)
  const carried = count(unknownCarry)
  return {
    unknownCarry,
    unknownOutputs,
    invariants: dropDead({
      inputs: parts.known.inputs.slice(0, constantInputs),
      equations: parts.known.equations.filter((e) => e.outputs.some((v) => invariant.has(v))),
      outputs: invariants,
    }),
    known: dropDead({
      ...parts.known,
      outputs: [...parts.known.outputs.slice(0, knownOutputs), ...stacked],
    }),
    rest: reordered(
      rest,
      [
        ...others(keptPositions, isScanned),
        ...span(places.length, constants + carried),
        ...chosen(keptPositions, isScanned),
        ...span(places.length + constants + carried, count(given.xs)),
      ],
      span(0, rest.outputs.length),
    ),
    constantPlaces: others(places, isScanned),
    scannedPlaces: chosen(places, isScanned),
  }
}

interface Placed {
  readonly places: readonly Place[]
  readonly invariants: readonly Atom[]
  /** Residuals to stack, beside the known outputs. */
  readonly stacked: readonly Atom[]
}

const placeResiduals = (
  known: Graph,
  kept: readonly Var[],
  { outputs, carries, constants }: Readonly<Record<'outputs' | 'carries' | 'constants', number>>,
  invariant: ReadonlySet<Var>,
): Placed => {
  const ys = known.outputs.slice(carries, outputs)
  const invariants: Atom[] = []
  const stacked: Atom[] = []
  const places = kept.map((v): Place => {
    const input = known.inputs.indexOf(v)
    if (input >= 0 && input < constants) return { from: 'constant', index: input }
    if (input >= constants + carries) return { from: 'xs', index: input - constants - carries }
    if (invariant.has(v)) return { from: 'invariant', index: invariants.push(v) - 1 }
    // A y that is stacked anyway serves as the residual.
    const same = ys.indexOf(v)
    if (same >= 0) return { from: 'stacked', index: same }
    return { from: 'stacked', index: ys.length + stacked.push(v) - 1 }
  })
  return { places, invariants, stacked }
}

// Everything that the constants alone decide, so that it is the same in every step.
const fixedByConstants = (known: Graph, constants: number): ReadonlySet<Var> => {
  const fixed = new Set<Var>(known.inputs.slice(0, constants))
  for (const equation of known.equations) {
    if (isEffectful(equation)) continue
    if (equation.inputs.every((a) => !isVar(a) || fixed.has(a))) {
      for (const v of equation.outputs) fixed.add(v)
    }
  }
  return fixed
}

/** What the second scan reads of the first: with a scanned axis, and without one. */
interface ScanResiduals {
  readonly constants: readonly Tensor[]
  readonly xs: readonly Tensor[]
}

/** Collects residuals from where the plan says they are. */
export const gatherResiduals = (
  plan: ScanSplitPlan,
  known: ScanResiduals,
  invariants: readonly Tensor[],
  ys: readonly Tensor[],
): ScanResiduals => {
  const sources = { constant: known.constants, invariant: invariants, xs: known.xs, stacked: ys }
  const read = ({ from, index }: Place): Tensor => sources[from][index]!
  return { constants: plan.constantPlaces.map(read), xs: plan.scannedPlaces.map(read) }
}

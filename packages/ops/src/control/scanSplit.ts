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
  const given = inputSections(params, unknown)
  const unknownCarry = reachedCarries(params, unknown)
  const flags = [...given.constants, ...unknownCarry, ...given.xs]
  const parts = partitionOf(params.body, flags, unknownCarry)
  const { known } = parts
  const sizes = {
    outputs: known.outputs.length - parts.residuals,
    carries: unknownCarry.length - count(unknownCarry),
    constants: given.constants.length - count(given.constants),
  }
  const invariant = fixedByConstants(known, sizes.constants)
  const needed = known.outputs.slice(sizes.outputs)
  const kept = keepLess(known, needed.filter(isVar), freeValues(known, sizes, invariant))
  const { places, invariants, stacked } = placeResiduals(known, kept.values, sizes, invariant)
  const isScanned = places.map(({ from }) => from === 'xs' || from === 'stacked')
  return {
    unknownCarry,
    unknownOutputs: parts.unknownOutputs,
    invariants: dropDead({
      inputs: known.inputs.slice(0, sizes.constants),
      equations: known.equations.filter((e) => e.outputs.some((v) => invariant.has(v))),
      outputs: invariants,
    }),
    known: dropDead({ ...known, outputs: [...known.outputs.slice(0, sizes.outputs), ...stacked] }),
    rest: scannedLast(
      restored(parts.rest, needed, kept),
      isScanned,
      count(given.constants) + count(unknownCarry),
    ),
    constantPlaces: others(places, isScanned),
    scannedPlaces: chosen(places, isScanned),
  }
}

// `[residuals, constants and carry, xs]` as `[residual constants, … | residual xs, xs]`.
const scannedLast = (rest: Graph, isScanned: Flags, before: number): Graph => {
  const residuals = span(0, isScanned.length)
  const first = isScanned.length + before
  return reordered(
    rest,
    [
      ...others(residuals, isScanned),
      ...span(isScanned.length, before),
      ...chosen(residuals, isScanned),
      ...span(first, rest.inputs.length - first),
    ],
    span(0, rest.outputs.length),
  )
}

/** How many of the known half's outputs are its own, of its outputs carries, of its inputs constants. */
interface Sizes {
  readonly outputs: number
  readonly carries: number
  readonly constants: number
}

// All but the carry is there for the second scan without being stacked.
const freeValues = (
  known: Graph,
  { outputs, carries, constants }: Sizes,
  invariant: ReadonlySet<Var>,
): ((v: Var) => boolean) => {
  const carry = new Set(known.inputs.slice(constants, constants + carries))
  const free = new Set<Atom>(known.inputs.filter((v) => !carry.has(v)))
  for (const y of known.outputs.slice(carries, outputs)) free.add(y)
  return (v) => free.has(v) || invariant.has(v)
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
  { outputs, carries, constants }: Sizes,
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

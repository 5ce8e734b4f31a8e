/** A scan split in two halves, and the second one run backwards. */
import {
  type MaybeZero,
  type Split,
  type Tensor,
  isLinear,
  runGraph,
  zerosLike,
} from '@cotangent/core'
import { planAhead } from './ahead.ts'
import {
  type Flags,
  chosen,
  count,
  flagged,
  isPresent,
  others,
  present,
  sections,
  spread,
} from './graphs.ts'
import { type RunScan, type ScanParams, inputSections, reachedCarries } from './scanPlan.ts'
import { type ScanSplitPlan, gatherResiduals, planScanSplit } from './scanSplit.ts'
import { planScanTranspose } from './scanTranspose.ts'

/** The known half has run; the second one waits for its unknown inputs. */
interface SplitScan {
  readonly plan: ScanSplitPlan
  readonly knownOutputs: readonly Tensor[]
  readonly residuals: readonly Tensor[]
  /** Parameters and inputs of the second scan. */
  readonly rest: ScanParams
  readonly assemble: (residuals: readonly Tensor[], unknown: readonly Tensor[]) => readonly Tensor[]
}

const runKnown = (run: RunScan, inputs: readonly MaybeZero[], params: ScanParams): SplitScan => {
  const unknown: Flags = inputs.map((x) => x === null)
  const plan = planScanSplit(params, unknown)
  const given = inputSections(params, inputs)
  const constants = given.constants.filter(isPresent)
  const xs = given.xs.filter(isPresent)
  const carry = others(given.carry, plan.unknownCarry).filter(isPresent)
  const starts = chosen(given.carry, plan.unknownCarry).filter(isPresent)
  const idle = plan.known.outputs.length === 0 && plan.known.equations.length === 0
  const known = { body: plan.known, constants: constants.length, carries: carry.length }
  const results = idle ? [] : run([...constants, ...carry, ...xs], { ...params, ...known })
  const invariants = runGraph(plan.invariants, constants)
  const ys = results.slice(carry.length)
  const residuals = gatherResiduals(plan, { constants, xs }, invariants, ys)
  const flags = inputSections(params, unknown)
  const unknownConstants = count(flags.constants)
  return {
    plan,
    knownOutputs: results.slice(0, plan.unknownOutputs.length - count(plan.unknownOutputs)),
    residuals: [...residuals.constants, ...starts, ...residuals.xs],
    rest: {
      ...params,
      body: plan.rest,
      constants: residuals.constants.length + unknownConstants,
      carries: count(plan.unknownCarry),
    },
    assemble: (values, rest) => {
      const [c, first, x] = sections(values, residuals.constants.length, starts.length)
      const [uc, us, ux] = sections(rest, unknownConstants, count(flags.carry))
      // A carry starts at an unknown input, or at a known value that the first step makes unknown.
      let [held, next] = [0, 0]
      const begin = chosen(flags.carry, plan.unknownCarry).map((isUnknown) =>
        isUnknown ? us![next++]! : first![held++]!,
      )
      return [...c!, ...uc!, ...begin, ...x!, ...ux!]
    },
  }
}

export const splitScan = (
  run: RunScan,
  inputs: readonly MaybeZero[],
  params: ScanParams,
): Split => {
  const { plan, knownOutputs, residuals, rest, assemble } = runKnown(run, inputs, params)
  return {
    known: { outputs: knownOutputs, residuals },
    linearOutputs: plan.unknownOutputs,
    linear: (values, unknown) => runAhead(run, assemble(values, unknown), rest),
  }
}

const runAhead = (
  run: RunScan,
  inputs: readonly Tensor[],
  params: ScanParams,
): readonly Tensor[] => {
  const ahead = planAhead(params)
  if (ahead === null) return run(inputs, params)
  const { constants, xs } = inputSections(params, inputs)
  const further = runGraph(ahead.before, [...constants, ...xs])
  return run([...inputs, ...further], { ...params, body: ahead.body })
}

export const transposeScan = (
  run: RunScan,
  cotangents: readonly MaybeZero[],
  inputs: readonly Tensor[],
  params: ScanParams,
): readonly MaybeZero[] => {
  const linear = inputs.map(isLinear)
  if (reachedCarries(params, linear).every((reached) => reached)) {
    return transposeLinear(run, cotangents, inputs, params)
  }
  // Some of the carry is not linear (a counter): run that first, and transpose the rest.
  const known = inputs.map((x) => (isLinear(x) ? null : x))
  const { plan, residuals, rest, assemble } = runKnown(run, known, params)
  const scanned = assemble(residuals, chosen(inputs, linear))
  const found = transposeLinear(run, chosen(cotangents, plan.unknownOutputs), scanned, rest)
  const of = new Map(scanned.map((x, i) => [x, found[i]!]))
  return inputs.map((x) => (isLinear(x) ? (of.get(x) ?? null) : null))
}

// The scan is linear in its whole carry here; inputs that are not linear are its residuals.
const transposeLinear = (
  run: RunScan,
  cotangents: readonly MaybeZero[],
  inputs: readonly Tensor[],
  params: ScanParams,
): readonly MaybeZero[] => {
  const linear = inputs.map(isLinear)
  const flags = inputSections(params, linear)
  const x = inputSections(params, inputs)
  const [lastCarry, dys] = sections(cotangents, params.carries)
  const plan = planScanTranspose(params, linear, flagged(cotangents))
  const constants = others(x.constants, flags.constants)
  const sums = chosen(chosen(x.constants, flags.constants), plan.constantCotangents)
  const last = lastCarry!.map((ct, i) => ct ?? zerosLike(x.carry[i]!))
  const carry = [...sums.map((c) => zerosLike(c)), ...chosen(last, plan.carryCotangents)]
  const results = run([...constants, ...carry, ...others(x.xs, flags.xs), ...present(dys!)], {
    body: plan.body,
    length: params.length,
    reverse: !params.reverse,
    constants: constants.length,
    carries: carry.length,
  })
  const [dc, ds, dx] = sections(results, sums.length, count(plan.carryCotangents))
  const starts = spread(plan.carryCotangents, ds!)
  return [
    ...place(flags.constants, spread(plan.constantCotangents, dc!)),
    ...flags.carry.map((flag, i) => (flag ? starts[i]! : null)),
    ...place(flags.xs, spread(plan.xCotangents, dx!)),
  ]
}

const place = (linear: Flags, cotangents: readonly MaybeZero[]): readonly MaybeZero[] => {
  let next = 0
  return linear.map((flag) => (flag ? cotangents[next++]! : null))
}

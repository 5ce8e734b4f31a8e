/** `scan` as a primitive: a loop with a carry over slices of its inputs, and all its rules. */
import {
  type BatchRule,
  type LowerRule,
  type MaybeZero,
  type NDArray,
  type Primitive,
  type SplitRule,
  type Tensor,
  type WholeJvp,
  type WholeTranspose,
  batchOf,
  bind,
  definePrimitive,
  evaluateGraph,
  isLinear,
  makeArray,
  moveAxis,
  moveBatchToFront,
  remember,
  runGraph,
  sizeOf,
  variadic,
  broadcastFront,
  zerosLike,
} from '@cotangent/core'
import {
  type Flags,
  chosen,
  fixedPoint,
  flagged,
  isPresent,
  others,
  present,
  sections,
  spread,
} from './graphs.ts'
import { planScanJvp } from './scanJvp.ts'
import { type ScanParams, inputSections, outputTypes, reachedCarries, scanKey } from './scanPlan.ts'
import {
  type ScanResiduals,
  type ScanSplitPlan,
  gatherResiduals,
  planScanSplit,
} from './scanSplit.ts'
import { planScanTranspose } from './scanTranspose.ts'

type Slots = readonly string[]

const evaluate = (inputs: readonly NDArray[], params: ScanParams): readonly NDArray[] => {
  const { body, length, reverse, carries } = params
  const { constants, carry: start, xs } = inputSections(params, inputs)
  const ys = outputTypes(params).slice(carries).map(makeArray)
  let carry = start
  for (let step = 0; step < length; step++) {
    const t = reverse ? length - 1 - step : step
    const results = evaluateGraph(body, [...constants, ...carry, ...xs.map((x) => sliceOf(x, t))])
    carry = results.slice(0, carries)
    results.slice(carries).forEach((y, i) => ys[i]!.data.set(y.data, t * y.data.length))
  }
  return [...carry.map(owned), ...ys]
}

const sliceOf = ({ shape, dtype, data }: NDArray, t: number): NDArray => {
  const inner = shape.slice(1)
  const size = sizeOf(inner)
  return { shape: inner, dtype, data: data.subarray(t * size, (t + 1) * size) }
}

// A carry may be a view into an input; a result must not keep all of that alive.
const owned = (x: NDArray): NDArray =>
  x.data.byteLength === x.data.buffer.byteLength ? x : { ...x, data: x.data.slice() }

const jvp: WholeJvp<Slots, ScanParams> = (inputs, tangents, params) => {
  const plan = planScanJvp(params, flagged(tangents))
  const x = inputSections(params, inputs)
  const dx = inputSections(params, tangents)
  const carryTangents = chosen(
    dx.carry.map((d, i) => d ?? zerosLike(x.carry[i]!)),
    plan.carryTangents,
  )
  const constants = [...x.constants, ...present(dx.constants)]
  const carry = [...x.carry, ...carryTangents]
  const results = bind(scanP, [...constants, ...carry, ...x.xs, ...present(dx.xs)], {
    ...params,
    body: plan.body,
    constants: constants.length,
    carries: carry.length,
  })
  const [s, ds, ys, dys] = sections(
    results,
    params.carries,
    carryTangents.length,
    plan.yTangents.length,
  )
  return {
    outputs: [...s!, ...ys!],
    tangents: [...spread(plan.carryTangents, ds!), ...spread(plan.yTangents, dys!)],
  }
}

interface SplitScan {
  readonly plan: ScanSplitPlan
  readonly knownOutputs: readonly Tensor[]
  readonly residuals: ScanResiduals
  /** Parameters and inputs of the second scan. */
  readonly rest: ScanParams
  readonly assemble: (residuals: readonly Tensor[], unknown: readonly Tensor[]) => readonly Tensor[]
}

const splitScan = (inputs: readonly MaybeZero[], params: ScanParams): SplitScan => {
  const unknown: Flags = inputs.map((x) => x === null)
  const plan = planScanSplit(params, unknown)
  const given = inputSections(params, inputs)
  const constants = given.constants.filter(isPresent)
  const xs = given.xs.filter(isPresent)
  const knownCarry = others(given.carry, plan.unknownCarry).filter(isPresent)
  const starts = chosen(given.carry, plan.unknownCarry).filter(isPresent)
  const invariants = runGraph(plan.invariants, constants)
  const idle = plan.known.outputs.length === 0 && plan.known.equations.length === 0
  const results = idle
    ? []
    : bind(scanP, [...constants, ...knownCarry, ...xs], {
        ...params,
        body: plan.known,
        constants: constants.length,
        carries: knownCarry.length,
      })
  const outputs = others(plan.unknownOutputs, plan.unknownOutputs).length
  const ys = results.slice(knownCarry.length)
  const residuals = gatherResiduals(plan, { constants, xs }, invariants, ys, starts)
  const flags = inputSections(params, unknown)
  const counts = [flags.constants, flags.carry].map((f) => chosen(f, f).length)
  return {
    plan,
    knownOutputs: results.slice(0, outputs),
    residuals,
    rest: {
      ...params,
      body: plan.rest,
      constants: residuals.constants.length + counts[0]!,
      carries: chosen(plan.unknownCarry, plan.unknownCarry).length,
    },
    assemble: (values, rest) => {
      const [c, first, x] = sections(values, residuals.constants.length, starts.length)
      const [uc, us, ux] = sections(rest, counts[0]!, counts[1]!)
      // A carry starts at an unknown input, or at a known value that the first step makes unknown.
      let known = 0
      let next = 0
      const carry = chosen(flags.carry, plan.unknownCarry).map((isUnknown) =>
        isUnknown ? us![next++]! : first![known++]!,
      )
      return [...c!, ...uc!, ...carry, ...x!, ...ux!]
    },
  }
}

const partition: SplitRule<ScanParams> = (inputs, _, params) => {
  const { plan, knownOutputs, residuals, rest, assemble } = splitScan(inputs, params)
  return {
    known: {
      outputs: knownOutputs,
      residuals: [...residuals.constants, ...residuals.starts, ...residuals.xs],
    },
    linearOutputs: plan.unknownOutputs,
    linear: (values, unknown) => bind(scanP, assemble(values, unknown), rest),
  }
}

const transpose: WholeTranspose<Slots, ScanParams> = (cotangents, inputs, params) => {
  const linear = inputs.map(isLinear)
  if (reachedCarries(params, linear).every((reached) => reached)) {
    return transposeLinear(cotangents, inputs, params)
  }
  // Some of the carry is not linear (a counter): run that first, and transpose the rest.
  const split = splitScan(
    inputs.map((x) => (isLinear(x) ? null : x)),
    params,
  )
  const { plan, residuals, rest, assemble } = split
  const values = [...residuals.constants, ...residuals.starts, ...residuals.xs]
  const scanned = assemble(values, chosen(inputs, linear))
  const found = transposeLinear(chosen(cotangents, plan.unknownOutputs), scanned, rest)
  const of = new Map(scanned.map((x, i) => [x, found[i]!]))
  return inputs.map((x) => (isLinear(x) ? (of.get(x) ?? null) : null))
}

// The scan is linear in its whole carry here; inputs that are not linear are its residuals.
const transposeLinear = (
  cotangents: readonly MaybeZero[],
  inputs: readonly Tensor[],
  params: ScanParams,
): readonly MaybeZero[] => {
  const linear = inputs.map(isLinear)
  const flags = inputSections(params, linear)
  const x = inputSections(params, inputs)
  const [lastCarry, dys] = sections(cotangents, params.carries)
  const plan = planScanTranspose(params, linear, flagged(cotangents))
  const sums = chosen(chosen(x.constants, flags.constants), plan.constantCotangents)
  const carry = chosen(
    lastCarry!.map((ct, i) => ct ?? zerosLike(x.carry[i]!)),
    plan.carryCotangents,
  )
  const constants = others(x.constants, flags.constants)
  const results = bind(
    scanP,
    [
      ...constants,
      ...sums.map((c) => zerosLike(c)),
      ...carry,
      ...others(x.xs, flags.xs),
      ...present(dys!),
    ],
    {
      body: plan.body,
      length: params.length,
      reverse: !params.reverse,
      constants: constants.length,
      carries: sums.length + carry.length,
    },
  )
  const [dc, ds, dx] = sections(results, sums.length, carry.length)
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

interface BatchPlan {
  readonly batchedCarry: Flags
  readonly batchedYs: Flags
  readonly body: ScanParams['body']
}

const batchPlans = remember<BatchPlan>()

const batch: BatchRule<Slots, ScanParams> = (inputs, dims, params, axis) => {
  const { body, carries } = params
  const batched = dims.map((d) => d !== null)
  const key = `${scanKey(params, batched)}|${axis.size}|${axis.name ?? ''}`
  const plan = batchPlans(body, key, () => {
    const given = inputSections(params, batched)
    const derive = (carry: Flags): ReturnType<typeof batchOf> =>
      batchOf(body, [...given.constants, ...carry, ...given.xs], axis, carry)
    const batchedCarry = fixedPoint(given.carry, (flags) => derive(flags).batched.slice(0, carries))
    const { graph, batched: outputs } = derive(batchedCarry)
    return { batchedCarry, batchedYs: outputs.slice(carries), body: graph }
  })
  const x = inputSections(params, inputs)
  const d = inputSections(params, dims)
  const front = (value: Tensor, i: number): Tensor => moveBatchToFront(value, d.carry[i]!)
  const carry = x.carry.map((value, i) =>
    plan.batchedCarry[i]! && d.carry[i] === null
      ? broadcastFront(value, axis.size)
      : front(value, i),
  )
  const outputs = bind(
    scanP,
    [
      ...x.constants.map((value, i) => moveBatchToFront(value, d.constants[i]!)),
      ...carry,
      // The scanned axis stays in front, so that a slice has the batch axis in front.
      ...x.xs.map((value, i) => (d.xs[i] === null ? value : moveAxis(value, d.xs[i]!, 1))),
    ],
    { ...params, body: plan.body },
  )
  return {
    outputs,
    dims: [
      ...plan.batchedCarry.map((b) => (b ? 0 : null)),
      ...plan.batchedYs.map((b) => (b ? 1 : null)),
    ],
  }
}

const lower: LowerRule<Slots, ScanParams> = (_, params) => ({
  tag: 'region',
  region: { kind: 'scan', ...params },
})

export const scanP: Primitive<Slots, ScanParams> = definePrimitive({
  name: 'scan',
  slots: variadic,
  typing: (_, params) => outputTypes(params),
  evaluate,
  jvp,
  transpose,
  partition,
  batch,
  lower,
  effectful: false,
})

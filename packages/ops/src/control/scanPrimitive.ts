/** `scan` as a primitive: a loop with a carry over slices of its inputs, and all its rules. */
import {
  type NDArray,
  type Primitive,
  type WholeJvp,
  bind,
  definePrimitive,
  evaluateGraph,
  makeArray,
  sizeOf,
  typesOf,
  variadic,
  zerosLike,
} from '@cotangent/core'
import { chosen, flagged, present, requireTypes, sections, spread } from './graphs.ts'
import { batchScan } from './scanBatch.ts'
import { withInvariants } from './invariants.ts'
import { planScanJvp } from './scanJvp.ts'
import {
  type RunScan,
  type ScanParams,
  inputSections,
  outputTypes,
  stackedType,
} from './scanPlan.ts'
import { splitScan, transposeScan } from './scanReverse.ts'
import { slim } from './slim.ts'

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

/** Records or runs a scan. */
export const runScan: RunScan = withInvariants(
  slim((inputs, params) => bind(scanP, inputs, params)),
)

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
  const results = runScan([...constants, ...carry, ...x.xs, ...present(dx.xs)], {
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

export const scanP: Primitive<Slots, ScanParams> = definePrimitive({
  name: 'scan',
  slots: variadic,
  typing: (inputs, params) => {
    const { constants, carries, length, body } = params
    const whole = typesOf(body.inputs).map((type, i) =>
      i < constants + carries ? type : stackedType(type, length),
    )
    requireTypes('scan', inputs, whole)
    requireTypes(
      'scan',
      typesOf(body.outputs).slice(0, carries),
      whole.slice(constants, constants + carries),
    )
    return outputTypes(params)
  },
  evaluate,
  jvp,
  transpose: (cotangents, inputs, params) => transposeScan(runScan, cotangents, inputs, params),
  partition: (inputs, _, params) => splitScan(runScan, inputs, params),
  batch: (inputs, dims, params, axis) => batchScan(runScan, inputs, dims, params, axis),
  lower: (_, params) => ({ tag: 'region', region: { kind: 'scan', ...params } }),
  effectful: false,
})

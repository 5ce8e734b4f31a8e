/** `while` as a primitive: runs a body while a condition on the carry holds. */
import {
  type BatchRule,
  type NDArray,
  type Primitive,
  type SplitRule,
  UnsupportedError,
  type WholeJvp,
  bind,
  broadcastFront,
  definePrimitive,
  evaluateGraph,
  moveBatchToFront,
  typesOf,
  variadic,
  zerosLike,
} from '@cotangent/core'
import {
  chosen,
  flagged,
  isPresent,
  others,
  present,
  requireTypes,
  sections,
  spread,
} from './graphs.ts'
import {
  type WhileParams,
  planKnownWhile,
  planWhileBatch,
  planWhileJvp,
  reachedByUnknown,
  whileSections,
} from './whilePlan.ts'

type Slots = readonly string[]

const evaluate = (inputs: readonly NDArray[], params: WhileParams): readonly NDArray[] => {
  const { condition, body, carry: start } = whileSections(params, inputs)
  let carry = start
  while (evaluateGraph(params.condition, [...condition, ...carry])[0]!.data[0] !== 0) {
    carry = evaluateGraph(params.body, [...body, ...carry])
  }
  return carry
}

const jvp: WholeJvp<Slots, WhileParams> = (inputs, tangents, params) => {
  const x = whileSections(params, inputs)
  const dx = whileSections(params, tangents)
  const plan = planWhileJvp(params, flagged(dx.body), flagged(dx.carry))
  const carryTangents = chosen(
    dx.carry.map((d, i) => d ?? zerosLike(x.carry[i]!)),
    plan.carryTangents,
  )
  const constants = [...x.body, ...present(dx.body)]
  const results = bind(whileP, [...x.condition, ...constants, ...x.carry, ...carryTangents], {
    condition: plan.condition,
    body: plan.body,
    conditionConstants: params.conditionConstants,
    bodyConstants: constants.length,
  })
  const [outputs, dys] = sections(results, x.carry.length)
  return { outputs: outputs!, tangents: spread(plan.carryTangents, dys!) }
}

// The carries that no unknown reaches are run now; the second half runs the loop as a whole, since
// the number of its steps, and so the number of residuals, is not known.
const partition: SplitRule<WhileParams> = (inputs, _, params) => {
  const unknown = inputs.map((x) => x === null)
  const reached = reachedByUnknown(params, unknown)
  const residuals = inputs.filter(isPresent)
  const whole = (
    values: readonly (typeof residuals)[number][],
    rest: typeof values,
  ): typeof values => {
    let known = 0
    let next = 0
    return bind(
      whileP,
      unknown.map((u) => (u ? rest[next++]! : values[known++]!)),
      params,
    )
  }
  if (reached === null) {
    const all = params.body.outputs.map(() => true)
    return { known: { outputs: [], residuals }, linearOutputs: all, linear: whole }
  }
  const x = whileSections(params, inputs)
  const knownInputs = [...x.condition, ...x.body, ...others(x.carry, reached)].filter(isPresent)
  const outputs = reached.every((flag) => flag)
    ? []
    : bind(whileP, knownInputs, planKnownWhile(params, unknown, reached))
  return {
    known: { outputs, residuals },
    linearOutputs: reached,
    linear: (values, rest) => chosen(whole(values, rest), reached),
  }
}

const batch: BatchRule<Slots, WhileParams> = (inputs, dims, params, axis) => {
  const batched = dims.map((d) => d !== null)
  const plan = planWhileBatch(params, batched, axis)
  const front = inputs.map((x, i) => moveBatchToFront(x, dims[i]!))
  const x = whileSections(params, front)
  const given = whileSections(params, batched)
  const carry = x.carry.map((value, i) =>
    plan.batchedCarry[i]! && !given.carry[i]! ? broadcastFront(value, axis.size) : value,
  )
  const constants = plan.bodyAsks ? [...x.condition, ...x.condition] : x.condition
  return {
    outputs: bind(whileP, [...constants, ...x.body, ...carry], plan.params),
    dims: plan.batchedCarry.map((b) => (b ? 0 : null)),
  }
}

export const whileP: Primitive<Slots, WhileParams> = definePrimitive({
  name: 'while',
  slots: variadic,
  typing: (inputs, params) => {
    const { condition, body, carry } = whileSections(params, inputs)
    requireTypes('while', [...condition, ...carry], typesOf(params.condition.inputs))
    requireTypes('while', [...body, ...carry], typesOf(params.body.inputs))
    requireTypes('while', typesOf(params.body.outputs), carry)
    return typesOf(params.body.outputs)
  },
  evaluate,
  jvp,
  transpose: () => {
    throw new UnsupportedError({
      operation: 'whileLoop',
      problem: 'reverse mode cannot run a loop backwards whose number of steps is not known',
      fix: 'use scan, or foriLoop with bounds that are plain numbers; forward mode (jvp, jacfwd) works',
    })
  },
  partition,
  batch,
  lower: (_, params) => ({ tag: 'region', region: { kind: 'while', ...params } }),
  effectful: false,
})

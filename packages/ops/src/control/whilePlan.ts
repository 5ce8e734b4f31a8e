/** The graphs that the rules of a while loop put in place of its condition and body. */
import {
  type BatchAxis,
  type Graph,
  batchOf,
  dropDead,
  jvpOf,
  mask,
  partitionOf,
  remember,
  runGraph,
  trace,
  typesOf,
  withAxis,
} from '@cotangent/core'
import { reduceOr } from '../prims/reduce.ts'
import { type Flags, count, fixedPoint, reordered, sections, span } from './graphs.ts'
import { selectWith } from './selectWith.ts'

/** Inputs `[...conditionConstants, ...bodyConstants, ...carry]`; outputs the carry. */
export interface WhileParams {
  readonly condition: Graph
  readonly body: Graph
  readonly conditionConstants: number
  readonly bodyConstants: number
}

export interface WhileSections<T> {
  readonly condition: readonly T[]
  readonly body: readonly T[]
  readonly carry: readonly T[]
}

export const whileSections = <T>(params: WhileParams, items: readonly T[]): WhileSections<T> => {
  const [condition, body, carry] = sections(items, params.conditionConstants, params.bodyConstants)
  return { condition: condition!, body: body!, carry: carry! }
}

const keyOf = (
  { conditionConstants, bodyConstants }: WhileParams,
  ...flags: readonly Flags[]
): string => [conditionConstants, bodyConstants, ...flags.map(mask)].join('|')

// A loop is two graphs; what is derived from it is remembered by both.
const perLoop = <T>(): ((params: WhileParams, key: string, make: () => T) => T) => {
  const bodies = remember<WeakMap<Graph, T>>()
  return (params, key, make) => {
    const known = bodies(params.body, key, () => new WeakMap())
    const found = known.get(params.condition)
    if (found !== undefined) return found
    const made = make()
    known.set(params.condition, made)
    return made
  }
}

export interface WhileJvpPlan {
  readonly condition: Graph
  /** `[constants, their tangents | carry, its tangents]`. */
  readonly body: Graph
  readonly carryTangents: Flags
}

const jvps = perLoop<WhileJvpPlan>()

/** `tangents` says which of the body's constants and of the carry have a tangent. */
export const planWhileJvp = (params: WhileParams, constants: Flags, carry: Flags): WhileJvpPlan =>
  jvps(params, keyOf(params, constants, carry), () => {
    const { body, condition } = params
    const derive = (flags: Flags): ReturnType<typeof jvpOf> =>
      jvpOf(body, [...constants, ...flags], flags)
    const carryTangents = fixedPoint(carry, (flags) => derive(flags).tangentOutputs)
    const derived = derive(carryTangents)
    const [n, k] = [constants.length, carry.length]
    const [tn, tk] = [count(constants), count(carryTangents)]
    const inputs = [...span(0, n), ...span(n + k, tn), ...span(n, k), ...span(n + k + tn, tk)]
    const traced = trace(
      'jvp',
      (...values) => runGraph(condition, values.slice(0, condition.inputs.length)),
      [...typesOf(condition.inputs), ...typesOf(derived.graph.inputs.slice(n + k + tn))],
    )
    return {
      condition: traced.graph,
      body: reordered(derived.graph, inputs, span(0, k + tk)),
      carryTangents,
    }
  })

/** Which carries an unknown input reaches; null where the condition is among what it reaches. */
export const reachedByUnknown = (params: WhileParams, unknown: Flags): Flags | null => {
  const given = whileSections(params, unknown)
  const reached = fixedPoint(
    given.carry,
    (flags) => partitionOf(params.body, [...given.body, ...flags], flags).unknownOutputs,
  )
  const condition = partitionOf(params.condition, [...given.condition, ...reached])
  return condition.unknownOutputs[0]! ? null : reached
}

const knowns = perLoop<WhileParams>()

/** The loop of the carries that nothing unknown reaches. */
export const planKnownWhile = (params: WhileParams, unknown: Flags, reached: Flags): WhileParams =>
  knowns(params, keyOf(params, unknown, reached), () => {
    const given = whileSections(params, unknown)
    const condition = partitionOf(params.condition, [...given.condition, ...reached])
    const body = partitionOf(params.body, [...given.body, ...reached], reached)
    const carried = body.known.outputs.length - body.residuals
    return {
      condition: dropDead({ ...condition.known, outputs: condition.known.outputs.slice(0, 1) }),
      body: dropDead({ ...body.known, outputs: body.known.outputs.slice(0, carried) }),
      conditionConstants: given.condition.length - count(given.condition),
      bodyConstants: given.body.length - count(given.body),
    }
  })

export interface WhileBatchPlan {
  readonly params: WhileParams
  readonly batchedCarry: Flags
  /** The body reads the condition's constants too: it asks which examples are done. */
  readonly bodyAsks: boolean
}

const batches = perLoop<WhileBatchPlan>()

/**
 * Where the condition differs along the batch, the loop runs until every example is done, and
 * examples that are done keep their carry.
 */
export const planWhileBatch = (
  params: WhileParams,
  batched: Flags,
  axis: BatchAxis,
): WhileBatchPlan =>
  batches(params, `${keyOf(params, batched)}|${axis.size}|${axis.name ?? ''}`, () => {
    const given = whileSections(params, batched)
    const ofCondition = (carry: Flags): ReturnType<typeof batchOf> =>
      batchOf(params.condition, [...given.condition, ...carry], axis)
    const ofBody = (carry: Flags): ReturnType<typeof batchOf> =>
      batchOf(params.body, [...given.body, ...carry], axis, carry)
    const batchedCarry = fixedPoint(given.carry, (flags) => {
      const all = ofCondition(flags).batched[0]!
      return ofBody(flags).batched.map((b) => b || all)
    })
    const condition = ofCondition(batchedCarry)
    const body = ofBody(batchedCarry)
    if (!condition.batched[0]!) {
      return {
        params: { ...params, condition: condition.graph, body: body.graph },
        batchedCarry,
        bodyAsks: false,
      }
    }
    const carryTypes = typesOf(params.body.inputs.slice(params.bodyConstants))
    const carry = carryTypes.map((t, i) => (batchedCarry[i]! ? withAxis(t, axis.size) : t))
    const conditionTypes = typesOf(condition.graph.inputs)
    const bodyTypes = typesOf(body.graph.inputs)
    const anyLeft = trace(
      'vmap',
      (...values) => [reduceOr(runGraph(condition.graph, values)[0]!, [0])],
      conditionTypes,
    )
    const [nc, nb] = [params.conditionConstants, params.bodyConstants]
    const step = trace(
      'vmap',
      (...values) => {
        const [c, b, s] = sections(values, nc, nb)
        const going = runGraph(condition.graph, [...c!, ...s!])[0]!
        const next = runGraph(body.graph, [...b!, ...s!])
        return next.map((x, i) => selectWith(going, x, s![i]!))
      },
      [...conditionTypes.slice(0, nc), ...bodyTypes.slice(0, nb), ...carry],
    )
    return {
      params: {
        condition: anyLeft.graph,
        body: step.graph,
        conditionConstants: nc,
        bodyConstants: nc + nb,
      },
      batchedCarry,
      bodyAsks: true,
    }
  })

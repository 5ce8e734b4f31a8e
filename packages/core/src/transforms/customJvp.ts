/** Functions with a forward derivative of their own: `customJvp`. */
import { type Aval, strong } from '../aval.ts'
import { leafTensor } from '../convert.ts'
import { isInexact } from '../dtype.ts'
import { TreeError, UnsupportedError } from '../errors.ts'
import { evaluateGraph } from '../evaluate.ts'
import { type Graph, Var, typesOf } from '../graph.ts'
import { zerosLike } from '../prims/structural.ts'
import { type Primitive, definePrimitive, variadic, wholeEquation } from '../primitive.ts'
import type { Tensor } from '../tensor.ts'
import { bind, isTracing, runGraph } from '../trace.ts'
import { flatten, requireSameStructure, unflatten } from '../tree/structure.ts'
import { type AnyFunction, erase, traceTree, typed } from './apply.ts'
import { batchFirst, batchOf } from './derived.ts'

/** Both graphs take the captures first; `rule` goes on with `[...inputs, ...tangents]`. */
interface CustomJvpParams {
  readonly graph: Graph
  /** Gives the tangents of all outputs. */
  readonly rule: Graph
  /** How many leading inputs were closed over. */
  readonly captures: number
}

/** @throws UnsupportedError: derivatives of what a custom rule closes over would be lost. */
export const refuseCapturedTangents = (
  operation: string,
  tangents: readonly unknown[],
  captures: number,
): void => {
  if (tangents.slice(0, captures).every((t) => t === null)) return
  throw new UnsupportedError({
    operation,
    problem:
      'the function closes over a value that is being differentiated, which its rule cannot see',
    fix: 'pass that value as an argument of the function',
  })
}

export const customJvpP: Primitive<readonly string[], CustomJvpParams> = definePrimitive({
  name: 'customJvp',
  slots: variadic,
  typing: (_, { graph }) => typesOf(graph.outputs),
  evaluate: (inputs, { graph }) => evaluateGraph(graph, inputs),
  jvp: (inputs, tangents, params) => {
    refuseCapturedTangents('customJvp', tangents, params.captures)
    const outputs = bind(customJvpP, inputs, params)
    const dxs = inputs.map((x, i) => tangents[i] ?? zerosLike(x)).slice(params.captures)
    return { outputs, tangents: runGraph(params.rule, [...inputs, ...dxs]) }
  },
  transpose: () => {
    throw new UnsupportedError({
      operation: 'customJvp',
      problem: 'a function with its own JVP is not transposed as a linear function',
      fix: 'differentiate it instead, or use customVjp',
    })
  },
  partition: wholeEquation,
  batch: (inputs, dims, { graph, rule, captures }, axis) => {
    const mapped = dims.map((d) => d !== null)
    const all = graph.outputs.map(() => true)
    const batched = batchOf(graph, mapped, axis, all)
    const batchedRule = batchOf(rule, [...mapped, ...mapped.slice(captures)], axis, all)
    // The tangent of an unbatched input is unbatched: the rule sees the same axes for both.
    const params = { graph: batched.graph, rule: batchedRule.graph, captures }
    return { outputs: bind(customJvpP, batchFirst(inputs, dims), params), dims: all.map(() => 0) }
  },
  lower: (_, { graph }) => ({ tag: 'region', region: { kind: 'call', graph, barrier: false } }),
  effectful: false,
})

/** `graph` with unused inputs put in at a position, so that graphs traced apart take one list. */
export const withUnusedInputs = (graph: Graph, at: number, types: readonly Aval[]): Graph => ({
  ...graph,
  inputs: [
    ...graph.inputs.slice(0, at),
    ...types.map((t) => new Var(t)),
    ...graph.inputs.slice(at),
  ],
})

/** Two results of a user's rule. @throws TreeError for anything else. */
export const pairOf = (
  operation: string,
  result: unknown,
  want: string,
): readonly [unknown, unknown] => {
  if (Array.isArray(result) && result.length === 2) return [result[0], result[1]]
  throw new TreeError({
    operation,
    problem: 'the rule returns two values',
    want,
    fix: 'return an array of the two',
  })
}

/**
 * Gives a function its own forward derivative. `rule(primals, tangents)` returns
 * `[output, outputTangent]`, linear in the tangents; reverse mode transposes it.
 * @throws TreeError when the rule's results do not match the function's.
 * @example
 * const safeSqrt = customJvp((x: Tensor) => x.sqrt(), ([x], [dx]) => {
 *   const y = x.sqrt()
 *   return [y, dx.div(y.mul(2).maximum(1e-3))]
 * })
 */
export const customJvp = <A extends readonly unknown[], R>(
  f: (...args: A) => R,
  rule: (primals: A, tangents: A) => readonly [R, R],
): ((...args: A) => R) => {
  const inRule = nesting()
  return typed((...args) => {
    if (!isTracing() || inRule.isDeepest()) return erase(f)(...args)
    const { leaves, structure } = flatten(args, 'customJvp')
    const xs = leaves.map(leafTensor)
    const types = xs.map((x) => x.aval)
    const forward = traceTree('customJvp', erase(f), structure, types)
    const tangentOf: AnyFunction = (primals, tangents) => {
      const [y, dy] = pairOf('customJvp', erase(rule)(primals, tangents), '[output, outputTangent]')
      requireSameStructure('customJvp', flatten(y).structure, forward.structure)
      return dy
    }
    const twice = flatten([args, args]).structure
    const pair = inRule.enter(() =>
      traceTree('customJvp', tangentOf, twice, [...types, ...types.map(tangentType)]),
    )
    requireSameStructure('customJvp', pair.structure, forward.structure)
    const [own, other] = [forward.captures, pair.captures]
    const params = {
      graph: withUnusedInputs(forward.graph, own.length, avals(other)),
      rule: withUnusedInputs(pair.graph, 0, avals(own)),
      captures: own.length + other.length,
    }
    return unflatten(forward.structure, bind(customJvpP, [...own, ...other, ...xs], params))
  })
}

/** How deep a function's rule is being traced inside itself. */
export interface Nesting {
  readonly isDeepest: () => boolean
  readonly enter: <T>(trace: () => T) => T
}

const deepest = 3

/**
 * A rule may call its own function. Each such call is one further order of differentiation; beyond
 * the fourth the function is differentiated as it is written.
 */
export const nesting = (): Nesting => {
  let depth = 0
  return {
    isDeepest: () => depth === deepest,
    enter: (trace) => {
      depth++
      try {
        return trace()
      } finally {
        depth--
      }
    },
  }
}

const avals = (tensors: readonly Tensor[]): readonly Aval[] => tensors.map((x) => x.aval)
// Integers have no tangent; their rule argument is a zero of their own dtype.
const tangentType = (type: Aval): Aval => (isInexact(type.dtype) ? strong(type) : type)

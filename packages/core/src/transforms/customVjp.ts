/** Functions with a reverse derivative of their own: `customVjp`. */
import { type Aval, strong } from '../aval.ts'
import { leafTensor } from '../convert.ts'
import { ShapeError, UnsupportedError } from '../errors.ts'
import { evaluateGraph } from '../evaluate.ts'
import { type Graph, typesOf } from '../graph.ts'
import { reduceSum, zerosLike } from '../prims/structural.ts'
import {
  type BatchAxis,
  type Primitive,
  definePrimitive,
  variadic,
  wholeEquation,
} from '../primitive.ts'
import { sameShape } from '../shape.ts'
import type { Tensor } from '../tensor.ts'
import { bind, isTracing, runGraph, trace } from '../trace.ts'
import {
  type Structure,
  flatten,
  leafPaths,
  listStructure,
  requireSameStructure,
  unflatten,
} from '../tree/structure.ts'
import { type AnyFunction, erase, traceTree, typed } from './apply.ts'
import { nesting, pairOf, refuseCapturedTangents, withUnusedInputs } from './customJvp.ts'
import { batchFirst, batchOf, withAxis } from './derived.ts'

/** All graphs take the captures first. */
interface CustomVjpParams {
  readonly graph: Graph
  /** `[...captures, ...inputs]` to `[...outputs, ...residuals]`. */
  readonly forward: Graph
  /** `[...captures, ...residuals, ...cotangents]` to the cotangents of the inputs. */
  readonly backward: Graph
  readonly captures: number
}

export const customVjpP: Primitive<readonly string[], CustomVjpParams> = definePrimitive({
  name: 'customVjp',
  slots: variadic,
  typing: (_, { graph }) => typesOf(graph.outputs),
  evaluate: (inputs, { graph }) => evaluateGraph(graph, inputs),
  jvp: (inputs, tangents, { graph, forward, backward, captures }) => {
    refuseCapturedTangents('customVjp', tangents, captures)
    const results = runGraph(forward, inputs)
    const outputs = results.slice(0, graph.outputs.length)
    const residuals = results.slice(graph.outputs.length)
    const dxs = inputs.map((x, i) => tangents[i] ?? zerosLike(x)).slice(captures)
    const params = {
      backward,
      outputTypes: typesOf(graph.outputs).map(strong),
      captures,
      residuals: residuals.length,
    }
    const dys = bind(customLinearP, [...inputs.slice(0, captures), ...residuals, ...dxs], params)
    return { outputs, tangents: dys }
  },
  transpose: () => {
    throw new UnsupportedError({
      operation: 'customVjp',
      problem: 'it is not a linear function, so it is not transposed',
      fix: 'differentiate it with grad or vjp instead of linearTranspose',
    })
  },
  partition: wholeEquation,
  batch: (inputs, dims, { graph, forward, backward, captures }, axis) => {
    const mapped = dims.map((d) => d !== null)
    const all = graph.outputs.map(() => true)
    const batchedForward = batchOf(forward, mapped, axis, all)
    const residualsMapped = batchedForward.batched.slice(graph.outputs.length)
    const backwardMapped = [...mapped.slice(0, captures), ...residualsMapped, ...all]
    const params = {
      graph: batchOf(graph, mapped, axis, all).graph,
      forward: batchedForward.graph,
      backward: batchBackward(backward, backwardMapped, mapped.slice(captures), axis),
      captures,
    }
    return { outputs: bind(customVjpP, batchFirst(inputs, dims), params), dims: all.map(() => 0) }
  },
  lower: (_, { graph }) => ({ tag: 'region', region: { kind: 'call', graph, barrier: false } }),
  effectful: false,
})

// The cotangent of an input that is shared by the batch is the sum over the batch.
const batchBackward = (
  backward: Graph,
  mapped: readonly boolean[],
  inputsMapped: readonly boolean[],
  axis: BatchAxis,
): Graph => {
  const { graph } = batchOf(
    backward,
    mapped,
    axis,
    backward.outputs.map(() => true),
  )
  const traced = trace(
    'vmap',
    (...values) =>
      runGraph(graph, values).map((ct, i) => (inputsMapped[i]! ? ct : reduceSum(ct, [0]))),
    typesOf(graph.inputs),
  )
  return traced.graph
}

interface LinearParams {
  readonly backward: Graph
  readonly outputTypes: readonly Aval[]
  readonly captures: number
  readonly residuals: number
}

/** Stands for the unknown linear function whose transpose the user gave. */
export const customLinearP: Primitive<readonly string[], LinearParams> = definePrimitive({
  name: 'customVjpTangent',
  slots: variadic,
  typing: (_, { outputTypes }) => outputTypes,
  evaluate: () => {
    throw forwardRefused()
  },
  jvp: () => {
    throw forwardRefused()
  },
  transpose: (cotangents, inputs, { backward, outputTypes, captures, residuals }) => {
    const known = inputs.slice(0, captures + residuals)
    const cts = outputTypes.map((type, i) => cotangents[i] ?? zerosLike(type))
    return [...known.map(() => null), ...runGraph(backward, [...known, ...cts])]
  },
  partition: wholeEquation,
  batch: (inputs, dims, { backward, outputTypes, captures, residuals }, axis) => {
    const mapped = dims.map((d) => d !== null)
    const constants = captures + residuals
    const params = {
      backward: batchBackward(
        backward,
        [...mapped.slice(0, constants), ...outputTypes.map(() => true)],
        mapped.slice(constants),
        axis,
      ),
      outputTypes: outputTypes.map((t) => withAxis(t, axis.size)),
      captures,
      residuals,
    }
    return {
      outputs: bind(customLinearP, batchFirst(inputs, dims), params),
      dims: outputTypes.map(() => 0),
    }
  },
  // Passes may look at how it would be computed; only computing it is refused.
  lower: () => ({ tag: 'region', region: { kind: 'host', call: refuseForward } }),
  effectful: false,
})

const refuseForward = (): never => {
  throw forwardRefused()
}

const forwardRefused = (): UnsupportedError =>
  new UnsupportedError({
    operation: 'customVjp',
    problem: 'a function with its own reverse rule has no forward derivative',
    fix: 'use reverse mode (grad, vjp, jacrev), or give it a customJvp rule',
  })

/**
 * Gives a function its own reverse derivative. `forward(...args)` returns `[output, residuals]`;
 * `backward(residuals, cotangent)` returns an array with the cotangent of each argument (null: zero).
 * @throws TreeError when the rule's results do not match; UnsupportedError in forward mode.
 * @example
 * const clipped = customVjp((x: Tensor) => x, (x) => [x, null], (_, ct) => [ct.clip(-1, 1)])
 */
export const customVjp = <A extends readonly unknown[], R, S>(
  f: (...args: A) => R,
  forward: (...args: A) => readonly [R, S],
  backward: (residuals: S, cotangent: R) => readonly unknown[],
): ((...args: A) => R) => {
  const inRule = nesting()
  return typed((...args) => {
    if (!isTracing() || inRule.isDeepest()) return erase(f)(...args)
    const { leaves, structure } = flatten(args, 'customVjp')
    const xs = leaves.map(leafTensor)
    const types = xs.map((x) => x.aval)
    const primal = traceTree('customVjp', erase(f), structure, types)
    const withResiduals: AnyFunction = (...a) =>
      pairOf('customVjp', erase(forward)(...a), '[output, residuals]')
    const fwd = inRule.enter(() => traceTree('customVjp', withResiduals, structure, types))
    const [outTree, residualTree] = childrenOf(fwd.structure)
    requireSameStructure('customVjp', outTree, primal.structure)
    const outputs = typesOf(primal.graph.outputs)
    const residualTypes = typesOf(fwd.graph.outputs).slice(outputs.length)
    const back: AnyFunction = (residuals, ct) =>
      cotangentLeaves(erase(backward)(residuals, ct), args, types)
    const bwd = inRule.enter(() =>
      traceTree('customVjp', back, listStructure([residualTree, outTree]), [
        ...residualTypes,
        ...outputs.map(strong),
      ]),
    )
    const [a, b, c] = [primal.captures, fwd.captures, bwd.captures]
    const params = {
      graph: withUnusedInputs(primal.graph, a.length, avals([...b, ...c])),
      forward: withUnusedInputs(withUnusedInputs(fwd.graph, b.length, avals(c)), 0, avals(a)),
      backward: withUnusedInputs(bwd.graph, 0, avals([...a, ...b])),
      captures: a.length + b.length + c.length,
    }
    return unflatten(primal.structure, bind(customVjpP, [...a, ...b, ...c, ...xs], params))
  })
}

const avals = (tensors: readonly Tensor[]): readonly Aval[] => tensors.map((x) => x.aval)

const childrenOf = (pair: Structure): readonly [Structure, Structure] => {
  if (pair.tag === 'list') return [pair.children[0]!, pair.children[1]!]
  throw new UnsupportedError({
    operation: 'customVjp',
    problem: 'the forward rule must return [output, residuals]',
    fix: 'return an array of the output and what the backward rule needs (null for nothing)',
  })
}

// One cotangent for each leaf of the arguments; null for a whole argument stands for zeros.
const cotangentLeaves = (
  results: unknown,
  args: readonly unknown[],
  types: readonly Aval[],
): readonly Tensor[] => {
  const list: readonly unknown[] = Array.isArray(results) ? results : [results]
  if (list.length !== args.length) {
    throw new ShapeError({
      operation: 'customVjp',
      problem: 'the backward rule gives one cotangent for each argument',
      got: `${list.length}`,
      want: `${args.length}`,
      fix: 'return an array with one entry for each argument; null stands for zeros',
    })
  }
  let next = 0
  return args.flatMap((arg, i) => {
    const wanted = flatten(arg).structure
    const mine = types.slice(next, next + wanted.size)
    next += wanted.size
    if (list[i] === null) return mine.map((t) => zerosLike(t))
    const got = flatten(list[i], 'customVjp backward')
    requireSameStructure('customVjp backward', got.structure, wanted)
    return got.leaves.map((leaf, k) =>
      checkCotangent(leafTensor(leaf), mine[k]!, leafPaths(wanted)[k]!),
    )
  })
}

const checkCotangent = (ct: Tensor, type: Aval, path: string): Tensor => {
  if (sameShape(ct.shape, type.shape)) return ct
  throw new ShapeError({
    operation: 'customVjp backward',
    problem: `the cotangent${path === '' ? '' : ` of ${path}`} has another shape than its argument`,
    got: `[${ct.shape.join(',')}]`,
    want: `[${type.shape.join(',')}]`,
    fix: 'reshape or sum it to the shape of the argument',
  })
}

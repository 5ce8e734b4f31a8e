/** Forward mode and linear maps: `jvp`, `linearize`, `linearTranspose`. */
import { requireFunction } from '../arguments.ts'
import { type Aval, showAval } from '../aval.ts'
import { inexactLeaf, leafTensor } from '../convert.ts'
import { isInexact } from '../dtype.ts'
import { ShapeError } from '../errors.ts'
import { zerosLike } from '../prims/structural.ts'
import { sameShape } from '../shape.ts'
import type { Tensor } from '../tensor.ts'
import { flatten, requireSameStructure, unflatten } from '../tree/structure.ts'
import type { Gradient } from '../types.ts'
import { runGraph } from '../trace.ts'
import { erase, frozenPair, traceTree } from './apply.ts'
import { jvpGraph } from './jvp.ts'
import { linearizeGraph, withZeros } from './linearize.ts'
import { transposeMixed } from './derived.ts'

const matchTangents = (
  operation: string,
  primals: readonly Tensor[],
  tangents: readonly Tensor[],
): readonly Tensor[] =>
  primals.map((x, i) => {
    const dx = tangents[i]!
    if (sameShape(x.shape, dx.shape) && x.dtype === dx.dtype) return dx
    throw new ShapeError({
      operation,
      problem: 'a tangent has the type of its primal',
      got: showAval(dx.aval),
      want: showAval(x.aval),
      fix: 'broadcast or cast it to that type first',
    })
  })

/**
 * `[f(...primals), derivative of f along tangents]`, in one forward pass.
 * @throws TreeError or ShapeError when tangents do not match the primals.
 * @example
 * jvp((x: Tensor) => x.mul(x), [tensor(3)], [tensor(1)]) // [9, 6]
 */
export const jvp = <A extends readonly unknown[], R>(
  f: (...args: A) => R,
  primals: readonly [...A],
  tangents: { readonly [K in keyof A]: A[K] | Gradient<A[K]> },
): readonly [Gradient<R>, Gradient<R>] => {
  requireFunction('jvp', f)
  const { leaves, structure } = flatten(primals, 'jvp')
  const flatTangents = flatten(tangents, 'jvp')
  requireSameStructure('jvp', flatTangents.structure, structure)
  const xs = leaves.map((leaf) => inexactLeaf('jvp', leaf))
  const dxs = matchTangents(
    'jvp',
    xs,
    flatTangents.leaves.map((leaf) => inexactLeaf('jvp', leaf)),
  )
  const traced = traceTree(
    'jvp',
    erase(f),
    structure,
    xs.map((x) => x.aval),
    xs,
  )
  const { outputs, tangents: dys } = jvpGraph(
    traced.graph,
    [...traced.captures, ...xs],
    [...traced.captures.map(() => null), ...dxs],
  )
  const filled = dys.map((d, i) => d ?? zerosLike(outputs[i]!))
  return frozenPair(unflatten(traced.structure, outputs), unflatten(traced.structure, filled))
}

/**
 * `[f(...primals), pushforward]`: the derivative at a point as a linear function, to be applied to
 * many tangents without running `f` again.
 * @example
 * const [y, push] = linearize((x: Tensor) => x.mul(x), tensor(3))
 * push(tensor(1)) // 6
 */
export const linearize = <A extends readonly unknown[], R>(
  f: (...args: A) => R,
  ...primals: A
): readonly [
  Gradient<R>,
  (...tangents: { readonly [K in keyof A]: A[K] | Gradient<A[K]> }) => Gradient<R>,
] => {
  requireFunction('linearize', f)
  const { leaves, structure } = flatten(primals, 'linearize')
  const xs = leaves.map((leaf) => inexactLeaf('linearize', leaf))
  const traced = traceTree(
    'linearize',
    erase(f),
    structure,
    xs.map((x) => x.aval),
    xs,
  )
  const wrt = [...traced.captures.map(() => false), ...xs.map(() => true)]
  const { outputs, linear, dependent } = linearizeGraph(
    traced.graph,
    [...traced.captures, ...xs],
    wrt,
  )
  const types = outputs.map((y) => y.aval)
  const push = (...tangents: readonly unknown[]): Gradient<R> => {
    const flat = flatten(tangents, 'pushforward')
    requireSameStructure('pushforward', flat.structure, structure)
    const dxs = matchTangents(
      'pushforward',
      xs,
      flat.leaves.map((leaf) => inexactLeaf('pushforward', leaf)),
    )
    const dys = runGraph(linear.graph, [...linear.captures, ...dxs])
    return unflatten(traced.structure, withZeros(dependent, dys, types))
  }
  return frozenPair(unflatten(traced.structure, outputs), push)
}

/**
 * The transpose of a linear function. `primals` give the types of its arguments; their values are
 * not used.
 * @example
 * linearTranspose((x: Tensor) => x.mul(3), tensor(0))(tensor(1)) // [3]
 */
export const linearTranspose = <A extends readonly unknown[], R>(
  f: (...args: A) => R,
  ...primals: A
): ((cotangent: R | Gradient<R>) => { readonly [K in keyof A]: Gradient<A[K]> }) => {
  const { leaves, structure } = flatten(primals, 'linearTranspose')
  const types: readonly Aval[] = leaves.map((leaf) => inexactLeaf('linearTranspose', leaf).aval)
  const traced = traceTree('linearTranspose', erase(f), structure, types)
  return (cotangent) => {
    const flat = flatten(cotangent, 'linearTranspose')
    requireSameStructure('linearTranspose', flat.structure, traced.structure)
    const cts = flat.leaves.map((leaf, i) => {
      const ct = leafTensor(leaf)
      return isInexact(traced.graph.outputs[i]!.aval.dtype) ? ct : null
    })
    const inputs = [...traced.captures, ...types.map(() => null)]
    const results = transposeMixed(traced.graph, inputs, cts)
    return unflatten(
      structure,
      results.map((ct, i) => ct ?? zerosLike(types[i]!)),
    )
  }
}

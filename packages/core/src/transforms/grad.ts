/** Reverse mode: `vjp`, `grad` and `valueAndGrad`. */
import { requireFunction, requireOptions } from '../arguments.ts'
import { showAval } from '../aval.ts'
import { inexactLeaf } from '../convert.ts'
import { isFloat } from '../dtype.ts'
import { DTypeError, ShapeError, TreeError } from '../errors.ts'
import { fill, zerosLike } from '../prims/structural.ts'
import type { MaybeZero } from '../primitive.ts'
import { Tensor } from '../tensor.ts'
import { type Structure, flatten, requireSameStructure, unflatten } from '../tree/structure.ts'
import type { Argnums, GradAuxOptions, GradOptions, Gradient, Gradients } from '../types.ts'
import { type AnyFunction, erase, frozenPair, selectArguments, traceTree, typed } from './apply.ts'
import { linearizeGraph } from './linearize.ts'
import { transposeGraph } from './transpose.ts'

/** The outputs of a function at some leaves, and its pullback on leaves. */
interface Pulled {
  readonly outputs: readonly Tensor[]
  readonly structure: Structure
  readonly pullback: (cotangents: readonly MaybeZero[]) => readonly Tensor[]
}

const pull = (
  operation: string,
  f: AnyFunction,
  leaves: readonly Tensor[],
  structure: Structure,
): Pulled => {
  const traced = traceTree(
    operation,
    f,
    structure,
    leaves.map((x) => x.aval),
    leaves,
  )
  const wrt = [...traced.captures.map(() => false), ...leaves.map(() => true)]
  const { outputs, linear, dependent } = linearizeGraph(
    traced.graph,
    [...traced.captures, ...leaves],
    wrt,
  )
  const inputs = [...linear.captures, ...leaves.map(() => null)]
  return {
    outputs,
    structure: traced.structure,
    pullback: (cotangents) => {
      const cts = cotangents.filter((_, i) => dependent[i]!)
      return transposeGraph(linear.graph, inputs, cts).map((ct, i) => ct ?? zerosLike(leaves[i]!))
    },
  }
}

/**
 * The value of `f` at `primals`, and its pullback: cotangents of the output to an array of
 * cotangents, one for each primal.
 * @throws DTypeError when a primal is not floating point.
 * @example
 * const [y, pullback] = vjp((x: Tensor) => x.mul(x), tensor(3))
 * pullback(tensor(1))[0] // 6
 */
export const vjp = <A extends readonly unknown[], R>(
  f: (...args: A) => R,
  ...primals: A
): readonly [
  Gradient<R>,
  (cotangent: Gradient<R> | R) => { readonly [K in keyof A]: Gradient<A[K]> },
] => {
  requireFunction('vjp', f)
  const { leaves, structure } = flatten(primals, 'vjp')
  const pulled = pull(
    'vjp',
    erase(f),
    leaves.map((leaf) => inexactLeaf('vjp', leaf)),
    structure,
  )
  const pullback = (cotangent: unknown): { readonly [K in keyof A]: Gradient<A[K]> } => {
    const cts = flatten(cotangent, 'pullback')
    requireSameStructure('pullback', cts.structure, pulled.structure)
    const checked = cts.leaves.map((ct, i) => cotangentFor(ct, pulled.outputs[i]!))
    return unflatten(structure, pulled.pullback(checked))
  }
  return frozenPair(unflatten(pulled.structure, pulled.outputs), pullback)
}

const cotangentFor = (leaf: Tensor | number | boolean, output: Tensor): MaybeZero => {
  if (!isFloat(output.dtype)) return null
  const ct = leaf instanceof Tensor ? leaf : fill([], Number(leaf), output.dtype)
  if (ct.dtype === output.dtype && ct.shape.join() === output.shape.join()) return ct
  throw new ShapeError({
    operation: 'pullback',
    problem: 'a cotangent has the type of its output',
    got: showAval(ct.aval),
    want: showAval(output.aval),
    fix: 'broadcast or cast it to that type first',
  })
}

interface Differentiated {
  readonly value: Tensor
  readonly aux: unknown
  readonly gradients: unknown
}

const differentiate = (
  operation: string,
  f: AnyFunction,
  args: readonly unknown[],
  argnums: Argnums,
  hasAux: boolean,
): Differentiated => {
  const single = typeof argnums === 'number'
  const positions = (single ? [argnums] : argnums).map((n) => position(operation, n, args.length))
  const selected = selectArguments(operation, f, args, positions)
  const pulled = pull(
    operation,
    withAux(operation, selected.f, hasAux),
    selected.leaves,
    selected.structure,
  )
  const [value, ...rest] = pulled.outputs
  const loss = scalarLoss(
    operation,
    value,
    hasAux ? 1 + rest.length : pulled.outputs.length,
    hasAux,
  )
  const cotangents: readonly MaybeZero[] = [fill([], 1, loss.dtype), ...rest.map(() => null)]
  const gradients = unflatten<readonly unknown[]>(selected.structure, pulled.pullback(cotangents))
  const outputs = unflatten<unknown>(pulled.structure, pulled.outputs)
  const aux = hasAux && Array.isArray(outputs) ? outputs[1] : null
  return { value: loss, aux, gradients: single ? gradients[0] : gradients }
}

const position = (operation: string, n: number, count: number): number => {
  const p = n < 0 ? n + count : n
  if (Number.isInteger(p) && p >= 0 && p < count) return p
  throw new TreeError({
    operation,
    problem: 'argnums names an argument that was not given',
    got: `argnums ${n} with ${count} argument${count === 1 ? '' : 's'}`,
    fix: 'count from 0, or from the last with negative numbers',
  })
}

const withAux = (operation: string, f: AnyFunction, hasAux: boolean): AnyFunction => {
  if (!hasAux) return f
  return (...args) => {
    const result = f(...args)
    if (Array.isArray(result) && result.length === 2) return result
    throw new TreeError({
      operation,
      problem: 'with hasAux the function returns two values',
      want: '[loss, aux]',
      fix: 'return an array of the loss and everything else',
    })
  }
}

const scalarLoss = (
  operation: string,
  value: Tensor | undefined,
  count: number,
  hasAux: boolean,
): Tensor => {
  if (value === undefined || (!hasAux && count !== 1)) {
    throw new TreeError({
      operation,
      problem: 'the function must return one scalar',
      got: `${count} tensors`,
      fix: 'return the loss alone, or [loss, aux] with { hasAux: true }; use vjp or jacrev for other outputs',
    })
  }
  if (value.ndim !== 0) {
    throw new ShapeError({
      operation,
      problem: 'only a scalar has a gradient',
      got: showAval(value.aval),
      want: 'shape []',
      fix: 'reduce it (loss.mean(), loss.sum()), or use jacrev or vjp',
    })
  }
  if (!isFloat(value.dtype)) {
    throw new DTypeError({
      operation,
      problem: 'the loss must be floating point',
      got: showAval(value.aval),
      fix: 'convert it with astype("float32")',
    })
  }
  return value
}

interface Grad {
  <A extends readonly unknown[], X, const N extends Argnums = 0>(
    f: (...args: A) => readonly [Tensor, X],
    options: GradAuxOptions<N>,
  ): (...args: A) => readonly [Gradients<A, N>, X]
  <A extends readonly unknown[], const N extends Argnums = 0>(
    f: (...args: A) => Tensor,
    options?: GradOptions<N>,
  ): (...args: A) => Gradients<A, N>
}

interface ValueAndGrad {
  <A extends readonly unknown[], X, const N extends Argnums = 0>(
    f: (...args: A) => readonly [Tensor, X],
    options: GradAuxOptions<N>,
  ): (...args: A) => readonly [readonly [Tensor, X], Gradients<A, N>]
  <A extends readonly unknown[], const N extends Argnums = 0>(
    f: (...args: A) => Tensor,
    options?: GradOptions<N>,
  ): (...args: A) => readonly [Tensor, Gradients<A, N>]
}

type AnyOptions = { readonly argnums?: Argnums; readonly hasAux?: boolean }
const optionNames = ['argnums', 'hasAux']

/**
 * The gradient of a scalar function: same arguments, same tree as the differentiated argument(s).
 * With `hasAux` the function returns `[loss, aux]` and the result is `[gradient, aux]`.
 * @throws ShapeError unless the result is a scalar, DTypeError for integer arguments.
 * @example
 * grad((x: Tensor) => x.mul(x).sum())(tensor([1, 2])) // [2, 4]
 */
export const grad: Grad = (f: AnyFunction, options: AnyOptions = {}): never => {
  requireFunction('grad', f)
  requireOptions('grad', options, optionNames)
  const { argnums = 0, hasAux = false } = options
  return typed((...args: readonly unknown[]) => {
    const { gradients, aux } = differentiate('grad', f, args, argnums, hasAux)
    return hasAux ? frozenPair(gradients, aux) : gradients
  })
}

/**
 * The value of a scalar function together with its gradient: `[value, gradient]`, or
 * `[[value, aux], gradient]` with `hasAux`.
 * @throws ShapeError unless the result is a scalar, DTypeError for integer arguments.
 * @example
 * const [loss, g] = valueAndGrad((x: Tensor) => x.mul(x).sum())(tensor([1, 2])) // 5, [2, 4]
 */
export const valueAndGrad: ValueAndGrad = (f: AnyFunction, options: AnyOptions = {}): never => {
  requireFunction('valueAndGrad', f)
  requireOptions('valueAndGrad', options, optionNames)
  const { argnums = 0, hasAux = false } = options
  return typed((...args: readonly unknown[]) => {
    const { value, aux, gradients } = differentiate('valueAndGrad', f, args, argnums, hasAux)
    return frozenPair(hasAux ? frozenPair(value, aux) : value, gradients)
  })
}

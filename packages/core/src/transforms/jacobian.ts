/** Jacobians and Hessians of functions of trees. */
import { requireOptions } from '../arguments.ts'
import { inexactLeaf } from '../convert.ts'
import { TreeError } from '../errors.ts'
import { moveAxis, reshape, zerosLike } from '../prims/structural.ts'
import { alignBatch } from '../prims/batching.ts'
import { makeStore } from '../dtype.ts'
import { runGraph, trace } from '../trace.ts'
import { type Tensor, fromNDArray } from '../tensor.ts'
import { type Leaf, type Structure, unflatten } from '../tree/structure.ts'
import type { Argnums, Gradients } from '../types.ts'
import { type AnyFunction, erase, frozenPair, selectArguments, traceTree, typed } from './apply.ts'
import { linearizeGraph, withZeros } from './linearize.ts'
import { transposeGraph } from './transpose.ts'
import { vmapGraph } from './vmap.ts'

export interface JacobianOptions<N extends Argnums = Argnums> {
  readonly argnums?: N
  /** The function returns `[output, aux]`; the result is `[jacobian, aux]`. */
  readonly hasAux?: boolean
}

/**
 * A Jacobian: for each output leaf (outer tree), the tree of the argument, whose leaves have shape
 * `[...output, ...argument]`.
 */
export interface Jacobian {
  <A extends readonly unknown[], R, X, const N extends Argnums = 0>(
    f: (...args: A) => readonly [R, X],
    options: JacobianOptions<N> & { readonly hasAux: true },
  ): (...args: A) => readonly [JacobianTree<R, Gradients<A, N>>, X]
  <A extends readonly unknown[], R, const N extends Argnums = 0>(
    f: (...args: A) => R,
    options?: JacobianOptions<N> & { readonly hasAux?: false },
  ): (...args: A) => JacobianTree<R, Gradients<A, N>>
}

/** A second derivative: for each leaf of the argument, the tree of the argument. */
export interface Hessian {
  <A extends readonly unknown[], X, const N extends Argnums = 0>(
    f: (...args: A) => readonly [unknown, X],
    options: JacobianOptions<N> & { readonly hasAux: true },
  ): (...args: A) => readonly [JacobianTree<Gradients<A, N>, Gradients<A, N>>, X]
  <A extends readonly unknown[], R, const N extends Argnums = 0>(
    f: (...args: A) => R,
    options?: JacobianOptions<N> & { readonly hasAux?: false },
  ): (...args: A) => JacobianTree<R, JacobianTree<Gradients<A, N>, Gradients<A, N>>>
}

/** The tree `G` at each leaf of the output's tree. */
export type JacobianTree<R, G> = R extends Leaf
  ? G
  : R extends null | undefined
    ? R
    : { readonly [K in keyof R]: JacobianTree<R[K], G> }

// One-hot rows for every element of a leaf: `[size, ...shape]`.
const basis = (x: Tensor): Tensor => {
  const data = makeStore(x.dtype === 'float64' ? 'float64' : 'float32', x.size * x.size)
  for (let i = 0; i < x.size; i++) data[i * x.size + i] = 1
  return fromNDArray({ shape: [x.size, ...x.shape], dtype: x.dtype, data })
}

// Runs a linear map of leaves on every basis vector of one of its inputs at once.
const onBasis = (
  map: (...leaves: readonly Tensor[]) => readonly Tensor[],
  leaves: readonly Tensor[],
  which: number,
): readonly Tensor[] => {
  const size = leaves[which]!.size
  const traced = trace(
    'jacobian',
    (x) => map(...leaves.map((leaf, i) => (i === which ? x! : zerosLike(leaf)))),
    [leaves[which]!.aval],
  )
  const dims = [...traced.captures.map(() => null), 0]
  const inputs = [...traced.captures, basis(leaves[which]!)]
  const { outputs, dims: outDims } = vmapGraph(traced.graph, inputs, dims, { size, name: null })
  return outputs.map((y, i) => alignBatch([y], [outDims[i]!], size)[0]!)
}

interface Setup {
  readonly selected: ReturnType<typeof selectArguments>
  readonly outputs: readonly Tensor[]
  readonly outStructure: Structure
  /** What the function returns beside its outputs; null without `hasAux`. */
  readonly aux: { readonly tree: unknown } | null
  readonly push: (...tangents: readonly Tensor[]) => readonly Tensor[]
  readonly pull: (...cotangents: readonly Tensor[]) => readonly Tensor[]
}

const setUp = (
  operation: string,
  f: AnyFunction,
  args: readonly unknown[],
  options: JacobianOptions,
): Setup => {
  requireOptions(operation, options, ['argnums', 'hasAux'])
  const { argnums = 0, hasAux = false } = options
  const positions = typeof argnums === 'number' ? [argnums] : argnums
  const selected = selectArguments(
    operation,
    f,
    args,
    positions.map((p) => (p < 0 ? p + args.length : p)),
  )
  const xs = selected.leaves.map((x) => inexactLeaf(operation, x))
  const traced = traceTree(
    operation,
    selected.f,
    selected.structure,
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
  const [outStructure, auxStructure] = hasAux
    ? splitAux(operation, traced.structure)
    : [traced.structure, null]
  const count = outStructure.size
  const silent = outputs.slice(count).map(zerosLike)
  return {
    selected,
    outputs: outputs.slice(0, count),
    outStructure,
    aux: auxStructure && { tree: unflatten(auxStructure, outputs.slice(count)) },
    push: (...dxs) =>
      withZeros(dependent, runGraph(linear.graph, [...linear.captures, ...dxs]), types).slice(
        0,
        count,
      ),
    pull: (...given) => {
      const cts = [...given, ...silent]
      const inputs = [...linear.captures, ...xs.map(() => null)]
      const results = transposeGraph(
        linear.graph,
        inputs,
        cts.filter((_, i) => dependent[i]!),
      )
      return results.map((ct, i) => ct ?? zerosLike(xs[i]!))
    },
  }
}

const splitAux = (operation: string, structure: Structure): readonly [Structure, Structure] => {
  if (structure.tag === 'list' && structure.children.length === 2) {
    return [structure.children[0]!, structure.children[1]!]
  }
  throw auxMissing(operation)
}

const auxMissing = (operation: string): TreeError =>
  new TreeError({
    operation,
    problem: 'with hasAux the function returns two values',
    want: '[output, aux]',
    fix: 'return an array of the output and everything else',
  })

const assemble = (
  setup: Setup,
  argnums: Argnums,
  blocks: (out: number) => readonly Tensor[],
): unknown => {
  const perOutput = setup.outputs.map((_, o) => {
    const tree = unflatten<readonly unknown[]>(setup.selected.structure, blocks(o))
    return typeof argnums === 'number' ? tree[0] : tree
  })
  const jacobian = unflatten(setup.outStructure, perOutput)
  return setup.aux === null ? jacobian : frozenPair(jacobian, setup.aux.tree)
}

/**
 * The Jacobian by forward mode, one pass for each input element: best for tall Jacobians.
 * @example
 * jacfwd((x: Tensor) => x.mul(x))(tensor([1, 2])) // [[2, 0], [0, 4]]
 */
export const jacfwd: Jacobian = (f: (...args: never[]) => unknown, options: JacobianOptions = {}) =>
  typed((...args) => {
    const setup = setUp('jacfwd', erase(f), args, options)
    const leaves = setup.selected.leaves
    // columns[i][o]: [size of leaf i, ...shape of output o]
    const columns = leaves.map((_, i) => onBasis(setup.push, leaves, i))
    return assemble(setup, options.argnums ?? 0, (o) =>
      leaves.map((x, i) => {
        const block = columns[i]![o]!
        const out = setup.outputs[o]!
        return reshape(moveAxis(block, 0, out.ndim), [...out.shape, ...x.shape])
      }),
    )
  })

/**
 * The Jacobian by reverse mode, one pass for each output element: best for wide Jacobians.
 * @example
 * jacrev((x: Tensor) => x.sum())(tensor([1, 2])) // [1, 1]
 */
export const jacrev: Jacobian = (f: (...args: never[]) => unknown, options: JacobianOptions = {}) =>
  typed((...args) => {
    const setup = setUp('jacrev', erase(f), args, options)
    const rows = setup.outputs.map((_, o) => onBasis(setup.pull, setup.outputs, o))
    return assemble(setup, options.argnums ?? 0, (o) =>
      setup.selected.leaves.map((x, i) =>
        reshape(rows[o]![i]!, [...setup.outputs[o]!.shape, ...x.shape]),
      ),
    )
  })

/**
 * The matrix of second derivatives, forward over reverse.
 * @example
 * hessian((x: Tensor) => x.mul(x).mul(x).sum())(tensor([1, 2])) // [[6, 0], [0, 12]]
 */
export const hessian: Hessian = (
  f: (...args: never[]) => unknown,
  { argnums = 0, hasAux = false }: JacobianOptions = {},
) => {
  const g = erase(f)
  if (!hasAux) return typed(erase(jacfwd(jacrev(g, { argnums }), { argnums })))
  const withAux = (...args: readonly unknown[]): readonly [unknown, unknown] => {
    const result = g(...args)
    if (Array.isArray(result) && result.length === 2) return [result[0], result[1]]
    throw auxMissing('hessian')
  }
  return typed(erase(jacfwd(jacrev(withAux, { argnums, hasAux }), { argnums, hasAux })))
}

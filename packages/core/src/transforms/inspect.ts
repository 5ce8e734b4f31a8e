/** Looking at functions without running them: `makeIR`, `evalShape`, `interpret`. */
import { requireFunction } from '../arguments.ts'
import { type Aval, aval } from '../aval.ts'
import { leafTensor } from '../convert.ts'
import type { DType } from '../dtype.ts'
import { evaluateGraphConcrete, whileInterpreting } from '../evaluate.ts'
import { IR } from '../ir.ts'
import type { Shape } from '../shape.ts'
import { isTracing } from '../trace.ts'
import { type Leaf, flatten, unflatten } from '../tree/structure.ts'
import { erase, traceTree, typed } from './apply.ts'

/** A type that stands for a tensor where no value is needed. */
export interface ShapeDType {
  readonly shape: Shape
  readonly dtype: DType
}

/** Types for values: a tensor, number or `{ shape, dtype }` at each leaf. */
const isShapeDType = (value: unknown): value is ShapeDType =>
  typeof value === 'object' &&
  value !== null &&
  'shape' in value &&
  'dtype' in value &&
  Object.keys(value).length === 2

// Replaces `{ shape, dtype }` records by placeholder leaves, so that the rest is an ordinary tree.
const typesOfArguments = (
  args: readonly unknown[],
): { readonly tree: unknown; readonly types: readonly Aval[] } => {
  const types: Aval[] = []
  const visit = (value: unknown): unknown => {
    if (isShapeDType(value)) {
      types.push(aval(value.shape, value.dtype))
      return 0
    }
    if (Array.isArray(value)) return value.map(visit)
    if (
      typeof value === 'object' &&
      value !== null &&
      Object.getPrototypeOf(value) === Object.prototype
    ) {
      const names = Object.keys(value).sort()
      const entries = new Map(Object.entries(value))
      return Object.fromEntries(names.map((name) => [name, visit(entries.get(name))]))
    }
    const flat = flatten(value)
    types.push(...flat.leaves.map((leaf) => leafTensor(leaf).aval))
    return value
  }
  return { tree: args.map(visit), types }
}

/**
 * The typed IR of a function at arguments of these types (tensors, or `{ shape, dtype }`).
 * @example
 * String(makeIR((x: Tensor) => x.sin().mul(2))(tensor([1, 2])))
 */
export const makeIR =
  <A extends readonly unknown[]>(f: (...args: A) => unknown) =>
  (...args: { readonly [K in keyof A]: TypesOnly<A[K]> }): IR => {
    requireFunction('makeIR', f)
    const { tree, types } = typesOfArguments(args)
    const { structure } = flatten(tree, 'makeIR')
    return new IR(traceTree('makeIR', erase(f), structure, types).graph)
  }

/** A tree with the type of a tensor at each leaf. */
export type ShapesOf<T> = T extends Leaf
  ? ShapeDType
  : T extends null | undefined
    ? T
    : { readonly [K in keyof T]: ShapesOf<T[K]> }

/** Arguments of which only the types count: `{ shape, dtype }` may stand for any leaf. */
export type TypesOnly<T> = T extends Leaf
  ? T | ShapeDType
  : T extends null | undefined
    ? T
    : T | ShapeDType | { readonly [K in keyof T]: TypesOnly<T[K]> }

/**
 * The tree of output types, without running anything.
 * @example
 * evalShape((x: Tensor) => x.sum(), { shape: [3], dtype: 'float32' }) // { shape: [], dtype: 'float32' }
 */
export const evalShape = <A extends readonly unknown[], R>(
  f: (...args: A) => R,
  ...args: { readonly [K in keyof A]: TypesOnly<A[K]> }
): ShapesOf<R> => {
  requireFunction('evalShape', f)
  const { tree, types } = typesOfArguments(args)
  const { structure } = flatten(tree, 'evalShape')
  const traced = traceTree('evalShape', erase(f), structure, types)
  const leaves = traced.graph.outputs.map(({ aval: { shape, dtype } }) =>
    Object.freeze({ shape, dtype }),
  )
  return unflatten(traced.structure, leaves)
}

/**
 * Runs `f` operation by operation through the reference interpreter, compiled calls inside it
 * included: the baseline for compiled execution.
 */
export const interpret = <A extends readonly unknown[], R>(
  f: (...args: A) => R,
): ((...args: A) => R) =>
  typed((...args) => {
    requireFunction('interpret', f)
    if (isTracing()) return erase(f)(...args)
    const { leaves, structure } = flatten(args, 'interpret')
    const xs = leaves.map((leaf) => leafTensor(leaf).concrete('interpret'))
    return whileInterpreting(() => {
      const traced = traceTree(
        'interpret',
        erase(f),
        structure,
        xs.map((x) => x.aval),
      )
      return unflatten(traced.structure, evaluateGraphConcrete(traced.graph, xs))
    })
  })

/** From a function of trees to a graph of leaves, and back: what every transform starts with. */
import type { Aval } from '../aval.ts'
import { inexactLeaf, leafTensor } from '../convert.ts'
import { type Structure, flatten, leafPaths, unflatten } from '../tree/structure.ts'
import type { Tensor } from '../tensor.ts'
import { type Traced, trace } from '../trace.ts'

/** A function of trees traced at the leaves of some of its arguments. */
export interface TracedFunction extends Traced {
  /** The output tree. */
  readonly structure: Structure
}

export type AnyFunction = (...args: readonly unknown[]) => unknown

/**
 * Traces `f(...args)` with the leaves of `structure` (a list, one entry an argument) as inputs.
 * `eager` gives the values that let a plain transform's function look at its arguments.
 */
export const traceTree = (
  transform: string,
  f: AnyFunction,
  structure: Structure,
  types: readonly Aval[],
  eager: readonly Tensor[] | null = null,
): TracedFunction => {
  let out: Structure | null = null
  const traced = trace(
    transform,
    (...leaves) => {
      const args = unflatten<readonly unknown[]>(structure, leaves)
      const flat = flatten(f(...args), transform)
      out = flat.structure
      return flat.leaves.map(leafTensor)
    },
    types,
    eager,
  )
  return { ...traced, structure: out! }
}

/** The chosen arguments as one list tree of differentiable tensors, and how to put them back. */
export interface Selected {
  readonly leaves: readonly Tensor[]
  readonly structure: Structure
  /** `f` as a function of the chosen arguments alone. */
  readonly f: AnyFunction
}

export const selectArguments = (
  operation: string,
  f: AnyFunction,
  args: readonly unknown[],
  positions: readonly number[],
): Selected => {
  const { leaves, structure } = flatten(
    positions.map((p) => args[p]),
    operation,
  )
  return {
    leaves: leaves.map((leaf, i) =>
      inexactLeaf(operation, leaf, () => ` at argument${leafPaths(structure)[i]!}`),
    ),
    structure,
    f: (...chosen) => {
      const full = [...args]
      positions.forEach((p, i) => {
        full[p] = chosen[i]
      })
      return f(...full)
    },
  }
}

/** Two results, which the caller cannot change. */
export const frozenPair = <A, B>(first: A, second: B): readonly [A, B] => {
  const pair: readonly [A, B] = [first, second]
  return Object.freeze(pair)
}

// A user's function takes its own argument types; transforms call it with trees of those types.
export const erase = <A extends readonly unknown[], R>(f: (...args: A) => R): AnyFunction => {
  const erased: unknown = f
  return erased as AnyFunction
}

// Overloads give transforms their types; trees are rebuilt from structures that have forgotten them.
export const typed = (f: AnyFunction): never => {
  const erased: unknown = f
  return erased as never
}

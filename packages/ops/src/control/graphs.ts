/** What the rules of loops and branches share: flags, sections of lists, reordered graphs. */
import {
  type Aval,
  type Graph,
  InternalError,
  type MaybeZero,
  type Tensor,
  sameType,
  showAval,
} from '@cotangent/core'

export type Flags = readonly boolean[]

/** The items whose flag is set. */
export const chosen = <T>(items: readonly T[], flags: Flags): readonly T[] =>
  items.filter((_, i) => flags[i]!)

/** The items whose flag is not set. */
export const others = <T>(items: readonly T[], flags: Flags): readonly T[] =>
  items.filter((_, i) => !flags[i]!)

/** How many flags are set. */
export const count = (flags: Flags): number => flags.filter((flag) => flag).length

/** Puts values where the flags are set, and symbolic zeros elsewhere. */
export const spread = (flags: Flags, values: readonly Tensor[]): readonly MaybeZero[] => {
  let next = 0
  return flags.map((flag) => (flag ? values[next++]! : null))
}

export const isPresent = <T>(x: T | null): x is T => x !== null

/** The non-zeros among tangents or cotangents. */
export const present = (xs: readonly MaybeZero[]): readonly Tensor[] => xs.filter(isPresent)

export const flagged = (xs: readonly MaybeZero[]): Flags => xs.map(isPresent)

/** Consecutive sections of a list, of the given lengths; the last one takes the rest. */
export const sections = <T>(
  items: readonly T[],
  ...lengths: readonly number[]
): readonly (readonly T[])[] => {
  let from = 0
  const parts = lengths.map((length) => items.slice(from, (from += length)))
  return [...parts, items.slice(from)]
}

/** Grows a set of flags until `step` of them adds nothing. */
export const fixedPoint = (start: Flags, step: (flags: Flags) => Flags): Flags => {
  let flags = start
  for (;;) {
    const added = step(flags)
    const next = flags.map((flag, i) => flag || added[i] === true)
    if (next.every((flag, i) => flag === flags[i])) return flags
    flags = next
  }
}

/** The same graph with its inputs and outputs listed in another order. */
export const reordered = (
  graph: Graph,
  inputs: readonly number[],
  outputs: readonly number[],
): Graph => ({
  equations: graph.equations,
  inputs: inputs.map((i) => graph.inputs[i]!),
  outputs: outputs.map((i) => graph.outputs[i]!),
})

/** `count` numbers from `start`. */
export const span = (start: number, count: number): readonly number[] =>
  Array.from({ length: count }, (_, i) => start + i)

/** @throws InternalError unless both lists have the same types, weakness aside. */
export const requireTypes = (
  operation: string,
  got: readonly Aval[],
  want: readonly Aval[],
): void => {
  if (got.length === want.length && got.every((type, i) => sameType(type, want[i]!))) return
  throw new InternalError({
    operation,
    problem: 'the equation does not fit the graph it holds',
    got: got.map(showAval).join(', '),
    want: want.map(showAval).join(', '),
  })
}

/** Statement builders for routines. */
import type { Stmt } from '@cotangent/core'

/** Loops inside one another, the first outermost; one of extent 1 is its body. */
export const nestedLoops = (
  loops: readonly (readonly [counter: string, extent: number])[],
  body: readonly Stmt[],
): readonly Stmt[] =>
  loops.reduceRight<readonly Stmt[]>(
    (inner, [counter, extent]) =>
      extent === 1 ? inner : [{ tag: 'for', counter, extent, body: inner }],
    body,
  )

/** The same for rounds that are independent: vectors and threads may run several at once. */
export const parallelLoops = (
  loops: readonly (readonly [counter: string, extent: number])[],
  body: readonly Stmt[],
): readonly Stmt[] =>
  loops.reduceRight<readonly Stmt[]>(
    (inner, [counter, extent]) =>
      extent === 1 ? inner : [{ tag: 'for', counter, extent, parallel: true, body: inner }],
    body,
  )

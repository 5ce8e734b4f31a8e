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

/** Elements of a vector of float32. */
export const lanes = 4

/** A loop, of independent rounds or not. */
export const loop = (
  name: string,
  extent: number,
  body: readonly Stmt[],
  parallel = false,
): Stmt => ({
  tag: 'for',
  counter: name,
  extent,
  ...(parallel ? { parallel } : {}),
  body,
})

/** Rounds that are done at once, in a vector; as many as fit unless it is the end of a row. */
export const laneLoop = (name: string, body: readonly Stmt[], extent: number = lanes): Stmt => ({
  tag: 'for',
  counter: name,
  extent,
  lanes,
  body,
})

/**
 * Loops over a reduction that now and then hand their partial results over: float32 sums of many
 * terms would drift, sums of sums do not.
 */
import { type Index, type Stmt, scalars } from '@cotangent/core'
import { substitution } from '../rewrite.ts'
import type { Dim } from '../tiling.ts'
import { loopOver } from './nest.ts'

const { affine, constant, counter } = scalars

export interface Blocks {
  /** Outermost first. */
  readonly dims: readonly Dim[]
  readonly body: readonly Stmt[]
  /** Steps that the body itself takes on each partial result. */
  readonly steps: number
  /** Steps after which partial results are handed over; Infinity for never. */
  readonly limit: number
  readonly reset: readonly Stmt[]
  readonly flush: readonly Stmt[]
  /** Statements after the innermost loop, as rounds of it that are left over. */
  readonly rest?: readonly Stmt[]
}

/** Whether `blockedLoops` hands over: otherwise the partial results are all there is. */
export const handsOver = ({ dims, steps, limit }: Blocks): boolean =>
  dims.reduce((n, d) => n * Math.max(1, d.extent), steps) > limit

const shifted = (body: readonly Stmt[], dim: Dim, at: Index): readonly Stmt[] =>
  substitution({ counters: new Map([[dim.name, at]]) }).body(body)

const loopsOf = (
  dim: Dim,
  extent: number,
  start: Index,
  body: readonly Stmt[],
): readonly Stmt[] => {
  if (extent === 0) return []
  const inner = counter(dim.name, extent)
  const at = affine([
    [1, start],
    [1, inner],
  ])
  const moved = extent === dim.extent ? body : shifted(body, dim, at)
  return extent === 1 ? shifted(body, dim, start) : [loopOver(dim.name, extent, moved)]
}

/** The loops. Without handing over, nothing is reset: partial results start where they were. */
export const blockedLoops = (blocks: Blocks): readonly Stmt[] => {
  const { dims, limit, reset, flush, rest = [] } = blocks
  let { body, steps } = blocks
  let over = false
  dims.toReversed().forEach((dim, n) => {
    const last = n === 0 ? rest : []
    if (over || steps * dim.extent <= limit) {
      body = [...loopsOf(dim, dim.extent, constant(0), body), ...last]
      steps *= Math.max(1, dim.extent)
      return
    }
    over = true
    const size = Math.max(1, Math.floor(limit / steps))
    // Blocks of about the same size; what is left over is a block of its own.
    const count = Math.ceil(dim.extent / size)
    const each = Math.ceil(dim.extent / count)
    const full = Math.floor(dim.extent / each)
    const start = affine([[each, counter(`${dim.name}c`, full)]])
    const block = [...reset, ...loopsOf(dim, each, start, body), ...flush]
    const left = dim.extent - full * each
    const remaining = [...loopsOf(dim, left, constant(full * each), body), ...last]
    const head = full === 1 ? block : [loopOver(`${dim.name}c`, full, block)]
    body = [...head, ...(remaining.length === 0 ? [] : [...reset, ...remaining, ...flush])]
  })
  return dims.length === 0 ? [...body, ...rest] : body
}

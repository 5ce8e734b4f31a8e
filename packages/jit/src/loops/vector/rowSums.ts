/**
 * Reductions down the rows of memory, in the order of memory: parts of the rows, and in each part
 * blocks of a few rows that every column takes its terms from before the next block's turn. What else
 * is to be done for each row happens while the block is in a cache. The parts depend on the shapes
 * alone, so results do not depend on threads.
 */
import { type DType, type Index, type Scalar, type Stmt, scalars } from '@cotangent/core'
import { substitution } from '../rewrite.ts'
import type { Dim } from '../tiling.ts'
import { mergeAdjacent } from './dims.ts'
import { narrowSteps } from './narrow.ts'
import { type Nest, type VectorReductionSpec, loopOver, nestOf } from './nest.ts'
import { extentOf } from './tiles.ts'

const { affine, binaryOp, constant, convertTo, counter, flatten, literal, load } = scalars

/** How rows are divided: `parts` of `blocks` of `rows`, and `rest` rows are left over. */
export interface Division {
  readonly parts: number
  readonly blocks: number
  readonly rows: number
  readonly rest: number
}

const mostParts = 32
/** Partial results that are added up one after the other. */
const mostBlocks = 64

/** The division into blocks of about `wanted` rows that leaves the fewest rows over. */
export const divisionOf = (total: number, wanted: number): Division => {
  let best: Division | null = null
  const least = Math.max(1, Math.ceil(wanted / 2))
  for (let rows = Math.min(total, wanted); rows >= Math.min(total, least); rows--) {
    const all = Math.floor(total / rows)
    const most = Math.max(mostParts, Math.ceil(all / mostBlocks))
    for (let parts = Math.min(all, most); parts >= Math.min(all, most) / 2; parts--) {
      const blocks = Math.floor(all / parts)
      const rest = total - parts * blocks * rows
      if (best === null || rest < best.rest) best = { parts, blocks, rows, rest }
      if (rest === 0) return best
    }
  }
  return best ?? { parts: 1, blocks: 1, rows: total, rest: 0 }
}

/** What is done for every row, in counters of its own. */
export interface Rows {
  readonly dims: readonly Dim[]
  readonly body: readonly Stmt[]
}

interface Down {
  /** Columns are its outputs, rows its terms. */
  readonly spec: VectorReductionSpec
  readonly scratch: (size: number, dtype: DType) => string
  /** Statements for each row before its terms are taken. */
  readonly rows: Rows | null
  /** Rows of a block. */
  readonly block: number
  /** Writes a reduction that stands in loops. */
  readonly emit: (spec: VectorReductionSpec) => readonly Stmt[]
}

/** The phases over parts, and the reduction of their results. */
export interface Parted {
  readonly phases: readonly Stmt[]
  readonly combined: VectorReductionSpec
}

/** Null where the order of the terms matters. */
export const downRows = ({ spec, scratch, rows, block, emit }: Down): Parted | null => {
  const nest = nestOf(spec)
  const { associative, accumulators } = nest
  const { outputs } = spec
  if (associative === null) return null
  const { reduced, steps, body } = aligned(nest, spec, rows)
  const [first, ...inner] = reduced
  if (first === undefined) return null
  const division = divisionOf(first.extent, Math.max(1, Math.floor(block / extentOf(inner))))
  const { parts, blocks, rest } = division
  const slots = parts + (rest > 0 ? 1 : 0)
  const values = extentOf(outputs)
  const shape = outputs.map((d) => d.extent)
  const narrow = narrowSteps(nest) !== null
  const held = accumulators.map(({ dtype }): DType => {
    return narrow && dtype === 'float64' ? 'float32' : dtype
  })
  const buffers = held.map((dtype) => scratch(slots * values, dtype))
  const slotAt = (part: Index, output: readonly Index[]): Index =>
    affine([
      [values, part],
      [1, flatten(shape, output)],
    ])
  const { prefix } = nest

  // The terms of some rows, added to what the part has so far.
  const taken = (part: Index, start: Index, count: number): readonly Stmt[] =>
    emit({
      name: `${prefix}p`,
      outputs,
      extents: [count, ...inner.map((d) => d.extent)],
      accumulators: accumulators.map(({ dtype }, a) => {
        return { dtype, initial: associative[a]!.neutral }
      }),
      step: (accs, output, [row, ...others]) => {
        const counters = new Map<string, Index>([[first.name, scalars.plus(start, row!)]])
        inner.forEach((d, n) => counters.set(d.name, others[n]!))
        outputs.forEach((d, n) => counters.set(d.name, output[n]!))
        const locals = new Map(accumulators.map((a, n) => [a.name, accs[n]!]))
        return steps.map(substitution({ counters, locals }).scalar)
      },
      finish: (accs, output) =>
        accs.map((acc, a): Stmt => {
          const at = slotAt(part, output)
          const [dtype, buffer] = [held[a]!, buffers[a]!]
          const before = load(buffer, dtype, at)
          const value = binaryOp(associative[a]!.op, before, convertTo(dtype, acc))
          return { tag: 'store', buffer, at, value }
        }),
    })
  const rowsFrom = (start: Index, count: number): readonly Stmt[] => {
    if (body.length === 0) return []
    const name = `${prefix}row`
    const counters = new Map([[first.name, scalars.plus(start, counter(name, count))]])
    const looped = inner.reduceRight<readonly Stmt[]>(
      (made, d) => [loopOver(d.name, d.extent, made, true)],
      body,
    )
    return [loopOver(name, count, substitution({ counters }).body(looped), true)]
  }
  const cleared = (part: Index): readonly Stmt[] => {
    const name = `${prefix}z`
    const at = affine([
      [values, part],
      [1, counter(name, values)],
    ])
    const stores = buffers.map((buffer, a): Stmt => {
      return { tag: 'store', buffer, at, value: literal(held[a]!, associative[a]!.neutral) }
    })
    return [loopOver(name, values, stores, true)]
  }
  // Parts `from` … `from + count - 1`, whose rows begin at `start`.
  const partsOf = (from: number, start: number, count: number, d: Division): Stmt => {
    const own = counter(`${prefix}part`, count)
    const part = affine([[1, own]], from)
    const at = affine(
      [
        [d.blocks * d.rows, own],
        [d.rows, d.blocks === 1 ? constant(0) : counter(`${prefix}block`, d.blocks)],
      ],
      start,
    )
    const visit = [...rowsFrom(at, d.rows), ...taken(part, at, d.rows)]
    const visits = d.blocks === 1 ? visit : [loopOver(`${prefix}block`, d.blocks, visit)]
    return loopOver(`${prefix}part`, count, [...cleared(part), ...visits], true)
  }
  const whole = parts * blocks * division.rows
  const phases = [
    partsOf(0, 0, parts, division),
    ...(rest === 0 ? [] : [partsOf(parts, whole, 1, { ...division, blocks: 1, rows: rest })]),
  ]
  const combined: VectorReductionSpec = {
    name: prefix,
    outputs,
    extents: [slots],
    accumulators,
    step: (accs, output, [part]) =>
      accs.map((acc, a): Scalar => {
        const term = load(buffers[a]!, held[a]!, slotAt(part!, output))
        return binaryOp(associative[a]!.op, acc, convertTo(acc.dtype, term))
      }),
    finish: spec.finish,
  }
  return { phases, combined }
}

interface Aligned {
  readonly reduced: readonly Dim[]
  readonly steps: readonly Scalar[]
  readonly body: readonly Stmt[]
}

// Steps and rows in the same counters, merged where neither tells them apart.
const aligned = (
  { prefix, accumulators }: Nest,
  spec: VectorReductionSpec,
  rows: Rows | null,
): Aligned => {
  const reduced = spec.extents.map((extent, d) => ({ name: `${prefix}q${d}`, extent }))
  const at = reduced.map((d) => counter(d.name, d.extent))
  const counters = new Map(rows?.dims.map((d, n) => [d.name, at[n]!]))
  const steps = spec.step(
    accumulators.map((a) => scalars.local(a.dtype, a.name)),
    spec.outputs.map((d) => counter(d.name, d.extent)),
    at,
  )
  const visits = substitution({ counters }).body(rows?.body ?? [])
  const space = { outputs: spec.outputs, reduced, steps, finish: [], visits }
  const merged = mergeAdjacent(space, reduced)
  return { reduced: merged.dims, steps: merged.space.steps, body: merged.space.visits }
}

/**
 * Long reductions to few values: a fixed number of parts is reduced first, at once where there are
 * threads, then their results. The parts depend on the shapes alone, so results do not depend on threads.
 */
import { type DType, type Index, type Scalar, type Stmt, scalars } from '@cotangent/core'
import { substitution } from '../rewrite.ts'
import type { Dim } from '../tiling.ts'
import type { Nest, VectorReductionSpec } from './nest.ts'
import { type Tile, extentOf } from './tiles.ts'

const { affine, binaryOp, convertTo, flatten, load } = scalars

/** Fewer tiles than this leave threads without work. */
const fewTiles = 8
/** Cycles below which sharing out does not pay. */
const leastCost = 60_000
const mostParts = 32

const tilesIn = ({ outputs }: Nest, tile: Tile, lanes: number): number =>
  outputs.reduce((n, d) => {
    const size = d === tile.lane ? lanes * tile.vectors : (tile.sizes.get(d.name) ?? 1)
    return n * Math.ceil(d.extent / size)
  }, 1)

interface Cut {
  readonly dim: Dim
  readonly parts: number
  /** Terms of one part along the dim, and how many are left over. */
  readonly size: number
  readonly rest: number
}

const cutOf = (nest: Nest): Cut | null => {
  const dim = nest.reduced.find((d) => d.extent >= 2 * fewTiles)
  if (dim === undefined) return null
  let size = Math.max(1, Math.floor(dim.extent / mostParts))
  // Whole vectors and partial results in each part.
  if (size >= 256) size -= size % 16
  const parts = Math.floor(dim.extent / size)
  return { dim, parts, size, rest: dim.extent - parts * size }
}

/** The statements of a reduction in parts, or null where it does not pay. */
export const partition = (
  spec: VectorReductionSpec,
  nest: Nest,
  tile: Tile,
  dtypes: readonly DType[],
  emit: (part: VectorReductionSpec) => readonly Stmt[],
): readonly Stmt[] | null => {
  const { associative, accumulators, outputs, prefix } = nest
  const { scratch, before } = spec
  if (associative === null || scratch === undefined) return null
  // Inside of somebody's loop there is nowhere to put the parts.
  if (spec.outputs.length === 0 && before === undefined) return null
  if (tile.cost < leastCost || tilesIn(nest, tile, 4) >= fewTiles) return null
  const cut = cutOf(nest)
  if (cut === null) return null
  const { dim, parts, size, rest } = cut
  const slots = parts + (rest > 0 ? 1 : 0)
  const values = extentOf(outputs)
  const held = accumulators.map((a, n) => (a.dtype === 'float64' ? dtypes[n]! : a.dtype))
  const buffers = held.map((dtype) => scratch(slots * values, dtype))
  const shape = outputs.map((d) => d.extent)
  const slotAt = (part: Index, output: readonly Index[]): Index =>
    affine([
      [values, part],
      [1, flatten(shape, output)],
    ])
  const named = `${prefix}p`

  const partOf = (first: number, count: number, extent: number): VectorReductionSpec => ({
    name: named,
    scratch,
    outputs: [{ name: `${named}art`, extent: count }, ...outputs],
    extents: nest.reduced.map((d) => (d === dim ? extent : d.extent)),
    accumulators: accumulators.map(({ dtype }, a) => ({ dtype, initial: associative[a]!.neutral })),
    step: (accs, [part, ...output], reduced) => {
      const counters = new Map<string, Index>()
      outputs.forEach((d, n) => counters.set(d.name, output[n]!))
      nest.reduced.forEach((d, n) => {
        const at = affine([[size, part!]], first * size)
        counters.set(d.name, d === dim ? scalars.plus(at, reduced[n]!) : reduced[n]!)
      })
      const locals = new Map(accumulators.map((a, n) => [a.name, accs[n]!]))
      return nest.steps.map(substitution({ counters, locals }).scalar)
    },
    finish: (accs, [part, ...output]) =>
      accs.map((acc, a): Stmt => {
        const at = slotAt(scalars.plus(part!, first), output)
        return { tag: 'store', buffer: buffers[a]!, at, value: convertTo(held[a]!, acc) }
      }),
  })
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
    finish: (accs, output) => {
      const counters = new Map(outputs.map((d, n) => [d.name, output[n]!]))
      const locals = new Map(accumulators.map((a, n) => [a.name, accs[n]!]))
      return substitution({ counters, locals }).body(nest.finish)
    },
  }
  const phases = [
    ...emit(partOf(0, parts, size)),
    ...(rest === 0 ? [] : emit(partOf(parts, 1, rest))),
  ]
  const last = emit(combined)
  if (spec.outputs.length > 0) return [...phases, ...last]
  before!(phases)
  return last
}

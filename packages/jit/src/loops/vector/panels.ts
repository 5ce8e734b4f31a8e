/**
 * Panels: an operand that many outputs use is copied once, in the order in which tiles read it, with
 * whatever was fused into it. Every load then is of neighbours, no two rows collide in a cache, and
 * what was fused is computed once.
 */
import {
  type DType,
  type Index,
  type Lanes,
  type Scalar,
  type Stmt,
  scalars,
} from '@cotangent/core'
import { substitution } from '../rewrite.ts'
import type { Dim } from '../tiling.ts'
import { loopOver } from './nest.ts'
import { type Operand, movementOf } from './operands.ts'
import type { Cut } from './outwardPlan.ts'
import { extentOf, piecesOf } from './tiles.ts'

const { affine, constant, counter, load, plus } = scalars

/**
 * How a copy lies in memory: `[…outputs, block of tiles, …reduced, output in tile]`. Where terms are cut into
 * chunks, `[…outputs, chunk, block of tiles, …reduced in chunk, output in tile]`: what all tiles read one after the
 * other is one stretch, and fills a cache evenly.
 */
export interface Layout {
  readonly operand: Operand
  readonly dtype: DType
  /** The dim along which tiles take several outputs, and how many. */
  readonly blocked: Dim | null
  readonly width: number
  /** What the last block's width is rounded up to: lanes read whole vectors. */
  readonly multiple: number
  readonly others: readonly Dim[]
  readonly reduced: readonly Dim[]
}

export interface Panel extends Layout {
  readonly buffer: string
  /** The part of a copy that this is, whose terms count from 0; null where it is all of it. */
  readonly chunk: Chunk | null
}

/** Some terms of a copy, in a stretch of their own: those from `start` on along the outermost reduced dim. */
interface Chunk {
  readonly dim: string
  readonly start: Index
  /** Elements of the copy that belong to one round of `dim`. */
  readonly round: number
  /** Terms of the whole copy. */
  readonly terms: number
}

const roundUp = (n: number, multiple: number): number => Math.ceil(n / multiple) * multiple

/** Elements along the blocked dim, with the last block's padding. */
const blockedSize = ({ blocked, width, multiple }: Layout): number => {
  if (blocked === null) return 1
  return piecesOf(blocked.extent, width).reduce(
    (n, p) => n + p.count * (p.size === width ? width : roundUp(p.size, multiple)),
    0,
  )
}

export const panelSize = (panel: Layout): number =>
  extentOf(panel.others) * blockedSize(panel) * extentOf(panel.reduced)

const flat = (dims: readonly Dim[], at: (d: Dim) => Index): Index =>
  dims.reduce<Index>(
    (position, d) =>
      affine([
        [d.extent, position],
        [1, at(d)],
      ]),
    constant(0),
  )

/** A tile's place along the blocked dim: its first output, and how many there are. */
export interface Spot {
  readonly base: Index
  readonly size: number
}

/** The part of a copy with the terms from `start` on along `dim`, the outermost reduced one. */
export const chunkOf = (panel: Panel, dim: Dim, start: Index, extent: number): Panel => {
  if (!panel.reduced.some((d) => d.name === dim.name)) return panel
  const terms = extentOf(panel.reduced)
  const round = blockedSize(panel) * (terms / dim.extent)
  return {
    ...panel,
    reduced: panel.reduced.map((d) => (d.name === dim.name ? { ...d, extent } : d)),
    chunk: { dim: dim.name, start, round, terms },
  }
}

const addressOf = (panel: Panel, spot: Spot, inside: Index, at: (d: Dim) => Index): Index => {
  const terms = extentOf(panel.reduced)
  const { width, multiple, chunk } = panel
  const own = spot.size === width ? width : roundUp(spot.size, multiple)
  const outer = affine([
    [blockedSize(panel) * (chunk?.terms ?? terms), flat(panel.others, at)],
    ...(chunk === null ? [] : ([[chunk.round, chunk.start]] as const)),
  ])
  const block = panel.blocked === null ? constant(0) : affine([[terms, spot.base]])
  return affine([
    [1, outer],
    [1, block],
    [panel.blocked === null ? 1 : own, flat(panel.reduced, at)],
    [1, inside],
  ])
}

/** An element of the copy; `inside` counts from the tile's first output. */
export const panelLoad = (panel: Panel, spot: Spot, inside: Index, at: (d: Dim) => Index): Scalar =>
  load(panel.buffer, panel.dtype, addressOf(panel, spot, inside, at))

/** Some terms of a copy: those from `start` on along one dim. */
interface Slab {
  readonly dim: Dim
  readonly start: Index
  readonly extent: number
}

/** Terms that are copied for all blocks before the next: as many rows of memory as are read at once. */
const slabSize = 16
/** Elements from one term to the next, beyond which each lies on a page of its own. */
const farApart = 256

// Terms far apart in memory, of which a block takes a few neighbouring elements each.
const isFar = ({ operand, blocked, reduced }: Panel): boolean => {
  const inner = reduced.at(-1)
  if (inner === undefined || blocked === null || inner.extent < 2 * slabSize) return false
  if (movementOf(operand, blocked.name) !== 'beside') return false
  return operand.accesses.some((a) => Math.abs(a.strides.get(inner.name) ?? 0) >= farApart)
}

/** The loops that fill a copy, chunk by chunk where terms are cut. */
export const fillPanel = (panel: Panel, lanes: Lanes, cut: Cut | null): readonly Stmt[] => {
  const dim = cut === null || cut.outer.length > 0 ? null : cut.dim
  if (cut === null || dim === null || !panel.reduced.some((d) => d.name === dim.name)) {
    return fillChunk(panel, lanes)
  }
  return piecesOf(dim.extent, cut.size).flatMap(({ start, count, size }) => {
    const name = `${dim.name}c`
    const first = affine([[cut.size, counter(name, count)]], start)
    return [loopOver(name, count, fillChunk(chunkOf(panel, dim, first, size), lanes), true)]
  })
}

const fillChunk = (panel: Panel, lanes: Lanes): readonly Stmt[] => {
  const { blocked, others, width, reduced } = panel
  const around = (body: readonly Stmt[]): readonly Stmt[] =>
    others.reduceRight((inner, d) => [loopOver(d.name, d.extent, inner, true)], body)
  if (blocked === null) return around(fillBlock(panel, lanes, { base: constant(0), size: 1 }, null))
  const blocks = (slab: Slab | null): readonly Stmt[] =>
    piecesOf(blocked.extent, width).flatMap(({ start, count, size }) => {
      const block = `${blocked.name}b`
      const base = affine([[width, counter(block, count)]], start)
      return [loopOver(block, count, fillBlock(panel, lanes, { base, size }, slab), true)]
    })
  if (!isFar(panel)) return blocks(null).flatMap((s) => around([s]))
  const dim = reduced.at(-1)!
  const name = `${dim.name}s`
  return piecesOf(dim.extent, slabSize).flatMap(({ start, count, size }) => {
    const first = affine([[slabSize, counter(name, count)]], start)
    const body = blocks({ dim, start: first, extent: size })
    return around([loopOver(name, count, body, true)])
  })
}

const fillBlock = (panel: Panel, lanes: Lanes, spot: Spot, slab: Slab | null): readonly Stmt[] => {
  const { operand, blocked, reduced, buffer, chunk, dtype } = panel
  const extentIn = (d: Dim): number => (d === slab?.dim ? slab.extent : d.extent)
  const at = (d: Dim): Index => {
    const own = counter(d.name, extentIn(d))
    return d === slab?.dim ? plus(slab.start, own) : own
  }
  const stored = (inside: Index, read: (d: Dim) => Index = at): Stmt => {
    const counters = new Map(
      reduced.map((d) => [d.name, d.name === chunk?.dim ? plus(chunk.start, read(d)) : read(d)]),
    )
    if (blocked !== null) counters.set(blocked.name, plus(spot.base, inside))
    const value = scalars.convertTo(dtype, substitution({ counters }).scalar(operand.value))
    return { tag: 'store', buffer, at: addressOf(panel, spot, inside, read), value }
  }
  const within = (dims: readonly Dim[], body: readonly Stmt[]): readonly Stmt[] =>
    dims.reduceRight((inner, d) => [loopOver(d.name, extentIn(d), inner, true)], body)
  const beside = blocked === null ? 'never' : movementOf(operand, blocked.name)
  if (beside === 'beside' && spot.size > 1) {
    const loops = piecesOf(spot.size, lanes).flatMap(({ start, count, size }) =>
      Array.from({ length: count }, (_, v): Stmt => {
        const name = `${operand.name}l${start + v * lanes}`
        const lane: Index = { tag: 'counter', name, extent: size }
        const body = [stored(plus(lane, start + v * lanes))]
        return { tag: 'for', counter: name, extent: size, lanes, body }
      }),
    )
    return within(reduced, loops)
  }
  const inner = reduced.at(-1)
  const columns = Array.from({ length: spot.size }, (_, n) => stored(constant(n)))
  if (
    inner !== undefined &&
    movementOf(operand, inner.name) === 'beside' &&
    inner.extent >= lanes
  ) {
    const loop: Stmt = {
      tag: 'for',
      counter: inner.name,
      extent: inner.extent,
      lanes,
      body: columns,
    }
    return within(reduced.slice(0, -1), [loop])
  }
  return within(reduced, columns)
}

/**
 * Tiles whose lanes are outputs: some rows times some vectors of accumulators, over operands that are
 * read as neighbours or as one value for all lanes. Here are the loops around the tiles.
 */
import { type Index, type Stmt, scalars } from '@cotangent/core'
import type { Access } from '../access.ts'
import type { Dim } from '../tiling.ts'
import { chunkLoops, chunkParts } from './chunks.ts'
import { loopOver } from './nest.ts'
import type { Operand } from './operands.ts'
import {
  type Cut,
  type Outward,
  type Part,
  type Place,
  type Places,
  rowDimsOf,
} from './outwardPlan.ts'
import { fillPanel } from './panels.ts'
import { tileStatements } from './register.ts'
import { extentOf, piecesOf } from './tiles.ts'

const { affine, constant, counter } = scalars

/** A run of tiles along one dim. */
interface Span {
  readonly base: Index
  readonly count: number
  readonly size: number
}

/** Rounds of the outer loops that make it easy to share them out. */
const enoughRounds = 16
/** Bytes of an operand that its users may sweep again and again. */
const comfortable = 256 * 1024
/** Kinds of tiles that are written out where terms are cut: of each shape one for each chunk. */
const mostKinds = 16

/** The statements of every output, copies of operands first. */
export const emitOutward = (outward: Outward): readonly Stmt[] => [
  ...outward.panels.flatMap((p) => fillPanel(p, outward.lanes, outward.cut)),
  ...(outward.cut === null ? wholeLoops(outward) : chunkedLoops(outward, outward.cut)),
]

const bytesOf = (operand: Operand, { nest }: Outward): number =>
  4 * extentOf([...nest.outputs, ...nest.reduced].filter((d) => operand.counters.has(d.name)))

// The divisor of a number of tiles that comes closest to what a cache holds.
const superSize = (tiles: number, ideal: number): number => {
  let best = 1
  for (let n = 1; n <= Math.min(tiles, 2 * ideal); n++) {
    if (tiles % n === 0 && Math.abs(n - ideal) <= Math.abs(best - ideal)) best = n
  }
  return best
}

interface Order {
  /** Loops around everything, outermost first. */
  readonly before: readonly Dim[]
  /** Loops inside the blocks of rows. */
  readonly after: readonly Dim[]
  /** Loops right around the tiles. */
  readonly near: readonly Dim[]
  /** Rows of tiles in a block; null without blocks. */
  readonly block: number | null
}

/** Elements of which the next tile finds some in the lines of the cache that this one has read. */
const nearby = 8

// Rows in blocks that stay in a cache while the lanes' dim passes by.
const orderOf = (outward: Outward): Order => {
  const { nest, tile, split } = outward
  const row = rowDimsOf(outward)[0]
  const all = nest.outputs.filter((d) => d !== tile.lane && !tile.sizes.has(d.name))
  const used = split.operands.filter((o) => row !== undefined && o.counters.has(row.name))
  // Columns of a convolution whose rows are the tile's: what rows read moves on by little, lanes read the same.
  const isNear = (d: Dim): boolean =>
    used.length > 0 &&
    split.operands.every((o) => used.includes(o) === o.counters.has(d.name)) &&
    used.every((o) => o.accesses.every((a) => movesLittle(a, d)))
  const near = all.filter(isNear)
  return {
    ...orderAround(
      outward,
      all.filter((d) => !near.includes(d)),
      used,
    ),
    near,
  }
}

const movesLittle = ({ strides, uneven }: Access, dim: Dim): boolean => {
  const stride = strides.get(dim.name) ?? 0
  return !uneven.has(dim.name) && stride > 0 && stride <= nearby
}

const orderAround = (
  outward: Outward,
  others: readonly Dim[],
  used: readonly Operand[],
): Omit<Order, 'near'> => {
  const { tile } = outward
  const row = rowDimsOf(outward)[0]
  if (row === undefined) return { before: others, after: [], block: null }
  const bytes = used.reduce((n, o) => Math.max(n, bytesOf(o, outward)), 0)
  const tiles = Math.floor(row.extent / tile.sizes.get(row.name)!)
  if (tiles < 2) return { before: others, after: [], block: null }
  const passing = others.filter((d) => used.every((o) => !o.counters.has(d.name)))
  if (passing.length === 0) {
    const perTile = bytes / extentOf(others) / tiles
    const ideal = Math.max(1, Math.min(16, Math.floor(comfortable / perTile)))
    return { before: others, after: [], block: superSize(tiles, ideal) }
  }
  if (bytes <= comfortable) return { before: others, after: [], block: null }
  // The innermost loop that leaves the rows' operand alone goes inside of them.
  const inner = passing.at(-1)!
  return { before: others.filter((d) => d !== inner), after: [inner], block: 1 }
}

/** The loops over tiles along the tile's dims. */
class Tiler {
  readonly #outward: Outward
  readonly #moreRows: readonly Dim[]
  readonly #near: readonly Dim[]
  readonly row: Dim | null
  readonly laneSpans: readonly Span[]
  /** A null span where tiles have no rows. */
  readonly rowSpans: readonly (Span | null)[]

  constructor(outward: Outward, near: readonly Dim[] = []) {
    const { tile, lanes } = outward
    const [row, ...moreRows] = rowDimsOf(outward)
    this.#outward = outward
    this.#moreRows = moreRows
    this.#near = near
    this.row = row ?? null
    this.laneSpans = spansOf(tile.lane, lanes * tile.vectors)
    this.rowSpans = row === undefined ? [null] : spansOf(row, tile.sizes.get(row.name)!)
  }

  /** Tiles of some vectors and some rows, rows inside: the vectors' operand stays near. */
  tiles(outer: Places, laneSpan: Span, rowSpan: Span | null, part: Part): readonly Stmt[] {
    const { lane } = this.#outward.tile
    return along(lane, laneSpan, (place) =>
      this.rows(new Map([...outer, [lane.name, place]]), rowSpan, part),
    )
  }

  rows(places: Places, rowSpan: Span | null, part: Part): readonly Stmt[] {
    const { row } = this
    if (rowSpan === null || row === null) return this.#more(places, this.#moreRows, part)
    return along(row, rowSpan, (place) =>
      this.#more(new Map([...places, [row.name, place]]), this.#moreRows, part),
    )
  }

  #more(places: Places, dims: readonly Dim[], part: Part): readonly Stmt[] {
    const dim = dims[0]
    if (dim === undefined) return around(this.#near, tileStatements(this.#outward, places, part))
    return spansOf(dim, this.#outward.tile.sizes.get(dim.name)!).flatMap((span) =>
      along(dim, span, (place) =>
        this.#more(new Map([...places, [dim.name, place]]), dims.slice(1), part),
      ),
    )
  }

  /** Blocks of so many rows of tiles around what `use` makes of one. */
  blocks(
    rowSpan: Span | null,
    block: number | null,
    use: (rowSpan: Span | null) => readonly Stmt[],
  ): readonly Stmt[] {
    const { row } = this
    if (block === null || row === null || rowSpan === null) return use(rowSpan)
    return inBlocks(row, rowSpan, block, use)
  }
}

/** Blocks of so many tiles of a span around what `use` makes of one. */
const inBlocks = (
  dim: Dim,
  span: Span,
  block: number,
  use: (span: Span) => readonly Stmt[],
): readonly Stmt[] => {
  if (span.count < 2) return use(span)
  const per = superSize(span.count, block)
  const name = `${dim.name}s`
  const count = span.count / per
  const base = affine([
    [1, span.base],
    [per * span.size, counter(name, count)],
  ])
  return [loopOver(name, count, use({ base, count: per, size: span.size }), true)]
}

const spansOf = (d: Dim, size: number): readonly Span[] =>
  piecesOf(d.extent, size).map((p) => ({ base: constant(p.start), count: p.count, size: p.size }))

const along = (dim: Dim, span: Span, use: (place: Place) => readonly Stmt[]): readonly Stmt[] => {
  const name = `${dim.name}b`
  const base = affine([
    [1, span.base],
    [span.size, counter(name, span.count)],
  ])
  return [loopOver(name, span.count, use({ base, size: span.size }), true)]
}

const around = (dims: readonly Dim[], body: readonly Stmt[]): readonly Stmt[] =>
  dims.reduceRight((inner, d) => [loopOver(d.name, d.extent, inner, true)], body)

const single = (dims: readonly Dim[]): Places =>
  new Map(dims.map((d) => [d.name, { base: counter(d.name, d.extent), size: 1 }]))

const wholeLoops = (outward: Outward): readonly Stmt[] => {
  const { before, after, near, block } = orderOf(outward)
  const tiler = new Tiler(outward, near)
  const { laneSpans, rowSpans } = tiler
  const places = single([...before, ...after, ...near])
  const first = rowSpans[0] ?? null
  const blocks = block === null || first === null ? 1 : Math.floor(first.count / block)
  const tiles = (rowSpan: Span | null, spans: readonly Span[]): readonly Stmt[] =>
    tiler.blocks(rowSpan, block, (rows) =>
      around(
        after,
        spans.flatMap((l) => tiler.tiles(places, l, rows, { tag: 'whole' })),
      ),
    )
  if (extentOf([...before, ...after]) * blocks >= enoughRounds) {
    return around(
      before,
      rowSpans.flatMap((r) => tiles(r, laneSpans)),
    )
  }
  // Few outer rounds: perfect nests, so that tiles themselves can be shared out.
  return rowSpans.flatMap((r) => laneSpans.flatMap((l) => around(before, tiles(r, [l]))))
}

// Groups of tiles that go through the terms together, chunk by chunk.
const chunkedLoops = (outward: Outward, cut: Cut): readonly Stmt[] => {
  const { nest, tile, split, partials: buffers } = outward
  const tiler = new Tiler(outward)
  const { row, laneSpans, rowSpans } = tiler
  const others = nest.outputs.filter((d) => d !== tile.lane && !tile.sizes.has(d.name))
  const isShared = (d: Dim): boolean => split.operands.every((o) => o.counters.has(d.name))
  const [batch, free] = [others.filter(isShared), others.filter((d) => !isShared(d))]
  const bytes = 4 * extentOf(cut.inner) * (row === null ? 1 : tile.sizes.get(row.name)!)
  const block = Math.max(1, Math.min(64, Math.floor(comfortable / bytes)))
  const first = rowSpans[0] ?? null
  const blocks = first === null ? 1 : first.count / superSize(first.count, block)
  const places = single(others)
  const parts = chunkParts(
    cut,
    buffers,
    Math.floor(mostKinds / (rowSpans.length * laneSpans.length)),
  )
  if (parts !== null) {
    return parts.flatMap((part) =>
      rowSpans.flatMap((rowSpan) =>
        laneSpans.flatMap((laneSpan) =>
          around(
            batch,
            tiler.blocks(rowSpan, block, (rows) =>
              around(free, tiler.tiles(places, laneSpan, rows, part)),
            ),
          ),
        ),
      ),
    )
  }
  const group = (tiles: (part: Part) => readonly Stmt[]): readonly Stmt[] => [
    ...tiles({ tag: 'start', buffers }),
    ...chunkLoops(cut, buffers, tiles),
    ...tiles({ tag: 'finish', buffers }),
  ]
  return rowSpans.flatMap((rowSpan) => {
    if (extentOf(batch) * blocks >= enoughRounds) {
      const inside = (rows: Span | null, part: Part): readonly Stmt[] =>
        around(
          free,
          laneSpans.flatMap((l) => tiler.tiles(places, l, rows, part)),
        )
      return around(
        batch,
        tiler.blocks(rowSpan, block, (rows) => group((part) => inside(rows, part))),
      )
    }
    // Few blocks of rows: vectors are shared out in blocks, too.
    const wanted = Math.ceil(enoughRounds / (extentOf(batch) * blocks))
    return laneSpans.flatMap((laneSpan) =>
      around(
        batch,
        tiler.blocks(rowSpan, block, (rows) =>
          inBlocks(
            tile.lane,
            laneSpan,
            Math.max(1, Math.min(16, Math.floor(laneSpan.count / wanted))),
            (vectors) => group((part) => around(free, tiler.tiles(places, vectors, rows, part))),
          ),
        ),
      ),
    )
  })
}

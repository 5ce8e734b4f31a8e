/**
 * Tiles whose lanes are outputs: some rows times some vectors of accumulators, over operands that are
 * read as neighbours or as one value for all lanes.
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
import { effectsOf } from '../visit.ts'
import { blockedLoops, handsOver } from './blocks.ts'
import { type Nest, loopOver } from './nest.ts'
import type { Operand, Split } from './operands.ts'
import { type Panel, fillPanel, panelLoad } from './panels.ts'
import { type Point, accumulatorName, stepStatements } from './steps.ts'
import { type Tile, extentOf, piecesOf } from './tiles.ts'

const { affine, binaryOp, constant, counter, literal, local, plus } = scalars

export interface Outward {
  readonly nest: Nest
  readonly tile: Tile
  readonly lanes: Lanes
  readonly split: Split
  /** The dtype of each accumulator in registers. */
  readonly dtypes: readonly DType[]
  /** Over accumulators of those dtypes. */
  readonly finish: readonly Stmt[]
  readonly panels: readonly Panel[]
  /** Terms after which a sum is handed over to a second one. */
  readonly limit: number
}

/** A run of tiles along one dim. */
interface Span {
  readonly base: Index
  readonly count: number
  readonly size: number
}

/** One tile's place along a dim. */
interface Place {
  readonly base: Index
  readonly size: number
}

type Places = ReadonlyMap<string, Place>

/** Rounds of the outer loops that make it easy to share them out. */
const enoughRounds = 16
/** Bytes of an operand that its users may sweep again and again. */
const comfortable = 256 * 1024

/** The statements of every output, copies of operands first. */
export const emitOutward = (outward: Outward): readonly Stmt[] => [
  ...outward.panels.flatMap((p) => fillPanel(p, outward.lanes)),
  ...outerLoops(outward),
]

const rowDimsOf = ({ nest, tile }: Outward): readonly Dim[] =>
  nest.outputs.filter((d) => d !== tile.lane && tile.sizes.has(d.name))

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
  /** Rows of tiles in a block; null without blocks. */
  readonly block: number | null
}

// Rows in blocks that stay in a cache while the lanes' dim passes by.
const orderOf = (outward: Outward): Order => {
  const { nest, tile, split } = outward
  const rows = rowDimsOf(outward)
  const others = nest.outputs.filter((d) => d !== tile.lane && !tile.sizes.has(d.name))
  const row = rows[0]
  if (row === undefined) return { before: others, after: [], block: null }
  const used = split.operands.filter((o) => o.counters.has(row.name))
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

const outerLoops = (outward: Outward): readonly Stmt[] => {
  const { nest, tile, lanes } = outward
  const { before, after, block } = orderOf(outward)
  const rows = rowDimsOf(outward)
  const [row, ...moreRows] = rows
  const spansOf = (d: Dim, size: number): readonly Span[] =>
    piecesOf(d.extent, size).map((p) => ({ base: constant(p.start), count: p.count, size: p.size }))
  const laneSpans = spansOf(tile.lane, lanes * tile.vectors)
  const rowSpans = row === undefined ? [null] : spansOf(row, tile.sizes.get(row.name)!)
  const single = (dims: readonly Dim[]): Places =>
    new Map(dims.map((d) => [d.name, { base: counter(d.name, d.extent), size: 1 }]))
  const around = (dims: readonly Dim[], body: readonly Stmt[]): readonly Stmt[] =>
    dims.reduceRight((inner, d) => [loopOver(d.name, d.extent, inner, true)], body)
  const along = (dim: Dim, span: Span, use: (place: Place) => readonly Stmt[]): readonly Stmt[] => {
    const name = `${dim.name}b`
    const index = span.count === 1 ? constant(0) : counter(name, span.count)
    const base = affine([
      [1, span.base],
      [span.size, index],
    ])
    return [loopOver(name, span.count, use({ base, size: span.size }), true)]
  }
  const moreSpans = (places: Places, dims: readonly Dim[]): readonly Stmt[] => {
    const dim = dims[0]
    if (dim === undefined) return tileStatements(outward, places)
    return spansOf(dim, tile.sizes.get(dim.name)!).flatMap((span) =>
      along(dim, span, (place) =>
        moreSpans(new Map([...places, [dim.name, place]]), dims.slice(1)),
      ),
    )
  }
  // Tiles of some rows and some vectors, rows inside: the vectors' operand stays near.
  const tilesOf = (outer: Places, laneSpan: Span, rowSpan: Span | null): readonly Stmt[] =>
    along(tile.lane, laneSpan, (lane) => {
      const places = new Map([...outer, [tile.lane.name, lane]])
      if (rowSpan === null || row === undefined) return moreSpans(places, moreRows)
      return along(row, rowSpan, (place) =>
        moreSpans(new Map([...places, [row.name, place]]), moreRows),
      )
    })
  const blocksOf = (span: Span, use: (span: Span) => readonly Stmt[]): readonly Stmt[] => {
    if (block === null || row === undefined || span.count < 2) return use(span)
    const per = superSize(span.count, block)
    const name = `${row.name}s`
    const count = span.count / per
    const base = affine([
      [1, span.base],
      [per * span.size, counter(name, count)],
    ])
    return [loopOver(name, count, use({ base, count: per, size: span.size }), true)]
  }
  const places = single([...before, ...after])
  const rounds = extentOf(before) * extentOf(after)
  const blocks = block === null || rowSpans[0] === null ? 1 : rowSpans[0]!.count / block
  const tiles = (rowSpan: Span | null, spans: readonly Span[]): readonly Stmt[] =>
    rowSpan === null
      ? around(
          after,
          spans.flatMap((l) => tilesOf(places, l, null)),
        )
      : blocksOf(rowSpan, (r) =>
          around(
            after,
            spans.flatMap((l) => tilesOf(places, l, r)),
          ),
        )
  if (rounds * Math.floor(blocks) >= enoughRounds) {
    return around(
      before,
      rowSpans.flatMap((r) => tiles(r, laneSpans)),
    )
  }
  // Few outer rounds: perfect nests, so that tiles themselves can be shared out.
  return rowSpans.flatMap((r) => laneSpans.flatMap((l) => around(before, tiles(r, [l]))))
}

interface Vector {
  readonly counter: string
  readonly extent: number
  readonly start: number
}

const pointsOf = (
  outward: Outward,
  places: Places,
  vectors: readonly Vector[],
): readonly Point[] => {
  const { nest, tile, lanes } = outward
  const rows = rowDimsOf(outward)
  let combinations: readonly ReadonlyMap<string, number>[] = [new Map()]
  for (const d of rows) {
    const { size } = places.get(d.name)!
    combinations = combinations.flatMap((c) =>
      Array.from({ length: size }, (_, n) => new Map([...c, [d.name, n]])),
    )
  }
  return combinations.flatMap((copies) =>
    vectors.map((v, n): Point => {
      const counters = new Map<string, Index>()
      for (const d of nest.outputs) {
        const { base } = places.get(d.name)!
        const lane: Index = { tag: 'counter', name: v.counter, extent: Math.min(lanes, v.extent) }
        const at =
          d === tile.lane
            ? affine(
                [
                  [1, base],
                  [1, lane],
                ],
                v.start,
              )
            : base
        counters.set(d.name, plus(at, copies.get(d.name) ?? 0))
      }
      const suffix = `${[...copies.values()].join('_')}v${n}`
      return { suffix, counters, copies: new Map([...copies, [tile.lane.name, n]]) }
    }),
  )
}

const tileStatements = (outward: Outward, places: Places): readonly Stmt[] => {
  const { nest, tile, lanes, split, dtypes, finish, panels, limit } = outward
  const { prefix, accumulators, reduced } = nest
  const { size } = places.get(tile.lane.name)!
  const vectors = piecesOf(size, lanes).flatMap((p) =>
    Array.from({ length: p.count }, (_, n): Vector => {
      const start = p.start + n * lanes
      return { counter: `${prefix}${tile.lane.name}v${start / lanes}`, extent: p.size, start }
    }),
  )
  const points = pointsOf(outward, places, vectors)
  const read = (operand: Operand, point: Point): Scalar => {
    const panel = panels.find((p) => p.operand === operand)
    if (panel === undefined) {
      return substitution({ counters: point.counters }).scalar(operand.value)
    }
    const at = (d: Dim): Index => point.counters.get(d.name) ?? counter(d.name, d.extent)
    const { blocked } = panel
    const spot = blocked === null ? { base: constant(0), size: 1 } : places.get(blocked.name)!
    const inside = blocked === null ? constant(0) : scalars.minus(at(blocked), spot.base)
    return panelLoad(panel, spot, inside, at)
  }
  const associative = nest.associative !== null
  const rows = rowDimsOf(outward).map((d) => d.name)
  const step = stepStatements(
    { accumulators, dtypes, steps: split.steps, operands: split.operands, associative, read },
    points,
    rows,
  )
  const each = (f: (point: Point, a: number) => Stmt): readonly Stmt[] =>
    points.flatMap((point) => accumulators.map((_, a) => f(point, a)))
  const nameOf = (point: Point, a: number): string => accumulatorName(accumulators[a]!, point)
  const second = (point: Point, a: number): string => `${nameOf(point, a)}_sum`
  const start = (a: number): Scalar => literal(dtypes[a]!, accumulators[a]!.initial)
  const neutral = (a: number): Scalar => literal(dtypes[a]!, nest.associative![a]!.neutral)
  const shape = { dims: reduced, body: step, steps: 1, limit, reset: [], flush: [] }
  const over = handsOver(shape)
  const loops = over
    ? blockedLoops({
        ...shape,
        reset: each((p, a) => ({ tag: 'assign', name: nameOf(p, a), value: neutral(a) })),
        flush: each((p, a) => {
          const [x, y] = [local(dtypes[a]!, second(p, a)), local(dtypes[a]!, nameOf(p, a))]
          const value = binaryOp(nest.associative![a]!.op, x, y)
          return { tag: 'assign', name: second(p, a), value }
        }),
      })
    : blockedLoops({ ...shape, limit: Infinity })
  const declared = each((p, a): Stmt => {
    const value = over ? neutral(a) : start(a)
    return { tag: 'variable', name: nameOf(p, a), value, lanes }
  })
  const sums = each(
    (p, a): Stmt => ({ tag: 'variable', name: second(p, a), value: start(a), lanes }),
  )
  const finished = points.flatMap((point) =>
    finishAt(
      outward,
      point,
      (a) => local(dtypes[a]!, over ? second(point, a) : nameOf(point, a)),
      finish,
    ),
  )
  const body = [...declared, ...(over ? sums : []), ...loops, ...finished]
  return vectors.reduceRight<readonly Stmt[]>(
    (inner, v) => [{ tag: 'for', counter: v.counter, extent: v.extent, lanes, body: inner }],
    body,
  )
}

const finishAt = (
  { nest }: Outward,
  point: Point,
  value: (a: number) => Scalar,
  finish: readonly Stmt[],
): readonly Stmt[] => {
  const { declared } = effectsOf(finish)
  return substitution({
    counters: point.counters,
    locals: new Map(nest.accumulators.map((a, n) => [a.name, value(n)])),
    declared: new Map([...declared].map((name) => [name, `${name}_${point.suffix}`])),
  }).body(finish)
}

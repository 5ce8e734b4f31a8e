/**
 * The choice of a register tile: which outputs are computed together. A tile trades loads for
 * accumulators, of which about 16 fit in registers; independent sums hide the latency of adding.
 */
import { type Access, type Copies, offsetsOf } from './access.ts'

/** A counter and how often it runs. */
export interface Dim {
  readonly name: string
  readonly extent: number
}

export interface TileRequest {
  readonly outputs: readonly Dim[]
  /** In the order of the loops. */
  readonly reduced: readonly Dim[]
  readonly accesses: readonly Access[]
  /** Accumulators of one output. */
  readonly accumulators: number
  /** Nodes of one step and one finish: what each copy adds to the source. */
  readonly stepSize: number
  readonly finishSize: number
  /** Whether the innermost reduction may be split into independent partial results. */
  readonly splittable: boolean
  /** Whether operands come from float64 copies: their loads cost less, and spills more. */
  readonly packed: boolean
}

export interface Tile {
  /** Outputs computed together along each output dim; 1 where it is not tiled. */
  readonly sizes: readonly number[]
  /** Independent partial results along the innermost reduction. */
  readonly splits: number
  /** Rounds of the innermost reduction written out for each partial result. */
  readonly unroll: number
}

/** Loops this short at the inside of a reduction are unrolled entirely: kernel taps, windows. */
export const tapExtent = 8
/** Nodes that an unrolled body may have: about 60 multiply-adds; larger ones gain nothing. */
export const bodyBudget = 500
/** Nodes that all the bodies of a nest may have, those of the remainders included: about 8 kB. */
const nestBudget = 1000

/** The innermost reduction loops that will be unrolled, while the copies stay within the budget. */
export const tapsOf = (reduced: readonly Dim[], size: number): readonly Dim[] => {
  const taps: Dim[] = []
  let total = size
  for (const dim of reduced.toReversed()) {
    total *= dim.extent
    if (dim.extent > tapExtent || total > bodyBudget) break
    taps.unshift(dim)
  }
  return taps
}

// How many groups of elements lie apart by more than a page's half.
const placesOf = (offsets: readonly number[]): number => {
  const sorted = [...offsets].sort((a, b) => a - b)
  return sorted.filter((x, n) => n === 0 || x - sorted[n - 1]! > 512).length
}

const lineOf = (offset: number): number => Math.floor(offset / 16)
const product = (copies: readonly Copies[]): number => copies.reduce((n, c) => n * c.count, 1)

/** What one body does, per step of one output. */
interface Body {
  readonly steps: number
  readonly loads: number
  readonly lines: number
  /** Accumulators, and operands that wait for their next use. */
  readonly live: number
  readonly pressure: number
  /** Distant places in memory that a tile reads at the same time, beyond the first of each load. */
  readonly streams: number
}

const bodyOf = (request: TileRequest, copies: readonly Copies[], tile: Tile): Body => {
  const { reduced, accesses, accumulators, stepSize } = request
  const outputs = product(copies)
  const rounds = tile.splits * tile.unroll
  const taps = rounds > 1 ? [] : tapsOf(reduced, stepSize * outputs)
  const inner = reduced.at(-1 - taps.length)
  const tapCopies = taps.map((t) => ({ counter: t.name, count: t.extent }))
  const unrolled =
    inner === undefined || rounds === 1 ? [] : [{ counter: inner.name, count: rounds }]
  const all = [...copies, ...tapCopies, ...unrolled]
  const row = [...copies, ...tapCopies.slice(-1)]
  const steps = product(all)
  const live = outputs * tile.splits * accumulators
  let [loads, lines, pressure, streams] = [0, 0, live, 0]
  for (const access of accesses) {
    const offsets = offsetsOf(access, all)
    loads += offsets.length
    const stride = inner === undefined ? 0 : Math.abs(access.strides.get(inner.name) ?? 0)
    lines += new Set(offsets.map(lineOf)).size * Math.min(1, (stride * rounds) / 16)
    if (!access.packed) streams += placesOf(offsetsOf(access, copies)) - 1
    // Elements that several taps use stay; the others come and go with the tile.
    const once = offsetsOf(access, copies).length
    const inRow = offsetsOf(access, row).length
    const taken = once * (tapCopies.at(-1)?.count ?? 1)
    pressure += inRow < taken ? inRow : once
  }
  return { steps, loads: loads / steps, lines: lines / steps, live, pressure, streams }
}

// Nanoseconds of one step of one output, fitted to measurements of matmul and convolution tiles.
// Loads are cheap; what counts is the loop's own work shared by few steps, the latency of adding
// to few accumulators, and values that no longer fit in registers.
const bodyCost = (request: TileRequest, copies: readonly Copies[], tile: Tile): number => {
  const body = bodyOf(request, copies, tile)
  const { steps, loads, lines, live, pressure, streams } = body
  // Unrolling further pays only where the rounds share loads.
  const shares =
    tile.unroll > 1 && loads < 0.95 * bodyOf(request, copies, { ...tile, unroll: 1 }).loads
  const unrolling = shares ? 0 : tile.unroll > 2 ? 0.06 : tile.unroll > 1 ? 0.005 : 0
  if (request.packed) {
    const crowding = (pressure <= 15 ? 0 : pressure <= 20 ? 0.05 : 0.08) + (steps > 60 ? 0.05 : 0)
    const busy = 0.27 + 0.12 * loads + 0.15 / steps + 0.01 * streams
    return Math.max(busy + crowding + unrolling, 1.55 / live)
  }
  const latency = 1.4 / live
  const roomy = live > 12 ? 16 : 24
  const crowding = Math.min(0.1, Math.max(0, steps - roomy) * (live > 12 ? 0.003 : 0.002))
  const spilling = 0.03 * Math.max(0, live - 16)
  const busy = 0.3 + 0.08 * loads + 1.2 / steps + 0.1 * lines
  return Math.max(busy + crowding + spilling + unrolling, latency)
}

interface Case {
  readonly copies: readonly Copies[]
  readonly share: number
}

// The full tiles of every dim, and what is left over: each has a body of its own.
const casesOf = (request: TileRequest, sizes: readonly number[]): readonly Case[] => {
  let cases: readonly Case[] = [{ copies: [], share: 1 }]
  request.outputs.forEach(({ name, extent }, d) => {
    const size = sizes[d]!
    if (size === 1) return
    const rest = extent % size
    const full = { count: size, share: (extent - rest) / extent }
    const parts = rest === 0 ? [full] : [full, { count: rest, share: rest / extent }]
    cases = cases.flatMap(({ copies, share }) =>
      parts.map((p) => ({
        copies: [...copies, { counter: name, count: p.count }],
        share: share * p.share,
      })),
    )
  })
  return cases
}

const tileCost = (request: TileRequest, tile: Tile): number => {
  const rounds = tile.splits * tile.unroll
  const inner = request.reduced.at(-1)
  const rest = inner === undefined || rounds === 1 ? 0 : (inner.extent % rounds) / inner.extent
  const bodies = rest === 0 ? rounds : rounds + 1
  let cost = 0
  let size = 0
  const cases = casesOf(request, tile.sizes)
  for (const { copies, share } of cases) {
    const outputs = product(copies)
    const body = outputs * request.stepSize * rounds
    if (body > bodyBudget && outputs * rounds > 1) return Infinity
    cost += share * (1 - rest) * bodyCost(request, copies, tile)
    if (rest > 0)
      cost += share * rest * bodyCost(request, copies, { ...tile, splits: 1, unroll: 1 })
    size += outputs * (request.stepSize * bodies + request.finishSize)
  }
  const remainders = 0.025 * (cases.length - 1 + (rest > 0 ? 1 : 0))
  return size > nestBudget && !isPlain(tile) ? Infinity : cost + remainders + size * 2e-5
}

const isPlain = (tile: Tile): boolean =>
  tile.splits * tile.unroll === 1 && tile.sizes.every((size) => size === 1)

// Remainders cost a body each; larger tiles are for extents that they divide.
const sizesFor = (extent: number, single: boolean): readonly number[] => {
  const sizes = single ? [2, 3, 4, 6, 8] : [2, 3, 4]
  if (extent % 5 === 0) sizes.push(5)
  return sizes.filter((t) => t <= extent)
}

// A dim that every load moves along offers no reuse, only independent accumulators.
const offersReuse = (request: TileRequest, dim: Dim): boolean =>
  request.accesses.some((a) => !a.strides.has(dim.name) && !a.uneven.has(dim.name))

const sizesOf = (request: TileRequest): readonly (readonly number[])[] => {
  const none = request.outputs.map(() => 1)
  const all: (readonly number[])[] = [none]
  if (tapsOf(request.reduced, request.stepSize).length === request.reduced.length) {
    // Windows only: the outputs' own loop is the inner one, and neighbours share what they load.
    const last = request.outputs.findLastIndex((d) => d.extent > 1)
    const extent = request.outputs[last]?.extent ?? 1
    return [none, ...[2, 4].filter((t) => t <= extent).map((t) => none.with(last, t))]
  }
  request.outputs.forEach((p, d) => {
    for (const t of sizesFor(p.extent, true)) all.push(none.with(d, t))
    request.outputs.forEach((q, e) => {
      if (e <= d || !offersReuse(request, p) || !offersReuse(request, q)) return
      for (const t of sizesFor(p.extent, false)) {
        for (const u of sizesFor(q.extent, false)) all.push(none.with(d, t).with(e, u))
      }
    })
  })
  return all
}

/** The cheapest tile of one or two output dims, with the reduction split or unrolled. */
export const chooseTile = (request: TileRequest): Tile => {
  const inner = request.reduced.at(-1)
  const none: Tile = { sizes: request.outputs.map(() => 1), splits: 1, unroll: 1 }
  if (inner === undefined) return none
  const long = inner.extent > tapExtent
  const eighths = long && request.packed && inner.extent % 8 === 0 ? [8] : []
  const unrolls = long ? [1, 2, 4, ...eighths] : [1]
  const candidates: Tile[] = []
  for (const sizes of sizesOf(request)) {
    for (const unroll of unrolls) candidates.push({ sizes, splits: 1, unroll })
  }
  if (long && request.splittable) {
    candidates.push({ ...none, splits: 4 })
    // Long steps keep the loop busy by themselves, and calls in them are inlined only so often.
    if (request.stepSize <= 6) candidates.push({ ...none, splits: 4, unroll: 2 })
  }
  let best = none
  let least = Infinity
  for (const candidate of candidates) {
    const cost = tileCost(request, candidate)
    // Among equals the later: tiles along inner dims read neighbours in memory.
    if (cost > least) continue
    best = candidate
    least = cost
  }
  return best
}

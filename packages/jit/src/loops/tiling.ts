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
}

export interface Tile {
  /** Outputs computed together along each output dim; 1 where it is not tiled. */
  readonly sizes: readonly number[]
  /** Independent partial results along the innermost reduction. */
  readonly splits: number
}

/** Loops this short at the inside of a reduction are unrolled entirely: kernel taps, windows. */
export const tapExtent = 8
/** Nodes that a body may have after unrolling: about 6 kB of source. */
export const bodyBudget = 1000

const lineOf = (offset: number): number => Math.floor(offset / 16)

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

// Cost of one step of one output, in units of a multiply-add's share of the ports: at best 0.45.
const bodyCost = (request: TileRequest, copies: readonly Copies[], splits: number): number => {
  const { reduced, accesses, accumulators, stepSize } = request
  const outputs = copies.reduce((n, c) => n * c.count, 1)
  const taps = tapsOf(reduced, stepSize * outputs * splits)
  const inner = reduced.at(-1 - taps.length)
  const tapped = taps.map((t) => ({ counter: t.name, count: t.extent }))
  const split = inner === undefined || splits === 1 ? [] : [{ counter: inner.name, count: splits }]
  const steps = outputs * splits * taps.reduce((n, t) => n * t.extent, 1)
  let loads = 0
  let lines = 0
  for (const access of accesses) {
    const offsets = offsetsOf(access, [...copies, ...tapped, ...split])
    loads += offsets.length
    const stride = inner === undefined ? 0 : (access.strides.get(inner.name) ?? 0)
    const moving = Math.min(1, Math.abs(stride) / 16)
    lines += new Set(offsets.map(lineOf)).size * moving
  }
  const live = outputs * splits * accumulators
  const chains = Math.min(4, live)
  const waiting = (4 / chains - 1) * 0.5
  const spilling = Math.max(0, live - 16) * 0.1
  return Math.max(0.45, loads / steps) + waiting + spilling + (lines / steps) * 0.2
}

interface Part {
  readonly count: number
  readonly share: number
}

// The full tiles of a dim, and what is left over.
const partsOf = (extent: number, size: number): readonly Part[] => {
  const rest = extent % size
  const full = { count: size, share: (extent - rest) / extent }
  return rest === 0 ? [full] : [full, { count: rest, share: rest / extent }]
}

const tileCost = (request: TileRequest, sizes: readonly number[], splits: number): number => {
  const tiled = request.outputs.flatMap((dim, d) =>
    sizes[d]! === 1 ? [] : [{ dim, parts: partsOf(dim.extent, sizes[d]!) }],
  )
  let cases: readonly { readonly copies: readonly Copies[]; readonly share: number }[] = [
    { copies: [], share: 1 },
  ]
  for (const { dim, parts } of tiled) {
    cases = cases.flatMap((c) =>
      parts.map((p) => ({
        copies: [...c.copies, { counter: dim.name, count: p.count }],
        share: c.share * p.share,
      })),
    )
  }
  let cost = 0
  let size = 0
  for (const c of cases) {
    const outputs = c.copies.reduce((n, x) => n * x.count, 1)
    cost += c.share * bodyCost(request, c.copies, splits)
    size += outputs * (request.stepSize * splits + request.finishSize)
  }
  // Among equals the smaller body; beyond the budget nothing.
  return size > bodyBudget && tiled.length + splits > 1 ? Infinity : cost + size * 1e-5
}

const sizesFor = (extent: number, single: boolean): readonly number[] =>
  (single ? [2, 3, 4, 6, 8] : [2, 3, 4]).filter((t) => t <= extent)

/** The cheapest tile of one or two output dims, or a split of the reduction. */
export const chooseTile = (request: TileRequest): Tile => {
  const none = request.outputs.map(() => 1)
  const inner = request.reduced.at(-1)
  const candidates: Tile[] = [{ sizes: none, splits: 1 }]
  if (inner === undefined) return candidates[0]!
  if (request.splittable && inner.extent >= 8) candidates.push({ sizes: none, splits: 4 })
  request.outputs.forEach((p, d) => {
    for (const t of sizesFor(p.extent, true)) {
      candidates.push({ sizes: none.with(d, t), splits: 1 })
    }
    request.outputs.forEach((q, e) => {
      if (e <= d) return
      for (const t of sizesFor(p.extent, false)) {
        for (const u of sizesFor(q.extent, false)) {
          candidates.push({ sizes: none.with(d, t).with(e, u), splits: 1 })
        }
      }
    })
  })
  let best = candidates[0]!
  let least = Infinity
  for (const candidate of candidates) {
    const cost = tileCost(request, candidate.sizes, candidate.splits)
    if (cost >= least) continue
    best = candidate
    least = cost
  }
  return best
}

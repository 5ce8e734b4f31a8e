/**
 * The choice of a register tile: which dim the lanes run along, how many vectors and rows are
 * computed at once, and which operands are packed first. Costs are cycles of a core with two ports
 * for multiplications and three for floating-point operations in all, fitted to measurements; what
 * matters is their order.
 */
import type { Lanes } from '@cotangent/core'
import type { Dim } from '../tiling.ts'
import { type LaneMovement, type Operand, movementOf } from './operands.ts'

/** The table of an engine: V8 on x86 has 15 registers that a tile can use. */
export interface Engine {
  readonly registers: number
  /** Floating-point operations, loads and instructions a cycle. */
  readonly arithmetic: number
  readonly loads: number
  readonly instructions: number
  /** Cycles until a sum can be added to again. */
  readonly latency: number
  /** Cycles of starting one tile, besides its steps. */
  readonly start: number
}

export const v8x64: Engine = {
  registers: 15,
  arithmetic: 3,
  loads: 2.2,
  instructions: 5.5,
  latency: 3,
  start: 30,
}

export interface TileRequest {
  readonly lanes: Lanes
  readonly outputs: readonly Dim[]
  readonly reduced: readonly Dim[]
  readonly operands: readonly Operand[]
  /** Operations of one step of one output, besides the operands. */
  readonly stepWork: number
  readonly finishWork: number
  readonly accumulators: number
  /** Whether partial results may be combined in any order. */
  readonly splittable: boolean
  /** Output dims that the finish lets lanes run along. */
  readonly storable: (dim: Dim) => boolean
  /** Accesses of the finish of which lanes along an output dim are neighbours, and which are not. */
  readonly finishAccesses: (dim: Dim) => { readonly beside: number; readonly apart: number }
  readonly mayPack: boolean
}

export interface Tile {
  /** Whether lanes are outputs, or terms of one output. */
  readonly along: 'output' | 'reduced'
  readonly lane: Dim
  /** Vectors along the lanes' output dim, or partial results along the reduced one. */
  readonly vectors: number
  /** How many outputs are computed together along the other dims; 1 where absent. */
  readonly sizes: ReadonlyMap<string, number>
  /** Names of the operands that are copied in the order in which tiles read them. */
  readonly packed: ReadonlySet<string>
  readonly cost: number
}

export const extentOf = (dims: readonly Dim[]): number => dims.reduce((n, d) => n * d.extent, 1)

/** A part of an output dim that tiles of one shape cover. */
export interface Piece {
  readonly start: number
  readonly count: number
  /** Outputs of one tile along the dim. */
  readonly size: number
}

/** Full tiles, then what is left over. */
export const piecesOf = (extent: number, size: number): readonly Piece[] => {
  const full = Math.floor(extent / size)
  const rest = extent - full * size
  return [
    ...(full === 0 ? [] : [{ start: 0, count: full, size }]),
    ...(rest === 0 ? [] : [{ start: full * size, count: 1, size: rest }]),
  ]
}

/** Facts about operands that many tiles ask for. */
class Facts {
  readonly #request: TileRequest
  readonly #movements = new Map<Operand, Map<string, LaneMovement>>()
  readonly #stray = new Map<Operand, number>()
  readonly #reuse = new Map<Operand, number>()
  readonly #finish = new Map<string, ReturnType<TileRequest['finishAccesses']>>()

  constructor(request: TileRequest) {
    this.#request = request
  }

  movement(operand: Operand, counter: string): LaneMovement {
    const known = this.#movements.get(operand) ?? new Map<string, LaneMovement>()
    this.#movements.set(operand, known)
    const found = known.get(counter) ?? movementOf(operand, counter)
    known.set(counter, found)
    return found
  }

  /** Outputs that use one element. */
  reuse(operand: Operand): number {
    const { outputs } = this.#request
    const found =
      this.#reuse.get(operand) ?? extentOf(outputs.filter((d) => !operand.counters.has(d.name)))
    this.#reuse.set(operand, found)
    return found
  }

  stray(operand: Operand): number {
    const found = this.#stray.get(operand) ?? strayCost(operand, this.#request, this.reuse(operand))
    this.#stray.set(operand, found)
    return found
  }

  finish(lane: Dim): ReturnType<TileRequest['finishAccesses']> {
    const found = this.#finish.get(lane.name) ?? this.#request.finishAccesses(lane)
    this.#finish.set(lane.name, found)
    return found
  }
}

/** Bytes between rows at which caches collide. */
const pageSize = 4096
const cacheBytes = 512 * 1024

/** Cycles a step waits for memory because an operand is read across large strides. */
const strayCost = (operand: Operand, request: TileRequest, reuse: number): number => {
  if (reuse < 8) return 0
  const inner = request.reduced.at(-1)
  if (inner === undefined) return 0
  let cost = 0
  for (const access of operand.accesses) {
    const stride = 4 * Math.abs(access.strides.get(inner.name) ?? 0)
    if (stride < 1024) continue
    const swept = stride * inner.extent
    // Rows a power of two apart fall into few sets of the cache.
    if (stride % pageSize === 0 && inner.extent >= 64) cost += 8
    else if (stride % 2048 === 0 && inner.extent >= 64) cost += 0.6
    else if (inner.extent <= 256) cost += 8 / reuse
    else if (swept > cacheBytes) cost += 0.8
    else cost += 0.15
  }
  return cost
}

/** Whether copying an operand can make sense: its elements are used often and are its own. */
const isPackable = (operand: Operand, request: TileRequest): boolean => {
  if (!request.mayPack || !operand.movable) return false
  const known = [...request.outputs, ...request.reduced].filter((d) => operand.counters.has(d.name))
  return known.length === operand.counters.size && known.length > 0
}

const packCost = (operand: Operand, request: TileRequest, lane: Dim): number => {
  const dims = [...request.outputs, ...request.reduced].filter((d) => operand.counters.has(d.name))
  const inner = request.reduced.findLast((d) => operand.counters.has(d.name))
  const beside = movementOf(operand, lane.name)
  const along = inner === undefined ? 'never' : movementOf(operand, inner.name)
  const each = beside === 'beside' || beside === 'uniform' ? 0.7 : along === 'beside' ? 1.6 : 3.5
  const vectorised = beside !== 'never' || along === 'beside'
  return extentOf(dims) * (each + operand.work / (vectorised ? 10 : 2))
}

interface Shape {
  readonly vectors: number
  readonly sizes: ReadonlyMap<string, number>
}

/** Cycles of one step of a tile. */
const stepCost = (
  request: TileRequest,
  facts: Facts,
  lane: Dim,
  shape: Shape,
  along: Tile['along'],
  packed: ReadonlySet<string>,
  engine: Engine,
): number => {
  const { operands, lanes, stepWork, accumulators } = request
  let rows = 1
  for (const size of shape.sizes.values()) rows *= size
  const points = rows * shape.vectors
  let [arithmetic, loads, held, other, bytes] = [points * stepWork, 0, 0, 0, 0]
  for (const operand of operands) {
    let copies = 1
    for (const [name, size] of shape.sizes) if (operand.counters.has(name)) copies *= size
    const movement = packed.has(operand.name) ? 'beside' : facts.movement(operand, lane.name)
    const varies = operand.counters.has(lane.name)
    if (varies || along === 'reduced') copies *= shape.vectors
    const count = operand.accesses.length
    if (packed.has(operand.name)) loads += copies
    else if (movement === 'apart') {
      loads += copies * count * lanes
      arithmetic += copies * count * (lanes - 1)
    } else if (movement === 'anyhow') {
      loads += 2 * copies * count * lanes
      arithmetic += copies * count * (3 * lanes)
      other += copies * 8
    } else loads += copies * count
    if (!packed.has(operand.name)) arithmetic += copies * operand.work
    // The engine loads a step's operands before it computes.
    held += copies
    bytes += varies || along === 'reduced' ? copies : copies / lanes
  }
  const used = points * accumulators + held + (stepWork > 1 ? 1 : 0)
  const over = used - engine.registers
  const spilling = over <= 0 ? 1 : over <= 1 ? 1.25 : 1.8
  const busy = Math.max(
    arithmetic / engine.arithmetic,
    loads / engine.loads,
    (arithmetic + loads + other + 3) / engine.instructions,
  )
  // Among tiles as good, the one that reads the fewest bytes.
  return Math.max(busy * spilling, engine.latency) + 0.02 * bytes
}

/** Lanes that lie apart are stored one by one, each to a line of memory of its own. */
const apartCost = 14

const finishCost = (
  request: TileRequest,
  points: number,
  along: Tile['along'],
  lane: Dim,
  facts: Facts,
): number => {
  if (along === 'reduced') {
    return points * request.lanes * (1 + request.finishWork / 2) + points * 4
  }
  const { beside, apart } = facts.finish(lane)
  return points * (1 + beside + apartCost * apart + request.finishWork / 2)
}

const tileCost = (
  request: TileRequest,
  facts: Facts,
  tile: Omit<Tile, 'cost'>,
  engine: Engine,
): number => {
  const { lanes, outputs, reduced } = request
  const tiled = outputs.filter((d) => tile.sizes.has(d.name))
  const others = outputs.filter((d) => d !== tile.lane && !tile.sizes.has(d.name))
  let shapes: readonly { readonly shape: Shape; readonly tiles: number }[] = []
  if (tile.along === 'output') {
    const width = lanes * tile.vectors
    shapes = piecesOf(tile.lane.extent, width).map(({ count, size }) => ({
      shape: { vectors: Math.ceil(size / lanes), sizes: new Map() },
      tiles: count,
    }))
  } else shapes = [{ shape: { vectors: tile.vectors, sizes: new Map() }, tiles: 1 }]
  for (const dim of tiled) {
    const pieces = piecesOf(dim.extent, tile.sizes.get(dim.name)!)
    shapes = shapes.flatMap(({ shape, tiles }) =>
      pieces.map((p) => ({
        shape: { ...shape, sizes: new Map([...shape.sizes, [dim.name, p.size]]) },
        tiles: tiles * p.count,
      })),
    )
  }
  const terms = extentOf(reduced)
  const inner = tile.along === 'reduced' ? tile.lane : reduced.at(-1)
  const entries = inner === undefined ? 1 : terms / inner.extent
  const perEntry =
    tile.along === 'reduced'
      ? Math.floor(tile.lane.extent / (lanes * tile.vectors)) +
        // What is left over costs a masked step of its own for each vector.
        (Math.ceil((tile.lane.extent % (lanes * tile.vectors)) / lanes) * 1.6) / tile.vectors
      : (inner?.extent ?? 1)
  let total = 0
  for (const { shape, tiles } of shapes) {
    let points = shape.vectors
    for (const size of shape.sizes.values()) points *= size
    const finished = tile.along === 'reduced' ? points / shape.vectors : points
    let step = stepCost(request, facts, tile.lane, shape, tile.along, tile.packed, engine)
    for (const operand of request.operands) {
      if (!tile.packed.has(operand.name)) step += facts.stray(operand)
    }
    const loops = reduced.length > 1 ? entries * 6 : 6
    total +=
      tiles *
      (entries * perEntry * step +
        loops +
        engine.start +
        finishCost(request, finished, tile.along, tile.lane, facts))
  }
  total *= extentOf(others)
  for (const operand of request.operands) {
    if (tile.packed.has(operand.name)) total += packCost(operand, request, tile.lane)
  }
  return total
}

const rowSizes = [2, 3, 4, 5, 6, 8] as const
const mostPoints = 12

// A dim along which every operand moves offers no reuse.
const offersReuse = (request: TileRequest, dim: Dim): boolean =>
  dim.extent > 1 && request.operands.some((o) => !o.counters.has(dim.name))

const sizesWithout = (
  request: TileRequest,
  lane: Dim | null,
): readonly ReadonlyMap<string, number>[] => {
  const dims = request.outputs.filter((d) => d !== lane && offersReuse(request, d))
  const found: ReadonlyMap<string, number>[] = [new Map()]
  for (const p of dims) {
    for (const t of rowSizes) if (t <= p.extent) found.push(new Map([[p.name, t]]))
  }
  dims.forEach((p, n) => {
    for (const q of dims.slice(n + 1)) {
      // Beside lanes of outputs a second dim of rows only makes up for a short first one.
      const apart = lane === null ? !movesAlike(request, p, q) : p.extent < 4 || q.extent < 4
      if (!apart) continue
      for (const t of [2, 3, 4]) {
        for (const u of [2, 3, 4]) {
          if (t <= p.extent && u <= q.extent)
            found.push(
              new Map([
                [p.name, t],
                [q.name, u],
              ]),
            )
        }
      }
    }
  })
  return found
}

const movesAlike = (request: TileRequest, p: Dim, q: Dim): boolean =>
  request.operands.every((o) => o.counters.has(p.name) === o.counters.has(q.name))

const subsets = <T>(all: readonly T[]): readonly (readonly T[])[] =>
  all.reduce<readonly (readonly T[])[]>((made, x) => [...made, ...made.map((m) => [...m, x])], [[]])

/** Whether the tile takes several outputs of the operand along more than one dim. */
const isWide = (
  operand: Operand,
  lane: Dim | null,
  sizes: ReadonlyMap<string, number>,
): boolean => {
  let dims = lane !== null && operand.counters.has(lane.name) ? 1 : 0
  for (const [name, size] of sizes) if (size > 1 && operand.counters.has(name)) dims++
  return dims > 1
}

// Networks repeat their layers: what a request depends on, and the tile it got.
const chosen = new Map<string, Tile | null>()
const mostChosen = 512

const keyOf = (request: TileRequest): string => {
  const { lanes, outputs, reduced, operands, stepWork, finishWork, accumulators } = request
  const dims = [...outputs, ...reduced]
  return JSON.stringify([
    [lanes, stepWork, finishWork, accumulators, request.splittable, request.mayPack],
    outputs.map((d) => [d.name, d.extent, request.storable(d), request.finishAccesses(d)]),
    reduced.map((d) => [d.name, d.extent]),
    operands.map((o) => [
      [o.name, o.work, o.movable, o.counters.size],
      dims.map((d) => [
        o.counters.has(d.name),
        o.guarded.has(d.name),
        o.accesses.map((a) => (a.uneven.has(d.name) ? 'uneven' : (a.strides.get(d.name) ?? 0))),
      ]),
    ]),
  ])
}

/** The cheapest tile, or null where only one value at a time can be computed. */
export const chooseTile = (request: TileRequest): Tile | null => {
  const key = keyOf(request)
  const known = chosen.get(key)
  if (known !== undefined) {
    const dims = known === null ? [] : [...request.outputs, ...request.reduced]
    const lane = dims.find((d) => d.name === known?.lane.name)
    return known === null || lane === undefined ? null : { ...known, lane }
  }
  const made = cheapest(request, v8x64)
  if (chosen.size >= mostChosen) chosen.clear()
  chosen.set(key, made)
  return made
}

const cheapest = (request: TileRequest, engine: Engine): Tile | null => {
  let best: Tile | null = null
  const facts = new Facts(request)
  const lanes = request.lanes
  const all = extentOf(request.outputs) * extentOf(request.reduced)
  const consider = (tile: Omit<Tile, 'cost'>): void => {
    if (best !== null) {
      // Not even tiles that fit everywhere would be cheaper.
      let points = lanes * tile.vectors
      for (const size of tile.sizes.values()) points *= size
      const { lane, along, packed } = tile
      const step = stepCost(request, facts, lane, tile, along, packed, engine)
      if ((all / points) * step >= best.cost) return
    }
    const cost = tileCost(request, facts, tile, engine)
    if (best === null || cost < best.cost * 0.999) best = { ...tile, cost }
  }
  for (const lane of request.outputs) {
    if (lane.extent < 2 || !request.storable(lane)) continue
    const moves = request.operands.map((o) => facts.movement(o, lane.name))
    const must = request.operands.filter((o, n) => moves[n] === 'never' && !isPackable(o, request))
    if (must.length > 0) continue
    const most = Math.ceil(lane.extent / lanes)
    for (const sizes of sizesWithout(request, lane)) {
      let rows = 1
      for (const size of sizes.values()) rows *= size
      const limit = sizes.size === 0 ? 8 : 4
      for (let vectors = 1; vectors <= Math.min(limit, most); vectors++) {
        if (rows * vectors > mostPoints) break
        const candidates = request.operands.filter((o) => mayCopy(o, request, facts, lane, sizes))
        for (const chosen of subsets(candidates)) {
          const packed = new Set(chosen.map((o) => o.name))
          const fits = request.operands.every((o, n) => moves[n] !== 'never' || packed.has(o.name))
          if (fits) consider({ along: 'output', lane, vectors, sizes, packed })
        }
      }
    }
  }
  if (!request.splittable) return best
  for (const lane of request.reduced) {
    if (lane.extent < lanes) continue
    const moves = request.operands.map((o) => facts.movement(o, lane.name))
    if (moves.some((m) => m === 'never' || m === 'anyhow')) continue
    // The last vector of a row reads past its end: not far, where neighbours are read.
    const isWhole = lane.extent % lanes === 0
    if (moves.some((m) => m === 'apart') && !isWhole) continue
    if (moves.every((m) => m === 'apart')) continue
    for (const sizes of sizesWithout(request, null)) {
      let rows = 1
      for (const size of sizes.values()) rows *= size
      for (const vectors of [1, 2, 4]) {
        if (rows * vectors > mostPoints || vectors * lanes > lane.extent) break
        consider({ along: 'reduced', lane, vectors, sizes, packed: new Set() })
      }
    }
  }
  return best
}

// Copies pay where elements are used again, and where the loads need them.
const mayCopy = (
  operand: Operand,
  request: TileRequest,
  facts: Facts,
  lane: Dim,
  sizes: ReadonlyMap<string, number>,
): boolean => {
  if (!isPackable(operand, request) || isWide(operand, lane, sizes)) return false
  if (facts.reuse(operand) < 4) return false
  const movement = facts.movement(operand, lane.name)
  const awkward = movement !== 'beside' && movement !== 'uniform'
  return awkward || operand.work > 0 || facts.stray(operand) > 0
}

/**
 * What a register tile costs, in cycles of a core with two ports for multiplications and three for
 * floating-point operations in all, fitted to measurements; what matters is their order.
 */
import type { Dim } from '../tiling.ts'
import { type LaneMovement, type Operand, movementOf } from './operands.ts'
import { type Engine, type Tile, type TileRequest, extentOf, piecesOf } from './tiles.ts'

/** Facts about operands that many tiles ask for. */
export class Facts {
  readonly #request: TileRequest
  readonly #movements = new Map<Operand, Map<string, LaneMovement>>()
  readonly #allMovements = new Map<string, readonly LaneMovement[]>()
  readonly #stray = new Map<Operand, number>()
  readonly #reuse = new Map<Operand, number>()
  readonly #packs = new Map<Operand, Map<string, number>>()
  readonly #finish = new Map<string, ReturnType<TileRequest['finishAccesses']>>()
  /** How many outputs there are, and how many terms each has. */
  readonly results: number
  readonly terms: number

  constructor(request: TileRequest) {
    this.#request = request
    this.results = extentOf(request.outputs)
    this.terms = extentOf(request.reduced)
  }

  movement(operand: Operand, counter: string): LaneMovement {
    let known = this.#movements.get(operand)
    if (known === undefined) {
      known = new Map()
      this.#movements.set(operand, known)
    }
    let found = known.get(counter)
    if (found === undefined) {
      found = movementOf(operand, counter)
      known.set(counter, found)
    }
    return found
  }

  /** How lanes along a counter move each operand. */
  movements(counter: string): readonly LaneMovement[] {
    const found =
      this.#allMovements.get(counter) ??
      this.#request.operands.map((o) => this.movement(o, counter))
    this.#allMovements.set(counter, found)
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

  /** Cycles of copying an operand for lanes along a dim. */
  pack(operand: Operand, lane: Dim): number {
    const known = this.#packs.get(operand) ?? new Map<string, number>()
    this.#packs.set(operand, known)
    const found = known.get(lane.name) ?? packCost(operand, this.#request, lane)
    known.set(lane.name, found)
    return found
  }

  finish(lane: Dim): ReturnType<TileRequest['finishAccesses']> {
    const found = this.#finish.get(lane.name) ?? this.#request.finishAccesses(lane)
    this.#finish.set(lane.name, found)
    return found
  }
}

/** Bytes between rows at which caches collide, and a first-level cache: lines, sets of them, lines in each. */
const pageSize = 4096
const lineBytes = 64
const sets = 64
const ways = 8

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b))

/** Rows so many bytes apart, of which a first-level cache can hold a line each, and some more. */
const heldRows = (stride: number): number =>
  (0.75 * ways * sets) / (stride % lineBytes === 0 ? gcd(stride / lineBytes, sets) : 1)

/**
 * Cycles a step waits for memory because an operand is read across large strides. Measured on a Zen 4
 * core, products of 256 terms: 37 GFLOP/s with rows 3072 bytes apart, 48 with a copy; with the first
 * operand transposed, 30 and 44.
 */
const strayCost = (operand: Operand, request: TileRequest, reuse: number): number => {
  if (reuse < 8) return 0
  const inner = request.reduced.at(-1)
  if (inner === undefined) return 0
  let cost = 0
  for (const access of operand.accesses) {
    const stride = 4 * Math.abs(access.strides.get(inner.name) ?? 0)
    if (stride < 1024) continue
    // Pages apart, rows fall into the same few sets of every cache.
    if (stride % pageSize === 0 && inner.extent >= 64) cost += 8
    else cost += inner.extent > heldRows(stride) ? 1.2 : 0.1
  }
  return cost
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

/**
 * What a step reads in tiles with these rows: the same however many vectors they have. Thousands of
 * tiles are compared in a process that has just begun, so nothing is asked twice.
 */
export class Steps {
  readonly rows: number
  readonly #request: TileRequest
  readonly #isAlong: boolean
  /** For each operand: its elements along the rows, how lanes move it, whether they do. */
  readonly #copies: number[] = []
  readonly #movements: readonly LaneMovement[]
  readonly #varies: boolean[] = []

  constructor(
    request: TileRequest,
    facts: Facts,
    lane: Dim,
    sizes: ReadonlyMap<string, number>,
    along: Tile['along'],
  ) {
    this.#request = request
    this.#isAlong = along === 'reduced'
    let rows = 1
    sizes.forEach((size) => {
      rows *= size
    })
    this.rows = rows
    this.#movements = facts.movements(lane.name)
    const { operands } = request
    for (let n = 0; n < operands.length; n++) {
      const { counters } = operands[n]!
      let copies = 1
      sizes.forEach((size, name) => {
        if (counters.has(name)) copies *= size
      })
      this.#copies.push(copies)
      this.#varies.push(counters.has(lane.name))
    }
  }

  /** Cycles of one step of a tile with so many vectors. */
  cost(vectors: number, packed: ReadonlySet<string>, engine: Engine): number {
    const { operands, lanes, stepWork, accumulators } = this.#request
    const points = this.rows * vectors
    let arithmetic = points * stepWork
    let loads = 0
    let held = 0
    let other = 0
    let bytes = 0
    for (let n = 0; n < operands.length; n++) {
      const { name, work, accesses } = operands[n]!
      const count = accesses.length
      const spreads = this.#isAlong || this.#varies[n]!
      const copies = spreads ? this.#copies[n]! * vectors : this.#copies[n]!
      const movement = this.#movements[n]!
      if (packed.has(name)) loads += copies
      else {
        if (movement === 'apart') {
          loads += copies * count * lanes
          arithmetic += copies * count * (lanes - 1)
        } else if (movement === 'anyhow') {
          loads += 2 * copies * count * lanes
          arithmetic += copies * count * (3 * lanes)
          other += copies * 8
        } else loads += copies * count
        arithmetic += copies * work
      }
      // The engine loads a step's operands before it computes.
      held += copies
      bytes += spreads ? copies : copies / lanes
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

/** What no tile of this kind costs less than: as if it fitted everywhere. */
export const leastCost = (
  request: TileRequest,
  facts: Facts,
  steps: Steps,
  { along, lane, vectors, packed }: Omit<Tile, 'cost'>,
  engine: Engine,
): number => {
  const { lanes, operands } = request
  const { rows } = steps
  const { results, terms } = facts
  const step = steps.cost(vectors, packed, engine)
  let cost = ((results * terms) / (lanes * vectors * rows)) * step
  const tiles = along === 'reduced' ? results / rows : results / (lanes * vectors * rows)
  const finished = along === 'reduced' ? rows : rows * vectors
  cost += tiles * (engine.start + finishCost(request, finished, along, lane, facts))
  if (packed.size === 0) return cost
  for (const operand of operands) if (packed.has(operand.name)) cost += facts.pack(operand, lane)
  return cost
}

/** Tiles of one shape: full ones, or what is left over along some dims. */
interface Shape {
  readonly vectors: number
  readonly sizes: ReadonlyMap<string, number>
  readonly tiles: number
}

export const tileCost = (
  request: TileRequest,
  facts: Facts,
  tile: Omit<Tile, 'cost'>,
  engine: Engine,
): number => {
  const { lanes, outputs, reduced } = request
  const tiled = outputs.filter((d) => tile.sizes.has(d.name))
  const others = outputs.filter((d) => d !== tile.lane && !tile.sizes.has(d.name))
  let shapes: readonly Shape[] = []
  if (tile.along === 'output') {
    const width = lanes * tile.vectors
    shapes = piecesOf(tile.lane.extent, width).map(({ count, size }) => ({
      vectors: Math.ceil(size / lanes),
      sizes: new Map(),
      tiles: count,
    }))
  } else shapes = [{ vectors: tile.vectors, sizes: new Map(), tiles: 1 }]
  for (const dim of tiled) {
    const pieces = piecesOf(dim.extent, tile.sizes.get(dim.name)!)
    shapes = shapes.flatMap(({ vectors, sizes, tiles }) =>
      pieces.map((p) => ({
        vectors,
        sizes: new Map([...sizes, [dim.name, p.size]]),
        tiles: tiles * p.count,
      })),
    )
  }
  const { terms } = facts
  const inner = tile.along === 'reduced' ? tile.lane : reduced.at(-1)
  const entries = inner === undefined ? 1 : terms / inner.extent
  const perEntry =
    tile.along === 'reduced'
      ? Math.floor(tile.lane.extent / (lanes * tile.vectors)) +
        // What is left over costs a masked step of its own for each vector.
        (Math.ceil((tile.lane.extent % (lanes * tile.vectors)) / lanes) * 1.6) / tile.vectors
      : (inner?.extent ?? 1)
  let total = 0
  for (const { vectors, sizes, tiles } of shapes) {
    const steps = new Steps(request, facts, tile.lane, sizes, tile.along)
    const finished = tile.along === 'reduced' ? steps.rows : steps.rows * vectors
    let step = steps.cost(vectors, tile.packed, engine)
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
    if (tile.packed.has(operand.name)) total += facts.pack(operand, tile.lane)
  }
  return total
}

/** The choice of a tile: which dim the lanes run along, how many rows and vectors, what is copied first. */
import type { Dim } from '../tiling.ts'
import type { Operand } from './operands.ts'
import { Facts, Steps, leastCost, tileCost } from './tileCosts.ts'
import { type Engine, type Tile, type TileRequest, v8x64 } from './tiles.ts'

/** Whether copying an operand can make sense: its elements are used often and are its own. */
const isPackable = (operand: Operand, request: TileRequest): boolean => {
  if (!request.mayPack || !operand.movable) return false
  const known = [...request.outputs, ...request.reduced].filter((d) => operand.counters.has(d.name))
  return known.length === operand.counters.size && known.length > 0
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
  const facts = new Facts(request)
  const { lanes, operands } = request
  const candidates: Candidate[] = []
  const consider = (steps: Steps, tile: Omit<Tile, 'cost'>): void => {
    candidates.push({ tile, least: leastCost(request, facts, steps, tile, engine) })
  }
  const packable = operands.filter((o) => isPackable(o, request) && facts.reuse(o) >= 4)
  for (const lane of request.outputs) {
    if (lane.extent < 2 || !request.storable(lane)) continue
    const awkward = operands.filter((o) => facts.movement(o, lane.name) === 'never')
    if (awkward.some((o) => !isPackable(o, request))) continue
    const copied = packable.filter((o) => paysToCopy(o, facts, lane))
    const most = Math.ceil(lane.extent / lanes)
    for (const sizes of sizesWithout(request, lane)) {
      const steps = new Steps(request, facts, lane, sizes, 'output')
      const limit = sizes.size === 0 ? 8 : 4
      const copies = packings(
        copied.filter((o) => !isWide(o, lane, sizes)),
        awkward,
      )
      for (let vectors = 1; vectors <= Math.min(limit, most); vectors++) {
        if (steps.rows * vectors > mostPoints) break
        for (const packed of copies) {
          consider(steps, { along: 'output', lane, vectors, sizes, packed })
        }
      }
    }
  }
  if (!request.splittable) return best(candidates, request, facts, engine)
  for (const lane of request.reduced) {
    if (lane.extent < lanes) continue
    const moves = operands.map((o) => facts.movement(o, lane.name))
    if (moves.some((m) => m === 'never' || m === 'anyhow')) continue
    // The last vector of a row reads past its end: not far, where neighbours are read.
    const isWhole = lane.extent % lanes === 0
    if (moves.some((m) => m === 'apart') && !isWhole) continue
    if (moves.every((m) => m === 'apart')) continue
    for (const sizes of sizesWithout(request, null)) {
      const steps = new Steps(request, facts, lane, sizes, 'reduced')
      for (const vectors of [1, 2, 4]) {
        if (steps.rows * vectors > mostPoints || vectors * lanes > lane.extent) break
        consider(steps, { along: 'reduced', lane, vectors, sizes, packed: nothing })
      }
    }
  }
  return best(candidates, request, facts, engine)
}

const nothing: ReadonlySet<string> = new Set()
const onlyNothing: readonly ReadonlySet<string>[] = [nothing]

/** The sets of operands that may be copied, with those in them that must be. */
const packings = (
  copied: readonly Operand[],
  needed: readonly Operand[],
): readonly ReadonlySet<string>[] => {
  if (copied.length === 0) return needed.length === 0 ? onlyNothing : []
  return subsets(copied).flatMap((chosen) =>
    needed.every((o) => chosen.includes(o)) ? [new Set(chosen.map((o) => o.name))] : [],
  )
}

/** A tile, and what it would cost if it fitted everywhere. */
interface Candidate {
  readonly tile: Omit<Tile, 'cost'>
  readonly least: number
}

/** Of tiles about as good as each other the first is taken. */
const clearly = 0.999
/** Tiles this much dearer than another cannot even keep a third one from being taken. */
const hopeless = 1.01

// Costs are found only for tiles that may be the best: the most promising one shows which.
const best = (
  candidates: readonly Candidate[],
  request: TileRequest,
  facts: Facts,
  engine: Engine,
): Tile | null => {
  let promising = candidates[0]
  if (promising === undefined) return null
  for (let n = 1; n < candidates.length; n++) {
    const candidate = candidates[n]!
    if (candidate.least < promising.least) promising = candidate
  }
  let limit = hopeless * tileCost(request, facts, promising.tile, engine)
  let found: Tile | null = null
  for (let n = 0; n < candidates.length; n++) {
    const candidate = candidates[n]!
    if (candidate.least >= limit && candidate !== promising) continue
    const { tile } = candidate
    const cost = tileCost(request, facts, tile, engine)
    if (found !== null && cost >= found.cost * clearly) continue
    found = { ...tile, cost }
    limit = Math.min(limit, cost)
  }
  return found
}

// Copies pay where elements are used again, and where the loads need them.
const paysToCopy = (operand: Operand, facts: Facts, lane: Dim): boolean => {
  const movement = facts.movement(operand, lane.name)
  const awkward = movement !== 'beside' && movement !== 'uniform'
  return awkward || operand.work > 0 || facts.stray(operand) > 0
}

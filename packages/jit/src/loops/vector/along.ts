/**
 * Tiles whose lanes are terms of one output: vectors of partial results, combined at the end of a
 * block of terms. For rows of memory that are summed up.
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
import { isInDoubt, withTerm, withoutNaN } from './extremes.ts'
import { type Nest, loopOver } from './nest.ts'
import type { Operand, Split } from './operands.ts'
import { type Point, stepStatements } from './steps.ts'
import { type Tile, piecesOf } from './tiles.ts'

const { across, affine, binaryOp, constant, convertTo, counter, literal, local, plus } = scalars

export interface Along {
  readonly nest: Nest
  readonly tile: Tile
  readonly lanes: Lanes
  readonly split: Split
  /** The dtype of each accumulator's partial results. */
  readonly dtypes: readonly DType[]
  /** Steps of one partial result after which it is handed over. */
  readonly limit: number
}

interface Place {
  readonly base: Index
  readonly size: number
}

/** The statements of every output. */
export const emitAlong = (along: Along): readonly Stmt[] => {
  const { nest, tile } = along
  const others = nest.outputs.filter((d) => !tile.sizes.has(d.name))
  const rows = nest.outputs.filter((d) => tile.sizes.has(d.name))
  const loops = (dims: readonly Dim[], places: ReadonlyMap<string, Place>): readonly Stmt[] => {
    const dim = dims[0]
    if (dim === undefined) return tileStatements(along, places)
    const size = tile.sizes.get(dim.name) ?? 1
    return piecesOf(dim.extent, size).flatMap((piece) => {
      const name = size === 1 ? dim.name : `${dim.name}b`
      const index = piece.count === 1 ? constant(0) : counter(name, piece.count)
      const base = affine([[piece.size, index]], piece.start)
      const inner = loops(
        dims.slice(1),
        new Map([...places, [dim.name, { base, size: piece.size }]]),
      )
      return [loopOver(name, piece.count, inner, true)]
    })
  }
  return loops([...others, ...rows], new Map())
}

const combinationsOf = (
  dims: readonly Dim[],
  places: ReadonlyMap<string, Place>,
): readonly ReadonlyMap<string, number>[] =>
  dims.reduce<readonly ReadonlyMap<string, number>[]>(
    (all, d) =>
      all.flatMap((c) =>
        Array.from({ length: places.get(d.name)!.size }, (_, n) => new Map([...c, [d.name, n]])),
      ),
    [new Map()],
  )

/** How one tile is computed. */
interface TileLoops {
  readonly declared: readonly Stmt[]
  /** Totals and partial results as they are declared. */
  readonly restart: readonly Stmt[]
  readonly loops: readonly Stmt[]
  readonly finish: readonly Stmt[]
  /** The totals of an accumulator, one for each row of the tile. */
  readonly totals: (a: number) => readonly Scalar[]
}

const tileStatements = (along: Along, places: ReadonlyMap<string, Place>): readonly Stmt[] => {
  const quick = withoutNaN(along)
  const exact = tileLoops(
    quick === null ? along : { ...along, nest: { ...along.nest, visits: [] } },
    places,
  )
  if (quick === null) return [...exact.declared, ...exact.loops, ...exact.finish]
  const fast = tileLoops(quick.along, places)
  const doubts = quick.extremes.flatMap(({ a, sum, op }) =>
    fast.totals(a).map((total, n) => isInDoubt(op, total, fast.totals(sum)[n]!)),
  )
  const again: Stmt = {
    tag: 'if',
    condition: doubts.reduce((x, y) => binaryOp('or', x, y)),
    then: [...exact.restart, ...exact.loops],
    otherwise: [],
  }
  return [...fast.declared, ...fast.loops, again, ...exact.finish]
}

const tileLoops = (along: Along, places: ReadonlyMap<string, Place>): TileLoops => {
  const { nest, tile, lanes, dtypes, limit } = along
  const { accumulators, associative } = nest
  const ops = associative!.map((a) => a.op)
  const rows = nest.outputs.filter((d) => tile.sizes.has(d.name))
  const combinations = combinationsOf(rows, places)
  const inner = tile.lane
  const outer = nest.reduced.filter((d) => d !== inner)
  const perRound = lanes * tile.vectors
  const rounds = Math.floor(inner.extent / perRound)
  const left = inner.extent - rounds * perRound

  const suffixOf = (copies: ReadonlyMap<string, number>): string => [...copies.values()].join('_')
  const totalOf = (a: number, copies: ReadonlyMap<string, number>): string =>
    `${accumulators[a]!.name}${suffixOf(copies)}`
  const partialOf = (a: number, copies: ReadonlyMap<string, number>, v: number): string =>
    `${totalOf(a, copies)}p${v}`
  // A vector of terms: `v` is the partial result that it goes to.
  const pointAt = (copies: ReadonlyMap<string, number>, v: number, k: Index): Point => {
    const counters = new Map<string, Index>([[inner.name, k]])
    for (const d of nest.outputs) {
      counters.set(d.name, plus(places.get(d.name)!.base, copies.get(d.name) ?? 0))
    }
    return {
      suffix: `${suffixOf(copies)}p${v}`,
      counters,
      copies: new Map([...copies, [inner.name, v]]),
    }
  }
  const visitsAt = ({ counters }: Pick<Point, 'counters'>): readonly Stmt[] =>
    substitution({ counters }).body(nest.visits)
  const laneLoop = (
    name: string,
    vectors: readonly {
      readonly v: number
      readonly start: Index
      readonly masked: number | null
    }[],
    isRest: boolean,
  ): Stmt => {
    const lane: Index = { tag: 'counter', name, extent: lanes }
    const body = vectors.flatMap(({ v, start, masked }) => {
      const points = combinations.map((c) => pointAt(c, v, plus(start, lane)))
      const mask =
        masked === null
          ? {}
          : {
              masked: (value: Scalar, a: number): Scalar =>
                maskedStep(along, value, a, lane, masked),
            }
      const steps = stepStatements(
        {
          accumulators,
          dtypes,
          steps: along.split.steps,
          operands: along.split.operands,
          associative: true,
          read: (operand: Operand, point: Point) =>
            substitution({ counters: point.counters }).scalar(operand.value),
          ...mask,
        },
        points,
        rows.map((d) => d.name),
      )
      return !isRest ? [...steps, ...points.flatMap(visitsAt)] : steps
    })
    return { tag: 'for', counter: name, extent: lanes, lanes, body }
  }

  // A loop that ends where the terms do: surplus lanes store nothing.
  const visitsOf = (count: number): readonly Stmt[] => {
    if (nest.visits.length === 0) return []
    const name = `${inner.name}y`
    const k = plus(counter(name, count), rounds * perRound)
    const body = visitsAt({ counters: new Map([[inner.name, k]]) })
    return [{ tag: 'for', counter: name, extent: count, parallel: true, lanes, body }]
  }

  const round = { name: `${inner.name}r`, extent: rounds }
  const start = affine([[perRound, counter(round.name, rounds)]])
  const main = laneLoop(
    `${inner.name}v`,
    Array.from({ length: tile.vectors }, (_, v) => ({
      v,
      start: plus(start, v * lanes),
      masked: null,
    })),
    false,
  )
  const rest = Array.from({ length: Math.ceil(left / lanes) }, (_, v) => ({
    v,
    start: constant(rounds * perRound + v * lanes),
    masked: left - v * lanes < lanes ? left - v * lanes : null,
  }))
  const each = (
    f: (a: number, copies: ReadonlyMap<string, number>) => readonly Stmt[],
  ): readonly Stmt[] => combinations.flatMap((c) => accumulators.flatMap((_, a) => f(a, c)))
  const partials = Array.from({ length: tile.vectors }, (_, v) => v)
  const neutral = (a: number): Scalar => literal(dtypes[a]!, associative![a]!.neutral)
  const reset = each((a, c) =>
    partials.map((v): Stmt => ({ tag: 'assign', name: partialOf(a, c, v), value: neutral(a) })),
  )
  // Partial results in pairs, then their lanes, into the total.
  const flush = each((a, c) => {
    let parts: readonly Scalar[] = partials.map((v) => local(dtypes[a]!, partialOf(a, c, v)))
    while (parts.length > 1) {
      parts = parts.flatMap((x, n) => {
        const y = parts[n + 1]
        return n % 2 === 1 ? [] : [y === undefined ? x : binaryOp(ops[a]!, x, y)]
      })
    }
    const { dtype } = accumulators[a]!
    const [total, name] = [local(dtype, totalOf(a, c)), totalOf(a, c)]
    const value = binaryOp(ops[a]!, total, convertTo(dtype, across(ops[a]!, parts[0]!)))
    return [{ tag: 'assign', name, value }]
  })
  const declared = each((a, c): readonly Stmt[] => {
    const { dtype, initial } = accumulators[a]!
    return [
      { tag: 'variable', name: totalOf(a, c), value: literal(dtype, initial) },
      ...partials.map((v): Stmt => {
        return { tag: 'variable', name: partialOf(a, c, v), value: neutral(a), lanes }
      }),
    ]
  })
  const dims = [...outer, round]
  const tail = rest.length === 0 ? [] : [laneLoop(`${inner.name}w`, rest, true), ...visitsOf(left)]
  const shape = { dims, body: [main], steps: 1, limit, reset, flush, rest: tail }
  const over = handsOver(shape)
  const loops = blockedLoops(shape)
  const finish = combinations.flatMap((c) =>
    finishAt(along, pointAt(c, 0, constant(0)), c, totalOf),
  )
  return {
    declared,
    restart: [
      ...each((a, c) => {
        const { dtype, initial } = accumulators[a]!
        return [{ tag: 'assign', name: totalOf(a, c), value: literal(dtype, initial) }]
      }),
      ...reset,
    ],
    loops: [...loops, ...(over ? [] : flush)],
    finish,
    totals: (a) => combinations.map((c) => local(accumulators[a]!.dtype, totalOf(a, c))),
  }
}

// The step's own accumulator and its term; a term that does not exist becomes neutral.
const maskedStep = (
  { nest, dtypes }: Along,
  value: Scalar,
  a: number,
  lane: Index,
  count: number,
): Scalar => {
  const exists = scalars.within(lane, 0, count)
  const neutral = literal(dtypes[a]!, nest.associative![a]!.neutral)
  const masked = (y: Scalar): Scalar => scalars.selectOp(exists, y, neutral)
  return value.tag === 'binary'
    ? { ...value, y: masked(value.y) }
    : (withTerm(value, masked) ?? value)
}

const finishAt = (
  { nest }: Along,
  point: Point,
  copies: ReadonlyMap<string, number>,
  totalOf: (a: number, copies: ReadonlyMap<string, number>) => string,
): readonly Stmt[] => {
  const counters = new Map(nest.outputs.map((d) => [d.name, point.counters.get(d.name)!]))
  const { declared } = effectsOf(nest.finish)
  const suffix = [...copies.values()].join('_')
  const renamed = suffix === '' ? [] : [...declared]
  return substitution({
    counters,
    locals: new Map(nest.accumulators.map((x, a) => [x.name, local(x.dtype, totalOf(a, copies))])),
    declared: new Map(renamed.map((name) => [name, `${name}_${suffix}`])),
  }).body(nest.finish)
}

/** One register tile whose lanes are outputs: its accumulators, its steps, and what becomes of them. */
import { type Index, type Scalar, type Stmt, scalars } from '@cotangent/core'
import { substitution } from '../rewrite.ts'
import type { Dim } from '../tiling.ts'
import { effectsOf } from '../visit.ts'
import { blockedLoops, handsOver } from './blocks.ts'
import type { Operand } from './operands.ts'
import { type Outward, type Part, type Places, rowDimsOf } from './outwardPlan.ts'
import { chunkOf, panelLoad } from './panels.ts'
import { type Point, accumulatorName, stepStatements } from './steps.ts'
import { piecesOf } from './tiles.ts'

const { affine, binaryOp, compareOp, constant, counter, literal, load, local, plus } = scalars
const { selectOp } = scalars

interface Vector {
  readonly counter: string
  readonly extent: number
  readonly start: number
}

const pointsOf = (
  outward: Outward,
  places: Places,
  vectors: readonly Vector[],
  terms: ReadonlyMap<string, Index>,
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
      const counters = new Map<string, Index>(terms)
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

/** The statements of a tile, or of one part of its terms. */
export const tileStatements = (outward: Outward, places: Places, part: Part): readonly Stmt[] => {
  const { nest, tile, lanes, dtypes, panels } = outward
  const { prefix, accumulators } = nest
  const { size } = places.get(tile.lane.name)!
  const vectors = piecesOf(size, lanes).flatMap((p) =>
    Array.from({ length: p.count }, (_, n): Vector => {
      const start = p.start + n * lanes
      return { counter: `${prefix}${tile.lane.name}v${start / lanes}`, extent: p.size, start }
    }),
  )
  const points = pointsOf(outward, places, vectors, part.tag === 'terms' ? part.at : new Map())
  const read = (operand: Operand, point: Point): Scalar => {
    const copy = panels.find((p) => p.operand === operand)
    if (copy === undefined) {
      return substitution({ counters: point.counters }).scalar(operand.value)
    }
    const chunk = part.tag === 'terms' ? part.chunk : null
    const panel = chunk === null ? copy : chunkOf(copy, chunk.dim, chunk.start, chunk.extent)
    const at = (d: Dim): Index =>
      d.name === chunk?.dim.name
        ? counter(d.name, chunk.extent)
        : (point.counters.get(d.name) ?? counter(d.name, d.extent))
    const { blocked } = panel
    const spot = blocked === null ? { base: constant(0), size: 1 } : places.get(blocked.name)!
    const inside = blocked === null ? constant(0) : scalars.minus(at(blocked), spot.base)
    return panelLoad(panel, spot, inside, at)
  }
  const each = (f: (point: Point, a: number) => Stmt): readonly Stmt[] =>
    points.flatMap((point) => accumulators.map((_, a) => f(point, a)))
  const nameOf = (point: Point, a: number): string => accumulatorName(accumulators[a]!, point)
  const start = (a: number): Scalar => literal(dtypes[a]!, accumulators[a]!.initial)
  const stored = (point: Point): Index => placeOf(outward, point)
  const body = ((): readonly Stmt[] => {
    switch (part.tag) {
      case 'start':
        return each((p, a) => {
          return { tag: 'store', buffer: part.buffers[a]!, at: stored(p), value: start(a) }
        })
      case 'finish':
        return points.flatMap((point) =>
          finishAt(outward, point, (a) => load(part.buffers[a]!, dtypes[a]!, stored(point))),
        )
      case 'terms': {
        const loops = blockedLoops({
          dims: part.reduced,
          body: stepsOf(outward, points, read),
          steps: 1,
          limit: Infinity,
          reset: [],
          flush: [],
        })
        const held = (p: Point, a: number): Scalar => local(dtypes[a]!, nameOf(p, a))
        return [
          ...each((p, a) => {
            const value = part.first ? start(a) : load(part.buffers[a]!, dtypes[a]!, stored(p))
            return { tag: 'variable', name: nameOf(p, a), value, lanes }
          }),
          ...loops,
          ...(part.last
            ? points.flatMap((p) => finishAt(outward, p, (a) => held(p, a)))
            : each((p, a) => {
                const at = stored(p)
                return { tag: 'store', buffer: part.buffers[a]!, at, value: held(p, a) }
              })),
        ]
      }
      case 'whole':
        return wholeTile(outward, points, stepsOf(outward, points, read))
      default:
        return part satisfies never
    }
  })()
  return vectors.reduceRight<readonly Stmt[]>(
    (inner, v) => [{ tag: 'for', counter: v.counter, extent: v.extent, lanes, body: inner }],
    body,
  )
}

const stepsOf = (
  outward: Outward,
  points: readonly Point[],
  read: (operand: Operand, point: Point) => Scalar,
): readonly Stmt[] => {
  const { nest, split, dtypes } = outward
  const { steps, operands } = split
  const associative = nest.associative !== null
  return stepStatements(
    { accumulators: nest.accumulators, dtypes, steps, operands, associative, read },
    points,
    rowDimsOf(outward).map((d) => d.name),
  )
}

/** All terms at once, in registers; long sums are handed over to a second row of accumulators. */
const wholeTile = (
  outward: Outward,
  points: readonly Point[],
  step: readonly Stmt[],
): readonly Stmt[] => {
  const { nest, lanes, dtypes, limit } = outward
  const { accumulators, reduced } = nest
  const each = (f: (point: Point, a: number) => Stmt): readonly Stmt[] =>
    points.flatMap((point) => accumulators.map((_, a) => f(point, a)))
  const nameOf = (point: Point, a: number): string => accumulatorName(accumulators[a]!, point)
  const second = (point: Point, a: number): string => `${nameOf(point, a)}_sum`
  const start = (a: number): Scalar => literal(dtypes[a]!, accumulators[a]!.initial)
  const neutral = (a: number): Scalar => literal(dtypes[a]!, nest.associative![a]!.neutral)
  const lost = (point: Point, a: number): string => `${nameOf(point, a)}_lost`
  // What rounding takes from plain sums of sums is kept, too: equal terms are rounded alike.
  const keeps = (a: number): boolean =>
    outward.split.operands.length < 2 &&
    dtypes[a] === 'float32' &&
    nest.associative?.[a]!.op === 'add'
  const shape = { dims: reduced, body: step, steps: 1, limit, reset: [], flush: [] }
  const over = handsOver(shape)
  const loops = over
    ? blockedLoops({
        ...shape,
        reset: each((p, a) => ({ tag: 'assign', name: nameOf(p, a), value: neutral(a) })),
        flush: points.flatMap((p) =>
          accumulators.flatMap((_, a) => {
            const [x, y] = [local(dtypes[a]!, second(p, a)), local(dtypes[a]!, nameOf(p, a))]
            const value = binaryOp(nest.associative![a]!.op, x, y)
            if (!keeps(a)) return [{ tag: 'assign', name: second(p, a), value }]
            return keepLost(second(p, a), lost(p, a), x, y, value)
          }),
        ),
      })
    : blockedLoops({ ...shape, limit: Infinity })
  const declared = each((p, a): Stmt => {
    const value = over ? neutral(a) : start(a)
    return { tag: 'variable', name: nameOf(p, a), value, lanes }
  })
  const sums = each(
    (p, a): Stmt => ({ tag: 'variable', name: second(p, a), value: start(a), lanes }),
  )
  const losses = points.flatMap((p) =>
    accumulators.flatMap((_, a): readonly Stmt[] =>
      keeps(a) ? [{ tag: 'variable', name: lost(p, a), value: literal('float32', 0), lanes }] : [],
    ),
  )
  const total = (point: Point, a: number): Scalar => {
    const value = local(dtypes[a]!, over ? second(point, a) : nameOf(point, a))
    return over && keeps(a) ? withLost(value, local('float32', lost(point, a))) : value
  }
  const finished = points.flatMap((point) => finishAt(outward, point, (a) => total(point, a)))
  return [...declared, ...(over ? [...sums, ...losses] : []), ...loops, ...finished]
}

/**
 * `sum = sum + block`, and what that rounds away is added to `lost` (Kahan, Further remarks on
 * reducing truncation errors, 1965).
 */
const keepLost = (
  sum: string,
  lost: string,
  before: Scalar,
  block: Scalar,
  after: Scalar,
): readonly Stmt[] => {
  const name = `${sum}_next`
  const next = local('float32', name)
  const taken = binaryOp('subtract', next, before)
  const left = binaryOp('subtract', block, taken)
  return [
    { tag: 'let', name, value: after },
    { tag: 'assign', name: lost, value: binaryOp('add', local('float32', lost), left) },
    { tag: 'assign', name: sum, value: next },
  ]
}

// Infinite sums have lost no number: the difference of equal infinities is NaN.
const withLost = (sum: Scalar, lost: Scalar): Scalar => {
  const isFinite = compareOp('equal', binaryOp('subtract', lost, lost), literal('float32', 0))
  return selectOp(isFinite, binaryOp('add', sum, lost), sum)
}

/** Elements of the memory in which partial results wait: the lanes' dim is innermost and padded. */
export const partialSize = ({ nest, tile, lanes }: Outward): number =>
  nest.outputs.reduce((n, d) => n * (d === tile.lane ? paddedExtent(d, lanes) : d.extent), 1)

const paddedExtent = (d: Dim, lanes: number): number => Math.ceil(d.extent / lanes) * lanes

const placeOf = ({ nest, tile, lanes }: Outward, point: Point): Index => {
  const rows = nest.outputs.filter((d) => d !== tile.lane)
  return [...rows, tile.lane].reduce<Index>(
    (position, d) =>
      affine([
        [d === tile.lane ? paddedExtent(d, lanes) : d.extent, position],
        [1, point.counters.get(d.name)!],
      ]),
    constant(0),
  )
}

const finishAt = (
  { nest, finish }: Outward,
  point: Point,
  value: (a: number) => Scalar,
): readonly Stmt[] => {
  const { declared } = effectsOf(finish)
  return substitution({
    counters: point.counters,
    locals: new Map(nest.accumulators.map((a, n) => [a.name, value(n)])),
    declared: new Map([...declared].map((name) => [name, `${name}_${point.suffix}`])),
  }).body(finish)
}

/**
 * Reductions as register tiles of vectors: matrix products and convolutions of every kind, sums along
 * rows and columns and of whole arrays. The counterpart of `emitReduction` for kernels with lanes.
 */
import type { DType, Scalar, Stmt } from '@cotangent/core'
import { accessOf } from '../access.ts'
import { emitReduction } from '../reduction.ts'
import type { Dim } from '../tiling.ts'
import { sizeOfBody, walk } from '../visit.ts'
import { isLaneable } from './laneable.ts'
import { emitAlong } from './along.ts'
import { hasWide, narrowFinish, narrowSteps } from './narrow.ts'
import { type Nest, type VectorReductionSpec, loopOver, nestOf } from './nest.ts'
import { type Operand, type Split, movementOf, splitOperands } from './operands.ts'
import { cutTerms } from './chunks.ts'
import { emitOutward } from './outward.ts'
import type { Outward } from './outwardPlan.ts'
import { type Layout, type Panel, panelSize } from './panels.ts'
import { partialSize } from './register.ts'
import { partition } from './partition.ts'
import { withoutPicks } from './picked.ts'
import { type Rows, downRows } from './rowSums.ts'
import { chooseTile } from './tileChoice.ts'
import { type Tile, type TileRequest, extentOf } from './tiles.ts'

/** Terms of a plain float32 sum in a row; more are summed in blocks. */
const sumBlock = 64
/** Products average out: blocks of sums of products may be longer. */
const productBlock = 512

/**
 * Statements that compute a reduction for every output, in vectors where the loads allow it.
 * @example
 * emitVectorReduction({
 *   outputs: [{ name: 'i0', extent: 4 }],
 *   extents: [8],
 *   accumulators: [{ dtype: 'float64', initial: 0 }],
 *   step: ([sum], [i], [k]) => [binaryOp('add', sum!, convertTo('float64', x([i!, k!])))],
 *   finish: ([sum], [i]) => [{ tag: 'store', buffer: 'out', at: i!, value: convertTo('float32', sum!) }],
 * })
 */
export const emitVectorReduction = (spec: VectorReductionSpec): readonly Stmt[] =>
  emit(spec, nestOf(spec), true)

const emit = (spec: VectorReductionSpec, nest: Nest, mayPart: boolean): readonly Stmt[] => {
  if (extentOf(nest.outputs) === 0) return []
  const planned = planOf(spec, nest)
  if (nest.visits.length > 0 && !mayVisit(nest.visits, planned)) {
    const { visits: _, ...plain } = spec
    const loops = nest.reduced.reduceRight(
      (body, d) => [loopOver(d.name, d.extent, body, true)],
      nest.visits,
    )
    return [...loops, ...emit(plain, nestOf(plain), mayPart)]
  }
  if (planned === null) return scalarLoops(spec)
  const { tile, along, outward } = planned
  if (mayPart && spec.scratch !== undefined) {
    const down = inOrder(spec, nest, planned)
    if (down !== null) return down
    const parted = partition(spec, nest, tile, along.dtypes, (part) =>
      emit(part, nestOf(part), false),
    )
    if (parted !== null) return parted
  }
  if (tile.along === 'reduced') {
    const plain = withoutPicks(spec)
    return plain === null ? emitAlong(along) : emit(plain, nestOf(plain), mayPart)
  }
  const panels = along.split.operands.flatMap((operand): readonly Panel[] => {
    if (!tile.packed.has(operand.name)) return []
    const panel = panelOf(operand, nest, tile, along.lanes)
    return [{ ...panel, buffer: spec.scratch!(panelSize(panel), panel.dtype), chunk: null }]
  })
  const whole: Outward = { ...along, ...outward, panels, cut: null, partials: [] }
  const { scratch } = spec
  const { associative, reduced, outputs } = nest
  const { operands } = along.split
  const width = along.lanes * tile.vectors
  const cut =
    scratch === undefined || associative === null
      ? null
      : cutTerms(operands, tile, width, outputs, reduced)
  if (cut === null) return emitOutward(whole)
  const elements = partialSize(whole)
  const partials = along.dtypes.map((dtype) => scratch!(elements, dtype))
  return emitOutward({ ...whole, cut, partials })
}

/** Bytes of what passes by once that are better read in the order of memory. */
const manyBytes = 1024 * 1024
/** Bytes of the rows that are taken together. */
const blockBytes = 64 * 1024

// Columns of long rows that are read once: tile after tile would come back to each row again and again.
const inOrder = (
  spec: VectorReductionSpec,
  nest: Nest,
  { tile, along }: Plan,
): readonly Stmt[] | null => {
  const { outputs, reduced } = nest
  const { scratch } = spec
  if (scratch === undefined || tile.along !== 'output' || outputs.length !== 1) return null
  const dims = [...outputs, ...reduced]
  const isPassing = (o: Operand): boolean => dims.every((d) => o.counters.has(d.name))
  const passing = along.split.operands.filter(isPassing)
  const arrays = passing.reduce((n, o) => n + o.accesses.length, 0)
  const row = 4 * arrays * tile.lane.extent
  if (arrays === 0 || row * extentOf(reduced) < manyBytes) return null
  const isSmall = (o: Operand): boolean =>
    extentOf(dims.filter((d) => o.counters.has(d.name))) * 8 <= extentOf(dims)
  const isNear = (o: Operand): boolean => movementOf(o, tile.lane.name) === 'beside'
  const others = along.split.operands.filter((o) => !isPassing(o))
  if (!others.every(isSmall) || !passing.every(isNear)) return null
  const block = Math.max(8, Math.min(256, Math.floor(blockBytes / row)))
  const inLoops = (part: VectorReductionSpec): readonly Stmt[] => emit(part, nestOf(part), false)
  const parted = downRows({ spec, scratch, rows: null, block, emit: inLoops })
  return parted === null ? null : [...parted.phases, ...inLoops(parted.combined)]
}

/** Bytes of rows that wait in a cache until sums have been taken of them. */
const nearBytes = 256 * 1024

/** A kernel over rows together with reductions down its rows. */
export const emitRowSums = ({
  spec,
  scratch,
  rows,
  rowBytes,
}: {
  /** Columns are its outputs, rows its terms, in any order. */
  readonly spec: VectorReductionSpec
  readonly scratch: (size: number, dtype: DType) => string
  readonly rows: Rows
  /** Bytes that a row touches. */
  readonly rowBytes: number
}): readonly Stmt[] => {
  const block = Math.max(4, Math.min(64, Math.floor(nearBytes / rowBytes)))
  const inLoops = (part: VectorReductionSpec): readonly Stmt[] => emit(part, nestOf(part), false)
  const { phases, combined } = downRows({ spec, scratch, rows, block, emit: inLoops })!
  return [...phases, ...inLoops(combined)]
}

/** How a reduction will be computed. */
export interface Plan {
  readonly tile: Tile
  readonly along: Parameters<typeof emitAlong>[0]
  readonly outward: Pick<Outward, 'finish'>
}

/** The choice of lanes and tiles for a reduction; null where only single values can be computed. */
export const planOf = (spec: VectorReductionSpec, nest: Nest): Plan | null => {
  const { associative, accumulators, outputs, reduced } = nest
  if (extentOf(reduced) === 0 || accumulators.some((a) => !canHold(a.dtype))) return null
  // Products leave the range of float32 on the way.
  const inRange = associative?.every((a) => a.op !== 'multiply') ?? true
  const narrow = inRange ? narrowSteps(nest) : null
  const steps = narrow ?? nest.steps
  const lanes = hasWide(steps) ? 2 : 4
  if (!steps.every(isLaneable)) return null
  const split = splitOperands(nest, steps)
  const dtypes = accumulators.map((a, n): DType => (narrow === null ? a.dtype : narrow[n]!.dtype))
  const finish = narrow === null ? nest.finish : narrowFinish(nest)
  const finishable =
    finish !== null && (lanes === 2 || !hasWide([], finish)) && isLaneableBody(finish)
      ? finish
      : null
  const request: TileRequest = {
    lanes,
    outputs,
    reduced,
    operands: split.operands,
    stepWork: split.steps.reduce((n, s) => n + workOf(s), 0),
    finishWork: sizeOfBody(nest.finish) / 3,
    accumulators: accumulators.length,
    splittable: associative !== null,
    storable: (d) => finishable !== null && isStorable(finishable, d),
    finishAccesses: (d) => finishAccesses(nest.finish, d),
    mayPack: spec.scratch !== undefined,
  }
  const tile = chooseTile(request)
  if (tile === null) return null
  const limit = limitOf(nest, dtypes, split)
  const innermost =
    tile.along === 'reduced'
      ? { ...nest, reduced: [...reduced.filter((d) => d !== tile.lane), tile.lane] }
      : nest
  const along = { nest: innermost, tile, lanes, split, dtypes, limit } as const
  return { tile, along, outward: { finish: finishable ?? nest.finish } }
}

const canHold = (dtype: DType): boolean =>
  dtype === 'float32' || dtype === 'float64' || dtype === 'int32' || dtype === 'uint32'

const workOf = (s: Scalar): number => {
  let work = 0
  walk({
    scalar: (x) => {
      if (x.tag !== 'local' && x.tag !== 'literal') work++
    },
  }).scalar(s)
  return work
}

// Sums in float32 are handed over in blocks; other results do not drift.
const limitOf = (nest: Nest, dtypes: readonly DType[], split: Split): number => {
  const sums = nest.associative?.some((a, n) => a.op === 'add' && dtypes[n] === 'float32') ?? false
  if (!sums || nest.associative === null) return Infinity
  return split.operands.length > 1 ? productBlock : sumBlock
}

// Whether lanes may run along an output dim: every store moves with it, and nothing is guarded by it.
const isStorable = (finish: readonly Stmt[], dim: Dim): boolean => {
  let fits = true
  const guards = walk({
    index: (i) => {
      if (i.tag === 'counter' && i.name === dim.name) fits = false
    },
  })
  const visitor = walk({
    scalar: (s) => {
      if (s.tag === 'guard') guards.scalar(s.condition)
    },
    statement: (s) => {
      if (s.tag !== 'let' && s.tag !== 'store' && s.tag !== 'comment') fits = false
      if (s.tag !== 'store') return
      const { strides, uneven } = accessOf(s.buffer, s.at)
      if (uneven.has(dim.name) || (strides.get(dim.name) ?? 0) === 0) fits = false
    },
  })
  visitor.body(finish)
  return fits
}

const finishAccesses = (
  finish: readonly Stmt[],
  dim: Dim,
): { readonly beside: number; readonly apart: number } => {
  let [beside, apart] = [0, 0]
  const count = (buffer: string, at: Parameters<typeof accessOf>[1]): void => {
    const { strides, uneven } = accessOf(buffer, at)
    const stride = strides.get(dim.name) ?? 0
    if (uneven.has(dim.name) || (stride !== 0 && stride !== 1)) apart++
    else beside++
  }
  walk({
    scalar: (s) => {
      if (s.tag === 'load') count(s.buffer, s.at)
    },
    statement: (s) => {
      if (s.tag === 'store') count(s.buffer, s.at)
    },
  }).body(finish)
  return { beside, apart }
}

// In the lanes of the terms, which must be few enough for the widest value.
const mayVisit = (visits: readonly Stmt[], planned: Plan | null): boolean =>
  planned !== null &&
  planned.tile.along === 'reduced' &&
  (planned.along.lanes === 2 || !hasWide([], visits)) &&
  isLaneableBody(visits)

const isLaneableBody = (body: readonly Stmt[]): boolean =>
  body.every((s) =>
    s.tag === 'let' || s.tag === 'store' ? isLaneable(s.value) : s.tag === 'comment',
  )

const panelOf = (operand: Operand, nest: Nest, tile: Tile, lanes: number): Layout => {
  const depends = (d: Dim): boolean => operand.counters.has(d.name)
  const byLane = depends(tile.lane)
  const row = nest.outputs.find((d) => depends(d) && tile.sizes.has(d.name))
  const blocked = byLane ? tile.lane : (row ?? null)
  const width = byLane ? lanes * tile.vectors : row === undefined ? 1 : tile.sizes.get(row.name)!
  return {
    operand,
    dtype: operand.value.dtype,
    blocked,
    width,
    multiple: byLane ? lanes : 1,
    others: nest.outputs.filter((d) => depends(d) && d !== blocked),
    reduced: nest.reduced.filter(depends),
  }
}

// One value at a time; the outermost loops may still be shared out.
const scalarLoops = (spec: VectorReductionSpec): readonly Stmt[] => {
  const { scratch: _, before: __, visits: ___, ...plain } = spec
  const outputs = new Set(spec.outputs.map((d) => d.name))
  return emitReduction(plain).map((s) =>
    s.tag === 'for' && outputs.has(s.counter) ? { ...s, parallel: true } : s,
  )
}

/** For tests and messages: `outputs 8 x 4 i1, packed x1`. */
export const describePlan = (spec: VectorReductionSpec): string => {
  const nest = nestOf(spec)
  const plan = planOf(spec, nest)
  if (plan === null) return 'scalar'
  const { tile, along } = plan
  const rows = [...tile.sizes].map(([name, size]) => `${size} ${name}`).join(' x ')
  const packed = [...tile.packed].join(' ')
  const width = tile.vectors * along.lanes
  return [
    `${tile.along} ${tile.lane.name} ${width}${rows === '' ? '' : ` x ${rows}`}`,
    ...(packed === '' ? [] : [`packed ${packed}`]),
  ].join(', ')
}

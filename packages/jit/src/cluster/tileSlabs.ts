/** Register tiles slab by slab, each slab with its moments while it is in a cache. */
import { type Index, type Scalar, type Shape, type Stmt, scalars, sizeOf } from '@cotangent/core'
import { loopOver, nestOf } from '../loops/vector/nest.ts'
import { planOf } from '../loops/vector/reduction.ts'
import { emitWindows } from '../loops/windows.ts'
import type { Target, TargetReduction } from '../target.ts'
import { type SlabBuffers, channelMoments, slabMoments } from './slabMoments.ts'

/** What tiles in slabs may cost of what they cost over everything at once. */
const dearer = 1.03
/** Terms of a product that fit in a cache without a memory for partial results. */
const mostTerms = 512

/** The statements that finish an element, wherever it is. */
export type FinishAt = (accumulators: readonly Scalar[], index: readonly Index[]) => readonly Stmt[]

interface Slabbed {
  /** The tiles over everything at once, of `[images, channels, rows, …]`. */
  readonly whole: TargetReduction
  readonly outer: Shape
  readonly finishAt: FinishAt
  readonly reduce: Target['reduce']
  readonly buffers: SlabBuffers
}

/**
 * The tiles and the moments of what they make. Windows go channel by channel, products slab by slab; where those
 * need a memory of their own, as for copies of their operands, everything comes first and its moments then.
 */
export const tilesInSlabs = (slabbed: Slabbed): readonly Stmt[] => {
  const { whole, outer, reduce, buffers } = slabbed
  const [images, channels, height] = [outer[0]!, outer[1]!, outer[2]!]
  const inImage = height / buffers.rows
  const [n, c] = [scalars.counter('i0', images), scalars.counter('i1', channels)]
  const part = scalars.counter('part', inImage)
  const slab = scalars.affine([
    [inImage, n],
    [1, part],
  ])
  const around = (body: readonly Stmt[], isOfChannel: boolean): readonly Stmt[] => {
    const overParts = [loopOver('part', inImage, body, true)]
    const inner = isOfChannel ? [loopOver('i1', channels, overParts, true)] : overParts
    return [loopOver('i0', images, inner, true)]
  }
  const rowAt = (row: Index): Index => scalars.plus(scalars.times(part, buffers.rows), row)
  const overRows = [buffers.rows, ...outer.slice(3)].map((extent, d) => {
    return { name: `i${d + 2}`, extent }
  })
  const alone = within(slabbed, overRows, ([row, ...rest]) => [n, c, rowAt(row!), ...rest])
  const ofChannel = channelMoments(buffers, slab, c)
  if (isWindowed(alone)) return around([...reduce(alone), ...ofChannel], true)
  const all = [{ name: 'i1', extent: channels }, ...overRows]
  const together = within(slabbed, all, ([own, row, ...rest]) => [n, own!, rowAt(row!), ...rest])
  if (costOf(together) * images * inImage <= dearer * costOf(whole)) {
    return around([...reduce(together), ...slabMoments(buffers, slab)], false)
  }
  return [...reduce(whole), ...around(ofChannel, true)]
}

// Tiles over some of the outputs, in loops over the others.
const within = (
  { whole, finishAt }: Slabbed,
  outputs: TargetReduction['outputs'],
  placed: (own: readonly Index[]) => readonly Index[],
): TargetReduction => {
  const { before: _, ...shared } = whole
  return {
    ...shared,
    outputs,
    step: (accumulators, own, reduced) => whole.step(accumulators, placed(own), reduced),
    finish: (accumulators, own) => finishAt(accumulators, placed(own)),
  }
}

// Sums of a few neighbours of each output are as good wherever the loops around them begin.
const isWindowed = ({ scratch: _, before: __, ...spec }: TargetReduction): boolean =>
  emitWindows(spec) !== null

// Cycles, of which only the order matters.
const costOf = ({ scratch, before, ...spec }: TargetReduction): number => {
  const isInside = before === undefined
  if (isInside && sizeOf(spec.extents) > mostTerms) return Infinity
  const given = isInside ? spec : { ...spec, scratch, before }
  return planOf(given, nestOf(given))?.tile.cost ?? Infinity
}

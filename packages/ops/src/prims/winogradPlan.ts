/** How minimal filtering goes over its tiles: in blocks that stay in a cache, in groups that threads share. */
import { type Shape, range } from '@cotangent/core'
import { lanes } from './loops.ts'

/** Most rounds of the outermost loop, of which threads take shares; each has scratch of its own. */
const mostGroups = 24

/** The number of groups, of half the most or more, that leaves the fewest rounds without work. */
const groupsFor = (blocks: number): number => {
  if (blocks <= mostGroups) return blocks
  const counts = range(mostGroups / 2 + 1).map((n) => mostGroups - n)
  const idle = (count: number): number => count * Math.ceil(blocks / count) - blocks
  return counts.reduce((best, count) => (idle(count) < idle(best) ? count : best))
}

export interface Plan {
  readonly images: number
  readonly channels: number
  readonly outputs: number
  /** Rows and columns of the (padded) input and of the output, which are even. */
  readonly input: readonly [number, number]
  readonly output: readonly [number, number]
  /** Vectors of tiles in a row of tiles, in an image, and in all. */
  readonly inRow: number
  readonly inImage: number
  readonly vectors: number
  /** Tiles of the last vector of a row. */
  readonly last: number
  /** Vectors in a block, and blocks in a group, or in a slab if there are any. */
  readonly block: number
  readonly groups: number
  readonly blocks: number
  readonly slabs: InSlabs | null
}

/** Rows of tiles that are finished before others. */
export interface InSlabs {
  /** Vectors in a slab, slabs in a group, and in all. */
  readonly vectors: number
  readonly inGroup: number
  readonly count: number
}

export const planOf = (x: Shape, w: Shape): Plan => {
  const [batch, channels, height, width] = [x[0]!, x[1]!, x[2]!, x[3]!]
  const [tilesY, tilesX] = [(height - 2) / 2, (width - 2) / 2]
  const inRow = Math.ceil(tilesX / lanes)
  const inImage = tilesY * inRow
  const vectors = batch * inImage
  const block = channels >= 256 ? 8 : 4
  const all = Math.ceil(vectors / block)
  const count = groupsFor(all)
  return {
    images: batch,
    channels,
    outputs: w[0]!,
    input: [height, width],
    output: [height - 2, width - 2],
    inRow,
    inImage,
    vectors,
    last: tilesX - (inRow - 1) * lanes,
    block,
    groups: count,
    blocks: Math.ceil(all / count),
    slabs: null,
  }
}

/** Places of blocks that slabs may leave empty, of all. */
const mostIdle = 0.03

/**
 * Rows of tiles in a slab of about so many rows, twice as many at most: they divide all, and fill whole blocks.
 * Null where none do.
 */
export const tileRowsFor = ({ output, inRow, block }: Plan, wanted: number): number | null => {
  const tilesY = output[0] / 2
  const fills = (n: number): boolean => {
    const places = Math.ceil((n * inRow) / block) * block
    return places - n * inRow <= mostIdle * places
  }
  const fitting = range(tilesY + 1).filter(
    (n) => n > 0 && n <= Math.max(1, wanted) && tilesY % n === 0 && fills(n),
  )
  return fitting.findLast((n) => 2 * n <= wanted) ?? fitting[0] ?? null
}

/** The same plan in slabs of so many rows of tiles. */
export const inSlabs = (plan: Plan, tileRows: number): Plan => {
  const count = (plan.images * plan.output[0]) / 2 / tileRows
  const vectors = tileRows * plan.inRow
  const groups = groupsFor(count)
  return {
    ...plan,
    groups,
    blocks: Math.ceil(vectors / plan.block),
    slabs: { vectors, inGroup: Math.ceil(count / groups), count },
  }
}

/**
 * Terms in chunks: where one tile's terms do not fit in a cache, all tiles of a group take some terms,
 * then the next, and their partial results wait in memory.
 */
import { type Index, type Stmt, scalars } from '@cotangent/core'
import type { Dim } from '../tiling.ts'
import { loopOver } from './nest.ts'
import type { Operand } from './operands.ts'
import type { Cut, Part } from './outwardPlan.ts'
import { type Tile, extentOf, piecesOf } from './tiles.ts'

const { affine, constant, counter } = scalars

/** Bytes that a tile may sweep: most of a first-level cache. */
const nearBytes = 24 * 1024
const fewestTerms = 192
const mostTerms = 512

/** Distinct elements that loads at these strides touch; windows overlap. */
const distinct = (
  dims: readonly { readonly stride: number; readonly extent: number }[],
): number => {
  let [count, span] = [1, 1]
  for (const { stride, extent } of [...dims].sort((a, b) => a.stride - b.stride)) {
    if (stride === 0) continue
    count = stride < span ? Math.min(count * extent, span + stride * (extent - 1)) : count * extent
    span += stride * (extent - 1)
  }
  return count
}

/** Bytes of an operand that a tile reads in all. */
const sweptBytes = (
  operand: Operand,
  tile: Tile,
  width: number,
  reduced: readonly Dim[],
): number => {
  const own = [
    ...[...tile.sizes].map(([name, extent]) => ({ name, extent })),
    ...(tile.along === 'output' ? [{ name: tile.lane.name, extent: width }] : []),
    ...reduced,
  ]
  return operand.accesses.reduce((sum, access) => {
    const dims = own.flatMap(({ name, extent }) => {
      if (access.uneven.has(name)) return [{ stride: 1_000_003, extent }]
      return [{ stride: Math.abs(access.strides.get(name) ?? 0), extent }]
    })
    return sum + 4 * distinct(dims)
  }, 0)
}

/** How to cut the terms of tiles; null where they fit, or where nobody uses them again. */
export const cutTerms = (
  operands: readonly Operand[],
  tile: Tile,
  width: number,
  outputs: readonly Dim[],
  reduced: readonly Dim[],
): Cut | null => {
  const terms = extentOf(reduced)
  if (terms <= mostTerms || operands.length < 2) return null
  const reused = operands.every(
    (o) => extentOf(outputs.filter((d) => !o.counters.has(d.name))) >= 2 * width,
  )
  const bytes = operands.reduce((sum, o) => sum + sweptBytes(o, tile, width, reduced), 0)
  if (!reused || bytes <= 1.5 * nearBytes) return null
  const wanted = Math.floor((nearBytes / bytes) * terms)
  const limit = Math.max(fewestTerms, Math.min(mostTerms, wanted))
  const inner: Dim[] = []
  let steps = 1
  for (let n = reduced.length - 1; n >= 0; n--) {
    const dim = reduced[n]!
    if (steps * dim.extent <= limit) {
      inner.unshift(dim)
      steps *= dim.extent
      continue
    }
    const size = chunkSize(dim.extent, Math.max(1, Math.floor(limit / steps)))
    if (size === 1) return { outer: reduced.slice(0, n + 1), dim: null, size: 1, inner }
    return { outer: reduced.slice(0, n), dim, size, inner: [{ ...dim, extent: size }, ...inner] }
  }
  return null
}

// Chunks of one size, if that costs no more than half of the size.
const chunkSize = (extent: number, most: number): number => {
  for (let size = most; size > most / 2; size--) if (extent % size === 0) return size
  return Math.ceil(extent / Math.ceil(extent / most))
}

const startingAt = (dim: Dim, start: Index, extent: number): ReadonlyMap<string, Index> =>
  new Map([
    [
      dim.name,
      affine([
        [1, start],
        [1, counter(dim.name, extent)],
      ]),
    ],
  ])

/**
 * Up to `most` chunks one by one, the first of which begins the results and the last ends them; null
 * where there are more. Each is a phase, in which a tile is a round and has all registers to itself.
 */
export const chunkParts = (
  cut: Cut,
  buffers: readonly string[],
  most: number,
): readonly Part[] | null => {
  const { outer, dim, size, inner } = cut
  if (outer.length > 0 || dim === null) return null
  const pieces = piecesOf(dim.extent, size).flatMap(({ start, count, size: extent }) =>
    Array.from({ length: count }, (_, n) => ({ start: start + n * extent, extent })),
  )
  if (pieces.length > most) return null
  return pieces.map(({ start, extent }, n) => ({
    tag: 'terms',
    buffers,
    reduced: inner.map((d) => (d.name === dim.name ? { ...d, extent } : d)),
    at: startingAt(dim, constant(start), extent),
    chunk: { dim, start: constant(start), extent },
    first: n === 0,
    last: n === pieces.length - 1,
  }))
}

/** The loops over chunks; `visit` gives the tiles' statements for some terms. */
export const chunkLoops = (
  cut: Cut,
  buffers: readonly string[],
  visit: (part: Part) => readonly Stmt[],
): readonly Stmt[] => {
  const { outer, dim, size, inner } = cut
  const around = (body: readonly Stmt[]): readonly Stmt[] =>
    outer.reduceRight((made, d) => [loopOver(d.name, d.extent, made)], body)
  const terms = (start: Index, extent: number): readonly Stmt[] =>
    visit({
      tag: 'terms',
      buffers,
      reduced: inner.map((d) => (d.name === dim?.name ? { ...d, extent } : d)),
      at: dim === null ? new Map() : startingAt(dim, start, extent),
      chunk: dim === null || outer.length > 0 ? null : { dim, start, extent },
      first: false,
      last: false,
    })
  if (dim === null) return around(terms(constant(0), size))
  const name = `${dim.name}c`
  const full = Math.floor(dim.extent / size)
  const rest = dim.extent - full * size
  return around([
    loopOver(name, full, terms(affine([[size, counter(name, full)]]), size)),
    ...(rest === 0 ? [] : terms(constant(full * size), rest)),
  ])
}

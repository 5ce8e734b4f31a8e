/** Which results are finished slab by slab: some rows of an image, in all of its channels, before others. */
import { type Shape, type Var, isVar, range, sameShape, scalars, sizeOf } from '@cotangent/core'
import type { Analysis } from './analysis.ts'
import { type Probe, outputCounters } from './probe.ts'
import type { Cluster } from './unit.ts'

/** Bytes of a slab: it is to stay in a second-level cache beside what its kernel works with. */
const slabBytes = 192 * 1024
/** Elements of a channel in a slab that are worth going over. */
const fewestTerms = 32

/** Rows that a slab of such a result has at most. */
export const mostRowsOf = (shape: Shape, channels: number = shape[1]!): number =>
  Math.max(1, Math.floor(slabBytes / (4 * channels * sizeOf(shape.slice(3)))))

/** Rows that divide all of them, in whole vectors if that can be; null where slabs would be too small. */
const evenRows = (shape: Shape, channels?: number): number | null => {
  const [height, most, row] = [shape[2]!, mostRowsOf(shape, channels), sizeOf(shape.slice(3))]
  const fitting = range(height + 1).filter(
    (rows) => rows > 0 && rows <= most && height % rows === 0 && rows * row >= fewestTerms,
  )
  return fitting.findLast((rows) => (rows * row) % 8 === 0) ?? fitting.at(-1) ?? null
}

/** The rows of the slabs in which a lowering can finish a result of this shape; null where it cannot. */
const rowsIn = ({ lowering, accesses }: Probe, shape: Shape): number | null => {
  if (lowering.tag === 'tiles') return lowering.slabs?.(mostRowsOf(shape))?.rows ?? null
  // Of a product, an element of which is read many times.
  if (lowering.tag !== 'reduce' || accesses.length < 2) return null
  const channel = outputCounters(shape)[1]!
  const isChannelwise = accesses.every(({ index }) =>
    index.some((i) => scalars.sameIndex(i, channel)),
  )
  return evenRows(shape, isChannelwise ? 1 : undefined)
}

/**
 * The rows of the slabs in which a variable is finished by products that it is a point-wise function of; null where
 * there are none.
 */
export const slabRowsOf = (v: Var, analysis: Analysis): number | null => {
  const made = analysis.producers.get(v)
  if (made === undefined) return null
  const found = analysis.probes.get(made.equation)!
  const { lowering, accesses } = found
  const { shape } = v.aval
  if (lowering.tag !== 'pull') return rowsIn(found, shape)
  if (lowering.cost === 'movement') return null
  const own = outputCounters(shape)
  for (const { input, index } of accesses) {
    const atom = made.equation.inputs[input]!
    if (!isVar(atom) || !sameShape(atom.aval.shape, shape)) continue
    if (!index.every((i, d) => scalars.sameIndex(i, own[d]!))) continue
    const rows = slabRowsOf(atom, analysis)
    if (rows !== null) return rows
  }
  return null
}

/** Whether a kernel can finish slabs of so many rows of what it makes. */
export const finishesSlabs = (unit: Cluster, rows: number, analysis: Analysis): boolean => {
  if (!unit.tiled || unit.moments !== null) return false
  const found = analysis.probes.get(unit.roots[0]!.equation)!
  if (found.lowering.tag === 'tiles') return rowsIn(found, unit.outer) === rows
  return found.lowering.tag === 'reduce' && unit.outer.length > 2 && unit.outer[2]! % rows === 0
}

/** Register tiles: what is asked of their choice, and how they cover the outputs. */
import type { Lanes } from '@cotangent/core'
import type { Dim } from '../tiling.ts'
import type { Operand } from './operands.ts'

/**
 * The table of an engine: V8 on x86 has 15 registers that a tile can use.
 *
 * GFLOP/s of a product in the first-level cache, Node 20 on a Sapphire Rapids core that multiplies and
 * adds 44.5 (plain loop / two steps with an exit between them / two steps in one basic block):
 *
 * | rows × columns |                |   | rows × columns |                |
 * | -------------- | -------------- | - | -------------- | -------------- |
 * | 4 × 8          | 44 / 44 / 38   |   | 5 × 8          | 38 / 44 / 39   |
 * | 2 × 16         | 44 / 44 / 41   |   | 6 × 8          | 39 / 41 / 37   |
 * | 3 × 8          | 44 / 44 / 37   |   | 3 × 12         | 30 / 44 / 42   |
 * | 1 × 24         | 40 / 43 / 35   |   | 8 × 4          | 22 / 27 / 23   |
 *
 * Columns that lie two apart cost a shuffle for each vector: 37; any other distance, four loads: 29.
 */
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

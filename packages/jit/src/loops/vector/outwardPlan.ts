/** What is decided about a reduction whose lanes are outputs, for those who write its loops. */
import type { DType, Index, Lanes, Stmt } from '@cotangent/core'
import type { Dim } from '../tiling.ts'
import type { Nest } from './nest.ts'
import type { Split } from './operands.ts'
import type { Panel } from './panels.ts'
import type { Tile } from './tiles.ts'

/** Loops around the chunks, the dim that is cut, and the loops of one visit. */
export interface Cut {
  readonly outer: readonly Dim[]
  readonly dim: Dim | null
  /** Of the cut dim: rounds in one chunk. */
  readonly size: number
  readonly inner: readonly Dim[]
}

export interface Outward {
  readonly nest: Nest
  readonly tile: Tile
  readonly lanes: Lanes
  readonly split: Split
  /** The dtype of each accumulator in registers. */
  readonly dtypes: readonly DType[]
  /** Over accumulators of those dtypes. */
  readonly finish: readonly Stmt[]
  readonly panels: readonly Panel[]
  /** Terms after which a sum is handed over to a second one. */
  readonly limit: number
  /** How the terms are cut so that what tiles read stays in a cache; null where it does anyway. */
  readonly cut: Cut | null
  /** Memory for partial results of each accumulator, where terms are cut. */
  readonly partials: readonly string[]
}

/** What a tile does in one visit. */
export type Part =
  | { readonly tag: 'whole' }
  | { readonly tag: 'start'; readonly buffers: readonly string[] }
  | {
      readonly tag: 'terms'
      readonly buffers: readonly string[]
      /** The terms of one visit, and where they lie among all. */
      readonly reduced: readonly Dim[]
      readonly at: ReadonlyMap<string, Index>
      /** The chunk, where the outermost reduced dim is cut; null where copies lie in no chunks. */
      readonly chunk: { readonly dim: Dim; readonly start: Index; readonly extent: number } | null
      /** Whether there are no partial results yet, and whether none are left. */
      readonly first: boolean
      readonly last: boolean
    }
  | { readonly tag: 'finish'; readonly buffers: readonly string[] }

/** One tile's place along a dim. */
export interface Place {
  readonly base: Index
  readonly size: number
}

export type Places = ReadonlyMap<string, Place>

/** The dims along which tiles have several rows. */
export const rowDimsOf = ({ nest, tile }: Outward): readonly Dim[] =>
  nest.outputs.filter((d) => d !== tile.lane && tile.sizes.has(d.name))

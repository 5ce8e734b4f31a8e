/** The blocks of inception v3: what its figures 5, 6, 7 and 10 show. */
import { branches } from '../combinators/branches.ts'
import { serial } from '../combinators/serial.ts'
import type { Layer } from '../layer.ts'
import type { ImageLayers, StatisticsOf, UnitParams } from './image.ts'

type Units<Names extends string> = Readonly<Record<Names, UnitParams>>
type Block<P> = Layer<P, StatisticsOf<P>, 'serial'>

/** Windows of 1, 5, two of 3, and a pooling. */
export interface Block35 {
  readonly branches: {
    readonly one: UnitParams
    readonly five: Units<'reduce' | 'conv'>
    readonly double: Units<'reduce' | 'conv1' | 'conv2'>
    readonly pool: Units<'project'>
  }
}
export interface Reduction17 {
  readonly branches: {
    readonly three: UnitParams
    readonly double: Units<'reduce' | 'conv1' | 'conv2'>
  }
}
/** Windows of 7 as a row and a column. */
export interface Block17 {
  readonly branches: {
    readonly one: UnitParams
    readonly seven: Units<'reduce' | 'row' | 'column'>
    readonly double: Units<'reduce' | 'column1' | 'row1' | 'column2' | 'row2'>
    readonly pool: Units<'project'>
  }
}
export interface Reduction8 {
  readonly branches: {
    readonly three: Units<'reduce' | 'conv'>
    readonly seven: Units<'reduce' | 'row' | 'column' | 'conv'>
  }
}
interface RowAndColumn {
  readonly branches: Units<'row' | 'column'>
}
/** Windows of 3 that end in a row and a column side by side. */
export interface Block8 {
  readonly branches: {
    readonly one: UnitParams
    readonly three: { readonly reduce: UnitParams; readonly split: RowAndColumn }
    readonly double: {
      readonly reduce: UnitParams
      readonly conv: UnitParams
      readonly split: RowAndColumn
    }
    readonly pool: Units<'project'>
  }
}

export interface InceptionV3Blocks {
  readonly block35: (pooled: number) => Block<Block35>
  readonly reduction17: () => Block<Reduction17>
  readonly block17: (inner: number) => Block<Block17>
  readonly reduction8: () => Block<Reduction8>
  readonly block8: () => Block<Block8>
}

export const inceptionV3Blocks = (
  { unit, maxPool, avgPool, concat }: ImageLayers,
  scaled: (channels: number) => number,
): InceptionV3Blocks => {
  const one = (features: number): Block<UnitParams> => unit(scaled(features), 1)
  const three = (features: number): Block<UnitParams> => unit(scaled(features), 3, { padding: 1 })
  const halving = (features: number): Block<UnitParams> => unit(scaled(features), 3, { stride: 2 })
  const row = (features: number, n: number): Block<UnitParams> =>
    unit(scaled(features), [1, n], { padding: [0, (n - 1) / 2] })
  const column = (features: number, n: number): Block<UnitParams> =>
    unit(scaled(features), [n, 1], { padding: [(n - 1) / 2, 0] })
  const pooled = (features: number): Block<Units<'project'>> =>
    serial({ pool: avgPool(3, { stride: 1, padding: 1 }), project: one(features) })
  const split = (features: number): Block<RowAndColumn> =>
    serial({
      branches: branches({ row: row(features, 3), column: column(features, 3) }),
      concat: concat(),
    })
  return {
    block35: (features) =>
      serial({
        branches: branches({
          one: one(64),
          five: serial({ reduce: one(48), conv: unit(scaled(64), 5, { padding: 2 }) }),
          double: serial({ reduce: one(64), conv1: three(96), conv2: three(96) }),
          pool: pooled(features),
        }),
        concat: concat(),
      }),
    reduction17: () =>
      serial({
        branches: branches({
          three: halving(384),
          double: serial({ reduce: one(64), conv1: three(96), conv2: halving(96) }),
          pool: maxPool(3, { stride: 2 }),
        }),
        concat: concat(),
      }),
    block17: (inner) =>
      serial({
        branches: branches({
          one: one(192),
          seven: serial({ reduce: one(inner), row: row(inner, 7), column: column(192, 7) }),
          double: serial({
            reduce: one(inner),
            column1: column(inner, 7),
            row1: row(inner, 7),
            column2: column(inner, 7),
            row2: row(192, 7),
          }),
          pool: pooled(192),
        }),
        concat: concat(),
      }),
    reduction8: () =>
      serial({
        branches: branches({
          three: serial({ reduce: one(192), conv: halving(320) }),
          seven: serial({
            reduce: one(192),
            row: row(192, 7),
            column: column(192, 7),
            conv: halving(192),
          }),
          pool: maxPool(3, { stride: 2 }),
        }),
        concat: concat(),
      }),
    block8: () =>
      serial({
        branches: branches({
          one: one(320),
          three: serial({ reduce: one(384), split: split(384) }),
          double: serial({ reduce: one(448), conv: three(384), split: split(384) }),
          pool: pooled(192),
        }),
        concat: concat(),
      }),
  }
}

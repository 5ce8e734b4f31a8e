/** Learned vectors for integers. */
import { type Tensor, normalizeAxis } from '@cotangent/core'
import { requireRank, requireSize } from '../errors.ts'
import { type BagMode, embed, embeddingBag as bag } from '../functional/embedding.ts'
import { type Initializer, normal } from '../initializers.ts'
import { type Layer, type None, defineLayer, none } from '../layer.ts'

export interface EmbeddingParams {
  /** `[count, features]`. */
  readonly table: Tensor
}

export interface EmbeddingOptions {
  /** Normal with variance 1 / features by default. */
  readonly tableInit?: Initializer
  /** This row begins as zeros and gets no gradient. */
  readonly paddingIndex?: number
  /** Longer rows are scaled to this length on their way out. */
  readonly maxNorm?: number
}

const initialTable = (
  name: string,
  key: Tensor,
  count: number,
  features: number,
  { tableInit = normal(1 / Math.sqrt(features)), paddingIndex }: EmbeddingOptions,
): Tensor => {
  const table = tableInit(key, [count, features])
  if (paddingIndex === undefined) return table
  return table.set([normalizeAxis(`${name}, paddingIndex`, paddingIndex, count)], 0)
}

/**
 * Row `i` of a learned table for each integer `i`: `[…]` to `[…, features]`. Negative integers count from
 * the end; those beyond the table give rows of NaN. Parameters: `table: [count, features]`.
 * @throws DTypeError for inputs that are not integers.
 * @example
 * embedding(1000, 64, { paddingIndex: 0 }).init(random.key(0), [32, 20]).outputShape // [32, 20, 64]
 */
export const embedding = (
  count: number,
  features: number,
  options: EmbeddingOptions = {},
): Layer<EmbeddingParams, None, 'embedding'> => {
  requireSize('embedding', 'rows', count)
  requireSize('embedding', 'features', features)
  return defineLayer({
    name: 'embedding',
    init: (key, inputShape) => ({
      params: { table: initialTable('embedding', key, count, features, options) },
      state: none,
      outputShape: [...inputShape, features],
    }),
    apply: ({ params, state }, x) => [embed(params.table, x, options), state],
  })
}

export interface EmbeddingBagLayerOptions extends EmbeddingOptions {
  /** `'mean'` by default. */
  readonly mode?: BagMode
}

/**
 * The mean (sum, maximum) of the rows of a learned table that each bag of integers names:
 * `[bags, length]` to `[bags, features]`. The `paddingIndex` does not count, so bags may be padded.
 * For bags by offsets and weights see `functional.embeddingBag`.
 * @throws DTypeError for inputs that are not integers.
 */
export const embeddingBag = (
  count: number,
  features: number,
  options: EmbeddingBagLayerOptions = {},
): Layer<EmbeddingParams, None, 'embeddingBag'> => {
  requireSize('embeddingBag', 'rows', count)
  requireSize('embeddingBag', 'features', features)
  return defineLayer({
    name: 'embeddingBag',
    init: (key, inputShape) => {
      requireRank('embeddingBag', inputShape, (rank) => rank === 2, '[bags, length]')
      return {
        params: { table: initialTable('embeddingBag', key, count, features, options) },
        state: none,
        outputShape: [inputShape[0]!, features],
      }
    },
    apply: ({ params, state }, x) => [bag(params.table, x, options), state],
  })
}

/** Learned vectors for integers. */
import { DTypeError, type Tensor, isInteger, showAval } from '@cotangent/core'
import { np } from '@cotangent/ops'
import { type Initializer, normal } from '../initializers.ts'
import { type Layer, type None, defineLayer, none } from '../layer.ts'

export interface EmbeddingParams {
  /** `[count, features]`. */
  readonly table: Tensor
}

export interface EmbeddingOptions {
  /** Normal with variance 1 / features by default. */
  readonly tableInit?: Initializer
}

/**
 * Row `i` of a learned table for each integer `i`: `[…]` to `[…, features]`. Negative integers count from
 * the end; those beyond the table give rows of NaN.
 * @throws DTypeError for inputs that are not integers.
 */
export const embedding = (
  count: number,
  features: number,
  { tableInit = normal(1 / Math.sqrt(features)) }: EmbeddingOptions = {},
): Layer<EmbeddingParams, None, 'embedding'> =>
  defineLayer({
    name: 'embedding',
    init: (key, inputShape) => ({
      params: { table: tableInit(key, [count, features]) },
      state: none,
      outputShape: [...inputShape, features],
    }),
    apply: ({ params, state }, x) => {
      if (!isInteger(x.dtype)) {
        throw new DTypeError({
          operation: 'embedding',
          problem: 'rows are looked up by integers',
          got: showAval(x.aval),
          fix: 'convert with astype("int32")',
        })
      }
      return [np.take(params.table, x, { axis: 0 }), state]
    },
  })

/** Layers that say where each step stands. */
import { IndexError, type Shape, type Tensor } from '@cotangent/core'
import { np } from '@cotangent/ops'
import { requireExtent, requireSize } from '../../errors.ts'
import {
  type BucketOptions,
  relativeBuckets,
  rotary,
  sinusoidalPositions,
} from '../../functional/attention/index.ts'
import { type Initializer, normal } from '../../initializers.ts'
import { type Layer, type None, defineLayer, stateless, none } from '../../layer.ts'
import { requireSteps } from './types.ts'

/** Adds sinusoids of the position: `[batch, time, features]` to the same. @see Vaswani et al. 2017 */
export const sinusoidalEncoding = (base = 10_000): Layer<None, None, 'sinusoidalEncoding'> =>
  stateless(
    'sinusoidalEncoding',
    (x) => {
      requireSteps('sinusoidalEncoding', x.shape)
      return x.add(sinusoidalPositions(x.shape[1]!, x.shape[2]!, base).astype(x.dtype))
    },
    (shape) => shape,
  )

/** Turns pairs of features by their position: `[batch, time, features]` to the same. @see Su et al. 2021 */
export const rotaryEncoding = (base = 10_000): Layer<None, None, 'rotaryEncoding'> =>
  stateless(
    'rotaryEncoding',
    (x) => {
      requireSteps('rotaryEncoding', x.shape)
      return rotary(x.expandDims(2), { base }).squeeze(2)
    },
    (shape) => shape,
  )

export interface PositionTable {
  /** `[maxLength, features]`. */
  readonly table: Tensor
}
export interface LearnedEncodingOptions {
  /** Normal with standard deviation 0.02 by default. */
  readonly tableInit?: Initializer
}

const requireLength = (name: string, length: number, maxLength: number): void => {
  if (length <= maxLength) return
  throw new IndexError({
    operation: name,
    problem: 'axis 1 (time) of the input is longer than the table of positions',
    got: `${length} steps`,
    want: `at most ${maxLength}`,
    fix: 'make the layer for longer sequences, or cut the input into windows',
  })
}

/**
 * Adds a learned vector for each position below `maxLength`: `[batch, time, features]` to the same.
 * @throws IndexError for longer sequences.
 */
export const learnedEncoding = (
  maxLength: number,
  { tableInit = normal(0.02) }: LearnedEncodingOptions = {},
): Layer<PositionTable, None, 'learnedEncoding'> => {
  const name = 'learnedEncoding'
  requireSize(name, 'positions', maxLength)
  const check = (shape: Shape): void => {
    requireSteps(name, shape)
    requireLength(name, shape[1]!, maxLength)
  }
  return defineLayer({
    name,
    init: (key, inputShape) => {
      check(inputShape)
      const params = { table: tableInit(key, [maxLength, inputShape[2]!]) }
      return { params, state: none, outputShape: inputShape }
    },
    apply: ({ params: { table }, state }, x) => {
      check(x.shape)
      requireExtent(name, x.shape, 2, table.shape[1]!, 'features')
      return [x.add(table.at(`:${x.shape[1]!}`)), state]
    },
  })
}

export interface RelativeBiasParams {
  /** `[buckets, heads]`. */
  readonly table: Tensor
}
export interface RelativeBiasOptions extends Omit<BucketOptions, 'offset'> {
  /** Normal with variance 1 / heads by default. */
  readonly tableInit?: Initializer
}

/**
 * A learned number for each head and bucket of distances: from `[batch, time, features]` the bias
 * `[heads, time, time]` that attention adds to its products.
 * @see Raffel et al. 2020, T5
 * @example
 * const [bias] = relativeBias(8).apply(variables, x)
 * attention.apply(own, { inputs: x, bias })
 */
export const relativeBias = (
  heads: number,
  options: RelativeBiasOptions = {},
): Layer<RelativeBiasParams, None, 'relativeBias'> => {
  const { buckets = 32, tableInit = normal(1 / Math.sqrt(heads)) } = options
  requireSize('relativeBias', 'heads', heads)
  return defineLayer({
    name: 'relativeBias',
    init: (key, inputShape) => {
      requireSteps('relativeBias', inputShape)
      const t = inputShape[1]!
      return {
        params: { table: tableInit(key, [buckets, heads]) },
        state: none,
        outputShape: [heads, t, t],
      }
    },
    apply: ({ params, state }, x) => {
      requireSteps('relativeBias', x.shape)
      const t = x.shape[1]!
      const rows = np.take(params.table, relativeBuckets(t, t, options), { axis: 0 })
      return [np.moveaxis(rows, -1, 0), state]
    },
  })
}

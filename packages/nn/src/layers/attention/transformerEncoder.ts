/** Transformer encoders: attention and two dense layers, each with a way around it. */
import { type Shape, Tensor, erase, typed } from '@cotangent/core'
import { random } from '@cotangent/ops'
import { type Mode, type None, defineLayer, none } from '../../layer.ts'
import { relu } from '../activations.ts'
import {
  type BlockOptions,
  type FeedForwardParams,
  type NormParams,
  addNorm,
  attentionOptions,
  drop,
  feedForward,
  initFeedForward,
  initNorm,
  modeOf,
} from './block.ts'
import { type AttentionParams, multiHeadAttention } from './multiHead.ts'
import {
  type CacheTree,
  type StackCache,
  type StackOptions,
  type StackParams,
  type StackTree,
  type Stepwise,
  stackOf,
} from './stack.ts'
import { type AttentionCache, type SequenceInput, requireSteps } from './types.ts'

export interface EncoderOptions extends BlockOptions {
  /** A step sees those before it alone, as in a language model; false by default. */
  readonly causal?: boolean
}

export interface EncoderLayerParams extends FeedForwardParams {
  readonly attention: AttentionParams
  readonly norm1: NormParams
  readonly norm2: NormParams
}

/** A layer over sequences that can also go on step by step. */
export type Decodable<P, Cache, Name extends string> = Stepwise<
  P,
  Cache,
  Name,
  SequenceInput,
  Tensor
>

/**
 * One block: self-attention and a feed-forward part, each added to its input and normalised, after
 * the sum as in the paper, or before the part with `normFirst`. `[batch, time, features]` to the same;
 * `{ inputs, mask, lengths }` say what may be seen.
 * @see Vaswani et al. 2017, section 3.1; Xiong et al. 2020 for pre-norm
 * @example
 * const block = transformerEncoderLayer(4, { normFirst: true, causal: true })
 * const { params } = block.init(random.key(0), [1, 16, 64]) // params.attention.query.kernel
 */
export const transformerEncoderLayer = (
  heads: number,
  options: EncoderOptions = {},
): Decodable<EncoderLayerParams, AttentionCache, 'encoderLayer'> => {
  const name = 'encoderLayer'
  const { dropout = 0, activation = relu, causal = false } = options
  const attention = multiHeadAttention(heads, { ...attentionOptions(options), causal, dropout })
  const rest = (x: Tensor, params: EncoderLayerParams, mode: Mode): Tensor =>
    addNorm(x, params.norm2, options, (y) =>
      drop(
        name,
        feedForward(y, params, activation, (z) => drop(name, z, mode, dropout, 2)),
        mode,
        dropout,
        3,
      ),
    )
  const layer = defineLayer<EncoderLayerParams, None, 'encoderLayer', Tensor, SequenceInput>({
    name,
    isRandom: dropout > 0,
    init: (key, inputShape: Shape) => {
      requireSteps(name, inputShape)
      const [attentionKey, denseKey] = random.split(key)
      const features = inputShape[2]!
      const params = {
        attention: attention.init(attentionKey!, inputShape).params,
        norm1: initNorm(features),
        ...initFeedForward(denseKey!, features, options),
        norm2: initNorm(features),
      }
      return { params, state: none, outputShape: inputShape }
    },
    apply: ({ params, state }, input, mode) => {
      const { inputs, ...seen } = input instanceof Tensor ? { inputs: input } : input
      requireSteps(name, inputs.shape, params.norm1.scale.size)
      const attended = addNorm(inputs, params.norm1, options, (x) => {
        const variables = { params: params.attention, state: none }
        const own = modeOf(name, mode, dropout, 0)
        const [y] = attention.apply(variables, { inputs: x, ...seen }, own)
        return drop(name, y, mode, dropout, 1)
      })
      return [rest(attended, params, mode), state]
    },
  })
  return Object.freeze({
    ...layer,
    initCache: (params: EncoderLayerParams, batch: number, maxLength: number) =>
      attention.initCache(params.attention, batch, maxLength),
    decode: (params: EncoderLayerParams, cache: AttentionCache, x: Tensor) => {
      let next = cache
      const attended = addNorm(x, params.norm1, options, (inputs) => {
        const [y, filled] = attention.decode(params.attention, cache, inputs)
        next = filled
        return y
      })
      return Object.freeze([rest(attended, params, {}), next] as const)
    },
  })
}

export interface TransformerEncoderOptions extends EncoderOptions, StackOptions {}

const build = (
  layers: number,
  heads: number,
  options: TransformerEncoderOptions = {},
): Decodable<StackTree<EncoderLayerParams>, CacheTree, 'encoder'> =>
  stackOf({
    name: 'encoder',
    layers,
    options,
    block: transformerEncoderLayer(heads, options),
    over: (input, x) => (input instanceof Tensor ? x : { ...input, inputs: x }),
    stepOver: (_, x) => x,
  })

/**
 * Blocks on top of each other, `params.layer1`, `params.layer2`, …, and for pre-norm a normalisation
 * at the end, `params.norm`. With `causal` it is the body of a language model; `initCache` and `decode`
 * then go on step by step and equal the whole.
 * @example
 * const body = transformerEncoder(2, 4, { causal: true, normFirst: true })
 * body.init(random.key(0), [1, 16, 64]).params.layer2.attention.query.kernel
 */
export const transformerEncoder: <
  const N extends number,
  const O extends TransformerEncoderOptions = Record<never, never>,
>(
  layers: N,
  heads: number,
  options?: O,
) => Decodable<StackParams<EncoderLayerParams, N, O>, StackCache<AttentionCache, N>, 'encoder'> =
  typed(erase(build))

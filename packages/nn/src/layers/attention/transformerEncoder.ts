/** Transformer encoders: attention and two dense layers, each with a way around it. */
import { type Shape, Tensor, erase, typed } from '@cotangent/core'
import { random } from '@cotangent/ops'
import { type Mode, type None, defineLayer, none } from '../../layer.ts'
import {
  type BlockOptions,
  type FeedForwardParams,
  type NormParams,
  type SelfAttentionParams,
  denseNorm,
  initFeedForward,
  initNorm,
  selfAttention,
} from './block.ts'
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

export interface EncoderLayerParams extends SelfAttentionParams, FeedForwardParams {
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
  const { dropout = 0, causal = false } = options
  const self = selfAttention(name, heads, options, causal)
  const rest = (x: Tensor, params: EncoderLayerParams, mode: Mode): Tensor =>
    denseNorm(name, x, params, params.norm2, options, mode, 2)
  const layer = defineLayer<EncoderLayerParams, None, 'encoderLayer', Tensor, SequenceInput>({
    name,
    isRandom: dropout > 0,
    init: (key, inputShape: Shape) => {
      requireSteps(name, inputShape)
      const [attentionKey, denseKey] = random.split(key)
      const features = inputShape[2]!
      const params = {
        ...self.init(attentionKey!, inputShape),
        ...initFeedForward(denseKey!, features, options),
        norm2: initNorm(features),
      }
      return { params, state: none, outputShape: inputShape }
    },
    apply: ({ params, state }, input, mode) => {
      const { inputs, ...seen } = input instanceof Tensor ? { inputs: input } : input
      requireSteps(name, inputs.shape, params.norm1.scale.size)
      return [rest(self.whole(params, inputs, seen, mode), params, mode), state]
    },
  })
  return Object.freeze({
    ...layer,
    initCache: (params: EncoderLayerParams, batch: number, maxLength: number) =>
      self.initCache(params, batch, maxLength),
    decode: (params: EncoderLayerParams, cache: AttentionCache, x: Tensor) => {
      const [attended, next] = self.next(params, cache, x)
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

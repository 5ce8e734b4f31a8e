/** Transformer decoders: they look at what they said, and at what was read. */
import { type Shape, type Tensor, erase, typed } from '@cotangent/core'
import { random } from '@cotangent/ops'
import { type Mode, type None, defineLayer, none } from '../../layer.ts'
import {
  type BlockOptions,
  type FeedForwardParams,
  type NormParams,
  type SelfAttentionParams,
  addNorm,
  attentionOptions,
  denseNorm,
  drop,
  initFeedForward,
  initNorm,
  modeOf,
  selfAttention,
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
import {
  type AttentionCache,
  type Visibility,
  type VisibleSequence,
  requireSteps,
} from './types.ts'

/** What is being written, and the memory of what was read. */
export interface DecoderInput extends VisibleSequence {
  /** `[batch, s, features]`: what an encoder gave. */
  readonly memory: Tensor
  /** What may be seen of the memory. */
  readonly memoryVisibility?: Visibility | undefined
}

export interface DecoderOptions extends BlockOptions {
  /** A step sees those before it alone; true by default. */
  readonly causal?: boolean
  /** Of the memory; the input's by default. */
  readonly memoryFeatures?: number
}

export interface DecoderLayerParams extends SelfAttentionParams, FeedForwardParams {
  readonly crossAttention: AttentionParams
  readonly norm2: NormParams
  readonly norm3: NormParams
}

/** A decoder that can also write step by step. */
export type MemoryDecoder<P, Cache, Name extends string> = Stepwise<
  P,
  Cache,
  Name,
  DecoderInput,
  Omit<DecoderInput, keyof Visibility>
>

/**
 * One block of a decoder: self-attention (causal unless told otherwise), attention to the memory, and a
 * feed-forward part, each added to its input and normalised. The input is `{ inputs, memory }`.
 * @see Vaswani et al. 2017, section 3.1
 * @example
 * const block = transformerDecoderLayer(4)
 * const [y] = block.apply(variables, { inputs: x, memory }) // params.crossAttention.key.kernel
 */
export const transformerDecoderLayer = (
  heads: number,
  options: DecoderOptions = {},
): MemoryDecoder<DecoderLayerParams, AttentionCache, 'decoderLayer'> => {
  const name = 'decoderLayer'
  const { dropout = 0, causal = true, memoryFeatures } = options
  const self = selfAttention(name, heads, options, causal)
  // Positions in two sequences have no common measure.
  const cross = multiHeadAttention(heads, {
    ...attentionOptions(options),
    rotary: false,
    alibi: false,
    dropout,
    ...(memoryFeatures === undefined ? {} : { keyFeatures: memoryFeatures }),
  })
  const rest = (
    attended: Tensor,
    memory: Tensor,
    seen: Visibility,
    params: DecoderLayerParams,
    mode: Mode,
  ): Tensor => {
    const informed = addNorm(attended, params.norm2, options, (x) => {
      const variables = { params: params.crossAttention, state: none }
      const query = { inputs: x, key: memory, ...seen }
      const [y] = cross.apply(variables, query, modeOf(name, mode, dropout, 2))
      return drop(name, y, mode, dropout, 3)
    })
    return denseNorm(name, informed, params, params.norm3, options, mode, 4)
  }
  const layer = defineLayer<DecoderLayerParams, None, 'decoderLayer', Tensor, DecoderInput>({
    name,
    isRandom: dropout > 0,
    init: (key, inputShape: Shape) => {
      requireSteps(name, inputShape)
      const [attentionKey, crossKey, denseKey] = random.split(key, 3)
      const features = inputShape[2]!
      const params = {
        ...self.init(attentionKey!, inputShape),
        crossAttention: cross.init(crossKey!, inputShape).params,
        norm2: initNorm(features),
        ...initFeedForward(denseKey!, features, options),
        norm3: initNorm(features),
      }
      return { params, state: none, outputShape: inputShape }
    },
    apply: ({ params, state }, { inputs, memory, memoryVisibility = {}, ...seen }, mode) => {
      requireSteps(name, inputs.shape, params.norm1.scale.size)
      const attended = self.whole(params, inputs, seen, mode)
      return [rest(attended, memory, memoryVisibility, params, mode), state]
    },
  })
  return Object.freeze({
    ...layer,
    initCache: (params: DecoderLayerParams, batch: number, maxLength: number) =>
      self.initCache(params, batch, maxLength),
    decode: (
      params: DecoderLayerParams,
      cache: AttentionCache,
      { inputs, memory, memoryVisibility = {} }: Omit<DecoderInput, keyof Visibility>,
    ) => {
      const [attended, next] = self.next(params, cache, inputs)
      return Object.freeze([rest(attended, memory, memoryVisibility, params, {}), next] as const)
    },
  })
}

export interface TransformerDecoderOptions extends DecoderOptions, StackOptions {}

const build = (
  layers: number,
  heads: number,
  options: TransformerDecoderOptions = {},
): MemoryDecoder<StackTree<DecoderLayerParams>, CacheTree, 'decoder'> =>
  stackOf({
    name: 'decoder',
    layers,
    options,
    block: transformerDecoderLayer(heads, options),
    over: (input, x) => ({ ...input, inputs: x }),
    stepOver: (input, x) => ({ ...input, inputs: x }),
  })

/**
 * Decoder blocks on top of each other, `params.layer1`, …; all of them look at the same memory.
 * @example
 * const decoder = transformerDecoder(2, 4)
 * const [y] = decoder.apply(variables, { inputs: x, memory, memoryVisibility: { lengths } })
 */
export const transformerDecoder: <
  const N extends number,
  const O extends TransformerDecoderOptions = Record<never, never>,
>(
  layers: N,
  heads: number,
  options?: O,
) => MemoryDecoder<
  StackParams<DecoderLayerParams, N, O>,
  StackCache<AttentionCache, N>,
  'decoder'
> = typed(erase(build))

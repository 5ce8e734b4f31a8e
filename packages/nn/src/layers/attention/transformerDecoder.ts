/** Transformer decoders: they look at what they said, and at what was read. */
import { type Shape, type Tensor, erase, typed } from '@cotangent/core'
import { random } from '@cotangent/ops'
import { requireSize } from '../../errors.ts'
import { layerNorm } from '../../functional/normalization.ts'
import { type Layer, type Mode, type None, defineLayer, none } from '../../layer.ts'
import { relu } from '../activations.ts'
import {
  type BlockOptions,
  type FeedForwardParams,
  type NormParams,
  addNorm,
  drop,
  feedForward,
  initFeedForward,
  initNorm,
  modeOf,
} from './block.ts'
import { type AttentionParams, multiHeadAttention } from './multiHead.ts'
import {
  type StackCache,
  type StackOptions,
  type StackParams,
  attentionOptions,
  blockNames,
} from './transformerEncoder.ts'
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

export interface DecoderLayerParams extends FeedForwardParams {
  readonly attention: AttentionParams
  readonly crossAttention: AttentionParams
  readonly norm1: NormParams
  readonly norm2: NormParams
  readonly norm3: NormParams
}

/** A decoder that can also write step by step. */
export interface MemoryDecoder<P, Cache, Name extends string>
  extends Layer<P, None, Name, Tensor, DecoderInput> {
  /** An empty cache for `maxLength` steps. */
  initCache(params: P, batch: number, maxLength: number): Cache
  /** The outputs of the next steps `inputs: [batch, n, features]`, which see those before them. */
  decode(
    params: P,
    cache: Cache,
    input: Omit<DecoderInput, keyof Visibility>,
  ): readonly [y: Tensor, cache: Cache]
}

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
  const { dropout = 0, activation = relu, causal = true, memoryFeatures } = options
  const own = attentionOptions(options)
  const attention = multiHeadAttention(heads, { ...own, causal, dropout })
  // Positions in two sequences have no common measure.
  const cross = multiHeadAttention(heads, {
    ...own,
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
    return addNorm(informed, params.norm3, options, (x) =>
      drop(
        name,
        feedForward(x, params, activation, (z) => drop(name, z, mode, dropout, 4)),
        mode,
        dropout,
        5,
      ),
    )
  }
  const layer = defineLayer<DecoderLayerParams, None, 'decoderLayer', Tensor, DecoderInput>({
    name,
    isRandom: dropout > 0,
    init: (key, inputShape: Shape) => {
      requireSteps(name, inputShape)
      const [attentionKey, crossKey, denseKey] = random.split(key, 3)
      const features = inputShape[2]!
      const params = {
        attention: attention.init(attentionKey!, inputShape).params,
        norm1: initNorm(features),
        crossAttention: cross.init(crossKey!, inputShape).params,
        norm2: initNorm(features),
        ...initFeedForward(denseKey!, features, options),
        norm3: initNorm(features),
      }
      return { params, state: none, outputShape: inputShape }
    },
    apply: ({ params, state }, { inputs, memory, memoryVisibility = {}, ...seen }, mode) => {
      requireSteps(name, inputs.shape, params.norm1.scale.size)
      const attended = addNorm(inputs, params.norm1, options, (x) => {
        const variables = { params: params.attention, state: none }
        const [y] = attention.apply(
          variables,
          { inputs: x, ...seen },
          modeOf(name, mode, dropout, 0),
        )
        return drop(name, y, mode, dropout, 1)
      })
      return [rest(attended, memory, memoryVisibility, params, mode), state]
    },
  })
  return Object.freeze({
    ...layer,
    initCache: (params: DecoderLayerParams, batch: number, maxLength: number) =>
      attention.initCache(params.attention, batch, maxLength),
    decode: (
      params: DecoderLayerParams,
      cache: AttentionCache,
      { inputs, memory, memoryVisibility = {} }: Omit<DecoderInput, keyof Visibility>,
    ) => {
      let next = cache
      const attended = addNorm(inputs, params.norm1, options, (x) => {
        const [y, filled] = attention.decode(params.attention, cache, x)
        next = filled
        return y
      })
      return Object.freeze([rest(attended, memory, memoryVisibility, params, {}), next] as const)
    },
  })
}

export interface TransformerDecoderOptions extends DecoderOptions, StackOptions {}

type Tree<T> = Readonly<Record<string, T>>
type DecoderTree = Tree<DecoderLayerParams> & { readonly norm?: NormParams }

const build = (
  layers: number,
  heads: number,
  options: TransformerDecoderOptions = {},
): MemoryDecoder<DecoderTree, Tree<AttentionCache>, 'decoder'> => {
  const name = 'decoder'
  const { normFirst = false, finalNorm = normFirst, epsilon = 1e-5, dropout = 0 } = options
  requireSize(name, 'layers', layers)
  const block = transformerDecoderLayer(heads, options)
  const names = blockNames(layers)
  const last = (x: Tensor, norm: NormParams | undefined): Tensor =>
    norm === undefined ? x : layerNorm(x, norm, { epsilon })
  const layer = defineLayer<DecoderTree, None, 'decoder', Tensor, DecoderInput>({
    name,
    isRandom: dropout > 0,
    init: (key, inputShape) => {
      const blocks = names.map((own, i) => [
        own,
        block.init(random.foldIn(key, i), inputShape).params,
      ])
      const norm = finalNorm ? { norm: initNorm(inputShape[2]!) } : {}
      return {
        params: { ...Object.fromEntries(blocks), ...norm },
        state: none,
        outputShape: inputShape,
      }
    },
    apply: ({ params, state }, { inputs, ...around }, mode) => {
      const y = names.reduce((x, own, i) => {
        const variables = { params: params[own]!, state: none }
        return block.apply(variables, { inputs: x, ...around }, modeOf(name, mode, dropout, i))[0]
      }, inputs)
      return [last(y, params.norm), state]
    },
  })
  return Object.freeze({
    ...layer,
    initCache: (params: DecoderTree, batch: number, maxLength: number) =>
      Object.freeze(
        Object.fromEntries(
          names.map((own) => [own, block.initCache(params[own]!, batch, maxLength)]),
        ),
      ),
    decode: (
      params: DecoderTree,
      cache: Tree<AttentionCache>,
      { inputs, ...around }: Omit<DecoderInput, keyof Visibility>,
    ) => {
      const filled: [string, AttentionCache][] = []
      const y = names.reduce((x, own) => {
        const [outputs, next] = block.decode(params[own]!, cache[own]!, { inputs: x, ...around })
        filled.push([own, next])
        return outputs
      }, inputs)
      return [last(y, params.norm), Object.freeze(Object.fromEntries(filled))] as const
    },
  })
}

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

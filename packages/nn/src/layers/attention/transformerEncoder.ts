/** Transformer encoders: attention and two dense layers, each with a way around it. */
import { type Shape, Tensor, erase, range, typed } from '@cotangent/core'
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
export interface Decodable<P, Cache, Name extends string>
  extends Layer<P, None, Name, Tensor, SequenceInput> {
  /** An empty cache for `maxLength` steps. */
  initCache(params: P, batch: number, maxLength: number): Cache
  /** The outputs of the next steps `x: [batch, n, features]`, which see those before them. */
  decode(params: P, cache: Cache, x: Tensor): readonly [y: Tensor, cache: Cache]
}

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

/** What blocks hand on to their attention. */
export const attentionOptions = (options: BlockOptions): BlockOptions => {
  const { keyHeads, normalizeQk, rotary, alibi, kernelInit } = options
  return {
    ...(keyHeads === undefined ? {} : { keyHeads }),
    ...(normalizeQk === undefined ? {} : { normalizeQk }),
    ...(rotary === undefined ? {} : { rotary }),
    ...(alibi === undefined ? {} : { alibi }),
    ...(kernelInit === undefined ? {} : { kernelInit }),
  }
}

export interface StackOptions {
  /** Normalise what the last block gives; by default where blocks are pre-norm. */
  readonly finalNorm?: boolean
}
export interface TransformerEncoderOptions extends EncoderOptions, StackOptions {}

type BlockNames<N extends number, Seen extends readonly unknown[] = []> = number extends N
  ? `layer${number}`
  : Seen['length'] extends N
    ? never
    : `layer${[...Seen, unknown]['length'] & number}` | BlockNames<N, [...Seen, unknown]>

/** Blocks by name, and the last normalisation. */
export type StackParams<P, N extends number, O> = {
  readonly [K in BlockNames<N>]: P
} & (O extends {
  readonly finalNorm: true
}
  ? { readonly norm: NormParams }
  : O extends { readonly finalNorm: false }
    ? unknown
    : O extends { readonly normFirst: true }
      ? { readonly norm: NormParams }
      : unknown)

/** Caches by block. */
export type StackCache<C, N extends number> = { readonly [K in BlockNames<N>]: C }

type Tree<T> = Readonly<Record<string, T>>
type EncoderTree = Tree<EncoderLayerParams> & { readonly norm?: NormParams }

/** `layer1`, `layer2`, … */
export const blockNames = (layers: number): readonly string[] =>
  range(layers).map((i) => `layer${i + 1}`)

const build = (
  layers: number,
  heads: number,
  options: TransformerEncoderOptions = {},
): Decodable<EncoderTree, Tree<AttentionCache>, 'encoder'> => {
  const name = 'encoder'
  const { normFirst = false, finalNorm = normFirst, epsilon = 1e-5, dropout = 0 } = options
  requireSize(name, 'layers', layers)
  const block = transformerEncoderLayer(heads, options)
  const names = blockNames(layers)
  const last = (x: Tensor, norm: NormParams | undefined): Tensor =>
    norm === undefined ? x : layerNorm(x, norm, { epsilon })
  const layer = defineLayer<EncoderTree, None, 'encoder', Tensor, SequenceInput>({
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
    apply: ({ params, state }, input, mode) => {
      const { inputs, ...seen } = input instanceof Tensor ? { inputs: input } : input
      const y = names.reduce((x, own, i) => {
        const variables = { params: params[own]!, state: none }
        return block.apply(variables, { inputs: x, ...seen }, modeOf(name, mode, dropout, i))[0]
      }, inputs)
      return [last(y, params.norm), state]
    },
  })
  return Object.freeze({
    ...layer,
    initCache: (params: EncoderTree, batch: number, maxLength: number) =>
      Object.freeze(
        Object.fromEntries(
          names.map((own) => [own, block.initCache(params[own]!, batch, maxLength)]),
        ),
      ),
    decode: (params: EncoderTree, cache: Tree<AttentionCache>, x: Tensor) => {
      const filled: [string, AttentionCache][] = []
      const y = names.reduce((inputs, own) => {
        const [outputs, next] = block.decode(params[own]!, cache[own]!, inputs)
        filled.push([own, next])
        return outputs
      }, x)
      return [last(y, params.norm), Object.freeze(Object.fromEntries(filled))] as const
    },
  })
}

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

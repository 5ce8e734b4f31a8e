/** What the blocks of transformers are made of. */
import { type Shape, type Tensor, fill } from '@cotangent/core'
import { random } from '@cotangent/ops'
import { layerNorm } from '../../functional/normalization.ts'
import { type Mode, none, requireKey } from '../../layer.ts'
import { relu } from '../activations.ts'
import { type KernelAndBias, dense } from '../dense.ts'
import { dropout } from '../dropout.ts'
import { type AttentionParams, type MultiHeadOptions, multiHeadAttention } from './multiHead.ts'
import type { AttentionCache, Visibility } from './types.ts'

export interface BlockOptions
  extends Pick<MultiHeadOptions, 'keyHeads' | 'normalizeQk' | 'rotary' | 'alibi' | 'kernelInit'> {
  /** Features between the two dense layers; four times the input's by default. */
  readonly feedForward?: number
  /** Between them; relu by default. */
  readonly activation?: (x: Tensor) => Tensor
  /** In training, of attention's weights, between the dense layers, and of what each part adds; 0. */
  readonly dropout?: number
  /** Normalise what goes into each part (pre-norm), not the sum that comes out; false. */
  readonly normFirst?: boolean
  /** Added to the variance; 1e-5 by default. */
  readonly epsilon?: number
}

/** Of a layer normalisation: `[features]` each. */
export interface NormParams {
  readonly scale: Tensor
  readonly bias: Tensor
}
export interface FeedForwardParams {
  readonly dense1: KernelAndBias
  readonly dense2: KernelAndBias
}
export interface SelfAttentionParams {
  readonly attention: AttentionParams
  readonly norm1: NormParams
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

/** A part that is added to what goes around it, normalised before or after. */
export const addNorm = (
  x: Tensor,
  norm: NormParams,
  { normFirst = false, epsilon = 1e-5 }: BlockOptions,
  part: (x: Tensor) => Tensor,
): Tensor =>
  normFirst
    ? x.add(part(layerNorm(x, norm, { epsilon })))
    : layerNorm(x.add(part(x)), norm, { epsilon })

/** Parameters of a normalisation that changes nothing yet. */
export const initNorm = (features: number): NormParams =>
  Object.freeze({ scale: fill([features], 1, 'float32'), bias: fill([features], 0, 'float32') })

/** The mode of the `n`-th random part. */
export const modeOf = (name: string, mode: Mode, rate: number, n: number): Mode =>
  rate > 0 && mode.train === true
    ? { train: true, key: random.foldIn(requireKey(name, mode), n) }
    : { train: false }

/** Dropout of the `n`-th part. */
export const drop = (name: string, x: Tensor, mode: Mode, rate: number, n: number): Tensor =>
  rate === 0
    ? x
    : dropout(rate).apply({ params: none, state: none }, x, modeOf(name, mode, rate, n))[0]

/** The two dense layers of a block of `features`. */
export const initFeedForward = (
  key: Tensor,
  features: number,
  { feedForward = 4 * features, kernelInit }: BlockOptions,
): FeedForwardParams => {
  const [first, second] = random.split(key)
  const options = kernelInit === undefined ? {} : { kernelInit }
  return {
    dense1: dense(feedForward, options).init(first!, [features]).params,
    dense2: dense(features, options).init(second!, [feedForward]).params,
  }
}

/** dense, activation, dropout, dense. */
const feedForward = (
  x: Tensor,
  { dense1, dense2 }: FeedForwardParams,
  activation: (x: Tensor) => Tensor,
  between: (x: Tensor) => Tensor,
): Tensor => {
  const lead = x.shape.slice(0, -1)
  const rows = x.reshape([-1, x.shape[x.ndim - 1]!])
  const hidden = between(activation(rows.matmul(dense1.kernel).add(dense1.bias)))
  const y = hidden.matmul(dense2.kernel).add(dense2.bias)
  return y.reshape([...lead, y.shape[1]!])
}

/** The last part of a block: two dense layers. Its random parts are number `n` and the next. */
export const denseNorm = (
  name: string,
  x: Tensor,
  params: FeedForwardParams,
  norm: NormParams,
  options: BlockOptions,
  mode: Mode,
  n: number,
): Tensor => {
  const { dropout: rate = 0, activation = relu } = options
  return addNorm(x, norm, options, (y) => {
    const hidden = feedForward(y, params, activation, (z) => drop(name, z, mode, rate, n))
    return drop(name, hidden, mode, rate, n + 1)
  })
}

/** The first part of a block: a sequence looks at itself, as a whole or going on step by step. */
export interface SelfAttention {
  init(key: Tensor, inputShape: Shape): SelfAttentionParams
  whole(params: SelfAttentionParams, x: Tensor, seen: Visibility, mode: Mode): Tensor
  initCache(params: SelfAttentionParams, batch: number, maxLength: number): AttentionCache
  next(
    params: SelfAttentionParams,
    cache: AttentionCache,
    x: Tensor,
  ): readonly [y: Tensor, cache: AttentionCache]
}

/** `SelfAttention` of a block; its random parts are numbers 0 and 1. */
export const selfAttention = (
  name: string,
  heads: number,
  options: BlockOptions,
  causal: boolean,
): SelfAttention => {
  const { dropout: rate = 0 } = options
  const attention = multiHeadAttention(heads, {
    ...attentionOptions(options),
    causal,
    dropout: rate,
  })
  return {
    init: (key, inputShape) => ({
      attention: attention.init(key, inputShape).params,
      norm1: initNorm(inputShape[2]!),
    }),
    whole: (params, x, seen, mode) =>
      addNorm(x, params.norm1, options, (inputs) => {
        const variables = { params: params.attention, state: none }
        const own = modeOf(name, mode, rate, 0)
        const [y] = attention.apply(variables, { inputs, ...seen }, own)
        return drop(name, y, mode, rate, 1)
      }),
    initCache: (params, batch, maxLength) =>
      attention.initCache(params.attention, batch, maxLength),
    next: (params, cache, x) => {
      let filled = cache
      const attended = addNorm(x, params.norm1, options, (inputs) => {
        const [y, next] = attention.decode(params.attention, cache, inputs)
        filled = next
        return y
      })
      return [attended, filled]
    },
  }
}

/** The multi-head attention layer, over whole sequences and step by step. */
import { type Shape, ShapeError, Tensor, erase, fill, typed } from '@cotangent/core'
import { lax, np, random } from '@cotangent/ops'
import { requireSize } from '../../errors.ts'
import * as f from '../../functional/attention/index.ts'
import { layerNorm } from '../../functional/normalization.ts'
import { type Initializer, lecunNormal, ones, zeros } from '../../initializers.ts'
import { type Layer, type Mode, type None, defineLayer, none, requireKey } from '../../layer.ts'
import type { Kernel, KernelAndBias } from '../dense.ts'
import {
  type AttentionCache,
  type AttentionInput,
  type AttentionOutput,
  type AttentionQuery,
  requireSteps,
  visible,
} from './types.ts'

export interface MultiHeadOptions {
  /** Of queries, keys and values over all heads; the input's by default. */
  readonly qkvFeatures?: number
  /** The input's by default. */
  readonly outFeatures?: number
  /** Of the key where it is not the input; the input's by default. */
  readonly keyFeatures?: number
  /** Of the value; the key's by default. */
  readonly valueFeatures?: number
  /** Heads of keys and values, each shared by a group of queries; as many as queries by default. */
  readonly keyHeads?: number
  /** True by default. */
  readonly useBias?: boolean
  /** Queries and keys are normalised, with learned scales; false by default. */
  readonly normalizeQk?: boolean
  /** In training, the share of weights dropped; 0 by default. */
  readonly dropout?: number
  /** A step sees those before it alone; false by default. */
  readonly causal?: boolean
  /** Rotary positions on queries and keys; false by default. */
  readonly rotary?: boolean | f.RotaryOptions
  /** Penalties that grow with the distance; false by default. */
  readonly alibi?: boolean
  /** Give `{ outputs, weights }`; false by default. */
  readonly returnWeights?: boolean
  /** Of all projections; variance 1 / fan-in by default. */
  readonly kernelInit?: Initializer
  readonly biasInit?: Initializer
}

interface Projections<K> {
  readonly query: K
  readonly key: K
  readonly value: K
  readonly out: K
}
interface HeadScale {
  /** `[headFeatures]`. */
  readonly scale: Tensor
}
interface HeadScales {
  readonly queryNorm: HeadScale
  readonly keyNorm: HeadScale
}
/** `query`, `key`, `value`: kernels `[features, heads, headFeatures]`; `out`: `[heads, headFeatures, features]`. */
export type AttentionParams<O = Record<never, never>> = Projections<
  O extends { readonly useBias: false } ? Kernel : KernelAndBias
> &
  (O extends { readonly normalizeQk: true } ? HeadScales : unknown)

/** The layer, and its decoding step by step. */
export interface MultiHeadAttention<P, Y = Tensor>
  extends Layer<P, None, 'attention', Y, AttentionInput> {
  /** An empty cache for `maxLength` steps. */
  initCache(params: P, batch: number, maxLength: number): AttentionCache
  /**
   * The outputs of the next steps `x: [batch, n, features]`, which see themselves and all before
   * them. The shapes do not depend on the step, so a compiled step is compiled once. Steps beyond the
   * cache's length are NaN.
   */
  decode(params: P, cache: AttentionCache, x: Tensor): readonly [y: Tensor, cache: AttentionCache]
}

/** The parameters as the layer itself reads them. */
interface Weights extends f.AttentionWeights, Partial<HeadScales> {}

const keyFor = (name: string, rate: number, mode: Mode): f.AttentionOptions['dropout'] =>
  rate === 0 || mode.train !== true ? undefined : { rate, key: requireKey(name, mode) }

/** The extents that the options and the input say. */
const sizes = (name: string, heads: number, options: MultiHeadOptions, features: number) => {
  const { qkvFeatures = features, outFeatures = features, keyHeads = heads } = options
  const { keyFeatures = features, valueFeatures = keyFeatures } = options
  if (qkvFeatures % heads !== 0 || heads % keyHeads !== 0) {
    throw new ShapeError({
      operation: name,
      problem: 'the heads do not divide the features',
      got: `${qkvFeatures} features, ${heads} heads, ${keyHeads} heads of keys`,
      want: `qkvFeatures a multiple of ${heads}, heads a multiple of ${keyHeads}`,
      fix: 'choose another number of heads, or give qkvFeatures',
    })
  }
  return { size: qkvFeatures / heads, outFeatures, keyHeads, keyFeatures, valueFeatures }
}

const initWeights = (
  name: string,
  heads: number,
  options: MultiHeadOptions,
  key: Tensor,
  features: number,
): Weights => {
  const { useBias = true, kernelInit = lecunNormal(), biasInit = zeros } = options
  const { size, outFeatures, keyHeads, keyFeatures, valueFeatures } = sizes(
    name,
    heads,
    options,
    features,
  )
  const keys = random.split(key, 5)
  // A kernel is drawn as the matrix it acts as, so that the fan-in is right.
  const projection = (n: number, rows: number, columns: number, shape: Shape, biasShape: Shape) => {
    const kernel = kernelInit(keys.at(n), [rows, columns]).reshape(shape)
    return Object.freeze(useBias ? { kernel, bias: biasInit(keys.at(n), biasShape) } : { kernel })
  }
  const into = (n: number, from: number, count: number) =>
    projection(n, from, count * size, [from, count, size], [count, size])
  const weights = {
    query: into(0, features, heads),
    key: into(1, keyFeatures, keyHeads),
    value: into(2, valueFeatures, keyHeads),
    out: projection(3, heads * size, outFeatures, [heads, size, outFeatures], [outFeatures]),
  }
  if (options.normalizeQk !== true) return weights
  const norm = Object.freeze({ scale: ones(keys.at(4), [size]) })
  return { ...weights, queryNorm: norm, keyNorm: norm }
}

const normalized = (x: Tensor, norm: HeadScale | undefined): Tensor =>
  norm === undefined ? x : layerNorm(x, { scale: norm.scale }, { epsilon: 1e-6 })

const build = (
  heads: number,
  options: MultiHeadOptions = {},
): MultiHeadAttention<Weights, Tensor | f.Attention> => {
  const name = 'attention'
  const { dropout = 0, causal = false, alibi = false, returnWeights = false } = options
  requireSize(name, 'heads', heads)
  const turned = (x: Tensor, positions?: Tensor): Tensor => {
    if (options.rotary === undefined || options.rotary === false) return x
    const more = options.rotary === true ? {} : options.rotary
    return f.rotary(x, positions === undefined ? more : { ...more, positions })
  }
  const asked = (p: Weights, x: Tensor, at?: Tensor): Tensor =>
    turned(normalized(f.toHeads(x, p.query), p.queryNorm), at)
  const known = (p: Weights, x: Tensor, at?: Tensor): Tensor =>
    turned(normalized(f.toHeads(x, p.key), p.keyNorm), at)
  const slopes = (t: number, s: number, bias?: Tensor, offset?: Tensor): Tensor | undefined => {
    if (!alibi) return bias
    const own = f.alibiBias(heads, t, s, offset)
    return bias === undefined ? own : bias.add(own)
  }
  const layer = defineLayer<Weights, None, 'attention', Tensor | f.Attention, AttentionInput>({
    name,
    isRandom: dropout > 0,
    init: (key, inputShape) => {
      requireSteps(name, inputShape)
      const [batch, t, features] = inputShape
      const params = initWeights(name, heads, options, key, features!)
      return { params, state: none, outputShape: [batch!, t!, options.outFeatures ?? features!] }
    },
    apply: ({ params, state }, input, mode) => {
      const query: AttentionQuery = input instanceof Tensor ? { inputs: input } : input
      const { inputs, key = inputs, value = key, bias } = query
      requireSteps(name, inputs.shape, params.query.kernel.shape[0]!)
      requireSteps(`${name} (key)`, key.shape, params.key.kernel.shape[0]!)
      requireSteps(`${name} (value)`, value.shape, params.value.kernel.shape[0]!)
      const [t, s] = [inputs.shape[1]!, key.shape[1]!]
      const result = f.attend(
        asked(params, inputs),
        known(params, key),
        f.toHeads(value, params.value),
        {
          mask: visible(query, s),
          bias: slopes(t, s, bias),
          causal,
          dropout: keyFor(name, dropout, mode),
        },
      )
      const outputs = f.fromHeads(result.outputs, params.out)
      return [returnWeights ? Object.freeze({ outputs, weights: result.weights }) : outputs, state]
    },
  })
  return Object.freeze({
    ...layer,
    initCache: ({ key }: Weights, batch: number, maxLength: number): AttentionCache => {
      requireSize(name, 'cached steps', maxLength)
      const [, keyHeads, size] = key.kernel.shape
      const empty = fill([batch, maxLength, keyHeads!, size!], 0, key.kernel.dtype)
      return Object.freeze({ key: empty, value: empty, index: fill([], 0, 'int32') })
    },
    decode: (params: Weights, cache: AttentionCache, x: Tensor) => {
      requireSteps(name, x.shape, params.query.kernel.shape[0]!)
      const [n, maxLength] = [x.shape[1]!, cache.key.shape[1]!]
      const { index } = cache
      const at = np.arange(n).add(index)
      const write = (old: Tensor, steps: Tensor): Tensor =>
        lax.dynamicUpdateSlice(old, steps, [0, index, 0, 0])
      const key = write(cache.key, known(params, x, at))
      const value = write(cache.value, f.toHeads(x, params.value))
      const { outputs } = f.attend(asked(params, x, at), key, value, {
        mask: f.causalMask(n, maxLength, index),
        bias: slopes(n, maxLength, undefined, index),
      })
      const y = f.fromHeads(outputs, params.out)
      const next = index.add(n)
      const fits = next.lessEqual(maxLength)
      return [y.where(fits, Number.NaN), Object.freeze({ key, value, index: next })] as const
    },
  })
}

/**
 * Multi-head attention over `[batch, t, features]`: of a sequence to itself, or with
 * `{ inputs, key, value }` to another. `mask`, `bias` and `lengths` say what may be seen. For decoding,
 * `initCache` and `decode` keep the keys and values of the steps so far.
 * @throws ShapeError where heads do not divide features, or an input does not fit.
 * @see Vaswani et al. 2017
 * @example
 * const attention = multiHeadAttention(8, { causal: true })
 * const { params } = attention.init(random.key(0), [1, 128, 64]) // params.query.kernel: [64, 8, 8]
 * let cache = attention.initCache(params, 1, 128)
 * ;[y, cache] = attention.decode(params, cache, x.at(':', ':1'))
 */
export const multiHeadAttention: <const O extends MultiHeadOptions = Record<never, never>>(
  heads: number,
  options?: O,
) => MultiHeadAttention<AttentionParams<O>, AttentionOutput<O>> = typed(erase(build))

/** The language model that is a transformer's decoder alone. */
import { IndexError, type Tensor, erase, fill, typed } from '@cotangent/core'
import { np } from '@cotangent/ops'
import type { StageRecord } from '../combinators/naming.ts'
import { applyPart, scoped } from '../combinators/parts.ts'
import { serial } from '../combinators/serial.ts'
import { requireRank, requireSize } from '../errors.ts'
import { normal } from '../initializers.ts'
import {
  type Layer,
  type Mode,
  type None,
  type Part,
  type Variables,
  defineLayer,
  none,
} from '../layer.ts'
import { gelu } from '../layers/activations.ts'
import {
  type AttentionCache,
  type BlockOptions,
  type EncoderLayerParams,
  type PositionTable,
  type StackCache,
  type StackParams,
  type TransformerEncoderOptions,
  learnedEncoding,
  transformerEncoder,
} from '../layers/attention/index.ts'
import { type Kernel, dense } from '../layers/dense.ts'
import { dropout as dropoutLayer } from '../layers/dropout.ts'
import { type EmbeddingParams, embedding } from '../layers/embedding.ts'
import { type GenerateOptions, requirePrompt, writeOn } from './generation.ts'

export interface TransformerLmOptions
  extends Pick<
    BlockOptions,
    'feedForward' | 'activation' | 'keyHeads' | 'normalizeQk' | 'epsilon' | 'kernelInit'
  > {
  /** How many words, or characters, there are. */
  readonly vocabulary: number
  /** The longest sequence; 256 by default. */
  readonly maxLength?: number
  /** 128 by default. */
  readonly features?: number
  /** 4 by default. */
  readonly layers?: number
  /** 4 by default. */
  readonly heads?: number
  /** A learned vector for each position, or rotations of queries and keys; `'learned'` by default. */
  readonly positions?: 'learned' | 'rotary'
  /** The table of words also reads the logits off; false by default. */
  readonly tied?: boolean
  /** In training, of the embeddings, of attention's weights and of what each part adds; 0 by default. */
  readonly dropout?: number
}

interface PreNorm {
  readonly normFirst: true
}
type LayersOf<O> = O extends { readonly layers: infer N extends number } ? N : 4

export type TransformerLmParams<O = Record<never, never>> = {
  /** `[vocabulary, features]`. */
  readonly embedding: EmbeddingParams
  /** `layer1`, `layer2`, …, and `norm` at the end. */
  readonly blocks: StackParams<EncoderLayerParams, LayersOf<O>, PreNorm>
} & (O extends { readonly positions: 'rotary' } ? unknown : { readonly positions: PositionTable }) &
  (O extends { readonly tied: true } ? unknown : { readonly dense: Kernel })

/** Keys and values of the steps so far, and how many there are. */
export interface TransformerLmCache<O = Record<never, never>> {
  readonly blocks: StackCache<AttentionCache, LayersOf<O>>
  readonly index: Tensor
}

/** The network from `[batch, time]` integers to logits, and its way of writing. */
export interface TransformerLm<P, Cache> extends Layer<P, None, 'transformerLm', Tensor, Tensor> {
  /** An empty cache for `maxLength` steps. */
  initCache(params: P, batch: number): Cache
  /** The logits `[batch, n, vocabulary]` of the next codes `[batch, n]`, which see those before them. */
  decode(params: P, cache: Cache, codes: Tensor): readonly [logits: Tensor, cache: Cache]
  /**
   * Goes on from `prompt: [batch, time]`: `[batch, length]` codes, all in one `scan` over the cache.
   * @throws IndexError where prompt and continuation are longer than `maxLength`.
   */
  generate(params: P, prompt: Tensor, options: GenerateOptions): Tensor
}

interface Params {
  readonly embedding: EmbeddingParams
  readonly positions?: PositionTable
  readonly blocks: StackParams<EncoderLayerParams, number, PreNorm>
  readonly dense?: Kernel
}
interface Cache {
  readonly blocks: StackCache<AttentionCache, number>
  readonly index: Tensor
}

const tableInit = normal(0.02)

const networkOf: (stages: StageRecord) => Layer<Params, None, 'serial'> = typed(
  erase((stages: StageRecord) => serial(stages)),
)

/** The table of words as a layer that looks for its rows: `[…, features]` to `[…, vocabulary]`. */
const tiedHead = (vocabulary: number): Layer<EmbeddingParams, None, 'tiedHead'> =>
  defineLayer({
    name: 'tiedHead',
    init: (key, shape) => ({
      params: { table: tableInit(key, [vocabulary, shape.at(-1)!]) },
      state: none,
      outputShape: [...shape.slice(0, -1), vocabulary],
    }),
    apply: ({ params, state }, x) => [x.matmul(params.table.T), state],
  })

const applyHead: (
  part: Part,
  i: number,
  variables: Variables<Params, None>,
  x: Tensor,
  mode: Mode,
) => readonly [Tensor, None] = typed(erase(applyPart))

const build = (options: TransformerLmOptions): TransformerLm<Params, Cache> => {
  const { vocabulary, maxLength = 256, features = 128, layers = 4, heads = 4 } = options
  const { positions = 'learned', tied = false, dropout = 0, activation = gelu } = options
  const name = 'transformerLm'
  requireSize(name, 'positions', maxLength)
  const table = embedding(vocabulary, features, { tableInit })
  const [head, shared] = [dense(vocabulary, { useBias: false }), tiedHead(vocabulary)]
  const stacked: TransformerEncoderOptions & PreNorm = {
    ...blockOptions(options),
    activation,
    dropout,
    rotary: positions === 'rotary',
    causal: true,
    normFirst: true,
  }
  const blocks = transformerEncoder(layers, heads, stacked)
  const check = (shape: readonly number[]): void => {
    requireRank(name, shape, (rank) => rank === 2, '[batch, time] integers')
    requireLength(name, shape[1]!, maxLength)
  }
  const network = networkOf({
    embedding: table,
    ...(positions === 'learned' ? { positions: learnedEncoding(maxLength) } : {}),
    ...(dropout === 0 ? {} : { dropout: dropoutLayer(dropout) }),
    blocks,
    ...(tied ? {} : { dense: head }),
  })
  // What the blocks see after `index` steps: words, and where they stand.
  const embed = (params: Params, codes: Tensor, index: Tensor): Tensor => {
    const [x] = table.apply({ params: params.embedding, state: none }, codes)
    if (params.positions === undefined) return x
    const steps = np.arange(codes.shape[1]!).add(index)
    return x.add(np.take(params.positions.table, steps, { axis: 0 }))
  }
  const read = (params: Params, x: Tensor): Tensor =>
    params.dense === undefined
      ? shared.apply({ params: params.embedding, state: none }, x)[0]
      : head.apply({ params: params.dense, state: none }, x)[0]
  const initCache = (params: Params, batch: number): Cache =>
    Object.freeze({
      blocks: blocks.initCache(params.blocks, batch, maxLength),
      index: fill([], 0, 'int32'),
    })
  const decode = (params: Params, cache: Cache, codes: Tensor): readonly [Tensor, Cache] => {
    check(codes.shape)
    const x = embed(params, codes, cache.index)
    const [y, filled] = blocks.decode(params.blocks, cache.blocks, x)
    const index = cache.index.add(codes.shape[1]!)
    return [read(params, y), Object.freeze({ blocks: filled, index })]
  }
  const layer = defineLayer<Params, None, 'transformerLm', Tensor, Tensor>({
    name,
    isRandom: network.isRandom,
    traits: { ...network.traits },
    init: (key, inputShape, scope) => {
      check(inputShape)
      const { params, state } = network.init(key, inputShape, scope)
      return { params, state, outputShape: [...inputShape, vocabulary] }
    },
    apply: (variables, codes, given) => {
      check(codes.shape)
      const mode = scoped(given)
      const [y, state] = network.apply(variables, codes, mode)
      if (!tied) return [y, state]
      const [logits] = applyHead(['embedding', shared], 0, variables, y, mode)
      return [logits, state]
    },
  })
  return Object.freeze({
    ...layer,
    initCache,
    decode,
    generate: (params: Params, prompt: Tensor, how: GenerateOptions) => {
      requirePrompt(name, prompt, how)
      requireLength(`${name}, generate`, prompt.shape[1]! + how.length, maxLength)
      const [logits, cache] = decode(params, initCache(params, prompt.shape[0]!), prompt)
      const advance = (old: Cache, codes: Tensor): readonly [Cache, Tensor] => {
        const [next, filled] = decode(params, old, codes.reshape([-1, 1]))
        return [filled, next.at(':', 0)]
      }
      return writeOn(advance, cache, logits.at(':', -1), how)
    },
  })
}

const requireLength = (name: string, length: number, maxLength: number): void => {
  if (length <= maxLength) return
  throw new IndexError({
    operation: name,
    problem: 'the sequence is longer than the model can see',
    got: `${length} steps`,
    want: `at most ${maxLength}`,
    fix: 'make the model with a larger maxLength, or cut the sequence into windows',
  })
}

const blockOptions = (options: TransformerLmOptions): BlockOptions => {
  const { feedForward, keyHeads, normalizeQk, epsilon, kernelInit } = options
  return {
    ...(feedForward === undefined ? {} : { feedForward }),
    ...(keyHeads === undefined ? {} : { keyHeads }),
    ...(normalizeQk === undefined ? {} : { normalizeQk }),
    ...(epsilon === undefined ? {} : { epsilon }),
    ...(kernelInit === undefined ? {} : { kernelInit }),
  }
}

/**
 * A transformer that predicts the next word or character: `[batch, time]` integers to logits
 * `[batch, time, vocabulary]`. Pre-norm blocks, each step of which sees those before it alone; a last
 * normalisation; a layer without bias, or with `tied` the table of words itself, gives the logits.
 *
 * Parameters, for vocabulary V, features d, L layers, a feed-forward part of 4 d and the longest
 * sequence T: V d + L (12 d² + 13 d) + 2 d, and T d where positions are learned, V d unless tied. The
 * four sizes of GPT-2 (V = 50,257, T = 1024, tied) have 124,439,808, 354,823,168, 774,030,080 and
 * 1,557,611,200.
 * @see Vaswani et al. 2017; Radford et al. 2019, GPT-2; Su et al. 2021 for rotary positions; Press &
 * Wolf 2017 for tied tables
 * @example
 * const model = models.transformerLm({ vocabulary: 65, features: 128, layers: 4, positions: 'rotary' })
 * const { params } = model.init(random.key(0), [32, 128]) // params.blocks.layer1.attention.query.kernel
 * const text = model.generate(params, prompt, { length: 100, key: random.key(1) }) // [1, 100]
 */
export const transformerLm: <const O extends TransformerLmOptions>(
  options: O,
) => TransformerLm<TransformerLmParams<O>, TransformerLmCache<O>> = typed(erase(build))

/** Sequence to sequence with attention: an encoder reads, a decoder looks back while it writes. */
import {
  type Shape,
  type Tensor,
  erase,
  fill,
  flatten,
  leafTensor,
  typed,
  unflatten,
} from '@cotangent/core'
import { np, random, scan } from '@cotangent/ops'
import { requireRank, requireSize } from '../errors.ts'
import { swapBatchAndTime } from '../functional/recurrent/index.ts'
import {
  type Layer,
  type Mode,
  type None,
  type Shapes,
  defineComposite,
  isByName,
  listOfShapes,
  none,
  oneShape,
  requireKey,
} from '../layer.ts'
import { type KernelAndBias, dense } from '../layers/dense.ts'
import { dropout as dropoutLayer } from '../layers/dropout.ts'
import { type EmbeddingParams, embedding } from '../layers/embedding.ts'
import {
  type GruParams,
  type RecurrentParams,
  gruCell,
  lstmCell,
  recurrent,
} from '../layers/recurrent/index.ts'
import { type Choices, choose } from './generation.ts'
import {
  type AttentionKind,
  type AttentionParamsOf,
  type Decoder,
  type DecoderCell,
  type DecoderState,
  type Memory,
  bahdanau,
  luong,
  maskFor,
  runDecoder,
} from './seq2seqDecoder.ts'

export interface Seq2seqOptions {
  /** How many symbols a source may hold. */
  readonly sourceVocabulary: number
  /** How many a target may hold; as many by default. */
  readonly targetVocabulary?: number
  /** Features of the learned vectors of symbols; 64 by default. */
  readonly embedding?: number
  /** Of the decoder, and of the encoder in each direction; 128 by default. */
  readonly units?: number
  /** `'gru'` by default. */
  readonly cell?: 'gru' | 'lstm'
  /**
   * `'bahdanau'` (the default): the old state asks by a layer of tanh, and the step reads what it
   * finds. `'luong'`: the new state asks by a product, and a layer of tanh joins both.
   */
  readonly attention?: AttentionKind
  /** In training, the share of symbol vectors and of the decoder's outputs that is dropped; 0. */
  readonly dropout?: number
}

type CellParamsOf<O> = O extends { readonly cell: 'lstm' } ? RecurrentParams : GruParams

export type Seq2seqParams<O = Record<never, never>> = {
  readonly sourceEmbedding: EmbeddingParams
  readonly targetEmbedding: EmbeddingParams
  readonly encoder: {
    readonly forward: CellParamsOf<O>
    readonly backward: CellParamsOf<O>
  }
  /** From the encoder's last states to the decoder's first. */
  readonly bridge: KernelAndBias
  readonly attention: AttentionParamsOf<O>
  readonly decoder: CellParamsOf<O>
  readonly dense: KernelAndBias
} & (O extends { readonly attention: 'luong' } ? { readonly join: KernelAndBias } : unknown)

/** Integers `[batch, time]`. */
export interface Seq2seqInput {
  readonly source: Tensor
  /** What the decoder reads: the wanted outputs a step late, behind a symbol that starts them. */
  readonly target: Tensor
  /** `[batch]`: where sources end. */
  readonly lengths?: Tensor | undefined
}

export interface TranslateOptions extends Choices {
  /** How many symbols to write. */
  readonly length: number
  /** The symbol that starts a target. */
  readonly start: number
  /** `[batch]`: where sources end. */
  readonly lengths?: Tensor | undefined
}

export interface Translation {
  /** `[batch, length]`. */
  readonly codes: Tensor
  /** `[batch, length, sourceTime]`: where each symbol looked. */
  readonly weights: Tensor
}

/** The network from `{ source, target }` to logits `[batch, targetTime, targetVocabulary]`. */
export interface Seq2seq<P> extends Layer<P, None, 'seq2seq', Tensor, Seq2seqInput> {
  /** Writes without a target, each symbol fed back, all in one `scan`; greedy without a key. */
  translate(params: P, source: Tensor, options: TranslateOptions): Translation
}

// The parameters that both kinds of attention have.
interface Outer {
  readonly sourceEmbedding: EmbeddingParams
  readonly targetEmbedding: EmbeddingParams
  readonly encoder: { readonly forward: unknown; readonly backward: unknown }
  readonly bridge: KernelAndBias
  readonly dense: KernelAndBias
}

/** Of a source and a target; one stands for both. @throws TreeError where there is none. */
const bothShapes = (shapes: Shapes): readonly [Shape, Shape] => {
  const { source, target } = isByName(shapes)
    ? { source: oneShape('seq2seq', shapes, 'source'), target: shapes['target'] }
    : { source: listOfShapes(shapes)[0] ?? shapes, target: listOfShapes(shapes)[1] }
  const read = oneShape('seq2seq', source)
  return [read, oneShape('seq2seq', target ?? read)]
}

const requireCodes = (shape: Shape): void =>
  requireRank('seq2seq', shape, (rank) => rank === 2, '[batch, time] integers')

const withDecoder = <A, P extends { readonly attention: A }>(
  cell: DecoderCell,
  decoder: Decoder<P, A>,
  options: Seq2seqOptions,
): Seq2seq<Outer & P> => {
  const { sourceVocabulary, targetVocabulary = sourceVocabulary, units = 128 } = options
  const { embedding: features = 64, dropout = 0 } = options
  const name = 'seq2seq'
  const drop = dropoutLayer(dropout)
  const sources = embedding(sourceVocabulary, features)
  const targets = embedding(targetVocabulary, features)
  const encoder = recurrent(cell, { bidirectional: true, returnCarry: true })
  const isLstm = options.cell === 'lstm'
  const [bridge, head] = [dense(isLstm ? 2 * units : units), dense(targetVocabulary)]
  const dropped = (x: Tensor, mode: Mode, n: number): Tensor => {
    if (dropout === 0 || mode.train !== true) return x
    const key = random.foldIn(requireKey(name, mode), n)
    return drop.apply({ params: none, state: none }, x, { train: true, key })[0]
  }

  // What the decoder looks at, and the state it begins with.
  const read = (
    params: Outer & P,
    source: Tensor,
    lengths: Tensor | undefined,
    mode: Mode,
  ): { readonly memory: Memory; readonly start: DecoderState } => {
    requireCodes(source.shape)
    const [x] = sources.apply({ params: params.sourceEmbedding, state: none }, source)
    const input = { inputs: dropped(x, mode, 0), lengths }
    const [{ outputs, carry }] = encoder.apply({ params: params.encoder, state: none }, input)
    const ends = np.concatenate([carry.forward.h, carry.backward.h], { axis: 1 })
    const [first] = bridge.apply({ params: params.bridge, state: none }, ends)
    const h = first.at(':', `:${units}`).tanh()
    const start = isLstm ? { h, c: first.at(':', `${units}:`) } : { h }
    const output = fill([source.shape[0]!, decoder.outputs], 0, outputs.dtype)
    return {
      memory: decoder.remember(params.attention, outputs, maskFor(outputs, lengths)),
      start: { carry: start, output },
    }
  }
  const layer = defineComposite<Outer & P, None, 'seq2seq', Tensor, Seq2seqInput>({
    name,
    isRandom: dropout > 0,
    init: (key, shapes: Shapes) => {
      const [source, target] = bothShapes(shapes)
      requireCodes(source)
      const [batch, time] = source
      const keys = random.split(key, 6)
      const params = {
        sourceEmbedding: sources.init(keys.at(0), source).params,
        targetEmbedding: targets.init(keys.at(1), source).params,
        encoder: encoder.init(keys.at(2), [batch!, time!, features]).params,
        bridge: bridge.init(keys.at(3), [batch!, 2 * units]).params,
        ...decoder.init(keys.at(4), features),
        dense: head.init(keys.at(5), [batch!, decoder.outputs]).params,
      }
      const outputShape = [batch!, target[1]!, targetVocabulary]
      return { params, state: none, outputShape }
    },
    apply: ({ params, state }, { source, target, lengths }, mode) => {
      requireCodes(target.shape)
      const { memory, start } = read(params, source, lengths, mode)
      const [x] = targets.apply({ params: params.targetEmbedding, state: none }, target)
      const xs = swapBatchAndTime(dropped(x, mode, 1))
      const outputs = swapBatchAndTime(runDecoder(decoder, params, memory, start, xs))
      const variables = { params: params.dense, state: none }
      return [head.apply(variables, dropped(outputs, mode, 2))[0], state]
    },
  })
  const translate = (params: Outer & P, source: Tensor, how: TranslateOptions): Translation => {
    requireSize(`${name}, translate`, 'symbols to write', how.length)
    const { memory, start } = read(params, source, how.lengths, {})
    const { structure, leaves } = flatten(start)
    const [, [codes, weights]] = scan(
      ([state, code], i) => {
        const [x] = targets.apply({ params: params.targetEmbedding, state: none }, code)
        const before = unflatten<DecoderState>(structure, state)
        const [after, found] = decoder.step(params, memory, before, x)
        const [logits] = head.apply({ params: params.dense, state: none }, after.output)
        const next = choose(logits, how, i)
        return [
          [flatten(after).leaves.map(leafTensor), next],
          [next, found.weights],
        ]
      },
      [leaves.map(leafTensor), fill([source.shape[0]!], how.start, 'int32')] as const,
      np.arange(how.length),
    )
    return Object.freeze({ codes: swapBatchAndTime(codes), weights: swapBatchAndTime(weights) })
  }
  return Object.freeze({ ...layer, translate })
}

const build = (options: Seq2seqOptions): unknown => {
  const { cell = 'gru', units = 128, attention = 'bahdanau' } = options
  const own: DecoderCell = cell === 'lstm' ? lstmCell(units) : gruCell(units)
  return attention === 'luong'
    ? withDecoder(own, luong(own, units), options)
    : withDecoder(own, bahdanau(own, units), options)
}

/**
 * Sequence to sequence with attention. A recurrent encoder reads the source in both directions; the
 * decoder starts from what it ended with, and at every step looks at all of its outputs. In training
 * it reads the target a step late (teacher forcing); `translate` feeds back what it wrote.
 *
 * Parameters, for E features, u units, a vocabulary V on both sides and GRU cells of 3 u (x + u + 2)
 * for x inputs (an LSTM's have 4 u (x + u + 1), and its bridge twice the outputs): tables 2 V E; two
 * cells for E; bridge u (2 u + 1). Bahdanau: attention u (3 u + 2), a cell for E + 2 u, last layer
 * V (3 u + 1). Luong: attention 2 u², a cell for E + u, join u (3 u + 1), last layer V (u + 1).
 * @see Bahdanau, Cho & Bengio 2015; Luong, Pham & Manning 2015, with input feeding
 * @example
 * const model = models.seq2seq({ sourceVocabulary: 12, units: 64, attention: 'luong' })
 * const { params } = model.init(random.key(0), [32, 7]) // params.encoder.forward.kernel: [64, 192]
 * const [logits] = model.apply({ params, state: nn.none }, { source, target, lengths })
 * const { codes, weights } = model.translate(params, source, { length: 7, start: 11, lengths })
 */
export const seq2seq: <const O extends Seq2seqOptions>(options: O) => Seq2seq<Seq2seqParams<O>> =
  typed(erase(build))

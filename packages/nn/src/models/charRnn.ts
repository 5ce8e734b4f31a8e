/** The character-level language model with recurrent layers. */
import { type Tensor, erase, typed } from '@cotangent/core'
import { nnFunctions, random } from '@cotangent/ops'
import type { StageRecord } from '../combinators/naming.ts'
import { serial } from '../combinators/serial.ts'
import { requireRank, requireSize } from '../errors.ts'
import type { HiddenCarry, LstmCarry } from '../functional/recurrent/index.ts'
import { type Layer, type Mode, type None, defineLayer, none, requireKey } from '../layer.ts'
import { type KernelAndBias, dense } from '../layers/dense.ts'
import { dropout as dropoutLayer } from '../layers/dropout.ts'
import { type EmbeddingParams, embedding as embeddingLayer } from '../layers/embedding.ts'
import {
  type AnyCell,
  type GruParams,
  type PerCell,
  type RecurrentOptions,
  type RecurrentParams,
  gruCell,
  lstmCell,
  recurrent,
} from '../layers/recurrent/index.ts'
import { partsOf } from '../layers/recurrent/parts.ts'
import { type GenerateOptions, requirePrompt, writeOn } from './generation.ts'

export interface CharRnnOptions {
  /** How many characters there are. */
  readonly vocabulary: number
  /** `'lstm'` by default. */
  readonly cell?: 'lstm' | 'gru'
  /** Of each layer; 128 by default. */
  readonly units?: number
  /** 1 by default. */
  readonly layers?: number
  /** Features of a learned vector for each character; without it they are one-hot. */
  readonly embedding?: number
  /** In training, the share of each layer's outputs that is dropped on the way up; 0 by default. */
  readonly dropout?: number
}

type CellParams<O> = PerCell<O extends { readonly cell: 'gru' } ? GruParams : RecurrentParams, O>

/** The states of the layers, as recurrent layers have them: by layer where there are several. */
export type CharRnnCarry<O> = PerCell<
  O extends { readonly cell: 'gru' } ? HiddenCarry : LstmCarry,
  O
>
/** `rnn`: the cell, or `layer1`, `layer2`, …; `dense`: `[units, vocabulary]` and its bias. */
export type CharRnnParams<O = Record<never, never>> = {
  readonly rnn: CellParams<O>
  readonly dense: KernelAndBias
} & (O extends { readonly embedding: number } ? { readonly embedding: EmbeddingParams } : unknown)

/** Characters as integers `[batch, time]`, and the state that the text before them left. */
export interface CharRnnInput<C> {
  readonly inputs: Tensor
  readonly carry: C
}
export interface CharRnnOutput<C> {
  /** `[batch, time, vocabulary]`. */
  readonly logits: Tensor
  readonly carry: C
}

/** The network from `[batch, time]` integers to logits, and what it does beyond one window. */
export interface CharRnn<P, C> extends Layer<P, None, 'charRnn', Tensor, Tensor> {
  /** The state before any text: zeros. */
  initCarry(params: P, batch: number): C
  /**
   * The logits of a window that goes on where another ended, and the state it leaves: what reads
   * long texts piece by piece, and trains by truncated back-propagation.
   */
  read(params: P, input: CharRnnInput<C>, mode?: Mode): CharRnnOutput<C>
  /** Goes on from `prompt: [batch, time]`: `[batch, length]` characters, all in one `scan`. */
  generate(params: P, prompt: Tensor, options: GenerateOptions): Tensor
}

interface Params {
  readonly embedding?: EmbeddingParams
  readonly rnn: unknown
  readonly dense: KernelAndBias
}

interface Carrying {
  readonly returnCarry: true
}

const cellOf = (cell: 'lstm' | 'gru', units: number): AnyCell =>
  cell === 'lstm' ? lstmCell(units) : gruCell(units)

const networkOf: (stages: StageRecord) => Layer<Params, None, 'serial'> = typed(
  erase((stages: StageRecord) => serial(stages)),
)

const build = (options: CharRnnOptions): CharRnn<Params, unknown> => {
  const { vocabulary, cell = 'lstm', units = 128, layers = 1, dropout = 0 } = options
  const name = 'charRnn'
  requireSize(name, 'characters', vocabulary)
  const table =
    options.embedding === undefined ? null : embeddingLayer(vocabulary, options.embedding)
  const features = options.embedding ?? vocabulary
  const step = cellOf(cell, units)
  const parts = partsOf(layers, false)
  const stacked: RecurrentOptions & Carrying = { layers, dropout, returnCarry: true }
  const rnn = recurrent(step, stacked)
  const [head, drop] = [dense(vocabulary), dropoutLayer(dropout)]
  const embed = (params: Params, x: Tensor): Tensor =>
    table === null
      ? nnFunctions.oneHot(x, vocabulary)
      : table.apply({ params: params.embedding!, state: none }, x)[0]
  const keys = (mode: Mode): readonly [Mode, Mode] => {
    if (mode.train !== true || dropout === 0) return [{}, {}]
    const key = requireKey(name, mode)
    return [
      { train: true, key: random.foldIn(key, 0) },
      { train: true, key: random.foldIn(key, 1) },
    ]
  }
  const run = (params: Params, x: Tensor, carry: unknown, mode: Mode): CharRnnOutput<unknown> => {
    requireRank(name, x.shape, (rank) => rank === 2, '[batch, time] integers')
    const [between, last] = keys(mode)
    const input = { inputs: embed(params, x), carry }
    const [y] = rnn.apply({ params: params.rnn, state: none }, input, between)
    const [kept] = drop.apply({ params: none, state: none }, y.outputs, last)
    const [logits] = head.apply({ params: params.dense, state: none }, kept)
    return Object.freeze({ logits, carry: y.carry })
  }
  const network = networkOf({
    embedding: table ?? ((x: Tensor) => nnFunctions.oneHot(x, vocabulary)),
    rnn: recurrent(step, { layers, dropout }),
    ...(dropout === 0 ? {} : { dropout: drop }),
    dense: head,
  })
  const layer = defineLayer<Params, None, 'charRnn', Tensor, Tensor>({
    name,
    isRandom: network.isRandom,
    traits: { ...network.traits },
    init: (key, inputShape, scope) => {
      requireRank(name, inputShape, (rank) => rank === 2, '[batch, time]')
      return network.init(key, inputShape, scope)
    },
    apply: (variables, x, mode) => {
      requireRank(name, x.shape, (rank) => rank === 2, '[batch, time] integers')
      return network.apply(variables, x, mode)
    },
  })
  return Object.freeze({
    ...layer,
    initCarry: (params: Params, batch: number) =>
      parts.build((n) =>
        step.initCarry(parts.read(params.rnn, n, 0), [batch, n === 0 ? features : units]),
      ),
    read: (params: Params, { inputs, carry }: CharRnnInput<unknown>, mode: Mode = {}) =>
      run(params, inputs, carry, mode),
    generate: (params: Params, prompt: Tensor, how: GenerateOptions) => {
      requirePrompt(name, prompt, how)
      const start = run(params, prompt, undefined, {})
      const advance = (carry: unknown, codes: Tensor): readonly [unknown, Tensor] => {
        const next = run(params, codes.reshape([-1, 1]), carry, {})
        return [next.carry, next.logits.at(':', 0)]
      }
      return writeOn(advance, start.carry, start.logits.at(':', -1), how)
    },
  })
}

/**
 * A network that predicts the next character of a text: `[batch, time]` integers, one-hot or as
 * learned vectors, through LSTM or GRU layers to logits `[batch, time, vocabulary]`. Dropout acts on
 * what goes up, not on what goes on in time.
 *
 * Parameters, for V characters, E features of the first layer's input (V where one-hot) and u units:
 * V E of the table, 4 u (E + u + 1) of an LSTM's first layer and 4 u (2 u + 1) of each other
 * (3 u (E + u + 2) and 3 u (2 u + 2) of a GRU's), V (u + 1) of the last layer.
 * @see Karpathy 2015, The unreasonable effectiveness of recurrent neural networks; Graves 2013;
 * Zaremba, Sutskever & Vinyals 2015 for where dropout acts
 * @example
 * const model = models.charRnn({ vocabulary: 65, units: 256, layers: 2, dropout: 0.2 })
 * const { params } = model.init(random.key(0), [32, 64]) // params.rnn.layer1.kernel: [65, 1024]
 * const { logits, carry } = model.read(params, { inputs: window, carry: model.initCarry(params, 32) })
 * const text = model.generate(params, prompt, { length: 200, key: random.key(1), temperature: 0.8 })
 */
export const charRnn: <const O extends CharRnnOptions>(
  options: O,
) => CharRnn<CharRnnParams<O>, CharRnnCarry<O>> = typed(erase(build))

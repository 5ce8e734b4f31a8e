/** Captions for images: a convolutional network sees, a recurrent one tells. */
import { type Shape, type Tensor, TreeError, erase, fill, typed } from '@cotangent/core'
import { np, random } from '@cotangent/ops'
import { serial } from '../combinators/serial.ts'
import { requireRank, requireSize } from '../errors.ts'
import type { LstmCarry } from '../functional/recurrent/index.ts'
import type { Layout } from '../functional/window.ts'
import { type Initializer, convAxes, heNormal, zeros } from '../initializers.ts'
import {
  type Layer,
  type Mode,
  type None,
  type Shapes,
  defineComposite,
  isByName,
  isShape,
  listOfShapes,
  none,
  requireKey,
} from '../layer.ts'
import { relu } from '../layers/activations.ts'
import { conv2d } from '../layers/conv.ts'
import { type KernelAndBias, dense } from '../layers/dense.ts'
import { dropout as dropoutLayer } from '../layers/dropout.ts'
import { type EmbeddingParams, embedding } from '../layers/embedding.ts'
import { maxPool2d } from '../layers/pooling.ts'
import { type RecurrentParams, lstm } from '../layers/recurrent/index.ts'
import { flatten } from '../layers/shape.ts'
import { type Choices, writeOn } from './generation.ts'

export interface ImageCaptionerOptions {
  /** How many words there are. */
  readonly vocabulary: number
  /** Of the convolutions, each followed by relu and 2×2 pooling; `[16, 32, 64]` by default. */
  readonly channels?: readonly [number, ...number[]]
  /** Features of words, and of the image among them; 64 by default. */
  readonly embedding?: number
  /** Of the LSTM; 128 by default. */
  readonly units?: number
  /** In training, the share of what goes into the LSTM and comes out that is dropped; 0 by default. */
  readonly dropout?: number
  /** Of the images; `'NCHW'` by default. */
  readonly layout?: Layout
}

export interface ImageCaptionerParams {
  /** `conv1`, `conv2`, …, and `dense1` to the features of a word. */
  readonly encoder: Readonly<Record<`conv${number}`, KernelAndBias>> & {
    readonly dense1: KernelAndBias
  }
  /** `[vocabulary, embedding]`. */
  readonly embedding: EmbeddingParams
  readonly lstm: RecurrentParams
  /** `[units, vocabulary]` and its bias. */
  readonly dense: KernelAndBias
}

export interface ImageAndCaption {
  /** `[batch, channels, height, width]`, or channels last. */
  readonly image: Tensor
  /** `[batch, time]` integers: the words so far, behind one that starts every caption. */
  readonly caption: Tensor
}

export interface DescribeOptions extends Choices {
  /** How many words to write. */
  readonly length: number
  /** The word that starts every caption. */
  readonly start: number
}

/** The network from images and the words so far to logits `[batch, time, vocabulary]`. */
export interface ImageCaptioner
  extends Layer<ImageCaptionerParams, None, 'imageCaptioner', Tensor, ImageAndCaption> {
  /** Words `[batch, length]` for images, each fed back, all in one `scan`; greedy without a key. */
  describe(params: ImageCaptionerParams, image: Tensor, options: DescribeOptions): Tensor
}

const requireImage = (shape: Shape): void =>
  requireRank('imageCaptioner', shape, (rank) => rank === 4, 'images of four axes')
const requireCaption = (shape: Shape): void =>
  requireRank('imageCaptioner', shape, (rank) => rank === 2, '[batch, time] integers')

/** Shapes of images and captions. @throws TreeError where one is missing. */
const bothShapes = (shapes: Shapes): readonly [Shape, Shape] => {
  const given = isByName(shapes) ? [shapes['image'], shapes['caption']] : listOfShapes(shapes)
  const [image, caption] = given
  if (image && caption && isShape(image) && isShape(caption)) return [image, caption]
  throw new TreeError({
    operation: 'imageCaptioner',
    problem: 'the network takes images and captions',
    got: `shapes ${JSON.stringify(shapes)}`,
    want: '{ image: [batch, channels, height, width], caption: [batch, time] }',
    fix: 'give both shapes to init',
  })
}

type Encoder = Layer<ImageCaptionerParams['encoder'], None, 'serial'>

const encoderOf: (channels: readonly number[], features: number, layout: Layout) => Encoder = typed(
  erase((channels: readonly number[], features: number, layout: Layout) => {
    const kernelInit = heNormal(convAxes)
    const [first, ...others] = channels.flatMap((n) => [
      conv2d(n, 3, { padding: 'same', layout, kernelInit }),
      relu,
      maxPool2d(2, { layout }),
    ])
    return serial(first!, ...others, flatten(), dense(features))
  }),
)

// Forget gates (the second quarter) begin open: the image is seen once, and words later still needed.
const rememberAtFirst: Initializer = (key, shape, dtype) => {
  const zero = zeros(key, shape, dtype)
  const units = zero.size / 4
  return zero.addAt([`${units}:${2 * units}`], 1)
}

/**
 * Tells in words what an image shows. Convolutions, each followed by relu and 2×2 pooling, and a
 * dense layer make the image one more word, which an LSTM reads before the caption. In training it
 * reads the wanted caption a word late (teacher forcing); `describe` feeds back what it wrote.
 *
 * Parameters, for channels c₀ (of the image), c₁ … cₙ, p positions left after n poolings, E features,
 * u units and V words: Σ cᵢ (9 cᵢ₋₁ + 1) of the convolutions, E (p cₙ + 1) of the dense layer after
 * them, V E of the table, 4 u (E + u + 1) of the LSTM, V (u + 1) of the last layer.
 * @throws TreeError where `init` is not told both shapes.
 * @see Vinyals, Toshev, Bengio & Erhan 2015, Show and tell; Karpathy & Fei-Fei 2015; Jozefowicz,
 * Zaremba & Sutskever 2015 for the forget gates, whose biases begin at 1
 * @example
 * const model = models.imageCaptioner({ vocabulary: 16 })
 * const { params } = model.init(random.key(0), [[8, 3, 32, 32], [8, 9]]) // params.lstm.kernel: [64, 512]
 * const [logits] = model.apply({ params, state: nn.none }, { image, caption }) // [8, 9, 16]
 * const told = model.describe(params, image, { length: 9, start: 0 }) // [8, 9]
 */
export const imageCaptioner = (options: ImageCaptionerOptions): ImageCaptioner => {
  const { vocabulary, channels = [16, 32, 64], units = 128, dropout = 0 } = options
  const { embedding: features = 64, layout = 'NCHW' } = options
  const name = 'imageCaptioner'
  const encoder = encoderOf(channels, features, layout)
  const table = embedding(vocabulary, features)
  const teller = lstm(units, { returnCarry: true, biasInit: rememberAtFirst })
  const [head, drop] = [dense(vocabulary), dropoutLayer(dropout)]
  const dropped = (x: Tensor, mode: Mode, n: number): Tensor => {
    if (dropout === 0 || mode.train !== true) return x
    const key = random.foldIn(requireKey(name, mode), n)
    return drop.apply({ params: none, state: none }, x, { train: true, key })[0]
  }
  // The image is the first word that the LSTM reads.
  const see = (params: ImageCaptionerParams, image: Tensor): Tensor => {
    requireImage(image.shape)
    return encoder.apply({ params: params.encoder, state: none }, image)[0].expandDims(1)
  }
  const words = (params: ImageCaptionerParams, codes: Tensor): Tensor =>
    table.apply({ params: params.embedding, state: none }, codes)[0]
  const read = (params: ImageCaptionerParams, y: Tensor): Tensor =>
    head.apply({ params: params.dense, state: none }, y)[0]
  const layer = defineComposite<ImageCaptionerParams, None, typeof name, Tensor, ImageAndCaption>({
    name,
    isRandom: dropout > 0,
    init: (key, shapes) => {
      const [image, caption] = bothShapes(shapes)
      requireImage(image)
      requireCaption(caption)
      const [imageKey, wordKey, cellKey, headKey] = random.split(key, 4)
      const [batch, time] = caption
      const params = {
        encoder: encoder.init(imageKey!, image).params,
        embedding: table.init(wordKey!, caption).params,
        lstm: teller.init(cellKey!, [batch!, time!, features]).params,
        dense: head.init(headKey!, [batch!, time!, units]).params,
      }
      return { params, state: none, outputShape: [batch!, time!, vocabulary] }
    },
    apply: ({ params, state }, { image, caption }, mode) => {
      requireCaption(caption.shape)
      const inputs = np.concatenate([see(params, image), words(params, caption)], { axis: 1 })
      const sequence = { inputs: dropped(inputs, mode, 0) }
      const [{ outputs }] = teller.apply({ params: params.lstm, state: none }, sequence)
      return [read(params, dropped(outputs.at(':', '1:'), mode, 1)), state]
    },
  })
  const describe = (params: ImageCaptionerParams, image: Tensor, how: DescribeOptions): Tensor => {
    requireSize(`${name}, describe`, 'words to write', how.length)
    const start = fill([image.shape[0]!, 1], how.start, 'int32')
    const inputs = np.concatenate([see(params, image), words(params, start)], { axis: 1 })
    const variables = { params: params.lstm, state: none }
    const [first] = teller.apply(variables, { inputs })
    const advance = (carry: LstmCarry, codes: Tensor): readonly [LstmCarry, Tensor] => {
      const word = words(params, codes.reshape([-1, 1]))
      const [next] = teller.apply(variables, { inputs: word, carry })
      return [next.carry, read(params, next.outputs.at(':', 0))]
    }
    return writeOn(advance, first.carry, read(params, first.outputs.at(':', -1)), how)
  }
  return Object.freeze({ ...layer, describe })
}

/** The whole transformer: an encoder reads, a decoder writes. */
import { type Shape, type Tensor } from '@cotangent/core'
import { random } from '@cotangent/ops'
import { type Layer, type Mode, defineLayer, requireKey } from '../../layer.ts'
import type { DecoderInput } from './transformerDecoder.ts'
import type { SequenceInput, Visibility } from './types.ts'

/** What is read and what has been written, in features. */
export interface SourceAndTargetSteps {
  /** `[batch, s, features]`. */
  readonly source: Tensor
  /** `[batch, t, features]`: in training the wanted outputs, a step late. */
  readonly target: Tensor
  /** What may be seen of the source, by the encoder and by the decoder. */
  readonly sourceVisibility?: Visibility | undefined
  /** What may be seen of the target, beside the decoder's own causal mask. */
  readonly targetVisibility?: Visibility | undefined
}
export interface TransformerParams<E, D> {
  readonly encoder: E
  readonly decoder: D
}
export interface TransformerOptions {
  /** The shape of a target where it differs from the source's. */
  readonly targetShape?: Shape
}

/**
 * Runs an encoder over the source and a decoder over the target, which sees the encoder's outputs.
 * A mask of the source spreads over the queries of both, so it is one of keys: `lengths`, or
 * `mask: [batch, 1, 1, s]`.
 * @see Vaswani et al. 2017, figure 1
 * @example
 * const network = transformer(transformerEncoder(2, 4), transformerDecoder(2, 4))
 * const [y] = network.apply(variables, { source, target, sourceVisibility: { lengths } })
 */
export const transformer = <E, S, D, T>(
  encoder: Layer<E, S, string, Tensor, SequenceInput>,
  decoder: Layer<D, T, string, Tensor, DecoderInput>,
  { targetShape }: TransformerOptions = {},
): Layer<
  TransformerParams<E, D>,
  TransformerParams<S, T>,
  'transformer',
  Tensor,
  SourceAndTargetSteps
> => {
  const modeOf = (isRandom: boolean, mode: Mode, n: number): Mode =>
    isRandom && mode.train === true
      ? { train: true, key: random.foldIn(requireKey('transformer', mode), n) }
      : { train: mode.train }
  return defineLayer<
    TransformerParams<E, D>,
    TransformerParams<S, T>,
    'transformer',
    Tensor,
    SourceAndTargetSteps
  >({
    name: 'transformer',
    isRandom: encoder.isRandom || decoder.isRandom,
    init: (key, inputShape) => {
      const [first, second] = random.split(key)
      const read = encoder.init(first!, inputShape)
      const written = decoder.init(second!, targetShape ?? inputShape)
      return {
        params: { encoder: read.params, decoder: written.params },
        state: Object.freeze({ encoder: read.state, decoder: written.state }),
        outputShape: written.outputShape,
      }
    },
    apply: ({ params, state }, steps, mode) => {
      const { source, target, sourceVisibility = {}, targetVisibility = {} } = steps
      const [memory, read] = encoder.apply(
        { params: params.encoder, state: state.encoder },
        { inputs: source, ...sourceVisibility },
        modeOf(encoder.isRandom, mode, 0),
      )
      const [y, written] = decoder.apply(
        { params: params.decoder, state: state.decoder },
        { inputs: target, memory, memoryVisibility: sourceVisibility, ...targetVisibility },
        modeOf(decoder.isRandom, mode, 1),
      )
      return [y, Object.freeze({ encoder: read, decoder: written })]
    },
  })
}

/** Sequence to sequence: what the encoder ends with is what the decoder begins with. */
import { type Shape, type Tensor } from '@cotangent/core'
import { random } from '@cotangent/ops'
import { type Layer, type Mode, defineLayer, requireKey } from '../../layer.ts'
import type { RecurrentInput, RecurrentOutput, Sequence } from './types.ts'

/** The source, with the steps that are there, and the target as far as it is known. */
export interface SourceAndTarget {
  /** `[batch, sourceTime, …]`. */
  readonly source: Tensor | Omit<Sequence<never>, 'carry'>
  /** `[batch, targetTime, …]`: in training the wanted outputs, a step late. */
  readonly target: Tensor
}
export interface EncoderDecoderOptions {
  /** The shape of a target where it differs from the source's. */
  readonly targetShape?: Shape
}
export interface EncoderDecoderParams<E, D> {
  readonly encoder: E
  readonly decoder: D
}

const keyOf = (layer: { readonly isRandom: boolean }, mode: Mode, n: number): Mode =>
  layer.isRandom && mode.train === true
    ? { train: true, key: random.foldIn(requireKey('encoderDecoder', mode), n) }
    : { train: mode.train }

/**
 * Runs the encoder over `source`, and the decoder over `target` from the encoder's final state. The
 * encoder gives its state (`returnCarry: true`), and the decoder takes one of the same structure.
 * Decoding without a target is `functional.feedback` of the decoder's cell.
 * @see Sutskever, Vinyals & Le 2014
 * @example
 * const network = encoderDecoder(lstm(64, { returnCarry: true }), lstm(64))
 * const { params } = network.init(random.key(0), [8, 20, 32]) // params.encoder.kernel
 * const [y] = network.apply({ params, state }, { source, target })
 */
export const encoderDecoder = <E, D, C, Y, S, T>(
  encoder: Layer<E, S, string, RecurrentOutput<C>, RecurrentInput<C>>,
  decoder: Layer<D, T, string, Y, RecurrentInput<C>>,
  { targetShape }: EncoderDecoderOptions = {},
): Layer<
  EncoderDecoderParams<E, D>,
  EncoderDecoderParams<S, T>,
  'encoderDecoder',
  Y,
  SourceAndTarget
> =>
  defineLayer({
    name: 'encoderDecoder',
    isRandom: encoder.isRandom || decoder.isRandom,
    init: (key, inputShape: Shape) => {
      const [encoderKey, decoderKey] = random.split(key)
      const first = encoder.init(encoderKey!, inputShape)
      const second = decoder.init(decoderKey!, targetShape ?? inputShape)
      return {
        params: Object.freeze({ encoder: first.params, decoder: second.params }),
        state: Object.freeze({ encoder: first.state, decoder: second.state }),
        outputShape: second.outputShape,
      }
    },
    apply: ({ params, state }, { source, target }, mode) => {
      const [{ carry }, encoded] = encoder.apply(
        { params: params.encoder, state: state.encoder },
        source,
        keyOf(encoder, mode, 0),
      )
      const [y, decoded] = decoder.apply(
        { params: params.decoder, state: state.decoder },
        { inputs: target, carry },
        keyOf(decoder, mode, 1),
      )
      return [y, Object.freeze({ encoder: encoded, decoder: decoded })]
    },
  })

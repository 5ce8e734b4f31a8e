/** Sequence to sequence: what the encoder ends with is what the decoder begins with. */
import { type Shape, type Tensor, TreeError, erase, typed } from '@cotangent/core'
import { coupled } from '../../combinators/coupled.ts'
import type { ParamsOfRecord, StateOfRecord } from '../../combinators/naming.ts'
import type { Tree } from '../../combinators/parts.ts'
import type { AnyLayer, Layer, OutputOf, Shapes } from '../../layer.ts'
import type { Sequence } from './types.ts'

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

const carryOf = (encoded: unknown): unknown => {
  if (typeof encoded === 'object' && encoded !== null && 'carry' in encoded) return encoded.carry
  throw new TreeError({
    operation: 'encoderDecoder',
    problem: 'the encoder gives no state',
    want: '{ outputs, carry }',
    fix: 'make it with returnCarry: true',
  })
}

const build = (
  encoder: AnyLayer,
  decoder: AnyLayer,
  { targetShape }: EncoderDecoderOptions = {},
): Layer<Tree, Tree, 'encoderDecoder', unknown, SourceAndTarget, Shapes> =>
  coupled({
    name: 'encoderDecoder',
    encoder,
    decoder,
    targetShape,
    question: ({ source }) => source,
    answer: ({ target }, encoded) => ({ inputs: target, carry: carryOf(encoded) }),
  })

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
export const encoderDecoder: <E extends AnyLayer, D extends AnyLayer>(
  encoder: E,
  decoder: D,
  options?: EncoderDecoderOptions,
) => Layer<
  ParamsOfRecord<{ readonly encoder: E; readonly decoder: D }>,
  StateOfRecord<{ readonly encoder: E; readonly decoder: D }>,
  'encoderDecoder',
  OutputOf<D>,
  SourceAndTarget
> = typed(erase(build))

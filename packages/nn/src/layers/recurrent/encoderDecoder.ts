/** Sequence to sequence: what the encoder ends with is what the decoder begins with. */
import { type Shape, type Tensor, TreeError, erase, typed } from '@cotangent/core'
import {
  type Tree,
  applyPart,
  initPart,
  newScope,
  scoped,
  treeOf,
} from '../../combinators/parts.ts'
import type { ParamsOfRecord, StateOfRecord } from '../../combinators/naming.ts'
import {
  type AnyLayer,
  type Layer,
  type OutputOf,
  type Part,
  type Shapes,
  defineComposite,
} from '../../layer.ts'
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
): Layer<Tree, Tree, 'encoderDecoder', unknown, SourceAndTarget, Shapes> => {
  const [reader, writer]: readonly [Part, Part] = [
    ['encoder', encoder],
    ['decoder', decoder],
  ]
  return defineComposite<Tree, Tree, 'encoderDecoder', unknown, SourceAndTarget, Shapes>({
    name: 'encoderDecoder',
    isRandom: encoder.isRandom || decoder.isRandom,
    init: (key, inputShape, scope = newScope()) => {
      const read = initPart(reader, 0, key, inputShape, scope)
      const written = initPart(writer, 1, key, targetShape ?? inputShape, scope)
      return {
        params: treeOf([
          ['encoder', read.params],
          ['decoder', written.params],
        ]),
        state: treeOf([
          ['encoder', read.state],
          ['decoder', written.state],
        ]),
        outputShape: written.outputShape,
      }
    },
    apply: (variables, { source, target }, given) => {
      const mode = scoped(given)
      const [encoded, read] = applyPart(reader, 0, variables, source, mode)
      const input = { inputs: target, carry: carryOf(encoded) }
      const [y, written] = applyPart(writer, 1, variables, input, mode)
      return [
        y,
        treeOf([
          ['encoder', read],
          ['decoder', written],
        ]),
      ]
    },
  })
}

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

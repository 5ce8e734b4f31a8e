/** An encoder and a decoder: what both kinds of sequence to sequence networks have in common. */
import {
  type AnyLayer,
  type Layer,
  type Part,
  type Shapes,
  defineComposite,
  isByName,
  shapesNamed,
} from '../layer.ts'
import { type Tree, applyPart, initPart, newScope, scoped, treeOf } from './parts.ts'

interface Coupling<Name extends string, X> {
  readonly name: Name
  readonly encoder: AnyLayer
  readonly decoder: AnyLayer
  /** The shape of a target; the source's by default. */
  readonly targetShape: Shapes | undefined
  /** What the encoder reads. */
  readonly question: (input: X) => unknown
  /** What the decoder gets, given what the encoder made of that. */
  readonly answer: (input: X, encoded: unknown) => unknown
}

/** A layer that runs both, with the parameters `encoder` and `decoder`. */
export const coupled = <const Name extends string, X>({
  name,
  encoder,
  decoder,
  targetShape,
  question,
  answer,
}: Coupling<Name, X>): Layer<Tree, Tree, Name, unknown, X, Shapes> => {
  const reader: Part = ['encoder', encoder]
  const writer: Part = ['decoder', decoder]
  const both = (read: unknown, written: unknown): Tree =>
    treeOf([
      ['encoder', read],
      ['decoder', written],
    ])
  return defineComposite<Tree, Tree, Name, unknown, X, Shapes>({
    name,
    isRandom: encoder.isRandom || decoder.isRandom,
    init: (key, inputShape, scope = newScope()) => {
      const side = (input: 'source' | 'target'): Shapes =>
        isByName(inputShape) ? shapesNamed(name, inputShape, input) : inputShape
      const read = initPart(reader, 0, key, side('source'), scope)
      const written = initPart(writer, 1, key, targetShape ?? side('target'), scope)
      return {
        params: both(read.params, written.params),
        state: both(read.state, written.state),
        outputShape: written.outputShape,
      }
    },
    apply: (variables, input, given) => {
      const mode = scoped(given)
      const [encoded, read] = applyPart(reader, 0, variables, question(input), mode)
      const [y, written] = applyPart(writer, 1, variables, answer(input, encoded), mode)
      return [y, both(read, written)]
    },
  })
}

/** The whole transformer: an encoder reads, a decoder writes. */
import { type Shape, type Tensor, erase, typed } from '@cotangent/core'
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
import type { Visibility } from './types.ts'

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
export interface TransformerOptions {
  /** The shape of a target where it differs from the source's. */
  readonly targetShape?: Shape
}

const build = (
  encoder: AnyLayer,
  decoder: AnyLayer,
  { targetShape }: TransformerOptions = {},
): Layer<Tree, Tree, 'transformer', unknown, SourceAndTargetSteps, Shapes> => {
  const [reader, writer]: readonly [Part, Part] = [
    ['encoder', encoder],
    ['decoder', decoder],
  ]
  return defineComposite<Tree, Tree, 'transformer', unknown, SourceAndTargetSteps, Shapes>({
    name: 'transformer',
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
    apply: (variables, steps, given) => {
      const mode = scoped(given)
      const { source, target, sourceVisibility = {}, targetVisibility = {} } = steps
      const question = { inputs: source, ...sourceVisibility }
      const [memory, read] = applyPart(reader, 0, variables, question, mode)
      const answer = {
        inputs: target,
        memory,
        memoryVisibility: sourceVisibility,
        ...targetVisibility,
      }
      const [y, written] = applyPart(writer, 1, variables, answer, mode)
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
 * Runs an encoder over the source and a decoder over the target, which sees the encoder's outputs.
 * A mask of the source spreads over the queries of both, so it is one of keys: `lengths`, or
 * `mask: [batch, 1, 1, s]`.
 * @see Vaswani et al. 2017, figure 1
 * @example
 * const network = transformer(transformerEncoder(2, 4), transformerDecoder(2, 4))
 * const [y] = network.apply(variables, { source, target, sourceVisibility: { lengths } })
 */
export const transformer: <E extends AnyLayer, D extends AnyLayer>(
  encoder: E,
  decoder: D,
  options?: TransformerOptions,
) => Layer<
  ParamsOfRecord<{ readonly encoder: E; readonly decoder: D }>,
  StateOfRecord<{ readonly encoder: E; readonly decoder: D }>,
  'transformer',
  OutputOf<D>,
  SourceAndTargetSteps
> = typed(erase(build))

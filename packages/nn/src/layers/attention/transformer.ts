/** The whole transformer: an encoder reads, a decoder writes. */
import { type Shape, type Tensor, erase, typed } from '@cotangent/core'
import { coupled } from '../../combinators/coupled.ts'
import type { ParamsOfRecord, StateOfRecord } from '../../combinators/naming.ts'
import type { Tree } from '../../combinators/parts.ts'
import type { AnyLayer, Layer, OutputOf, Shapes } from '../../layer.ts'
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
): Layer<Tree, Tree, 'transformer', unknown, SourceAndTargetSteps, Shapes> =>
  coupled({
    name: 'transformer',
    encoder,
    decoder,
    targetShape,
    question: ({ source, sourceVisibility = {} }) => ({ inputs: source, ...sourceVisibility }),
    answer: ({ target, sourceVisibility = {}, targetVisibility = {} }, memory) => ({
      inputs: target,
      memory,
      memoryVisibility: sourceVisibility,
      ...targetVisibility,
    }),
  })

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

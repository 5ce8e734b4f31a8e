/** Two sequence layers, one of them from the end. */
import { type Shape, Tensor, UnsupportedError, erase, typed } from '@cotangent/core'
import {
  type Tree,
  applyPart,
  initPart,
  newScope,
  scoped,
  treeOf,
} from '../../combinators/parts.ts'
import type { ParamsOfRecord, StateOfRecord } from '../../combinators/naming.ts'
import { type Merge, mergeDirections, reverseSequences } from '../../functional/recurrent/index.ts'
import {
  type AnyLayer,
  type Layer,
  type Part,
  type Shapes,
  defineLayer,
  isShape,
} from '../../layer.ts'

export interface BidirectionalOptions {
  /** Side by side on the last axis by default. */
  readonly merge?: Merge
}
/** Sequences `[batch, time, …]`, alone or with the number of their steps. */
export type EndedSequences =
  | Tensor
  | { readonly inputs: Tensor; readonly lengths?: Tensor | undefined }

const asTensor = (y: unknown): Tensor => {
  if (y instanceof Tensor) return y
  throw new UnsupportedError({
    operation: 'bidirectional',
    problem: 'the layers give something else than tensors',
    fix: 'make recurrent layers without returnCarry, or use their option bidirectional',
  })
}
const asShape = (shapes: Shapes): Shape => (isShape(shapes) ? shapes : asTensor(shapes).shape)
const mergedShape = (one: Shape, two: Shape, merge: Merge): Shape =>
  merge === 'concat' ? one.with(-1, one.at(-1)! + two.at(-1)!) : one

const build = (
  forward: AnyLayer,
  backward: AnyLayer,
  { merge = 'concat' }: BidirectionalOptions = {},
): Layer<Tree, Tree, 'bidirectional', Tensor, EndedSequences> => {
  const [ahead, behind]: readonly [Part, Part] = [
    ['forward', forward],
    ['backward', backward],
  ]
  return defineLayer<Tree, Tree, 'bidirectional', Tensor, EndedSequences>({
    name: 'bidirectional',
    isRandom: forward.isRandom || backward.isRandom,
    init: (key, inputShape, scope = newScope()) => {
      const one = initPart(ahead, 0, key, inputShape, scope)
      const two = initPart(behind, 1, key, inputShape, scope)
      return {
        params: treeOf([
          ['forward', one.params],
          ['backward', two.params],
        ]),
        state: treeOf([
          ['forward', one.state],
          ['backward', two.state],
        ]),
        outputShape: mergedShape(asShape(one.outputShape), asShape(two.outputShape), merge),
      }
    },
    apply: (variables, input, given) => {
      const mode = scoped(given)
      const { inputs, lengths } =
        input instanceof Tensor ? { inputs: input, lengths: undefined } : input
      const [y, one] = applyPart(ahead, 0, variables, inputs, mode)
      const turned = reverseSequences(inputs, lengths)
      const [z, two] = applyPart(behind, 1, variables, turned, mode)
      const [first, second] = [asTensor(y), asTensor(z)]
      // Without a time axis there is nothing to turn back.
      const isSequence = second.ndim === inputs.ndim && second.shape[1] === inputs.shape[1]
      const placed = isSequence ? reverseSequences(second, lengths) : second
      const state = treeOf([
        ['forward', one],
        ['backward', two],
      ])
      return [mergeDirections(first, placed, merge), state]
    },
  })
}

/**
 * One layer over sequences `[batch, time, …]` and another over their reverse; outputs keep their
 * places. With `{ inputs, lengths }` each sequence is turned round at its own end. Any layers will do;
 * for recurrent ones the option `bidirectional` also knows masks and states.
 * @example
 * bidirectional(serial(lstm(32), dense(16)), serial(gru(32), dense(16)), { merge: 'sum' })
 */
export const bidirectional: <F extends AnyLayer, B extends AnyLayer>(
  forward: F,
  backward: B,
  options?: BidirectionalOptions,
) => Layer<
  ParamsOfRecord<{ readonly forward: F; readonly backward: B }>,
  StateOfRecord<{ readonly forward: F; readonly backward: B }>,
  'bidirectional',
  Tensor,
  EndedSequences
> = typed(erase(build))

/** Two sequence layers, one of them from the end. */
import { Tensor } from '@cotangent/core'
import { random } from '@cotangent/ops'
import { type Merge, mergeDirections, reverseSequences } from '../../functional/recurrent/index.ts'
import { type Layer, type Mode, defineLayer, requireKey } from '../../layer.ts'

export interface BidirectionalOptions {
  /** Side by side on the last axis by default. */
  readonly merge?: Merge
}
export interface BothWays<F, B> {
  readonly forward: F
  readonly backward: B
}
/** Sequences `[batch, time, …]`, alone or with the number of their steps. */
export type EndedSequences =
  | Tensor
  | { readonly inputs: Tensor; readonly lengths?: Tensor | undefined }

/**
 * One layer over sequences `[batch, time, …]` and another over their reverse; outputs keep their
 * places. With `{ inputs, lengths }` each sequence is turned round at its own end. Any layers will do;
 * for recurrent ones the option `bidirectional` also knows masks and states.
 * @example
 * bidirectional(serial(lstm(32), dense(16)), serial(gru(32), dense(16)), { merge: 'sum' })
 */
export const bidirectional = <P, S, Q, T>(
  forward: Layer<P, S>,
  backward: Layer<Q, T>,
  { merge = 'concat' }: BidirectionalOptions = {},
): Layer<BothWays<P, Q>, BothWays<S, T>, 'bidirectional', Tensor, EndedSequences> => {
  const modeOf = (isRandom: boolean, mode: Mode, n: number): Mode =>
    isRandom && mode.train === true
      ? { train: true, key: random.foldIn(requireKey('bidirectional', mode), n) }
      : { train: mode.train }
  return defineLayer<BothWays<P, Q>, BothWays<S, T>, 'bidirectional', Tensor, EndedSequences>({
    name: 'bidirectional',
    isRandom: forward.isRandom || backward.isRandom,
    init: (key, inputShape) => {
      const [first, second] = random.split(key)
      const one = forward.init(first!, inputShape)
      const two = backward.init(second!, inputShape)
      const last = one.outputShape.length - 1
      const extent = one.outputShape[last]! + two.outputShape[last]!
      return {
        params: { forward: one.params, backward: two.params },
        state: Object.freeze({ forward: one.state, backward: two.state }),
        outputShape: merge === 'concat' ? one.outputShape.with(last, extent) : one.outputShape,
      }
    },
    apply: ({ params, state }, input, mode) => {
      const { inputs, lengths } =
        input instanceof Tensor ? { inputs: input, lengths: undefined } : input
      const one = { params: params.forward, state: state.forward }
      const two = { params: params.backward, state: state.backward }
      const turned = reverseSequences(inputs, lengths)
      const [ahead, forwardState] = forward.apply(one, inputs, modeOf(forward.isRandom, mode, 0))
      const [back, backwardState] = backward.apply(two, turned, modeOf(backward.isRandom, mode, 1))
      // Without a time axis there is nothing to turn back.
      const isSequence = back.ndim === inputs.ndim && back.shape[1] === inputs.shape[1]
      const placed = isSequence ? reverseSequences(back, lengths) : back
      const next = Object.freeze({ forward: forwardState, backward: backwardState })
      return [mergeDirections(ahead, placed, merge), next]
    },
  })
}

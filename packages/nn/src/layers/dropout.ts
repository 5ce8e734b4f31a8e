/** Dropout. */
import { UnsupportedError } from '@cotangent/core'
import { random } from '@cotangent/ops'
import { type Layer, type None, defineLayer, none, requireKey } from '../layer.ts'

/**
 * In training, sets each element to zero with probability `rate` and divides the others by
 * 1 − rate, so that the expected value stays; in inference, nothing.
 * @throws UnsupportedError for a rate outside [0, 1), or without a key in training.
 * @see Srivastava et al. 2014
 * @example
 * const [y] = dropout(0.5).apply({ params: {}, state: {} }, x, { train: true, key: random.key(1) })
 */
export const dropout = (rate = 0.5): Layer<None, None, 'dropout'> => {
  if (!(rate >= 0 && rate < 1)) {
    throw new UnsupportedError({
      operation: 'dropout',
      problem: 'the rate is the probability of dropping an element',
      got: `rate ${rate}`,
      want: 'a number from 0 up to, but not including, 1',
      fix: 'give the share of elements to drop, for instance 0.5',
    })
  }
  return defineLayer({
    name: 'dropout',
    isRandom: true,
    init: (_, inputShape) => ({ params: none, state: none, outputShape: inputShape }),
    apply: ({ state }, x, mode) => {
      if (mode.train !== true || rate === 0) return [x, state]
      const kept = random.bernoulli(requireKey('dropout', mode), 1 - rate, { shape: x.shape })
      return [x.div(1 - rate).where(kept, 0), state]
    },
  })
}

/** An exponential moving average of whatever passes. */
import { type DType, frozenPair } from '@cotangent/core'
import { type Hyper, increment, zeroCount } from './hyper.ts'
import { unbiased, updateMoment } from './moments.ts'
import type { CountState, GradientTransformation } from './transformation.ts'
import { type Tree, castTo, zerosOf } from './trees.ts'

export interface EmaState extends CountState {
  /** The running mean, with its bias. */
  readonly ema: Tree
}

export interface EmaOptions {
  /** Undo the bias of the beginning at zero; true by default. */
  readonly debias?: boolean
  /** The dtype of the mean, that of what passes by default. */
  readonly accumulatorDtype?: DType
}

/**
 * Replaces updates by their exponential moving average. Of parameters it is what evaluation often
 * uses: feed it the parameters in place of gradients.
 * @example
 * const average = optim.ema(0.999)
 * const [smooth, next] = average.update(params, state)
 */
export const ema = (decay: Hyper, options: EmaOptions = {}): GradientTransformation<EmaState> => {
  const { debias = true, accumulatorDtype } = options
  return {
    init: (params) => Object.freeze({ count: zeroCount(), ema: zerosOf(params, accumulatorDtype) }),
    update: (grads, state) => {
      const mean = updateMoment(grads, state.ema, decay)
      const count = increment(state.count)
      const updates = debias ? unbiased(mean, decay, count) : mean
      return frozenPair(updates, Object.freeze({ count, ema: castTo(mean, accumulatorDtype) }))
    },
  }
}

/** Weight decay. */
import { frozenPair } from '@cotangent/core'
import { type ScheduleOr, increment, times, valueAt, zeroCount } from './hyper.ts'
import { type CountState, type GradientTransformation, requireParams } from './transformation.ts'
import { type Mask, mapMasked } from './trees.ts'

/**
 * Adds `rate` times the parameters to the gradients; only where `mask` (a tree of booleans, or a
 * function of the gradients to one) holds. Before an optimiser this is L2 regularisation, after its
 * preconditioning decoupled weight decay.
 * @throws TreeError where update gets no parameters.
 * @see Loshchilov & Hutter 2019
 * @example
 * optim.chain(optim.addDecayedWeights(1e-4), optim.sgd(0.1)) // PyTorch's weight_decay
 */
export const addDecayedWeights = (
  rate: ScheduleOr,
  mask?: Mask,
): GradientTransformation<CountState> => ({
  init: () => Object.freeze({ count: zeroCount() }),
  update: (grads, { count }, params) => {
    const known = requireParams('addDecayedWeights', params)
    const next = Object.freeze({ count: increment(count) })
    if (rate === 0) return frozenPair(grads, next)
    const value = valueAt(rate, count)
    const decayed = mapMasked(
      'addDecayedWeights',
      mask,
      (g, p) => g.add(times(p, value).astype(g.dtype)),
      grads,
      known,
    )
    return frozenPair(decayed, next)
  },
})

/** Weight decay. */
import { type TensorLike, asTensor } from '@cotangent/core'
import type { ScheduleOr } from './schedule.ts'
import {
  type CountState,
  type GradientTransformation,
  requireParams,
  zeroCount,
} from './transformation.ts'
import { type Mask, mapMasked } from './trees.ts'

/**
 * Adds `rate` times the parameters to the gradients; only where `mask` (a tree of booleans, or a
 * function of the gradients to one) holds. Before an optimiser this is L2 regularisation, after its
 * preconditioning decoupled weight decay.
 * @throws TreeError where update gets no parameters.
 * @see Loshchilov & Hutter 2019
 */
export const addDecayedWeights = (
  rate: ScheduleOr,
  mask?: Mask,
): GradientTransformation<CountState> => ({
  init: () => Object.freeze({ count: zeroCount() }),
  update: (grads, { count }, params) => {
    const known = requireParams('addDecayedWeights', params)
    const value: TensorLike = typeof rate === 'number' ? rate : asTensor(rate(count))
    const updates = mapMasked(
      'addDecayedWeights',
      mask,
      (g, p) => g!.add(p!.mul(value)),
      grads,
      known,
    )
    return [updates, Object.freeze({ count: count.add(1) })]
  },
})

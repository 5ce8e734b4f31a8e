/** Scaling by a number or a schedule; the last part of most optimisers. */
import { type Tensor, type TensorLike, TreeError, asTensor, frozenPair } from '@cotangent/core'
import {
  type Hyper,
  type ScheduleOr,
  increment,
  negative,
  times,
  valueAt,
  zeroCount,
} from './hyper.ts'
import {
  type CountState,
  type EmptyState,
  type GradientTransformation,
  statelessTransformation,
} from './transformation.ts'
import { mapTrees } from './trees.ts'

/** Multiplies by a number. */
export const scale = (factor: Hyper): GradientTransformation<EmptyState> =>
  statelessTransformation((grads) => mapTrees('scale', (g) => times(g, factor), grads))

/** Multiplies by a schedule's value. */
export const scaleBySchedule = (
  schedule: (step: Tensor) => TensorLike,
): GradientTransformation<CountState> => ({
  init: () => Object.freeze({ count: zeroCount() }),
  update: (grads, { count }) => {
    const factor = asTensor(schedule(count))
    const updates = mapTrees('scaleBySchedule', (g) => times(g, factor), grads)
    return frozenPair(updates, Object.freeze({ count: increment(count) }))
  },
})

/** The state of a learning rate: a count where it is a schedule. */
export type RateState = EmptyState | CountState

export interface LearningRateOptions {
  /** Times −rate, so that adding the update descends; true by default. */
  readonly flipSign?: boolean
}

const countOf = (state: RateState): Tensor => {
  if ('count' in state) return state.count
  throw new TreeError({
    operation: 'scaleByLearningRate',
    problem: 'the state has no count, which a schedule needs',
    fix: 'make the state with init of the transformation that updates it',
  })
}

/** The last part of most optimisers: times −rate, so that adding the update descends. */
export const scaleByLearningRate = (
  rate: ScheduleOr,
  { flipSign = true }: LearningRateOptions = {},
): GradientTransformation<RateState> => {
  const signed = (value: Hyper): Hyper => (flipSign ? negative(value) : value)
  const apply = <G>(grads: G, factor: Hyper): G =>
    mapTrees('scaleByLearningRate', (g) => times(g, factor), grads)
  if (typeof rate !== 'function') {
    return statelessTransformation((grads) => apply(grads, signed(rate)))
  }
  return {
    init: () => Object.freeze({ count: zeroCount() }),
    update: (grads, state) => {
      const count = countOf(state)
      const updates = apply(grads, signed(valueAt(rate, count)))
      return frozenPair(updates, Object.freeze({ count: increment(count) }))
    },
  }
}

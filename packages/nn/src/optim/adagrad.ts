/** Adagrad: steps by the root of the sum of squares. */
import { frozenPair } from '@cotangent/core'
import { type Hyper, type ScheduleOr, plus, squared, times, valueAt } from './hyper.ts'
import { type RateState, scaleByLearningRate } from './rate.ts'
import { type GradientTransformation, chain } from './transformation.ts'
import { type Tree, filledLike, mapTrees } from './trees.ts'

export interface RssState {
  readonly sumOfSquares: Tree
}

export interface ScaleByRssOptions {
  /** The sum of squares begins here; 0.1 by default. */
  readonly initialAccumulatorValue?: Hyper
  /** 1e-7 by default. */
  readonly epsilon?: Hyper
  /** Add epsilon under the root (true by default), or to it as PyTorch does. */
  readonly epsilonInSqrt?: boolean
}

/** g / √(sum of squares so far); zero while the sum is. @see Duchi, Hazan & Singer 2011 */
export const scaleByRss = (options: ScaleByRssOptions = {}): GradientTransformation<RssState> => {
  const { initialAccumulatorValue = 0.1, epsilon = 1e-7, epsilonInSqrt = true } = options
  return {
    init: (params) => Object.freeze({ sumOfSquares: filledLike(params, initialAccumulatorValue) }),
    update: (grads, state) => {
      const sumOfSquares = mapTrees(
        'adagrad',
        (g, s) => s.add(squared(g)),
        grads,
        state.sumOfSquares,
      )
      const updates = mapTrees(
        'adagrad',
        (g, s) => {
          const some = s.greater(0)
          const safe = s.where(some, 1)
          const root = epsilonInSqrt ? plus(safe, epsilon).sqrt() : plus(safe.sqrt(), epsilon)
          return g.div(root).where(some, 0)
        },
        grads,
        sumOfSquares,
      )
      return frozenPair(updates, Object.freeze({ sumOfSquares }))
    },
  }
}

export interface AdagradOptions extends ScaleByRssOptions {
  /** Divides the rate by 1 + rateDecay · step, PyTorch's `lr_decay`; 0 by default. */
  readonly rateDecay?: number
}

/**
 * Large steps for rare features. PyTorch's: `{ initialAccumulatorValue: 0, epsilon: 1e-10,
 * epsilonInSqrt: false }`.
 * @see Duchi, Hazan & Singer 2011
 */
export const adagrad = (
  rate: ScheduleOr,
  { rateDecay = 0, ...options }: AdagradOptions = {},
): GradientTransformation<readonly [RssState, RateState]> => {
  const decayed: ScheduleOr =
    rateDecay === 0
      ? rate
      : (step) => {
          const divisor = step.astype('float32').mul(rateDecay).add(1)
          return times(divisor.reciprocal(), valueAt(rate, step))
        }
  return chain(scaleByRss(options), scaleByLearningRate(decayed))
}

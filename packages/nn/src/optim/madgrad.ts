/** MADGRAD: dual averaging with momentum and a cube root. */
import { frozenPair } from '@cotangent/core'
import { np } from '@cotangent/ops'
import { addDecayedWeights } from './decay.ts'
import { type ScheduleOr, increment, scalar, times, valueAt, zeroCount } from './hyper.ts'
import {
  type CountState,
  type GradientTransformation,
  chain,
  requireParams,
} from './transformation.ts'
import { type Tree, frozenCopy, mapTrees, zerosOf } from './trees.ts'

export interface MadgradState extends CountState {
  readonly gradSumSq: Tree
  readonly gradSum: Tree
  readonly initParams: Tree
}

export interface ScaleByMadgradOptions {
  /** 0.9 by default. */
  readonly momentum?: number
  /** 1e-6 by default. */
  readonly epsilon?: number
}

/** The next parameters as an update. @see Defazio & Jelassi 2022, algorithm 1 */
export const scaleByMadgrad = (
  rate: ScheduleOr,
  { momentum = 0.9, epsilon = 1e-6 }: ScaleByMadgradOptions = {},
): GradientTransformation<MadgradState> => ({
  init: (params) => {
    const zeros = zerosOf(params)
    return Object.freeze({
      count: zeroCount(),
      gradSumSq: zeros,
      gradSum: zeros,
      initParams: frozenCopy(params),
    })
  },
  update: (grads, state, params) => {
    const known = requireParams('madgrad', params)
    const { count, initParams } = state
    const now = scalar(valueAt(rate, count)).add(epsilon)
    const weight = now.mul(count.add(1).astype('float32').sqrt())
    const gradSumSq = mapTrees(
      'madgrad',
      (s, g) => s.add(times(g.square(), weight)),
      state.gradSumSq,
      grads,
    )
    const gradSum = mapTrees('madgrad', (s, g) => s.add(times(g, weight)), state.gradSum, grads)
    const updates = mapTrees(
      'madgrad',
      (_, p, p0, s, sq) => {
        const target = p0.sub(s.div(np.cbrt(sq).add(epsilon)))
        return target.sub(p).mul(1 - momentum)
      },
      grads,
      known,
      initParams,
      gradSum,
      gradSumSq,
    )
    const next = { count: increment(count), gradSumSq, gradSum, initParams }
    return frozenPair(updates, Object.freeze(next))
  },
})

export interface MadgradOptions extends ScaleByMadgradOptions {
  /** Added to the gradients; 0 by default. */
  readonly weightDecay?: ScheduleOr
}

/** Adaptive dual averaging. @see Defazio & Jelassi 2022 */
export const madgrad = (
  rate: ScheduleOr,
  { weightDecay = 0, ...options }: MadgradOptions = {},
): GradientTransformation<readonly [CountState, MadgradState]> =>
  chain(addDecayedWeights(weightDecay), scaleByMadgrad(rate, options))

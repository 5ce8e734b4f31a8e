/** NovoGrad: one second moment for each layer. */
import { type DType, fill, frozenPair } from '@cotangent/core'
import {
  type Hyper,
  type ScheduleOr,
  blend,
  increment,
  plus,
  squared,
  times,
  zeroCount,
} from './hyper.ts'
import type { MomentsState } from './moments.ts'
import { type RateState, scaleByLearningRate } from './rate.ts'
import { type GradientTransformation, chain, requireParams } from './transformation.ts'
import { castTo, mapTrees, zerosOf } from './trees.ts'

export interface NovogradOptions {
  /** Decay of the sum of normalised gradients; 0.9 by default. */
  readonly b1?: Hyper
  /** Decay of the layers' squared norms; 0.25 by default. */
  readonly b2?: Hyper
  /** Added to the root; 1e-6 by default (1e-8 in `scaleByNovograd`). */
  readonly epsilon?: Hyper
  /** Added under the root; 0 by default. */
  readonly epsilonRoot?: Hyper
  /** Of the parameters, added to the normalised gradients; 0 by default. */
  readonly weightDecay?: Hyper
  readonly muDtype?: DType
}

/**
 * A decaying sum of g / ‖g‖ + weightDecay · p, the norm being a running one for each leaf (`nu`
 * holds a scalar for each). @see Ginsburg et al. 2019, algorithm 1
 */
export const scaleByNovograd = (
  options: NovogradOptions = {},
): GradientTransformation<MomentsState> => {
  const { b1 = 0.9, b2 = 0.25, epsilon = 1e-8, epsilonRoot = 0, weightDecay = 0, muDtype } = options
  return {
    init: (params) =>
      Object.freeze({
        count: zeroCount(),
        mu: zerosOf(params, muDtype),
        nu: mapTrees('novograd', (p) => fill([], 0, p.dtype), params),
      }),
    update: (grads, state, params) => {
      const known = requireParams('novograd', params)
      const first = state.count.equal(0)
      const nu = mapTrees(
        'novograd',
        (v, g) => {
          const square = squared(g).sum().astype(v.dtype)
          return square.where(first, blend(square, v, b2))
        },
        state.nu,
        grads,
      )
      const mu = mapTrees(
        'novograd',
        (g, v, p, m) => {
          const inside = epsilonRoot === 0 ? v : plus(v, epsilonRoot)
          const step = g.div(plus(inside.sqrt(), epsilon)).add(times(p, weightDecay))
          return step.where(first, times(m, b1).add(step))
        },
        grads,
        nu,
        known,
        state.mu,
      )
      const count = increment(state.count)
      return frozenPair(mu, Object.freeze({ count, mu: castTo(mu, muDtype), nu }))
    },
  }
}

/** Adam with norms of whole layers. @see Ginsburg et al. 2019 */
export const novograd = (
  rate: ScheduleOr,
  options: NovogradOptions = {},
): GradientTransformation<readonly [MomentsState, RateState]> =>
  chain(scaleByNovograd({ epsilon: 1e-6, ...options }), scaleByLearningRate(rate))

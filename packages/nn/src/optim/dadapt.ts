/** D-Adaptation: AdamW that estimates its own rate. */
import { type Tensor, frozenPair } from '@cotangent/core'
import { type ScheduleOr, times } from './hyper.ts'
import { updateSecondMoment } from './moments.ts'
import { treeDot } from './norms.ts'
import {
  type RateEstimateOptions,
  type RateEstimateState,
  estimatedStep,
  initRateEstimate,
  magnitude,
  raisedEstimate,
} from './rateEstimate.ts'
import { type GradientTransformation, requireParams } from './transformation.ts'
import { mapTrees } from './trees.ts'

/** `mu`: the running mean of steps. */
export interface DadaptState extends RateEstimateState {}

export interface DadaptOptions extends RateEstimateOptions {}

/** AdamW with a rate learnt from the gradients; `rate` (1) is a factor. @see Defazio & Mishchenko 2023 */
export const dadaptAdamW = (
  rate: ScheduleOr = 1,
  options: DadaptOptions = {},
): GradientTransformation<DadaptState> => {
  const { betas = [0.9, 0.999], epsilon = 1e-8, initialRate = 1e-6, weightDecay = 0 } = options
  const [b1, b2] = betas
  const decay = Math.sqrt(b2)
  return {
    init: (params) => Object.freeze(initRateEstimate(params, initialRate)),
    update: (grads, state, params) => {
      const known = requireParams('dadaptAdamW', params)
      const { count, step } = estimatedStep(state, rate, betas)
      const weighted = mapTrees(
        'dadapt',
        (s, v) => s.div(v.sqrt().add(epsilon)),
        state.gradSum,
        state.nu,
      )
      const product = treeDot(grads, weighted).astype('float32')
      const towards = (share: number) => (sum: Tensor, g: Tensor) =>
        sum.mul(share).add(times(g, step.mul(1 - share)))
      const mu = mapTrees('dadapt', towards(b1), state.mu, grads)
      const nu = updateSecondMoment(grads, state.nu, b2)
      const gradSum = mapTrees('dadapt', towards(decay), state.gradSum, grads)
      const numeratorWeighted = state.numeratorWeighted
        .mul(decay)
        .add(step.mul(product).mul(1 - decay))
      const length = magnitude(gradSum)
      const estimate = numeratorWeighted.div(length.mul(1 - decay))
      const updates = mapTrees(
        'dadapt',
        (_, m, v, p) => {
          const moved = m.div(v.sqrt().add(epsilon))
          return times(p, step.mul(-weightDecay)).sub(moved)
        },
        grads,
        mu,
        nu,
        known,
      )
      const estimRate = raisedEstimate(state.estimRate, estimate, length)
      return frozenPair(
        updates,
        Object.freeze({ count, mu, nu, gradSum, estimRate, numeratorWeighted }),
      )
    },
  }
}

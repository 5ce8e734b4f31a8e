/** Prodigy: Adam that estimates its own rate. */
import { frozenPair } from '@cotangent/core'
import { type ScheduleOr, times } from './hyper.ts'
import { updateMoment, updateSecondMoment } from './moments.ts'
import { difference, treeDot } from './norms.ts'
import {
  type RateEstimateOptions,
  type RateEstimateState,
  estimatedStep,
  initRateEstimate,
  magnitude,
  raisedEstimate,
} from './rateEstimate.ts'
import { type GradientTransformation, requireParams } from './transformation.ts'
import { type Tree, frozenCopy, mapTrees } from './trees.ts'

/** `mu` and `nu`: running means of gradients times the estimate, and of their squares. */
export interface ProdigyState extends RateEstimateState {
  readonly initParams: Tree
}

export interface ProdigyOptions extends RateEstimateOptions {
  /** Decay of the estimate's sums; √b2 by default. */
  readonly beta3?: number
  /** Multiplies the estimate; 1 by default. */
  readonly rateCoefficient?: number
  /** Leave the rate out of the estimate's denominator, for warm-ups; false by default. */
  readonly safeguardWarmup?: boolean
}

/** Adam whose rate grows with the distance made; `rate` (1) is a factor. @see Mishchenko & Defazio 2023 */
export const prodigy = (
  rate: ScheduleOr = 1,
  options: ProdigyOptions = {},
): GradientTransformation<ProdigyState> => {
  const { betas = [0.9, 0.999], epsilon = 1e-8, initialRate = 1e-6, weightDecay = 0 } = options
  const [b1, b2] = betas
  const { beta3 = Math.sqrt(b2), rateCoefficient = 1, safeguardWarmup = false } = options
  return {
    init: (params) =>
      Object.freeze({ ...initRateEstimate(params, initialRate), initParams: frozenCopy(params) }),
    update: (grads, state, params) => {
      const known = requireParams('prodigy', params)
      const { initParams, estimRate: old } = state
      const { count, step } = estimatedStep(state, rate, betas)
      const scaledGrads = mapTrees('prodigy', (g) => times(g, old), grads)
      const mu = updateMoment(scaledGrads, state.mu, b1)
      const nu = updateSecondMoment(scaledGrads, state.nu, b2)
      const weight = (safeguardWarmup ? old : step).div(initialRate)
      const gradSum = mapTrees(
        'prodigy',
        (s, g) => s.mul(beta3).add(times(g, weight)),
        state.gradSum,
        scaledGrads,
      )
      const product = treeDot(grads, difference(initParams, known)).astype('float32')
      const numeratorWeighted = state.numeratorWeighted
        .mul(beta3)
        .add(old.div(initialRate).mul(step).mul(product))
      const denominator = magnitude(gradSum)
      const estimate = numeratorWeighted.mul(rateCoefficient).div(denominator)
      const updates = mapTrees(
        'prodigy',
        (_, m, v, p) => {
          const root = v.sqrt().add(old.mul(epsilon).astype(v.dtype))
          return times(m.div(root).add(p.mul(weightDecay)), step.neg())
        },
        grads,
        mu,
        nu,
        known,
      )
      const estimRate = raisedEstimate(old, estimate, denominator)
      return frozenPair(
        updates,
        Object.freeze({ count, mu, nu, gradSum, initParams, estimRate, numeratorWeighted }),
      )
    },
  }
}

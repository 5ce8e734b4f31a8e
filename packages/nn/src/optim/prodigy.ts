/** Prodigy: Adam that estimates its own rate. */
import { type Tensor, fill, frozenPair } from '@cotangent/core'
import {
  type ScheduleOr,
  increment,
  missingOf,
  scalar,
  times,
  valueAt,
  zeroCount,
} from './hyper.ts'
import { updateMoment, updateSecondMoment } from './moments.ts'
import { difference, treeDot, treeSum } from './norms.ts'
import { type CountState, type GradientTransformation, requireParams } from './transformation.ts'
import { type Tree, frozenCopy, mapTrees, zerosOf } from './trees.ts'

export interface ProdigyState extends CountState {
  /** Running mean of gradients times the estimate. */
  readonly mu: Tree
  /** Running mean of their squares. */
  readonly nu: Tree
  readonly gradSum: Tree
  readonly initParams: Tree
  /** The estimated rate. */
  readonly estimRate: Tensor
  readonly numeratorWeighted: Tensor
}

export interface ProdigyOptions {
  /** 0.9 and 0.999 by default. */
  readonly betas?: readonly [b1: number, b2: number]
  /** Decay of the estimate's sums; √b2 by default. */
  readonly beta3?: number
  /** 1e-8 by default. */
  readonly epsilon?: number
  /** The first estimate; 1e-6 by default. */
  readonly initialRate?: number
  /** Multiplies the estimate; 1 by default. */
  readonly rateCoefficient?: number
  /** Decoupled; 0 by default. */
  readonly weightDecay?: number
  /** Leave the rate out of the estimate's denominator, for warm-ups; false by default. */
  readonly safeguardWarmup?: boolean
}

/** Adam whose rate grows with the distance made; `rate` (1) is a factor. @see Mishchenko & Defazio 2023 */
export const prodigy = (
  rate: ScheduleOr = 1,
  options: ProdigyOptions = {},
): GradientTransformation<ProdigyState> => {
  const { betas: [b1, b2] = [0.9, 0.999], beta3 = Math.sqrt(b2), epsilon = 1e-8 } = options
  const {
    initialRate = 1e-6,
    rateCoefficient = 1,
    weightDecay = 0,
    safeguardWarmup = false,
  } = options
  return {
    init: (params) => {
      const zeros = zerosOf(params)
      return Object.freeze({
        count: zeroCount(),
        mu: zeros,
        nu: zeros,
        gradSum: zeros,
        initParams: frozenCopy(params),
        estimRate: fill([], initialRate, 'float32'),
        numeratorWeighted: fill([], 0, 'float32'),
      })
    },
    update: (grads, state, params) => {
      const known = requireParams('prodigy', params)
      const { initParams, estimRate } = state
      const count = increment(state.count)
      const correction = missingOf(b2, count).sqrt().div(missingOf(b1, count))
      const step = estimRate.mul(scalar(valueAt(rate, state.count))).mul(correction)
      const scaledGrads = mapTrees('prodigy', (g) => times(g, estimRate), grads)
      const mu = updateMoment(scaledGrads, state.mu, b1)
      const nu = updateSecondMoment(scaledGrads, state.nu, b2)
      const weight = (safeguardWarmup ? estimRate : step).div(initialRate)
      const gradSum = mapTrees(
        'prodigy',
        (s, g) => s.mul(beta3).add(times(g, weight)),
        state.gradSum,
        scaledGrads,
      )
      const product = treeDot(grads, difference(initParams, known)).astype('float32')
      const numeratorWeighted = state.numeratorWeighted
        .mul(beta3)
        .add(estimRate.div(initialRate).mul(step).mul(product))
      const denominator = treeSum(mapTrees('prodigy', (s) => s.abs(), gradSum)).astype('float32')
      const estimate = numeratorWeighted.mul(rateCoefficient).div(denominator)
      const updates = mapTrees(
        'prodigy',
        (_, m, v, p) => {
          const root = v.sqrt().add(estimRate.mul(epsilon).astype(v.dtype))
          return times(m.div(root).add(p.mul(weightDecay)), step.neg())
        },
        grads,
        mu,
        nu,
        known,
      )
      const next = {
        count,
        mu,
        nu,
        gradSum,
        initParams,
        // All gradients zero: 0 / 0, and the estimate stays.
        estimRate: estimRate.where(denominator.equal(0), estimRate.maximum(estimate)),
        numeratorWeighted,
      }
      return frozenPair(updates, Object.freeze(next))
    },
  }
}

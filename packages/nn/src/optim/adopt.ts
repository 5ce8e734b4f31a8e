/** ADOPT: Adam that converges for any b2, by using the variance of the step before. */
import { type DType, type Tensor, frozenPair } from '@cotangent/core'
import { type AdamState, zeroMoments } from './adam.ts'
import { type Hyper, type ScheduleOr, increment, like, scalar } from './hyper.ts'
import { updateMoment, updateSecondMoment } from './moments.ts'
import { type RateState, scaleByLearningRate } from './rate.ts'
import { type GradientTransformation, chain } from './transformation.ts'
import { castTo, mapTrees } from './trees.ts'

export interface AdoptOptions {
  /** Decay of the mean of normalised gradients; 0.9 by default. */
  readonly b1?: Hyper
  /** Decay of the mean of squared gradients; 0.9999 by default. */
  readonly b2?: Hyper
  /** Roots are not taken to be smaller; 1e-6 by default. */
  readonly epsilon?: Hyper
  readonly muDtype?: DType
  readonly nesterov?: boolean
  /** Clip normalised gradients; true by default. */
  readonly useClipping?: boolean
  /** To this bound, from the step counted from 0; step^¼ by default. */
  readonly clipValue?: (step: Tensor) => Tensor
}

const fourthRoot = (step: Tensor): Tensor => step.astype('float32').sqrt().sqrt()

/** The mean of gradients over the last step's √variance. @see Taniguchi et al. 2024, algorithm 2 */
export const scaleByAdopt = (options: AdoptOptions = {}): GradientTransformation<AdamState> => {
  const { b1 = 0.9, b2 = 0.9999, epsilon = 1e-6, muDtype, nesterov = false } = options
  const { useClipping = true, clipValue = fourthRoot } = options
  return {
    init: (params) => zeroMoments(params, muDtype),
    update: (grads, state) => {
      const first = state.count.equal(0)
      const [later1, later2] = [scalar(b1), scalar(b2)]
      const decay1 = later1.mul(0).add(1).where(first, later1)
      const decay2 = later2.mul(0).where(first, later2)
      const nu = updateSecondMoment(grads, state.nu, decay2)
      const bound = clipValue(state.count)
      const normalised = mapTrees(
        'adopt',
        (g, v) => {
          const root = v.sqrt()
          const x = g.div(root.maximum(like(epsilon, root)))
          return useClipping ? x.clip(like(bound.neg(), x), like(bound, x)) : x
        },
        grads,
        state.nu,
      )
      const mu = updateMoment(normalised, state.mu, decay1)
      const updates = nesterov ? updateMoment(normalised, mu, decay1) : mu
      const count = increment(state.count)
      return frozenPair(updates, Object.freeze({ count, mu: castTo(mu, muDtype), nu }))
    },
  }
}

/** Adam for any b2. @see Taniguchi et al. 2024 */
export const adopt = (
  rate: ScheduleOr,
  options: AdoptOptions = {},
): GradientTransformation<readonly [AdamState, RateState]> =>
  chain(scaleByAdopt(options), scaleByLearningRate(rate))

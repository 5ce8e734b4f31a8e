/** Rprop: a step size for each element, from the signs of its gradients. */
import { frozenPair } from '@cotangent/core'
import { type Hyper, times } from './hyper.ts'
import { scale } from './rate.ts'
import { type EmptyState, type GradientTransformation, chain } from './transformation.ts'
import { type Tree, filledLike, mapTrees, zerosOf } from './trees.ts'

export interface RpropState {
  /** The step size of each element. */
  readonly stepSizes: Tree
  /** The last step, zero where the sign had changed. */
  readonly prevUpdates: Tree
}

export interface RpropOptions {
  /** The factor after a change of sign; 0.5 by default. */
  readonly etaMinus?: Hyper
  /** The factor while the sign stays; 1.2 by default. */
  readonly etaPlus?: Hyper
  /** 1e-6 by default. */
  readonly minStepSize?: number
  /** 50 by default. */
  readonly maxStepSize?: number
  /**
   * Step by this gradient's sign, as PyTorch does. False by default: the step is the one before,
   * taken once the next gradient agrees with its sign, as in Optax.
   */
  readonly immediate?: boolean
}

/** Step sizes that grow while a gradient keeps its sign. @see Riedmiller & Braun 1993 */
export const scaleByRprop = (
  rate: Hyper,
  options: RpropOptions = {},
): GradientTransformation<RpropState> => {
  const { etaMinus = 0.5, etaPlus = 1.2, minStepSize = 1e-6, maxStepSize = 50 } = options
  const { immediate = false } = options
  return {
    init: (params) =>
      Object.freeze({ stepSizes: filledLike(params, rate), prevUpdates: zerosOf(params) }),
    update: (grads, state) => {
      const agreement = mapTrees('rprop', (g, p) => g.mul(p), grads, state.prevUpdates)
      const stepSizes = mapTrees(
        'rprop',
        (size, s) => {
          const grown = times(size, etaPlus).where(s.greater(0), times(size, etaMinus))
          return size.where(s.equal(0), grown.clip(minStepSize, maxStepSize))
        },
        state.stepSizes,
        agreement,
      )
      const steps = mapTrees(
        'rprop',
        (g, s, size) => size.mul(g.sign()).where(s.greaterEqual(0), 0),
        grads,
        agreement,
        stepSizes,
      )
      const updates = immediate
        ? steps
        : mapTrees('rprop', (s, p) => p.where(s.greaterEqual(0), 0), agreement, state.prevUpdates)
      return frozenPair(updates, Object.freeze({ stepSizes, prevUpdates: steps }))
    },
  }
}

/** Resilient back-propagation, for full batches. @see Riedmiller & Braun 1993 */
export const rprop = (
  rate: Hyper,
  options: RpropOptions = {},
): GradientTransformation<readonly [RpropState, EmptyState]> =>
  chain(scaleByRprop(rate, options), scale(-1))

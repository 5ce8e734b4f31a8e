/** Running means of gradients over whole trees: what the Adam family is made of. */
import { type DType, type Tensor, frozenPair } from '@cotangent/core'
import {
  type Hyper,
  biasCorrection,
  blend,
  increment,
  like,
  plus,
  squared,
  times,
} from './hyper.ts'
import type { CountState } from './transformation.ts'
import { type Tree, castTo, mapTrees } from './trees.ts'

/** The state of two running means, as in Adam. */
export interface MomentsState extends CountState {
  /** The running mean of gradients, in the parameters' structure. */
  readonly mu: Tree
  /** The running mean of squared gradients, or what stands for it. */
  readonly nu: Tree
}

/** decay · mean + (1 − decay) · x, at every leaf. */
export const updateMoment = <T>(grads: T, means: Tree, decay: Hyper): T =>
  mapTrees('updateMoment', (g, m) => blend(g, m, decay), grads, means)

/** decay · mean + (1 − decay) · x², at every leaf. */
export const updateSecondMoment = <T>(grads: T, means: Tree, decay: Hyper): T =>
  mapTrees('updateSecondMoment', (g, v) => blend(squared(g), v, decay), grads, means)

/** A running mean without the bias of its beginning at zero. */
export const unbiased = <T>(means: T, decay: Hyper, count: Tensor): T => {
  const correction = biasCorrection(decay, count)
  return mapTrees('unbiased', (m) => times(m, correction), means)
}

/**
 * The mean of gradients without bias; with Nesterov's look ahead, the one of the next step as if
 * this gradient came again. @see Dozat 2016
 */
export const unbiasedMean = <T>(
  grads: T,
  mu: T,
  decay: Hyper,
  count: Tensor,
  nesterov: boolean,
): T => {
  if (!nesterov) return unbiased(mu, decay, count)
  const ahead = unbiased(mu, decay, count.add(1))
  const now = unbiased(grads, decay, count)
  return updateMoment(now, ahead, decay)
}

/** mean / (√(variance + epsilonRoot) + epsilon). */
export const overRoot = <T>(means: T, variances: Tree, epsilon: Hyper, epsilonRoot: Hyper): T =>
  mapTrees(
    'overRoot',
    (m, v) => {
      const inside = epsilonRoot === 0 ? v : v.add(like(epsilonRoot, v))
      return m.div(plus(inside.sqrt(), epsilon).astype(m.dtype))
    },
    means,
    variances,
  )

/** A frozen next state of two means, the first in its own dtype where one is asked for. */
export const nextMoments = <G>(
  updates: G,
  state: MomentsState,
  mu: Tree,
  nu: Tree,
  muDtype?: DType,
): readonly [G, MomentsState] => {
  const count = increment(state.count)
  return frozenPair(updates, Object.freeze({ count, mu: castTo(mu, muDtype), nu }))
}

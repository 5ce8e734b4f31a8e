/** Adam and AdamW. */
import type { Tensor } from '@cotangent/core'
import { prims } from '@cotangent/ops'
import { addDecayedWeights } from './decay.ts'
import { type ScheduleOr, scaleByLearningRate } from './schedule.ts'
import {
  type CountState,
  type EmptyState,
  type GradientTransformation,
  chain,
  zeroCount,
} from './transformation.ts'
import { type Mask, type Tree, mapTrees, zerosOf } from './trees.ts'

export interface AdamOptions {
  /** Decay of the mean of gradients; 0.9 by default. */
  readonly b1?: number
  /** Decay of the mean of squared gradients; 0.999 by default. */
  readonly b2?: number
  /** Added to the root; 1e-8 by default. */
  readonly epsilon?: number
  /** Added under the root; 0 by default. Needed to differentiate through the optimiser. */
  readonly epsilonRoot?: number
  /** Nesterov's look ahead: NAdam. @see Dozat 2016 */
  readonly nesterov?: boolean
}

export interface AdamState extends CountState {
  /** The running mean of gradients, in the parameters' structure. */
  readonly mu: Tree
  /** The running mean of squared gradients. */
  readonly nu: Tree
}

/** A running mean: decay · mean + (1 − decay) · x. */
const blend = (x: Tensor, mean: Tensor, decay: number): Tensor =>
  mean.mul(decay).add(x.mul(1 - decay))

/**
 * 1 / (1 − decay^count): undoes the bias of a running mean that began at zero. As −expm1 of a
 * product, since 1 − 0.999 would lose four digits in float32.
 */
export const biasCorrection = (decay: number, count: Tensor): Tensor => {
  const exponent = count.astype('float32').mul(Math.log(decay))
  return prims.neg(prims.expm1(exponent)).pow(-1)
}

/**
 * Adam's preconditioning: mean / (√variance + epsilon), both corrected for their bias.
 * @see Kingma & Ba 2015, algorithm 1
 */
export const scaleByAdam = (options: AdamOptions = {}): GradientTransformation<AdamState> => {
  const { b1 = 0.9, b2 = 0.999, epsilon = 1e-8, epsilonRoot = 0, nesterov = false } = options
  return {
    init: (params) =>
      Object.freeze({ count: zeroCount(), mu: zerosOf(params), nu: zerosOf(params) }),
    update: (grads, state) => {
      const mu = mapTrees('adam', (g, m) => blend(g, m!, b1), grads, state.mu)
      const nu = mapTrees('adam', (g, v) => blend(g.square(), v!, b2), grads, state.nu)
      const count = state.count.add(1)
      const [first, second] = [biasCorrection(b1, count), biasCorrection(b2, count)]
      const ahead = biasCorrection(b1, count.add(1))
      const updates = mapTrees(
        'adam',
        (g, m, v) => {
          const mean = nesterov ? blend(g.mul(first), m!.mul(ahead), b1) : m!.mul(first)
          const variance = v!.mul(second)
          const root = (epsilonRoot === 0 ? variance : variance.add(epsilonRoot)).sqrt()
          return mean.div(root.add(epsilon))
        },
        grads,
        mu,
        nu,
      )
      return [updates, Object.freeze({ count, mu, nu })]
    },
  }
}

type RateState = EmptyState | CountState

/**
 * Adam: steps of about the learning rate, whatever the scale of the gradients.
 * @see Kingma & Ba 2015
 * @example
 * optim.adam(optim.warmupCosine({ initial: 0, peak: 1e-3, warmup: 100, steps: 5000 }))
 */
export const adam = (
  rate: ScheduleOr,
  options: AdamOptions = {},
): GradientTransformation<readonly [AdamState, RateState]> =>
  chain(scaleByAdam(options), scaleByLearningRate(rate))

export interface AdamWOptions extends AdamOptions {
  /** 1e-4 by default; times the learning rate. */
  readonly weightDecay?: ScheduleOr
  /** Which parameters decay: a tree of booleans, or a function to one; all by default. */
  readonly mask?: Mask
}

/**
 * Adam with decoupled weight decay: p ← p − rate · (adam + decay · p).
 * @see Loshchilov & Hutter 2019, algorithm 2
 */
export const adamw = (
  rate: ScheduleOr,
  { weightDecay = 1e-4, mask, ...options }: AdamWOptions = {},
): GradientTransformation<readonly [AdamState, CountState, RateState]> =>
  chain(scaleByAdam(options), addDecayedWeights(weightDecay, mask), scaleByLearningRate(rate))

/** RMSprop: steps by the root of a running mean of squares, centred or not. */
import { type Tensor, frozenPair } from '@cotangent/core'
import { type Hyper, type ScheduleOr, increment, plus, squared, zeroCount } from './hyper.ts'
import { unbiased, updateMoment, updateSecondMoment } from './moments.ts'
import { type RateState, scaleByLearningRate } from './rate.ts'
import { type TraceState, trace } from './sgd.ts'
import {
  type CountState,
  type EmptyState,
  type GradientTransformation,
  chain,
  identity,
} from './transformation.ts'
import { type Tree, filledLike, mapTrees, zerosOf } from './trees.ts'

export interface RmsState extends CountState {
  /** The running mean of squared gradients. */
  readonly nu: Tree
}

export interface StddevState extends RmsState {
  /** The running mean of gradients. */
  readonly mu: Tree
}

export interface ScaleByRmsOptions {
  /** Decay of the running means; 0.9 by default. */
  readonly decay?: Hyper
  /** 1e-8 by default. */
  readonly epsilon?: Hyper
  /** The mean of squares begins here; 0 by default. */
  readonly initialScale?: Hyper
  /** Add epsilon under the root (true by default), or to it as PyTorch does. */
  readonly epsilonInSqrt?: boolean
  /** Undo the bias of the beginning at zero; false by default. */
  readonly biasCorrection?: boolean
}

const rootWith = (square: Tensor, epsilon: Hyper, inside: boolean): Tensor =>
  inside ? plus(square, epsilon).sqrt() : plus(square.sqrt(), epsilon)

/** g / √(running mean of g²). @see Tieleman & Hinton 2012 */
export const scaleByRms = (options: ScaleByRmsOptions = {}): GradientTransformation<RmsState> => {
  const { decay = 0.9, epsilon = 1e-8, initialScale = 0 } = options
  const { epsilonInSqrt = true, biasCorrection = false } = options
  return {
    init: (params) => Object.freeze({ count: zeroCount(), nu: filledLike(params, initialScale) }),
    update: (grads, state) => {
      const nu = updateSecondMoment(grads, state.nu, decay)
      const count = increment(state.count)
      const square = biasCorrection ? unbiased(nu, decay, count) : nu
      const updates = mapTrees(
        'scaleByRms',
        (g, v) => g.div(rootWith(v, epsilon, epsilonInSqrt)),
        grads,
        square,
      )
      return frozenPair(updates, Object.freeze({ count, nu }))
    },
  }
}

/** g / √(running mean of g² − the square of the running mean of g). @see Graves 2013 */
export const scaleByStddev = (
  options: ScaleByRmsOptions = {},
): GradientTransformation<StddevState> => {
  const { decay = 0.9, epsilon = 1e-8, initialScale = 0 } = options
  const { epsilonInSqrt = true, biasCorrection = false } = options
  return {
    init: (params) =>
      Object.freeze({
        count: zeroCount(),
        mu: zerosOf(params),
        nu: filledLike(params, initialScale),
      }),
    update: (grads, state) => {
      const mu = updateMoment(grads, state.mu, decay)
      const nu = updateSecondMoment(grads, state.nu, decay)
      const count = increment(state.count)
      const corrected = <T>(x: T): T => (biasCorrection ? unbiased(x, decay, count) : x)
      const updates = mapTrees(
        'scaleByStddev',
        (g, m, v) => g.div(rootWith(v.sub(squared(m)), epsilon, epsilonInSqrt)),
        grads,
        corrected(mu),
        corrected(nu),
      )
      return frozenPair(updates, Object.freeze({ count, mu, nu }))
    },
  }
}

export interface RmspropOptions extends ScaleByRmsOptions {
  /** Divide by the standard deviation rather than the root of the mean square; false by default. */
  readonly centered?: boolean
  /** The share of the last step that is taken again; none by default. */
  readonly momentum?: Hyper
  readonly nesterov?: boolean
}

/** RMSprop's states: of the scale, of the rate, and of momentum if any. */
export type RmspropState = readonly [RmsState | StddevState, RateState, TraceState | EmptyState]

const scaleOf = (
  centered: boolean,
  options: ScaleByRmsOptions,
): GradientTransformation<RmsState> => (centered ? scaleByStddev(options) : scaleByRms(options))

const momentumOf = (
  momentum: Hyper | undefined,
  nesterov: boolean,
): GradientTransformation<TraceState | EmptyState> =>
  momentum === undefined ? identity() : trace(momentum, { nesterov })

/**
 * RMSprop. PyTorch's is `{ decay: 0.99, epsilonInSqrt: false }`.
 * @see Tieleman & Hinton 2012, lecture 6.5
 * @example
 * optim.rmsprop(1e-3, { decay: 0.99, centered: true, momentum: 0.9 })
 */
export const rmsprop = (
  rate: ScheduleOr,
  { centered = false, momentum, nesterov = false, ...options }: RmspropOptions = {},
): GradientTransformation<RmspropState> =>
  chain(scaleOf(centered, options), scaleByLearningRate(rate), momentumOf(momentum, nesterov))

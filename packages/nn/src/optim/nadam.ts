/** NAdam and NAdamW: Adam with Nesterov's look ahead, Optax's way or with a momentum schedule. */
import { type Tensor, TreeError, fill, frozenPair } from '@cotangent/core'
import {
  type AdamOptions,
  type AdamState,
  type AdamWOptions,
  scaleByAdam,
  zeroMoments,
} from './adam.ts'
import { addDecayedWeights } from './decay.ts'
import { type Hyper, type ScheduleOr, increment, times } from './hyper.ts'
import { nextMoments, overRoot, unbiased, updateMoment, updateSecondMoment } from './moments.ts'
import { type RateState, scaleByLearningRate } from './rate.ts'
import { type CountState, type GradientTransformation, chain } from './transformation.ts'
import { mapTrees } from './trees.ts'

export interface NadamState extends AdamState {
  /** The product of the momenta so far, where they follow a schedule. */
  readonly product?: Tensor
}

const productOf = ({ product }: NadamState): Tensor => {
  if (product !== undefined) return product
  throw new TreeError({
    operation: 'nadam',
    problem: 'the state has no product of momenta',
    fix: 'make the state with init of the transformation that updates it',
  })
}

export interface ScheduledNadamOptions extends Omit<AdamOptions, 'nesterov'> {
  /** How quickly the momentum grows to b1; 0.004 by default. */
  readonly momentumDecay?: number
}

/**
 * NAdam with the warm-up of momentum of its paper, as PyTorch has it:
 * mu_t = b1 · (1 − 0.96^(t · momentumDecay) / 2), bias corrected by the product of all mu.
 * @see Dozat 2016, algorithm 2
 */
export const scaleByScheduledNadam = (
  options: ScheduledNadamOptions = {},
): GradientTransformation<NadamState> => {
  const { b1 = 0.9, b2 = 0.999, epsilon = 1e-8, epsilonRoot = 0, muDtype } = options
  const { momentumDecay = 0.004 } = options
  const momentum = (step: Tensor): Tensor => {
    const exponent = step.astype('float32').mul(momentumDecay * Math.log(0.96))
    return times(exponent.exp().mul(-0.5).add(1), b1)
  }
  return {
    init: (params) =>
      Object.freeze({ ...zeroMoments(params, muDtype), product: fill([], 1, 'float32') }),
    update: (grads, state) => {
      const count = increment(state.count)
      const [now, next] = [momentum(count), momentum(count.add(1))]
      const product = productOf(state).mul(now)
      const mu = updateMoment(grads, state.mu, b1)
      const nu = updateSecondMoment(grads, state.nu, b2)
      const ofGradient: Hyper = now.neg().add(1).div(product.neg().add(1))
      const ofMean: Hyper = next.div(product.mul(next).neg().add(1))
      const mean = mapTrees(
        'nadam',
        (g, m) => times(g, ofGradient).add(times(m, ofMean)),
        grads,
        mu,
      )
      const updates = overRoot(mean, unbiased(nu, b2, count), epsilon, epsilonRoot)
      const [, moments] = nextMoments(updates, state, mu, nu, muDtype)
      return frozenPair(updates, Object.freeze({ ...moments, product }))
    },
  }
}

export interface NadamOptions extends Omit<AdamOptions, 'nesterov'> {
  /** With it, PyTorch's NAdam (0.004 there); without, Optax's, of a constant momentum. */
  readonly momentumDecay?: number
}

/** NAdam's preconditioning. @see Dozat 2016 */
export const scaleByNadam = ({
  momentumDecay,
  ...options
}: NadamOptions = {}): GradientTransformation<NadamState> =>
  momentumDecay === undefined
    ? scaleByAdam({ ...options, nesterov: true })
    : scaleByScheduledNadam({ ...options, momentumDecay })

/**
 * Adam with Nesterov's momentum.
 * @see Dozat 2016
 * @example
 * optim.nadam(1e-3)
 */
export const nadam = (
  rate: ScheduleOr,
  options: NadamOptions = {},
): GradientTransformation<readonly [NadamState, RateState]> =>
  chain(scaleByNadam(options), scaleByLearningRate(rate))

export interface NadamWOptions extends NadamOptions, Pick<AdamWOptions, 'weightDecay' | 'mask'> {}

/** NAdam with decoupled weight decay (1e-4 by default). @see Loshchilov & Hutter 2019 */
export const nadamw = (
  rate: ScheduleOr,
  { weightDecay = 1e-4, mask, ...options }: NadamWOptions = {},
): GradientTransformation<readonly [NadamState, CountState, RateState]> =>
  chain(scaleByNadam(options), addDecayedWeights(weightDecay, mask), scaleByLearningRate(rate))

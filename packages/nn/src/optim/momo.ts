/** MoMo: momentum with Polyak's step, from a model of the loss. */
import { type Tensor, fill, frozenPair } from '@cotangent/core'
import {
  type Hyper,
  type ScheduleOr,
  complement,
  increment,
  missingOf,
  scalar,
  times,
  valueAt,
  zeroCount,
} from './hyper.ts'
import { updateMoment, updateSecondMoment } from './moments.ts'
import { squaredNorm, treeDot } from './norms.ts'
import {
  type CountState,
  type GradientTransformation,
  requireExtra,
  requireParams,
} from './transformation.ts'
import { type Tree, mapTrees, zerosOf } from './trees.ts'

export interface MomoState extends CountState {
  /** The running mean of gradients. */
  readonly mu: Tree
  /** The running mean of losses. */
  readonly meanValue: Tensor
  /** The running mean of ⟨gradient, parameters⟩. */
  readonly gamma: Tensor
  /** The loss is taken to be no smaller. */
  readonly lowerBound: Tensor
}

export interface MomoAdamState extends MomoState {
  /** The running mean of squared gradients. */
  readonly nu: Tree
}

interface SharedOptions {
  /** The smallest loss there is; 0 by default. */
  readonly lowerBound?: number
  /** Decoupled, by a proximal step; 0 by default. */
  readonly weightDecay?: number
  /** Raise the bound by what the model tells; false by default. */
  readonly adaptLowerBound?: boolean
}

export interface MomoOptions extends SharedOptions {
  /** Decay of the means; 0.9 by default. */
  readonly beta?: number
}

export interface MomoAdamOptions extends SharedOptions {
  /** 0.9 by default. */
  readonly b1?: number
  /** 0.999 by default. */
  readonly b2?: number
  /** 1e-8 by default. */
  readonly epsilon?: number
}

const machineEpsilon = 2 ** -52

interface Model {
  readonly meanValue: Tensor
  readonly gamma: Tensor
  readonly product: Tensor
  /** The squared norm of the mean of gradients. */
  readonly norm: Tensor
  readonly rate: Tensor
  /** What bias correction there is: one for none. */
  readonly correction: Tensor
}

/** The step size of the model, and the next bound. */
const solve = (
  { meanValue, gamma, product, norm, rate, correction }: Model,
  bound: Tensor,
  { lowerBound = 0, weightDecay = 0, adaptLowerBound = false }: SharedOptions,
): { readonly step: Tensor; readonly bound: Tensor } => {
  const shrink = rate.mul(weightDecay).add(1)
  const cap = shrink.mul(meanValue.sub(gamma)).add(product)
  const tooHigh = cap.less(shrink.mul(correction).mul(bound))
  const lowered = cap.div(shrink.mul(correction).mul(2)).maximum(lowerBound)
  const here = adaptLowerBound ? lowered.where(tooHigh, bound) : bound
  const above = shrink
    .mul(meanValue.sub(correction.mul(here)).sub(gamma))
    .add(product)
    .maximum(0)
  const flat = norm.lessEqual(machineEpsilon)
  const polyak = norm.mul(0).where(flat, above.div(norm.where(flat.logicalNot(), 1)))
  const step = rate.div(correction).minimum(polyak)
  const model = meanValue.add(product).sub(gamma).sub(step.mul(norm).mul(0.5)).div(correction)
  return { step, bound: adaptLowerBound ? model.maximum(lowerBound) : bound }
}

const decayed = (p: Tensor, rate: Tensor, weightDecay: number): Tensor => {
  const share = rate.mul(weightDecay)
  return times(p, share.div(share.add(1)).neg())
}

const start = (params: Tree, lowerBound: number): MomoState => ({
  count: zeroCount(),
  mu: zerosOf(params),
  meanValue: fill([], 0, 'float32'),
  gamma: fill([], 0, 'float32'),
  lowerBound: fill([], lowerBound, 'float32'),
})

const mean = (old: Tensor, next: Tensor, decay: Tensor): Tensor =>
  old.mul(decay).add(next.mul(scalar(complement(decay))))

/**
 * Momentum whose step is the rate at most, and less near the smallest loss.
 * @throws UnsupportedError unless update gets `{ value }`.
 * @see Schaipp et al. 2023, algorithm 1
 */
export const momo = (
  rate: ScheduleOr = 1,
  options: MomoOptions = {},
): GradientTransformation<MomoState> => {
  const { beta = 0.9, lowerBound = 0, weightDecay = 0 } = options
  return {
    init: (params) => Object.freeze(start(params, lowerBound)),
    update: (grads, state, params, extra) => {
      const known = requireParams('momo', params)
      const value = scalar(requireExtra('momo', extra, 'value'))
      const decay: Tensor = fill([], 0, 'float32').where(state.count.equal(0), beta)
      const mu = updateMoment(grads, state.mu, decay)
      const now = scalar(valueAt(rate, state.count))
      const model: Model = {
        meanValue: mean(state.meanValue, value, decay),
        gamma: mean(state.gamma, scalar(treeDot(grads, known)), decay),
        product: scalar(treeDot(mu, known)),
        norm: scalar(squaredNorm(mu)),
        rate: now,
        correction: fill([], 1, 'float32'),
      }
      const { step, bound } = solve(model, state.lowerBound, options)
      const updates = mapTrees(
        'momo',
        (m, p) => decayed(p, now, weightDecay).sub(times(m, step)),
        mu,
        known,
      )
      const { meanValue, gamma } = model
      const count = increment(state.count)
      return frozenPair(updates, Object.freeze({ count, mu, meanValue, gamma, lowerBound: bound }))
    },
  }
}

/**
 * Adam whose step is the rate at most, and less near the smallest loss; the rate is 0.01 by default.
 * @throws UnsupportedError unless update gets `{ value }`.
 * @see Schaipp et al. 2023, algorithm 2
 */
export const momoAdam = (
  rate: ScheduleOr = 0.01,
  options: MomoAdamOptions = {},
): GradientTransformation<MomoAdamState> => {
  const { b1 = 0.9, b2 = 0.999, epsilon = 1e-8, lowerBound = 0, weightDecay = 0 } = options
  return {
    init: (params) => Object.freeze({ ...start(params, lowerBound), nu: zerosOf(params) }),
    update: (grads, state, params, extra) => {
      const known = requireParams('momoAdam', params)
      const value = scalar(requireExtra('momoAdam', extra, 'value'))
      const decay = fill([], b1, 'float32')
      const count = increment(state.count)
      const mu = updateMoment(grads, state.mu, b1)
      const nu = updateSecondMoment(grads, state.nu, b2)
      const variance: Hyper = missingOf(b2, count).reciprocal()
      const scaled = mapTrees(
        'momoAdam',
        (m, v) => m.div(times(v, variance).sqrt().add(epsilon)),
        mu,
        nu,
      )
      const now = scalar(valueAt(rate, state.count))
      const model: Model = {
        meanValue: mean(state.meanValue, value, decay),
        gamma: mean(state.gamma, scalar(treeDot(grads, known)), decay),
        product: scalar(treeDot(mu, known)),
        norm: scalar(treeDot(mu, scaled)),
        rate: now,
        correction: missingOf(b1, count),
      }
      const { step, bound } = solve(model, state.lowerBound, options)
      const updates = mapTrees(
        'momoAdam',
        (m, p) => decayed(p, now, weightDecay).sub(times(m, step)),
        scaled,
        known,
      )
      const { meanValue, gamma } = model
      const next = { count, mu, nu, meanValue, gamma, lowerBound: bound }
      return frozenPair(updates, Object.freeze(next))
    },
  }
}

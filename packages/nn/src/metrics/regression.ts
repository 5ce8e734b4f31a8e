/** How near predicted numbers come. */
import { type Tensor, fill } from '@cotangent/core'
import { type Metric, defineMetric } from './metric.ts'
import { type TotalMetric, averaged, meanOf, ofTotal, totalOf } from './total.ts'

/** The mean of (prediction − target)². */
export const meanSquaredError: TotalMetric = averaged((y, t) => y.sub(t).square())
/** The mean of |prediction − target|. */
export const meanAbsoluteError: TotalMetric = averaged((y, t) => y.sub(t).abs())
/** The square root of the mean of (prediction − target)², over all batches together. */
export const rootMeanSquaredError: TotalMetric = ofTotal(
  (y, t) => totalOf(y.sub(t).square()),
  (total) => Math.sqrt(meanOf(total)),
)

/** A sample's count, mean, and sum of squared deviations from it. */
export interface Moments {
  readonly count: number
  readonly mean: number
  readonly squares: number
}

const noMoments: Moments = { count: 0, mean: 0, squares: 0 }

/**
 * The moments of two samples together, without the cancellation that Σx² − (Σx)² / n has.
 * @see Chan, Golub & LeVeque 1983
 */
export const joinMoments = (a: Moments, b: Moments): Moments => {
  const count = a.count + b.count
  if (count === 0) return noMoments
  const gap = b.mean - a.mean
  return {
    count,
    mean: a.mean + (gap * b.count) / count,
    squares: a.squares + b.squares + (gap * gap * a.count * b.count) / count,
  }
}

/** Of the targets, and of what is left of them. */
export interface Residuals {
  readonly targets: Moments
  readonly errors: Moments
}

interface MomentTensors {
  readonly count: Tensor
  readonly mean: Tensor
  readonly squares: Tensor
}

export interface ResidualTensors {
  readonly targets: MomentTensors
  readonly errors: MomentTensors
}

const measureMoments = (values: Tensor): MomentTensors => {
  const mean = values.mean()
  const squares = values.sub(mean).square().sum()
  return Object.freeze({ count: fill([], values.size, 'float32'), mean, squares })
}

const readMoments = ({ count, mean, squares }: MomentTensors): Moments =>
  count.item() === 0
    ? noMoments
    : { count: count.item(), mean: mean.item(), squares: squares.item() }

export type ResidualMetric = Metric<Tensor, Tensor, ResidualTensors, Residuals>

const ofResiduals = (value: (residuals: Residuals) => number): ResidualMetric =>
  defineMetric({
    measure: (y: Tensor, t: Tensor) => {
      const targets = t.astype(y.dtype)
      return Object.freeze({
        targets: measureMoments(targets),
        errors: measureMoments(targets.sub(y)),
      })
    },
    empty: { targets: noMoments, errors: noMoments },
    concat: (a: Residuals, b: Residuals) => ({
      targets: joinMoments(a.targets, b.targets),
      errors: joinMoments(a.errors, b.errors),
    }),
    read: ({ targets, errors }: ResidualTensors) => ({
      targets: readMoments(targets),
      errors: readMoments(errors),
    }),
    value,
  })

/**
 * The share of the targets' variance that predictions explain: 1 − Σ error² / Σ (target − mean)². 1 is
 * perfect, 0 as good as the mean, and it may be negative. −∞ (NaN, where all is exact) for constant targets.
 */
export const r2: ResidualMetric = ofResiduals(({ targets, errors }) => {
  const squared = errors.squares + errors.count * errors.mean * errors.mean
  return 1 - squared / targets.squares
})

/** `r2` that forgives a constant offset: 1 − variance of the errors / variance of the targets. */
export const explainedVariance: ResidualMetric = ofResiduals(
  ({ targets, errors }) => 1 - errors.squares / targets.squares,
)

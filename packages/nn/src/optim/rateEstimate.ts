/** What D-Adaptation and Prodigy share: Adam's means beside a rate that they estimate. */
import { type Tensor, fill } from '@cotangent/core'
import { type ScheduleOr, increment, missingOf, scalar, valueAt, zeroCount } from './hyper.ts'
import type { MomentsState } from './moments.ts'
import { treeSum } from './norms.ts'
import { type Tree, mapTrees, zerosOf } from './trees.ts'

export interface RateEstimateState extends MomentsState {
  readonly gradSum: Tree
  /** The estimated rate. */
  readonly estimRate: Tensor
  readonly numeratorWeighted: Tensor
}

export interface RateEstimateOptions {
  /** 0.9 and 0.999 by default. */
  readonly betas?: readonly [b1: number, b2: number]
  /** 1e-8 by default. */
  readonly epsilon?: number
  /** The first estimate; 1e-6 by default. */
  readonly initialRate?: number
  /** Decoupled; 0 by default. */
  readonly weightDecay?: number
}

/** Nothing seen yet. */
export const initRateEstimate = (params: Tree, initialRate: number): RateEstimateState => {
  const zeros = zerosOf(params)
  return {
    count: zeroCount(),
    mu: zeros,
    nu: zeros,
    gradSum: zeros,
    estimRate: fill([], initialRate, 'float32'),
    numeratorWeighted: fill([], 0, 'float32'),
  }
}

/** How many updates there are with this one, and how long its step is: the bias of Adam's means taken off. */
export const estimatedStep = (
  { count: before, estimRate }: RateEstimateState,
  rate: ScheduleOr,
  [b1, b2]: readonly [b1: number, b2: number],
): { readonly count: Tensor; readonly step: Tensor } => {
  const count = increment(before)
  const correction = missingOf(b2, count).sqrt().div(missingOf(b1, count))
  return { count, step: estimRate.mul(scalar(valueAt(rate, before))).mul(correction) }
}

/** The sum of all magnitudes. */
export const magnitude = (tree: Tree): Tensor =>
  treeSum(mapTrees('magnitude', (x) => x.abs(), tree)).astype('float32')

/** An estimate never falls; without gradients so far (0 / 0) it stays. */
export const raisedEstimate = (old: Tensor, estimate: Tensor, sum: Tensor): Tensor =>
  old.where(sum.equal(0), old.maximum(estimate))

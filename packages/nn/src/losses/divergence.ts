/** How far one distribution is from another. */
import type { Tensor } from '@cotangent/core'
import type { Reduction } from './reduction.ts'
import { fitting, reduce } from './reduction.ts'

export interface DivergenceOptions {
  /** The axis of the events, which is summed over; the last by default. `null`: terms on their own. */
  readonly axis?: number | null
  /** `'mean'` over examples (over terms, for axis `null`) by default; `'batchmean'`: the sum over the first extent. */
  readonly reduction?: Reduction | 'batchmean'
}

export interface KlOptions extends DivergenceOptions {
  /** The targets are log probabilities; false by default. */
  readonly logTargets?: boolean
}

const summed = (terms: Tensor, { axis = -1, reduction }: DivergenceOptions): Tensor => {
  if (reduction === 'batchmean') return terms.sum().div(Math.max(1, terms.shape[0] ?? 1))
  return reduce(axis === null ? terms : terms.sum({ axis }), reduction)
}

// target · (log target − logPrediction); 0 where the target is.
const terms = (logPredictions: Tensor, targets: Tensor): Tensor => {
  fitting('klDivergence', logPredictions, targets)
  const isPositive = targets.greater(0)
  const logTargets = targets.where(isPositive, 1).log()
  return targets.mul(logTargets.sub(logPredictions)).where(isPositive, 0)
}

/**
 * Kullback and Leibler's divergence Σ target · (log target − logPrediction) over the last axis, then
 * the mean over examples. With `axis: null` and `'mean'`, `'sum'`, `'none'` or `'batchmean'` it is
 * PyTorch's `kl_div`.
 * @see Kullback & Leibler 1951
 * @example
 * losses.klDivergence(tensor([[0.5, 0.5]]).log(), tensor([[1, 0]])).item() // log 2
 */
export const klDivergence = (
  logPredictions: Tensor,
  targets: Tensor,
  { logTargets = false, ...options }: KlOptions = {},
): Tensor =>
  summed(
    logTargets ? targets.exp().mul(targets.sub(logPredictions)) : terms(logPredictions, targets),
    options,
  )

/** `klDivergence` of targets given by their logarithms. */
export const klDivergenceWithLogTargets = (
  logPredictions: Tensor,
  logTargets: Tensor,
  options: DivergenceOptions = {},
): Tensor => klDivergence(logPredictions, logTargets, { ...options, logTargets: true })

/**
 * Σ target · (log target − logPrediction) + prediction − target: the divergence of measures whose
 * sums are not 1; convex in both, and never negative.
 */
export const generalizedKlDivergence = (
  logPredictions: Tensor,
  targets: Tensor,
  options: DivergenceOptions = {},
): Tensor => summed(terms(logPredictions, targets).add(logPredictions.exp().sub(targets)), options)

/** `generalizedKlDivergence` under Optax's other name. */
export const convexKlDivergence: typeof generalizedKlDivergence = generalizedKlDivergence

/**
 * Jensen and Shannon's divergence of two distributions (probabilities, events last): the mean of
 * each one's divergence from their mixture. Symmetric, from 0 to log 2.
 * @see Lin 1991
 * @example
 * losses.jensenShannon(tensor([[1, 0]]), tensor([[0, 1]])).item() // log 2
 */
export const jensenShannon = (p: Tensor, q: Tensor, options: DivergenceOptions = {}): Tensor => {
  const mixture = p.add(q).mul(0.5)
  // Where both are 0 there is no logarithm, and no term.
  const logMixture = mixture.where(mixture.greater(0), 1).log()
  return summed(terms(logMixture, p).add(terms(logMixture, q)).mul(0.5), options)
}

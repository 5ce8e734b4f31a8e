/** DoG and DoWG: the rate from the distance made and the gradients met. */
import { type Tensor, fill, frozenPair } from '@cotangent/core'
import type { DecayOptions } from './adam.ts'
import { addDecayedWeights } from './decay.ts'
import { type ScheduleOr, scalar, times } from './hyper.ts'
import { difference, globalNorm, squaredNorm } from './norms.ts'
import { type RateState, scaleByLearningRate } from './rate.ts'
import {
  type CountState,
  type EmptyState,
  type GradientTransformation,
  chain,
  identity,
  requireParams,
} from './transformation.ts'
import { type Tree, frozenCopy, mapTrees } from './trees.ts'

export interface DogState {
  readonly isInitStep: Tensor
  readonly initParams: Tree
  /** The longest way from the start so far. */
  readonly maxDist: Tensor
  readonly sumSqNormGrads: Tensor
}

export interface ScaleByDogOptions {
  /**
   * The first step: of a given rate, as from a given distance, or as from a share of 1 + ‖params‖.
   * ['heuristic', 1e-6] by default.
   */
  readonly initStep?: readonly [kind: 'distance' | 'learningRate' | 'heuristic', value: number]
  /** Added under the root; 1e-8 by default. */
  readonly epsilon?: number
}

/** g · distance / √(sum of squared norms). @see Ivgi, Hinder & Carmon 2023, algorithm 1 */
export const scaleByDog = (options: ScaleByDogOptions = {}): GradientTransformation<DogState> => {
  const { initStep = ['heuristic', 1e-6], epsilon = 1e-8 } = options
  const [kind, value] = initStep
  const firstDistance = (params: Tree): Tensor => {
    if (kind === 'heuristic') return scalar(globalNorm(params)).add(1).mul(value)
    return fill([], kind === 'distance' ? value : 0, 'float32')
  }
  return {
    init: (params) =>
      Object.freeze({
        isInitStep: fill([], 1, 'bool'),
        initParams: frozenCopy(params),
        maxDist: firstDistance(params),
        sumSqNormGrads: fill([], 0, 'float32'),
      }),
    update: (grads, state, params) => {
      const { initParams, isInitStep } = state
      const made = globalNorm(difference(initParams, requireParams('dog', params)))
      const maxDist = state.maxDist.maximum(made.astype('float32'))
      const sumSqNormGrads = state.sumSqNormGrads.add(squaredNorm(grads).astype('float32'))
      const ratio = maxDist.div(sumSqNormGrads.add(epsilon).sqrt())
      const rate =
        kind === 'learningRate' ? ratio.mul(0).add(value).where(isInitStep, ratio) : ratio
      const updates = mapTrees('dog', (g) => times(g, rate), grads)
      const next = { isInitStep: fill([], 0, 'bool'), initParams, maxDist, sumSqNormGrads }
      return frozenPair(updates, Object.freeze(next))
    },
  }
}

const decayOf = ({
  weightDecay,
  mask,
}: DecayOptions): GradientTransformation<CountState | EmptyState> =>
  weightDecay === undefined ? identity() : addDecayedWeights(weightDecay, mask)

export interface DogOptions extends ScaleByDogOptions, DecayOptions {}

/** Gradient descent without a rate (1 by default, a factor). @see Ivgi, Hinder & Carmon 2023 */
export const dog = (
  rate: ScheduleOr = 1,
  options: DogOptions = {},
): GradientTransformation<readonly [CountState | EmptyState, DogState, RateState]> =>
  chain(decayOf(options), scaleByDog(options), scaleByLearningRate(rate))

export interface DowgState {
  readonly initParams: Tree
  readonly weightedSqNormGrads: Tensor
  readonly estimSqDist: Tensor
}

export interface ScaleByDowgOptions {
  /** The first squared distance; `epsilon` by default. */
  readonly initEstimSqDist?: number
  /** 1e-4 by default. */
  readonly epsilon?: number
}

/** g · distance² / √(sum of squared norms, weighted by distance²). @see Khaled, Mishchenko & Jin 2023 */
export const scaleByDowg = ({
  epsilon = 1e-4,
  initEstimSqDist = epsilon,
}: ScaleByDowgOptions = {}): GradientTransformation<DowgState> => ({
  init: (params) =>
    Object.freeze({
      initParams: frozenCopy(params),
      weightedSqNormGrads: fill([], 0, 'float32'),
      estimSqDist: fill([], initEstimSqDist, 'float32'),
    }),
  update: (grads, state, params) => {
    const { initParams } = state
    const made = squaredNorm(difference(initParams, requireParams('dowg', params)))
    const estimSqDist = state.estimSqDist.maximum(made.astype('float32'))
    const norm = squaredNorm(grads).astype('float32')
    const weightedSqNormGrads = state.weightedSqNormGrads.add(estimSqDist.mul(norm))
    const rate = estimSqDist.div(weightedSqNormGrads.sqrt().add(epsilon))
    const updates = mapTrees('dowg', (g) => times(g, rate), grads)
    return frozenPair(updates, Object.freeze({ initParams, weightedSqNormGrads, estimSqDist }))
  },
})

export interface DowgOptions extends ScaleByDowgOptions, DecayOptions {}

/** DoG with weights, for changing curvature. @see Khaled, Mishchenko & Jin 2023 */
export const dowg = (
  rate: ScheduleOr = 1,
  options: DowgOptions = {},
): GradientTransformation<readonly [CountState | EmptyState, DowgState, RateState]> =>
  chain(decayOf(options), scaleByDowg(options), scaleByLearningRate(rate))

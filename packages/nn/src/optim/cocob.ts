/** COCOB: learning without a rate, by betting on coins. */
import { frozenPair } from '@cotangent/core'
import type { DecayOptions } from './adam.ts'
import { addDecayedWeights } from './decay.ts'
import type { ScheduleOr } from './hyper.ts'
import { type RateState, scaleByLearningRate } from './rate.ts'
import {
  type CountState,
  type GradientTransformation,
  chain,
  requireParams,
} from './transformation.ts'
import { type Tree, filledLike, frozenCopy, mapTrees, zerosOf } from './trees.ts'

export interface CocobState {
  readonly initParams: Tree
  /** The negative sum of gradients. */
  readonly cumulativeGradients: Tree
  /** The largest gradient so far. */
  readonly scale: Tree
  /** The sum of absolute gradients. */
  readonly subgradients: Tree
  readonly reward: Tree
}

export interface ScaleByCocobOptions {
  /** The share of the reward that is bet early on; 100 by default. */
  readonly alpha?: number
  /** The scale begins here; 1e-8 by default. */
  readonly epsilon?: number
}

/** The next parameters by their bets, as an update. @see Orabona & Tommasi 2017, algorithm 2 */
export const scaleByCocob = ({
  alpha = 100,
  epsilon = 1e-8,
}: ScaleByCocobOptions = {}): GradientTransformation<CocobState> => ({
  init: (params) => {
    const zeros = zerosOf(params)
    return Object.freeze({
      initParams: frozenCopy(params),
      cumulativeGradients: zeros,
      scale: filledLike(params, epsilon),
      subgradients: zeros,
      reward: zeros,
    })
  },
  update: (grads, state, params) => {
    const known = requireParams('cocob', params)
    const { initParams } = state
    const scale = mapTrees('cocob', (l, g) => l.maximum(g.abs()), state.scale, grads)
    const subgradients = mapTrees('cocob', (s, g) => s.add(g.abs()), state.subgradients, grads)
    const reward = mapTrees(
      'cocob',
      (r, g, p, p0) => r.sub(g.mul(p.sub(p0))).maximum(0),
      state.reward,
      grads,
      known,
      initParams,
    )
    const cumulativeGradients = mapTrees(
      'cocob',
      (c, g) => c.sub(g),
      state.cumulativeGradients,
      grads,
    )
    const bets = mapTrees(
      'cocob',
      (c, l, s, r) => c.div(l.mul(s.add(l).maximum(l.mul(alpha)))).mul(l.add(r)),
      cumulativeGradients,
      scale,
      subgradients,
      reward,
    )
    const updates = mapTrees(
      'cocob',
      (_, p, p0, b) => p0.add(b).sub(p),
      grads,
      known,
      initParams,
      bets,
    )
    const next = { initParams, cumulativeGradients, scale, subgradients, reward }
    return frozenPair(updates, Object.freeze(next))
  },
})

export interface CocobOptions extends ScaleByCocobOptions, DecayOptions {}

/** COCOB; the rate (1 by default) multiplies the gradients. @see Orabona & Tommasi 2017 */
export const cocob = (
  rate: ScheduleOr = 1,
  { weightDecay = 0, mask, ...options }: CocobOptions = {},
): GradientTransformation<readonly [CountState, RateState, CocobState]> =>
  chain(
    addDecayedWeights(weightDecay, mask),
    scaleByLearningRate(rate, { flipSign: false }),
    scaleByCocob(options),
  )

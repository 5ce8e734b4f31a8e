/** Mechanic: learns a factor for the updates of any optimiser. */
import { type Tensor, fill, frozenPair } from '@cotangent/core'
import { np } from '@cotangent/ops'
import { increment, scalar, times, zeroCount } from './hyper.ts'
import { addScaled, globalNorm, treeDot } from './norms.ts'
import { type CountState, type GradientTransformation, requireParams } from './transformation.ts'
import { type Tree, frozenCopy, mapTrees, select } from './trees.ts'

export interface MechanicState<S> extends CountState {
  readonly inner: S
  /** What bets have won, for each decay. */
  readonly reward: Tensor
  /** The largest of recent gains. */
  readonly largest: Tensor
  /** Sums of squared gains. */
  readonly variance: Tensor
  /** The factors, which add up to the one in use. */
  readonly scale: Tensor
  /** The parameters at the first update. */
  readonly initParams: Tree
}

export interface MechanicOptions {
  /** 0.01 by default. */
  readonly weightDecay?: number
  /** 1e-8 by default. */
  readonly epsilon?: number
  /** The first factor; 1e-6 by default. */
  readonly sInit?: number
  /** Decays 1 − 0.1, 1 − 0.01, …; 6 of them by default. */
  readonly numBetas?: number
}

/**
 * Multiplies the way that an optimiser has made by a factor that is learnt.
 * @see Cutkosky, Defazio & Mehta 2023, algorithm 1
 */
export const mechanize = <S>(
  base: GradientTransformation<S>,
  options: MechanicOptions = {},
): GradientTransformation<MechanicState<S>> => {
  const { weightDecay = 0.01, epsilon = 1e-8, sInit = 1e-6, numBetas = 6 } = options
  const betas = Array.from({ length: numBetas }, (_, i) => 1 - 0.1 ** (i + 1))
  const vector = (value: number): Tensor => fill([numBetas], value, 'float32')
  return {
    init: (params) =>
      Object.freeze({
        inner: base.init(params),
        count: zeroCount(),
        reward: vector(0),
        largest: vector(0),
        variance: vector(0),
        scale: vector(sInit),
        initParams: frozenCopy(params),
      }),
    update: (grads, state, params, extra) => {
      const known = requireParams('mechanize', params)
      const decay = np.asarray(betas).astype('float32')
      const [steps, inner] = base.update(grads, state.inner, known, extra)
      const initParams = select(state.count.equal(0), known, state.initParams)
      const total = state.scale.sum()
      const weight = scalar(globalNorm(grads))
        .mul(weightDecay)
        .mul(total)
        .div(scalar(globalNorm(known)).add(epsilon))
      const pulled = addScaled<Tree>(grads, weight, known)
      const share = total.add(epsilon).reciprocal()
      const before = mapTrees('mechanize', (p0, p) => times(p0.sub(p), share), initParams, known)
      const gain = scalar(treeDot(pulled, before))
      const clipped = gain.maximum(state.largest.neg()).minimum(state.largest)
      const largest = state.largest.mul(decay).maximum(gain.abs().add(epsilon))
      const variance = state.variance.mul(decay.square()).add(gain.square())
      const reward = state.reward.mul(decay).add(clipped.mul(state.scale))
      const wealth = largest.mul(sInit / numBetas).add(reward.maximum(0))
      const scale = wealth.div(variance.sqrt().add(epsilon))
      const factor = scale.sum()
      const updates = mapTrees(
        'mechanize',
        (u, b, p0, p) => p0.sub(times(b.sub(u), factor)).sub(p),
        steps,
        before,
        initParams,
        known,
      )
      const next = {
        inner,
        count: increment(state.count),
        reward,
        largest,
        variance,
        scale,
        initParams,
      }
      return frozenPair(updates, Object.freeze(next))
    },
  }
}

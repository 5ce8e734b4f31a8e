/** Noise on gradients. */
import { type Tensor, flatten, frozenPair, leafTensor, unflatten } from '@cotangent/core'
import { random } from '@cotangent/ops'
import { type ScheduleOr, increment, times, zeroCount } from './hyper.ts'
import { type RateState, scaleByLearningRate } from './rate.ts'
import { type CountState, type GradientTransformation, chain } from './transformation.ts'

export interface NoiseState extends CountState {
  /** The key of the noise to come. */
  readonly key: Tensor
}

export interface NoiseOptions {
  /** The variance of the first step; 0.01 by default. */
  readonly eta?: number
  /** The variance at step t (from 1) is eta / t^gamma; 0.55 by default. */
  readonly gamma?: number
  /** Where the noise comes from: a key, or a seed for one. */
  readonly key: Tensor | number
}

/** Adds normal noise of falling variance. @see Neelakantan et al. 2015 */
export const addNoise = ({
  eta = 0.01,
  gamma = 0.55,
  key,
}: NoiseOptions): GradientTransformation<NoiseState> => ({
  init: () =>
    Object.freeze({
      count: zeroCount(),
      key: typeof key === 'number' ? random.key(key) : key,
    }),
  update: (grads, state) => {
    const count = increment(state.count)
    const deviation = count.astype('float32').log().mul(-gamma).exp().mul(eta).sqrt()
    const keys = random.split(state.key)
    const { leaves, structure } = flatten(grads, 'addNoise')
    const each = random.split(keys.at(1), leaves.length)
    const noisy = leaves.map((leaf, i) => {
      const g = leafTensor(leaf)
      return g.add(times(random.normal(each.at(i), g.shape, { dtype: g.dtype }), deviation))
    })
    const next = Object.freeze({ count, key: keys.at(0) })
    return frozenPair(unflatten<typeof grads>(structure, noisy), next)
  },
})

/** Gradient descent with noise of falling variance. @see Neelakantan et al. 2015 */
export const noisySgd = (
  rate: ScheduleOr,
  options: NoiseOptions,
): GradientTransformation<readonly [NoiseState, RateState]> =>
  chain(addNoise(options), scaleByLearningRate(rate))

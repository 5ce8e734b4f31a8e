/** Clipping the gradient of each example: the private side of gradient descent. */
import {
  ShapeError,
  type Tensor,
  fill,
  flatten,
  frozenPair,
  leafTensor,
  unflatten,
} from '@cotangent/core'
import { np, random } from '@cotangent/ops'
import { type ScheduleOr, squared } from './hyper.ts'
import { type RateState, scaleByLearningRate } from './rate.ts'
import { type TraceState, trace } from './sgd.ts'
import { type EmptyState, type GradientTransformation, chain, identity } from './transformation.ts'
import { type Tree, mapTrees, tensorsOf } from './trees.ts'

const batchOf = (operation: string, gradients: readonly Tensor[]): number => {
  const size = gradients[0]?.shape[0]
  if (size !== undefined && gradients.every((g) => g.shape[0] === size)) return size
  throw new ShapeError({
    operation,
    problem: 'gradients of examples have the batch as their first axis',
    got: gradients.map((g) => `[${g.shape.join(',')}]`).join(', '),
    fix: 'make them with vmap(grad(loss), { inAxes: [null, 0] })',
  })
}

/** For each example the factor that brings a norm down to the bound; one for a norm of zero. */
const factors = (norms: Tensor, bound: number): Tensor => {
  const positive = norms.greater(0)
  return fill(norms.shape, bound, norms.dtype)
    .div(norms.where(positive, 1))
    .minimum(1)
    .where(positive, 1)
}

const weighted = (g: Tensor, weights: Tensor): Tensor => np.tensordot(weights.astype(g.dtype), g, 1)

const squaresOf = (g: Tensor): Tensor => squared(g).reshape([g.shape[0]!, -1]).sum(1)

/**
 * The sum over examples of gradients, each scaled down so that its global norm is at most `bound`;
 * and how many were. Leaves have the batch as their first axis; the sums have not.
 * @throws ShapeError where the first axes differ.
 * @see Abadi et al. 2016, algorithm 1
 */
export const perExampleGlobalNormClip = <T>(
  grads: T,
  bound: number,
): readonly [clipped: T, count: Tensor] => {
  const gradients = tensorsOf('perExampleGlobalNormClip', grads)
  const size = batchOf('perExampleGlobalNormClip', gradients)
  const zero = fill([size], 0, 'float32')
  const norms = gradients.reduce((sum, g) => sum.add(squaresOf(g)), zero).sqrt()
  const each = factors(norms, bound)
  const clipped = mapTrees('perExampleGlobalNormClip', (g) => weighted(g, each), grads)
  return frozenPair(clipped, each.less(1).sum())
}

export interface LayerClipOptions {
  /** One bound for all leaves (true by default), or in proportion to their size. */
  readonly uniform?: boolean
}

/**
 * As `perExampleGlobalNormClip`, each leaf by its own norm, the bounds sharing `bound` between them;
 * with the number of clipped examples for each leaf. @see McMahan et al. 2018
 */
export const perExampleLayerNormClip = <T>(
  grads: T,
  bound: number,
  { uniform = true }: LayerClipOptions = {},
): readonly [clipped: T, counts: T] => {
  const gradients = tensorsOf('perExampleLayerNormClip', grads)
  const size = batchOf('perExampleLayerNormClip', gradients)
  const total = gradients.reduce((sum, g) => sum + g.size / size, 0)
  const share = (g: Tensor): number => (uniform ? 1 / gradients.length : g.size / size / total)
  const each = (g: Tensor): Tensor => factors(squaresOf(g).sqrt(), bound * Math.sqrt(share(g)))
  const clipped = mapTrees('perExampleLayerNormClip', (g) => weighted(g, each(g)), grads)
  const counts = mapTrees('perExampleLayerNormClip', (g) => each(g).less(1).sum(), grads)
  return frozenPair(clipped, counts)
}

export interface PrivacyState {
  /** The key of the noise to come. */
  readonly key: Tensor
}

export interface PrivacyOptions {
  /** The bound on the norm of one example's gradient. */
  readonly l2NormClip: number
  /** The noise's standard deviation, in units of the bound. */
  readonly noiseMultiplier: number
  /** Where the noise comes from: a key, or a seed for one. */
  readonly key: Tensor | number
}

/**
 * The mean of examples' clipped gradients, with noise. Gradients have the batch as their first axis.
 * @see Abadi et al. 2016, algorithm 1
 */
export const differentiallyPrivateAggregate = (
  options: PrivacyOptions,
): GradientTransformation<PrivacyState> => {
  const { l2NormClip, noiseMultiplier, key } = options
  return {
    init: () => Object.freeze({ key: typeof key === 'number' ? random.key(key) : key }),
    update: (grads, state) => {
      const gradients = tensorsOf('differentiallyPrivateAggregate', grads)
      const size = batchOf('differentiallyPrivateAggregate', gradients)
      const [clipped] = perExampleGlobalNormClip<Tree>(grads, l2NormClip)
      const keys = random.split(state.key, gradients.length + 1)
      const { leaves, structure } = flatten(clipped, 'differentiallyPrivateAggregate')
      const noisy = leaves.map((leaf, i) => {
        const g = leafTensor(leaf)
        const noise = random.normal(keys.at(i + 1), g.shape, { dtype: g.dtype })
        return g.add(noise.mul(l2NormClip * noiseMultiplier)).div(size)
      })
      const next = Object.freeze({ key: keys.at(0) })
      return frozenPair(unflatten<typeof grads>(structure, noisy), next)
    },
  }
}

export interface DpsgdOptions extends PrivacyOptions {
  readonly momentum?: number
  readonly nesterov?: boolean
}

/** Differentially private gradient descent, on gradients of single examples. @see Abadi et al. 2016 */
export const dpsgd = (
  rate: ScheduleOr,
  { momentum, nesterov = false, ...options }: DpsgdOptions,
): GradientTransformation<readonly [PrivacyState, TraceState | EmptyState, RateState]> => {
  const push: GradientTransformation<TraceState | EmptyState> =
    momentum === undefined ? identity() : trace(momentum, { nesterov })
  return chain(differentiallyPrivateAggregate(options), push, scaleByLearningRate(rate))
}

/** SM3: second moments of tensors kept as one vector for each axis. */
import { type Tensor, fill, frozenPair } from '@cotangent/core'
import { type Hyper, complement, plus, squared, times } from './hyper.ts'
import { updateMoment } from './moments.ts'
import { scale } from './rate.ts'
import { type EmptyState, type GradientTransformation, chain } from './transformation.ts'
import { type Tree, mapTrees, tensorsOf, zerosOf } from './trees.ts'

export interface Sm3State {
  /** For each leaf, in leaf order, one vector for each of its axes: bounds on sums of squares. */
  readonly mu: readonly (readonly Tensor[])[]
  /** The running mean of updates. */
  readonly nu: Tree
}

export interface Sm3Options {
  /** Decay of the mean of updates; 0.9 by default. */
  readonly b1?: Hyper
  /** Decay of the sums of squares; 1, none, by default. */
  readonly b2?: number
  /** 1e-8 by default. */
  readonly epsilon?: Hyper
}

/** A vector along one axis of a tensor of this many. */
const alongAxis = (x: Tensor, axis: number, ndim: number): Tensor =>
  x.reshape(Array.from({ length: ndim }, (_, i) => (i === axis ? x.size : 1)))

/** g / √(least of the axes' bounds), as a running mean. @see Anil et al. 2019, algorithm SM3-II */
export const scaleBySm3 = (options: Sm3Options = {}): GradientTransformation<Sm3State> => {
  const { b1 = 0.9, b2 = 1, epsilon = 1e-8 } = options
  const fresh = b2 === 1 ? 1 : complement(b2)
  const bound = (g: Tensor, vectors: readonly Tensor[]): Tensor => {
    const spread = vectors.map((v, axis) => alongAxis(v, axis, g.ndim))
    const [first = fill([], 0, g.dtype), ...rest] = spread
    const least = rest.reduce((a, b) => a.minimum(b), first)
    return times(squared(g), fresh).add(least.mul(b2))
  }
  const overAxis = (x: Tensor, axis: number): Tensor =>
    x.max(Array.from({ length: x.ndim }, (_, i) => i).filter((i) => i !== axis))
  return {
    init: (params) =>
      Object.freeze({
        mu: Object.freeze(
          tensorsOf('sm3', params).map((p) =>
            Object.freeze(p.shape.map((size) => fill([size], 0, p.dtype))),
          ),
        ),
        nu: zerosOf(params),
      }),
    update: (grads, state) => {
      const gradients = tensorsOf('sm3', grads)
      const bounds = gradients.map((g, i) => bound(g, state.mu[i]!))
      let i = 0
      const scaled = mapTrees(
        'sm3',
        (g) => {
          const b = bounds[i++]!
          const some = b.greater(0)
          return g.div(plus(b.where(some, 1), epsilon).sqrt()).where(some, 0)
        },
        grads,
      )
      const nu = updateMoment(scaled, state.nu, b1)
      const mu = Object.freeze(
        bounds.map((b) => Object.freeze(b.shape.map((_, axis) => overAxis(b, axis)))),
      )
      return frozenPair(nu, Object.freeze({ mu, nu }))
    },
  }
}

export interface Sm3OptimizerOptions {
  /** Decay of the mean of updates; 0.9 by default. */
  readonly momentum?: Hyper
}

/** Adagrad in O(sum of axes) memory. @see Anil et al. 2019 */
export const sm3 = (
  rate: Hyper,
  { momentum = 0.9 }: Sm3OptimizerOptions = {},
): GradientTransformation<readonly [Sm3State, EmptyState]> =>
  chain(scaleBySm3({ b1: momentum }), scale(typeof rate === 'number' ? -rate : rate.neg()))

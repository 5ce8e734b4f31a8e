/** Polyak's step: as far as the loss is above its minimum. */
import { fill } from '@cotangent/core'
import { type Hyper, type ScheduleOr, like, plus, scalar, times } from './hyper.ts'
import { squaredNorm } from './norms.ts'
import { type SgdState, sgd } from './sgd.ts'
import {
  type EmptyState,
  type GradientTransformation,
  chain,
  requireExtra,
  statelessTransformation,
} from './transformation.ts'
import { mapTrees } from './trees.ts'

export interface ScaleByPolyakOptions {
  /** The smallest loss there is; 0 by default. */
  readonly fMin?: Hyper
  /** Not beyond this; 1 by default. */
  readonly maxLearningRate?: Hyper
  /** Added to the squared norm; 0 by default. */
  readonly epsilon?: Hyper
  /** `sps+` takes no step while the loss is below its minimum; `sps` by default. */
  readonly variant?: 'sps' | 'sps+'
}

const machineEpsilon = 2 ** -52

/**
 * Multiplies by min((value − fMin) / ‖g‖², maxLearningRate).
 * @throws UnsupportedError unless update gets `{ value }`.
 * @see Loizou et al. 2021
 */
export const scaleByPolyak = (
  options: ScaleByPolyakOptions = {},
): GradientTransformation<EmptyState> => {
  const { fMin = 0, maxLearningRate = 1, epsilon = 0, variant = 'sps' } = options
  return statelessTransformation((grads, _, extra) => {
    const value = scalar(requireExtra('scaleByPolyak', extra, 'value'))
    const above = value.sub(like(fMin, value))
    const gap = variant === 'sps+' ? above.maximum(0) : above
    const square = plus(squaredNorm(grads).astype('float32'), epsilon)
    const flat = square.lessEqual(machineEpsilon)
    const ratio = gap.div(square.mul(0).add(1).where(flat, square))
    const step = fill([], 0, 'float32').where(flat, ratio.minimum(like(maxLearningRate, ratio)))
    return mapTrees('scaleByPolyak', (g) => times(g, step), grads)
  })
}

export interface PolyakSgdOptions extends ScaleByPolyakOptions {
  /** Multiplies the step; 1 by default. */
  readonly scaling?: ScheduleOr
}

/**
 * Gradient descent with Polyak's step: `update(grads, state, params, { value: loss })`.
 * @see Loizou et al. 2021
 */
export const polyakSgd = ({
  scaling = 1,
  ...options
}: PolyakSgdOptions = {}): GradientTransformation<readonly [SgdState, EmptyState]> =>
  chain(sgd(scaling), scaleByPolyak(options))

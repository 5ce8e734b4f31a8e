/** Normal samples, by the inverse of the distribution function. */
import { type DType, type Shape, type Tensor, fill, stopGradient } from '@cotangent/core'
import { div, max, min, mul, nextAfter } from '../prims/binary.ts'
import { erf, erfInv } from '../prims/special.ts'
import { type Distribution, distribution } from './distribution.ts'
import { floatLimits } from './floats.ts'
import { requireKey } from './key.ts'
import { type SampleOptions, type ShapeOr, floatOption, resolveOptions } from './options.ts'
import { uniformOf } from './uniform.ts'

/** `normal` with everything resolved. */
export const normalOf = (key: Tensor, shape: Shape, dtype: DType): Tensor => {
  const u = uniformOf(key, shape, dtype, -1 + floatLimits(dtype).belowOne, 1)
  return mul(fill(shape, Math.SQRT2, dtype), erfInv(u))
}

/**
 * Standard normal floats.
 * @example
 * random.normal(key, [128, 64]).mul(0.02)
 */
export const normal = (
  key: Tensor,
  options?: ShapeOr<SampleOptions>,
  more?: SampleOptions,
): Tensor => {
  requireKey('random.normal', key)
  const [shape = [], o] = resolveOptions('random.normal', options, more)
  return normalOf(key, shape, floatOption('random.normal', o?.dtype))
}

/**
 * Standard normal floats, given that they lie strictly between `lower` (default −2) and `upper`
 * (default 2). @throws ShapeError where the bounds do not broadcast to the shape.
 */
export const truncatedNormal: Distribution<'lower' | 'upper'> = distribution(
  'random.truncatedNormal',
  { lower: -2, upper: 2 },
  (key, [lower, upper], shape, dtype) => {
    const root = fill(shape, Math.SQRT2, dtype)
    const u = uniformOf(key, shape, dtype, erf(div(lower!, root)), erf(div(upper!, root)))
    // Rounding must not reach the bounds.
    const above = nextAfter(stopGradient(lower!), fill(shape, Infinity, dtype))
    const below = nextAfter(stopGradient(upper!), fill(shape, -Infinity, dtype))
    return min(max(mul(root, erfInv(u)), above), below)
  },
)

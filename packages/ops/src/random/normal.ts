/** Normal samples, by the inverse of the distribution function. */
import { type DType, type Shape, type Tensor, fill, stopGradient } from '@cotangent/core'
import { div, max, min, mul, nextAfter } from '../prims/binary.ts'
import { erf, erfInv } from '../prims/special.ts'
import { floatLimits } from './floats.ts'
import { requireKey } from './key.ts'
import {
  type SampleOptions,
  type ShapeOr,
  floatOption,
  resolveOptions,
  sampleShape,
} from './options.ts'
import { parameter, uniformOf } from './uniform.ts'

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

export interface TruncatedNormalOptions extends SampleOptions {
  /** Default −2. */
  readonly lower?: number | Tensor
  /** Default 2. */
  readonly upper?: number | Tensor
}

/**
 * Standard normal floats, given that they lie strictly between `lower` and `upper`.
 * @throws ShapeError where the bounds do not broadcast to the shape.
 */
export const truncatedNormal = (
  key: Tensor,
  options?: ShapeOr<TruncatedNormalOptions>,
  more?: TruncatedNormalOptions,
): Tensor => {
  const name = 'random.truncatedNormal'
  requireKey(name, key)
  const [given, o = {}] = resolveOptions(name, options, more)
  const { lower = -2, upper = 2 } = o
  const dtype = floatOption(name, o.dtype)
  const shape = sampleShape(name, given, [lower, upper])
  const root = fill(shape, Math.SQRT2, dtype)
  const [low, high] = [parameter(name, lower, shape, dtype), parameter(name, upper, shape, dtype)]
  const u = uniformOf(key, shape, dtype, erf(div(low, root)), erf(div(high, root)))
  // Rounding must not reach the bounds.
  const above = nextAfter(stopGradient(low), fill(shape, Infinity, dtype))
  const below = nextAfter(stopGradient(high), fill(shape, -Infinity, dtype))
  return min(max(mul(root, erfInv(u)), above), below)
}

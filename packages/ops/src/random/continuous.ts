/** Continuous distributions that are one function of a uniform sample. */
import { type DType, type Shape, type Tensor, add, fill, reshape } from '@cotangent/core'
import { ge, select } from '../prims/compare.ts'
import { div, mul, sub } from '../prims/binary.ts'
import { slice } from '../prims/structural.ts'
import { abs, log, log1p, sign, tan } from '../prims/unary.ts'
import { neg } from '../prims/arithmetic.ts'
import { constantLike } from '../promote.ts'
import { floatLimits } from './floats.ts'
import { requireKey } from './key.ts'
import { type SampleOptions, type ShapeOr, floatOption, resolveOptions } from './options.ts'
import { uniformOf } from './uniform.ts'

/** A sampler of floats without parameters. */
export type Sampler = (
  key: Tensor,
  options?: ShapeOr<SampleOptions>,
  more?: SampleOptions,
) => Tensor

/** A sampler without parameters, from its draw. */
export const sampler =
  (name: string, draw: (key: Tensor, shape: Shape, dtype: DType) => Tensor): Sampler =>
  (key, options, more) => {
    requireKey(name, key)
    const [shape = [], o] = resolveOptions(name, options, more)
    return draw(key, shape, floatOption(name, o?.dtype))
  }

export const exponentialOf = (key: Tensor, shape: Shape, dtype: DType): Tensor =>
  neg(log1p(neg(uniformOf(key, shape, dtype))))

/** Exponential with rate 1. */
export const exponential: Sampler = sampler('random.exponential', exponentialOf)

/** Laplace with location 0 and scale 1. */
export const laplace: Sampler = sampler('random.laplace', (key, shape, dtype) => {
  const u = uniformOf(key, shape, dtype, -1 + floatLimits(dtype).belowOne, 1)
  return mul(sign(u), log1p(neg(abs(u))))
})

/** Logistic with location 0 and scale 1. */
export const logistic: Sampler = sampler('random.logistic', (key, shape, dtype) => {
  const u = uniformOf(key, shape, dtype, floatLimits(dtype).epsilon, 1)
  return log(div(u, sub(constantLike(u, 1), u)))
})

/** Cauchy with location 0 and scale 1. */
export const cauchy: Sampler = sampler('random.cauchy', (key, shape, dtype) => {
  const u = uniformOf(key, shape, dtype, floatLimits(dtype).epsilon, 1)
  return tan(mul(constantLike(u, Math.PI), sub(u, constantLike(u, 0.5))))
})

/** `low` uses one uniform sample; `high` two, for a tail that reaches twice as far. */
export type TailMode = 'low' | 'high'

export interface GumbelOptions extends SampleOptions {
  /** Default `'low'`. */
  readonly mode?: TailMode
}

/** `gumbel` with everything resolved. */
export const gumbelOf = (key: Tensor, shape: Shape, dtype: DType, mode: TailMode): Tensor => {
  const { tiny, epsilon } = floatLimits(dtype)
  if (mode === 'low') return neg(log(neg(log(uniformOf(key, shape, dtype, tiny, 1)))))
  const both = uniformOf(key, [2, ...shape], dtype)
  const [high, low] = [0, 1].map((i) => half(both, i, shape))
  const refined = add(add(high!, mul(fill(shape, epsilon, dtype), low!)), fill(shape, tiny, dtype))
  // Adding the small part could round up to 1.
  const u = select(ge(high!, fill(shape, 0.5, dtype)), high!, refined)
  return neg(log(neg(log1p(neg(u)))))
}

/** Entry `i` along the first axis. */
export const half = (x: Tensor, i: number, shape: Shape): Tensor =>
  reshape(slice(x, [i, ...shape.map(() => 0)], [i + 1, ...shape]), shape)

/** Gumbel with location 0 and scale 1. */
export const gumbel = (
  key: Tensor,
  options?: ShapeOr<GumbelOptions>,
  more?: GumbelOptions,
): Tensor => {
  requireKey('random.gumbel', key)
  const [shape = [], o] = resolveOptions('random.gumbel', options, more)
  return gumbelOf(key, shape, floatOption('random.gumbel', o?.dtype), o?.mode ?? 'low')
}

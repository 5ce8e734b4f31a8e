/** Distributions that are functions of one or two simpler samples. */
import type { DType, Tensor } from '@cotangent/core'
import { log1p } from '../prims/unary.ts'
import { constantLike } from '../promote.ts'
import { rademacher } from './discrete.ts'
import { type Sampler, exponentialOf, half, sampler } from './continuous.ts'
import { type Distribution, distribution } from './distribution.ts'
import { split } from './key.ts'
import { normalOf } from './normal.ts'
import { uniformOf } from './uniform.ts'

/** The two keys of a split. */
export const twoKeys = (key: Tensor): readonly [Tensor, Tensor] => {
  const keys = split(key)
  return [half(keys, 0, [2]), half(keys, 1, [2])]
}

/** `exp(sigma · normal)`. */
export const lognormal: Distribution<'sigma'> = distribution(
  'random.lognormal',
  { sigma: 1 },
  (key, [sigma], shape, dtype) => normalOf(key, shape, dtype).mul(sigma!).exp(),
)

const maxwellOf = (key: Tensor, shape: readonly number[], dtype: DType): Tensor =>
  normalOf(key, [...shape, 3], dtype)
    .square()
    .sum({ axis: -1 })
    .sqrt()

/** The length of a vector of three standard normals. */
export const maxwell: Sampler = sampler('random.maxwell', maxwellOf)

/** Maxwell with a random sign, scaled and shifted. */
export const doubleSidedMaxwell: Distribution<'loc' | 'scale'> = distribution(
  'random.doubleSidedMaxwell',
  { loc: 0, scale: 1 },
  (key, [loc, scale], shape, dtype) => {
    const [sizeKey, signKey] = twoKeys(key)
    const sign = rademacher(signKey, { shape, dtype })
    return sign
      .mul(maxwellOf(sizeKey, shape, dtype))
      .mul(scale!)
      .add(loc!)
  },
)

/** The length of a vector of two normals. */
export const rayleigh: Distribution<'scale'> = distribution(
  'random.rayleigh',
  { scale: 1 },
  (key, [scale], shape, dtype) => uniformOf(key, shape, dtype).log().mul(-2).sqrt().mul(scale!),
)

/** `x ≥ 1` with density `b / x^(b + 1)`. */
export const pareto: Distribution<'b'> = distribution(
  'random.pareto',
  { b: null },
  (key, [b], shape, dtype) => exponentialOf(key, shape, dtype).div(b!).exp(),
)

/** Weibull for minima: `scale · exponential^(1 / concentration)`. */
export const weibullMin: Distribution<'scale' | 'concentration'> = distribution(
  'random.weibullMin',
  { scale: null, concentration: null },
  (key, [scale, concentration], shape, dtype) => {
    const e = log1p(uniformOf(key, shape, dtype).neg()).neg()
    return e.pow(constantLike(concentration!, 1).div(concentration!)).mul(scale!)
  },
)

/** Triangular on `left … right` with its peak at `mode`. */
export const triangular: Distribution<'left' | 'mode' | 'right'> = distribution(
  'random.triangular',
  { left: null, mode: null, right: null },
  (key, [left, mode, right], shape, dtype) => {
    const u = uniformOf(key, shape, dtype)
    const width = right!.sub(left!)
    const peak = mode!.sub(left!).div(width)
    const rising = left!.add(u.mul(width).mul(mode!.sub(left!)).sqrt())
    const falling = right!.sub(u.neg().add(1).mul(width).mul(right!.sub(mode!)).sqrt())
    return rising.where(u.less(peak), falling)
  },
)

/** Wald (inverse Gaussian) with the given mean and scale 1. */
export const wald: Distribution<'mean'> = distribution(
  'random.wald',
  { mean: null },
  (key, [m], shape, dtype) => {
    const mean = m!
    const [normalKey, uniformKey] = twoKeys(key)
    const y = normalOf(normalKey, shape, dtype).square()
    const z = uniformOf(uniformKey, shape, dtype)
    const meanSquared = mean.square()
    const root = mean.mul(4).mul(y).add(meanSquared.mul(y.square())).sqrt()
    const x = mean.add(meanSquared.mul(y).div(2)).sub(mean.div(2).mul(root))
    return x.where(z.lessEqual(mean.div(mean.add(x))), meanSquared.div(x))
  },
)

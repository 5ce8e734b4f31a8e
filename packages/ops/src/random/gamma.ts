/** The gamma distribution and its relatives. */
import {
  type DType,
  type Shape,
  ShapeError,
  type Tensor,
  customJvp,
  fill,
  reshape,
  showAval,
  sizeOf,
  stopGradient,
  vmap,
} from '@cotangent/core'
import { whileLoop } from '../control/whileLoop.ts'
import { exponentialOf, half } from './continuous.ts'
import { rademacher } from './discrete.ts'
import { type Distribution, distribution } from './distribution.ts'
import { logSampleDerivative } from './gammaDerivative.ts'
import { requireKey, split } from './key.ts'
import { normalOf } from './normal.ts'
import {
  type SampleOptions,
  type ShapeOr,
  floatOption,
  resolveOptions,
  sampleShape,
} from './options.ts'
import { twoKeys } from './transformed.ts'
import { parameter, uniformOf } from './uniform.ts'

const keyAt = (keys: Tensor, i: number): Tensor => half(keys, i, [2])

/**
 * One proposal: a normal `x` with `v = 1 + c·x > 0`, as `[x², v³]`.
 * @see Marsaglia and Tsang 2000, "A simple method for generating gamma variables"
 */
const propose = (key: Tensor, c: Tensor): readonly [Tensor, Tensor] => {
  const { dtype } = c
  const [, x, v] = whileLoop(
    ([, , v]) => v.lessEqual(0),
    ([state]) => {
      const [next, drawKey] = twoKeys(state)
      const drawn = normalOf(drawKey, [], dtype)
      return [next, drawn, drawn.mul(c).add(1)] as const
    },
    [key, fill([], 0, dtype), fill([], -1, dtype)] as const,
  )
  return [x.mul(x), v.mul(v).mul(v)]
}

/** One sample, or its logarithm; shapes below 1 are raised by 1 and scaled back by a uniform power. */
const gammaOne = (sampleKey: Tensor, a: Tensor, logarithmic: boolean): Tensor => {
  const { dtype } = a
  const large = a.greaterEqual(1)
  const d = a.where(large, a.add(1)).sub(fill([], 1 / 3, dtype))
  const c = fill([], 1 / 3, dtype).div(d.sqrt())
  const [loopKey, boostKey] = twoKeys(sampleKey)
  const [, , v] = whileLoop(
    ([, x, v, u]) => {
      const outsideSqueeze = u.greaterEqual(x.mul(x).mul(-0.0331).add(1))
      const outside = u.log().greaterEqual(x.mul(0.5).add(d.mul(v.neg().add(1).add(v.log()))))
      return outsideSqueeze.logicalAnd(outside)
    },
    ([state]) => {
      const keys = split(state, 3)
      const [x, v] = propose(keyAt(keys, 1), c)
      return [keyAt(keys, 0), x, v, uniformOf(keyAt(keys, 2), [], dtype)] as const
    },
    [loopKey, fill([], 0, dtype), fill([], 1, dtype), fill([], 2, dtype)] as const,
  )
  const inverse = fill([], 1, dtype).div(a)
  if (logarithmic) {
    const drawn = exponentialOf(boostKey, [], dtype).neg()
    const boost = fill([], 0, dtype).where(large.logicalOr(drawn.equal(0)), drawn.mul(inverse))
    return d.log().add(v.log()).add(boost)
  }
  const drawn = uniformOf(boostKey, [], dtype).neg().add(1)
  return d.mul(v).mul(fill([], 1, dtype).where(large, drawn.pow(inverse)))
}

// The derivative is that of the quantile: the program below, a rejection loop, has none.
const sampleAll = (logarithmic: boolean): ((keys: Tensor, a: Tensor) => Tensor) => {
  const draw = (keys: Tensor, a: Tensor): Tensor =>
    vmap((k: Tensor, one: Tensor) => gammaOne(k, one, logarithmic))(keys, a)
  return customJvp(draw, ([keys, a], [, da]) => {
    const sample = draw(keys, stopGradient(a))
    const byLog = logSampleDerivative(a, logarithmic ? sample : sample.log())
    const derivative = logarithmic ? byLog : byLog.mul(sample).where(sample.greater(0), 0)
    return [sample, da.mul(derivative)]
  })
}

/** Samples for parameters that have the sample's shape; one key for each. */
const gammaOf = (key: Tensor, a: Tensor, logarithmic: boolean): Tensor => {
  const count = sizeOf(a.shape)
  if (count === 0) return fill(a.shape, 0, a.dtype)
  return reshape(sampleAll(logarithmic)(split(key, count), reshape(a, [count])), a.shape)
}

/** Gamma with shape parameter `a` and scale 1. */
export const gamma: Distribution<'a'> = distribution('random.gamma', { a: null }, (key, [a]) =>
  gammaOf(key, a!, false),
)

/** The logarithm of a gamma sample, accurate where the sample would underflow. */
export const loggamma: Distribution<'a'> = distribution(
  'random.loggamma',
  { a: null },
  (key, [a]) => gammaOf(key, a!, true),
)

/** Beta on (0, 1) with exponents `a − 1` and `b − 1`. */
export const beta: Distribution<'a' | 'b'> = distribution(
  'random.beta',
  { a: null, b: null },
  (key, [a, b]) => {
    const [aKey, bKey] = twoKeys(key)
    const [x, y] = [gammaOf(aKey, a!, true), gammaOf(bKey, b!, true)]
    const largest = x.maximum(y)
    const [scaledX, scaledY] = [x.sub(largest).exp(), y.sub(largest).exp()]
    return scaledX.div(scaledX.add(scaledY))
  },
)

const chisquareOf = (key: Tensor, df: Tensor): Tensor =>
  gammaOf(key, df.mul(0.5), true).exp().mul(2)

/** χ² with `df` degrees of freedom. */
export const chisquare: Distribution<'df'> = distribution(
  'random.chisquare',
  { df: null },
  (key, [df]) => chisquareOf(key, df!),
)

/** Student's t with `df` degrees of freedom. */
export const t: Distribution<'df'> = distribution(
  'random.t',
  { df: null },
  (key, [df], shape, dtype) => {
    const [normalKey, gammaKey] = twoKeys(key)
    const halved = df!.div(2)
    const spread = halved.div(gammaOf(gammaKey, halved, false)).sqrt()
    return normalOf(normalKey, shape, dtype).mul(spread)
  },
)

/** Fisher's F with `dfnum` and `dfden` degrees of freedom. */
export const f: Distribution<'dfnum' | 'dfden'> = distribution(
  'random.f',
  { dfnum: null, dfden: null },
  (key, [dfnum, dfden]) => {
    const [denominatorKey, numeratorKey] = twoKeys(key)
    const numerator = chisquareOf(numeratorKey, dfnum!).div(dfnum!)
    return numerator.div(chisquareOf(denominatorKey, dfden!).div(dfden!))
  },
)

const generalizedNormalOf = (key: Tensor, p: Tensor, shape: Shape, dtype: DType): Tensor => {
  const [gammaKey, signKey] = twoKeys(key)
  const inverse = fill(shape, 1, dtype).div(p)
  return rademacher(signKey, { shape, dtype }).mul(gammaOf(gammaKey, inverse, false).pow(inverse))
}

/** Density proportional to `exp(−|x|^p)`: Laplace for 1, normal with variance ½ for 2. */
export const generalizedNormal: Distribution<'p'> = distribution(
  'random.generalizedNormal',
  { p: null },
  (key, [p], shape, dtype) => generalizedNormalOf(key, p!, shape, dtype),
)

export interface BallOptions extends SampleOptions {
  /** Which norm. Default 2. */
  readonly p?: number
}

/**
 * Points uniform in the unit ball of dimension `d` and norm `p`: `[...shape, d]`.
 * @see Barthe et al. 2005
 */
export const ball = (
  key: Tensor,
  d: number,
  options?: ShapeOr<BallOptions>,
  more?: BallOptions,
): Tensor => {
  const name = 'random.ball'
  requireKey(name, key)
  const [shape = [], o] = resolveOptions(name, options, more)
  const dtype = floatOption(name, o?.dtype)
  const p = o?.p ?? 2
  const [directionKey, radiusKey] = twoKeys(key)
  const wide = [...shape, d]
  const g = generalizedNormalOf(directionKey, fill(wide, p, dtype), wide, dtype)
  const norm = g
    .abs()
    .pow(p)
    .sum({ axis: -1 })
    .add(exponentialOf(radiusKey, shape, dtype))
    .pow(1 / p)
  return g.div(norm.expandDims(-1))
}

/**
 * Points of the simplex. `alpha: [...batch, k]` gives `[...shape, k]`; the shape ends in the batch
 * shape, which is the default. @throws ShapeError where it does not, or `alpha` is a scalar.
 */
export const dirichlet = (
  key: Tensor,
  alpha: Tensor,
  options?: ShapeOr<SampleOptions>,
  more?: SampleOptions,
): Tensor => {
  const name = 'random.dirichlet'
  requireKey(name, key)
  if (alpha.ndim === 0) {
    throw new ShapeError({
      operation: name,
      problem: 'alpha needs an axis of concentrations',
      got: showAval(alpha.aval),
      fix: 'give the concentrations an axis: one for each category',
    })
  }
  const [given, o] = resolveOptions(name, options, more)
  const dtype = floatOption(name, o?.dtype)
  const batch = fill(alpha.shape.slice(0, -1), 0, dtype)
  const shape = sampleShape(name, given, [batch])
  const wide = parameter(name, alpha, [...shape, alpha.shape.at(-1)!], dtype)
  const logs = gammaOf(key, wide, true)
  const shares = logs.sub(logs.max({ axis: -1, keepdims: true })).exp()
  return shares.div(shares.sum({ axis: -1, keepdims: true }))
}

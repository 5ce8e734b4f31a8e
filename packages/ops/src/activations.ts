/**
 * Activations and normalised exponentials, with `jax.nn`'s definitions and derivatives: stable where
 * the result is finite, and the conventions at kinks said on each.
 */
import {
  type Axes,
  type DType,
  IndexError,
  ShapeError,
  type Tensor,
  type TensorLike,
  add,
  normalizeAxis,
  reduceSum,
  requireInteger,
  reshape,
  showAval,
  stopGradient,
} from '@cotangent/core'
import { mean, var as variance } from './numpy/averages.ts'
import { sliceAxis } from './numpy/sliceAxis.ts'
import { logaddexp } from './numpy/math.ts'
import { masked, resolveAxes } from './numpy/axes.ts'
import * as binary from './prims/binary.ts'
import * as compare from './prims/compare.ts'
import { iota } from './prims/structural.ts'
import { reduceMax } from './prims/reduce.ts'
import * as special from './prims/special.ts'
import * as unary from './prims/unary.ts'
import { broadcastTensor, cast, constantLike, promoteOne } from './promote.ts'

type Activation = (x: TensorLike) => Tensor

const inexact =
  (name: string, f: (x: Tensor) => Tensor): Activation =>
  (x) =>
    f(promoteOne(name, x, { inexact: true }))

const times = (x: Tensor, factor: number): Tensor => binary.mul(x, constantLike(x, factor))
const plus = (x: Tensor, term: number): Tensor => add(x, constantLike(x, term))

/** `x` itself. */
export const identity: Activation = (x) => promoteOne('nn.identity', x)

/** `max(x, 0)`; the derivative at 0 is 0. */
export const relu: Activation = (x) => {
  const a = promoteOne('nn.relu', x)
  const zero = constantLike(a, 0)
  return compare.select(compare.le(a, zero), zero, a)
}

/** `min(max(x, 0), 6)`; the derivative at 0 and 6 is 0. */
export const relu6: Activation = (x) => clipped(promoteOne('nn.relu6', x), 0, 6)

const clipped = (x: Tensor, low: number, high: number): Tensor => {
  const [below, above] = [constantLike(x, low), constantLike(x, high)]
  const capped = compare.select(compare.ge(x, above), above, x)
  return compare.select(compare.le(x, below), below, capped)
}

/** `x` where it is not negative, `slope · x` elsewhere; the derivative at 0 is 1. */
export const leakyRelu = (x: TensorLike, slope = 0.01): Tensor => {
  const a = promoteOne('nn.leakyRelu', x, { inexact: true })
  return compare.select(compare.ge(a, constantLike(a, 0)), a, times(a, slope))
}

/** `x` where positive, `alpha (eˣ − 1)` elsewhere. */
export const elu = (x: TensorLike, alpha = 1): Tensor => {
  const a = promoteOne('nn.elu', x, { inexact: true })
  const isPositive = compare.gt(a, constantLike(a, 0))
  // The exponential must not overflow where it is not taken.
  const safe = compare.select(isPositive, constantLike(a, 0), a)
  return compare.select(isPositive, a, times(unary.expm1(safe), alpha))
}

/** `max(x, 0) + min(0, alpha (e^(x/alpha) − 1))`, differentiable everywhere. */
export const celu = (x: TensorLike, alpha = 1): Tensor => {
  const a = promoteOne('nn.celu', x, { inexact: true })
  const zero = constantLike(a, 0)
  const negative = times(binary.min(a, zero), 1 / alpha)
  return add(binary.max(a, zero), times(unary.expm1(negative), alpha))
}

/** The self-normalising ELU (Klambauer et al., 2017). */
export const selu: Activation = (x) => times(elu(x, 1.6732632423543772), 1.0507009873554805)

/** `1 / (1 + e⁻ˣ)`. */
export const sigmoid: Activation = inexact('nn.sigmoid', unary.logistic)
/** `tanh(x)`. */
export const tanh: Activation = inexact('nn.tanh', unary.tanh)
/** `log(1 + eˣ)`, without overflow. */
export const softplus: Activation = (x) => logaddexp(x, 0)
/** `log(sigmoid(x))`, without underflow. */
export const logSigmoid: Activation = inexact('nn.logSigmoid', (x) =>
  unary.neg(softplus(unary.neg(x))),
)
/** `x · sigmoid(x)` (swish). */
export const silu: Activation = inexact('nn.silu', (x) => binary.mul(x, unary.logistic(x)))
export const swish: Activation = silu
/** `x · tanh(softplus(x))` (Misra, 2019). */
export const mish: Activation = inexact('nn.mish', (x) => binary.mul(x, unary.tanh(softplus(x))))
/** `x / (1 + |x|)`. */
export const softSign: Activation = inexact('nn.softSign', (x) =>
  binary.div(x, plus(unary.abs(x), 1)),
)

/**
 * `x Φ(x)`, by default with the tanh approximation of the normal distribution function
 * (Hendrycks & Gimpel, 2016).
 */
export const gelu = (
  x: TensorLike,
  options: boolean | { readonly approximate?: boolean } = {},
): Tensor => {
  const a = promoteOne('nn.gelu', x, { inexact: true })
  const approximate = typeof options === 'boolean' ? options : (options.approximate ?? true)
  if (!approximate) {
    return times(binary.mul(a, special.erfc(times(a, -Math.SQRT1_2))), 0.5)
  }
  const cubic = add(a, times(unary.integerPow(a, 3), 0.044715))
  const share = times(plus(unary.tanh(times(cubic, Math.sqrt(2 / Math.PI))), 1), 0.5)
  return binary.mul(a, share)
}

/** `relu6(x + 3) / 6`: sigmoid in straight lines. */
export const hardSigmoid: Activation = inexact('nn.hardSigmoid', (x) =>
  binary.div(clipped(plus(x, 3), 0, 6), constantLike(x, 6)),
)
/** `x · hardSigmoid(x)`. */
export const hardSilu: Activation = inexact('nn.hardSilu', (x) => binary.mul(x, hardSigmoid(x)))
export const hardSwish: Activation = hardSilu
/** `x` between −1 and 1, whose derivative is 1 at both. */
export const hardTanh: Activation = (x) => {
  const a = promoteOne('nn.hardTanh', x)
  const [low, high] = [constantLike(a, -1), constantLike(a, 1)]
  const capped = compare.select(compare.lt(a, low), low, a)
  return compare.select(compare.gt(a, high), high, capped)
}

/** `(x + √(x² + b)) / 2` (Barron, 2021). */
export const squareplus = (x: TensorLike, b = 4): Tensor => {
  const a = promoteOne('nn.squareplus', x, { inexact: true })
  return times(add(a, unary.sqrt(plus(unary.integerPow(a, 2), b))), 0.5)
}
/** 0 below −1, `x` above 1, a parabola between. */
export const sparsePlus: Activation = inexact('nn.sparsePlus', (x) => {
  const one = constantLike(x, 1)
  const parabola = times(unary.integerPow(add(x, one), 2), 0.25)
  const upper = compare.select(compare.ge(x, one), x, parabola)
  return compare.select(compare.le(x, unary.neg(one)), constantLike(x, 0), upper)
})
/** The derivative of `sparsePlus`: `(x + 1) / 2` between 0 and 1. */
export const sparseSigmoid: Activation = inexact('nn.sparseSigmoid', (x) =>
  times(clipped(plus(x, 1), 0, 2), 0.5),
)

/** `log(1 − e⁻ˣ)` for positive `x`, exact near 0 and far from it. */
export const log1mexp: Activation = inexact('nn.log1mexp', (x) => {
  const isSmall = compare.lt(x, constantLike(x, Math.LN2))
  const near = compare.select(isSmall, x, constantLike(x, 1))
  const far = compare.select(isSmall, constantLike(x, 1), x)
  return compare.select(
    isSmall,
    unary.log(unary.neg(unary.expm1(unary.neg(near)))),
    unary.log1p(unary.neg(unary.exp(unary.neg(far)))),
  )
})

/**
 * The gated linear unit: the first half along an axis times the sigmoid of the second.
 * @throws ShapeError for an odd extent.
 */
export const glu = (x: TensorLike, axis: number | { readonly axis?: number } = -1): Tensor => {
  const a = promoteOne('nn.glu', x, { inexact: true })
  const at = normalizeAxis('nn.glu', typeof axis === 'number' ? axis : (axis.axis ?? -1), a.ndim)
  const extent = a.shape[at]!
  if (extent % 2 !== 0) {
    throw new ShapeError({
      operation: 'nn.glu',
      problem: 'the axis has no two halves',
      got: `axis ${at} of ${showAval(a.aval)}`,
      fix: 'choose an axis of even extent',
    })
  }
  const half = extent / 2
  return binary.mul(sliceAxis(a, at, 0, half), unary.logistic(sliceAxis(a, at, half, extent)))
}

/** Axes and a mask of the elements that take part. */
export interface SoftmaxOptions {
  /** The last axis by default. */
  readonly axis?: Axes
  readonly where?: TensorLike
}

const softmaxOptions = (
  given: SoftmaxOptions | number | readonly number[] | null,
): SoftmaxOptions => {
  if (given === null || typeof given === 'number') return { axis: given }
  return isList(given) ? { axis: given } : given
}

const isList = (given: SoftmaxOptions | readonly number[]): given is readonly number[] =>
  Array.isArray(given)

// x − max(x), the maximum held constant: every exponential is at most 1, and one of them is 1.
const shifted = (
  operation: string,
  x: TensorLike,
  options: SoftmaxOptions,
): { readonly exponents: Tensor; readonly axes: readonly number[] } => {
  const given = promoteOne(operation, x, { inexact: true })
  const a = masked(operation, given, options.where, -Infinity)
  const axes = resolveAxes(operation, options.axis === undefined ? -1 : options.axis, a.ndim)
  if (a.size === 0) return { exponents: a, axes }
  const top = spread(stopGradient(reduceMax(a, axes)), a, axes)
  return { exponents: binary.sub(a, top), axes }
}

const spread = (reduced: Tensor, x: Tensor, axes: readonly number[]): Tensor => {
  const shape = x.shape.map((extent, d) => (axes.includes(d) ? 1 : extent))
  return broadcastTensor('nn.softmax', reshape(reduced, shape), x.shape)
}

/**
 * `eˣ / Σ eˣ` along axes (the last by default), without overflow. With `where`, masked elements are
 * 0 and take no part. A row of −∞ only, or with a +∞, is NaN.
 * @example
 * nn.softmax([1000, 1000]).toArray() // [0.5, 0.5]
 */
export const softmax = (
  x: TensorLike,
  options: SoftmaxOptions | number | readonly number[] | null = {},
): Tensor => {
  const { exponents, axes } = shifted('nn.softmax', x, softmaxOptions(options))
  const powers = unary.exp(exponents)
  return binary.div(powers, spread(reduceSum(powers, axes), powers, axes))
}

/** `log(softmax(x))`, exact where the probability underflows. Masked elements are −∞. */
export const logSoftmax = (
  x: TensorLike,
  options: SoftmaxOptions | number | readonly number[] | null = {},
): Tensor => {
  const { exponents, axes } = shifted('nn.logSoftmax', x, softmaxOptions(options))
  const total = unary.log(reduceSum(unary.exp(exponents), axes))
  return binary.sub(exponents, spread(total, exponents, axes))
}

export interface LogSumExpOptions {
  /** All axes by default. */
  readonly axis?: Axes
  readonly keepdims?: boolean
  readonly where?: TensorLike
  /** Factors of the exponentials, of any sign; broadcast to `x`. */
  readonly b?: TensorLike
}

/**
 * `log Σ b eˣ` over axes, without overflow; NaN where the sum is negative, −∞ for nothing.
 * @example
 * nn.logsumexp([1000, 1000]).item() // 1000.6931…
 */
export const logsumexp = (
  x: TensorLike,
  options: LogSumExpOptions | number | readonly number[] | null = {},
): Tensor => {
  const [value, sign] = logsumexpAndSign(x, options)
  const isNegative = compare.lt(sign, constantLike(sign, 0))
  return compare.select(isNegative, constantLike(value, Number.NaN), value)
}

/** `[log |Σ b eˣ|, sign]`. */
export const logsumexpAndSign = (
  x: TensorLike,
  options: LogSumExpOptions | number | readonly number[] | null = {},
): readonly [Tensor, Tensor] => {
  const given = logSumExpOptions(options)
  const promoted = promoteOne('nn.logsumexp', x, { inexact: true })
  const a = cast(masked('nn.logsumexp', promoted, given.where, -Infinity), promoted.dtype)
  const axes = resolveAxes('nn.logsumexp', given.axis, a.ndim)
  const kept = a.shape.map((extent, d) => (axes.includes(d) ? 1 : extent))
  const shape = given.keepdims === true ? kept : kept.filter((_, d) => !axes.includes(d))
  const top = finiteMaximum(a, axes)
  const powers = unary.exp(
    binary.sub(a, broadcastTensor('nn.logsumexp', reshape(top, kept), a.shape)),
  )
  const weighted = given.b === undefined ? powers : binary.mul(powers, weights(given.b, powers))
  const total = reduceSum(weighted, axes)
  const value = add(unary.log(unary.abs(total)), top)
  return [reshape(value, shape), reshape(unary.sign(total), shape)]
}

const logSumExpOptions = (
  given: LogSumExpOptions | number | readonly number[] | null,
): LogSumExpOptions => {
  if (given === null || typeof given === 'number') return { axis: given }
  return isAxes(given) ? { axis: given } : given
}

const isAxes = (given: LogSumExpOptions | readonly number[]): given is readonly number[] =>
  Array.isArray(given)

// An infinite maximum would make ∞ − ∞: 0 takes its place, and the sum is right all the same.
const finiteMaximum = (x: Tensor, axes: readonly number[]): Tensor => {
  if (x.size === 0) return constantLike(reduceSum(x, axes), 0)
  const top = stopGradient(reduceMax(x, axes))
  return compare.select(unary.isFinite(top), top, constantLike(top, 0))
}

const weights = (b: TensorLike, powers: Tensor): Tensor =>
  broadcastTensor('nn.logsumexp', cast(promoteOne('nn.logsumexp', b), powers.dtype), powers.shape)

/** `log` of the mean of exponentials over axes. */
export const logmeanexp = (x: TensorLike, options: LogSumExpOptions = {}): Tensor => {
  const total = logsumexp(x, options)
  const count = Math.max(1, promoteOne('nn.logmeanexp', x).size / Math.max(1, total.size))
  return binary.sub(total, constantLike(total, Math.log(count)))
}

export interface StandardizeOptions {
  /** The last axis by default. */
  readonly axis?: Axes
  /** Added to the variance; 1e-5 by default. */
  readonly epsilon?: number
}

/** `(x − mean) / √(variance + epsilon)` along axes. */
export const standardize = (x: TensorLike, options: StandardizeOptions = {}): Tensor => {
  const a = promoteOne('nn.standardize', x, { inexact: true })
  const axis = options.axis === undefined ? -1 : options.axis
  const centred = a.sub(mean(a, { axis, keepdims: true }))
  const deviation = variance(a, { axis, keepdims: true })
  return centred.mul(unary.rsqrt(plus(deviation, options.epsilon ?? 1e-5)))
}

export interface OneHotOptions {
  readonly dtype?: DType
  /** Where the new axis goes; last by default. */
  readonly axis?: number
}

const requireClasses = (classes: number): void => {
  if (requireInteger('nn.oneHot', 'the number of classes', classes) >= 0) return
  throw new IndexError({
    operation: 'nn.oneHot',
    problem: 'the number of classes is negative',
    got: String(classes),
    fix: 'give the number of classes, one more than the largest label',
  })
}

/**
 * Rows of zeros with a 1 at the given class; a class outside gives zeros only.
 * @throws IndexError where the number of classes is negative or no whole number.
 * @example
 * nn.oneHot([2, 0], 3).toArray() // [[0, 0, 1], [1, 0, 0]]
 */
export const oneHot = (x: TensorLike, classes: number, options: OneHotOptions = {}): Tensor => {
  const a = promoteOne('nn.oneHot', x)
  requireClasses(classes)
  const axis = normalizeAxis('nn.oneHot', options.axis ?? -1, a.ndim + 1)
  const shape = [...a.shape.slice(0, axis), classes, ...a.shape.slice(axis)]
  const labels = a.dtype === 'bool' ? cast(a, 'int32') : cast(a, a.dtype)
  const column = reshape(labels, [...a.shape.slice(0, axis), 1, ...a.shape.slice(axis)])
  const candidates = iota(labels.dtype, shape, axis)
  const isClass = compare.eq(broadcastTensor('nn.oneHot', column, shape), candidates)
  return cast(isClass, options.dtype ?? 'float32')
}

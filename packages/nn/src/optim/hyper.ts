/** Numbers that may be traced: options of transformations, and arithmetic with them. */
import {
  type DType,
  type Tensor,
  type TensorLike,
  asTensor,
  fill,
  isComplex,
} from '@cotangent/core'
import { np } from '@cotangent/ops'

/** An option's number: a constant, or a scalar tensor where `injectHyperparams` makes it one. */
export type Hyper = number | Tensor

/** A fixed number, or one for each step: a pure function of the updates made so far. */
export type ScheduleOr = Hyper | ((step: Tensor) => TensorLike)

/** An option in the type of the tensor that it acts on. */
export const like = (value: Hyper, x: Tensor): TensorLike =>
  typeof value === 'number' ? value : value.astype(x.dtype)

/** x · factor, in the type of x. */
export const times = (x: Tensor, factor: Hyper): Tensor => x.mul(like(factor, x))

/** x + term, in the type of x. */
export const plus = (x: Tensor, term: Hyper): Tensor => x.add(like(term, x))

/** An option as a scalar tensor. */
export const scalar = (value: TensorLike, dtype: DType = 'float32'): Tensor =>
  typeof value === 'number' ? fill([], value, dtype) : asTensor(value).astype(dtype)

/** 1 − x. */
export const complement = (value: Hyper): Hyper =>
  typeof value === 'number' ? 1 - value : value.neg().add(1)

export const negative = (value: Hyper): Hyper => (typeof value === 'number' ? -value : value.neg())

/** The value of a fixed or scheduled option at a step. */
export const valueAt = (rate: ScheduleOr, step: Tensor): Hyper => {
  if (typeof rate !== 'function') return rate
  const value = rate(step)
  return typeof value === 'number' ? value : asTensor(value)
}

/** x · conj(x), real. */
export const squared = (x: Tensor): Tensor =>
  isComplex(x.dtype) ? np.real(x.mul(np.conj(x))) : x.square()

/** A running mean: decay · mean + (1 − decay) · x. */
export const blend = (x: Tensor, mean: Tensor, decay: Hyper): Tensor =>
  times(mean, decay).add(times(x, complement(decay)))

/** Updates made so far, int32, shape []. */
export const zeroCount = (): Tensor => fill([], 0, 'int32')

/** One more; stays at the largest int32 rather than wrap. */
export const increment = (count: Tensor): Tensor => count.minimum(2 ** 31 - 2).add(1)

const exponentOf = (base: Hyper, count: Tensor): Tensor =>
  count.astype('float32').mul(typeof base === 'number' ? Math.log(base) : base.log())

/** base^count. */
export const powerOf = (base: Hyper, count: Tensor): Tensor => exponentOf(base, count).exp()

/** 1 − base^count, as −expm1 of a product: 1 − 0.999 would lose four digits in float32. */
export const missingOf = (base: Hyper, count: Tensor): Tensor =>
  exponentOf(base, count).expm1().neg()

/** 1 / (1 − decay^count): undoes the bias of a running mean that began at zero. */
export const biasCorrection = (decay: Hyper, count: Tensor): Tensor =>
  missingOf(decay, count).reciprocal()

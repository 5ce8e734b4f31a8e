/** Polynomials by their coefficients, the highest power first. */
import { ShapeError, type Tensor, type TensorLike, fill, range, tensor } from '@cotangent/core'
import { promoteDTypes, promoteOne } from '../promote.ts'
import { at } from './indexing.ts'
import { concatenate } from './joining.ts'
import { pad } from './pad.ts'
import { atleast1d, broadcastTo } from './shape.ts'
import { convolve } from './signal.ts'

/**
 * The value of a polynomial, by Horner's scheme.
 * @example
 * np.polyval([1, 0, 2], 3).item() // 11: x² + 2 at 3
 */
export const polyval = (p: TensorLike, x: TensorLike): Tensor => {
  const [coefficients, a] = promoteDTypes('np.polyval', [atleast1d(p), x])
  return range(coefficients!.shape[0]!).reduce(
    (sum, i) => sum.mul(a!).add(at(coefficients!, [i])),
    fill(a!.shape, 0, a!.dtype),
  )
}

const aligned = (operation: string, p: TensorLike, q: TensorLike): readonly [Tensor, Tensor] => {
  const [a, b] = promoteDTypes(operation, [atleast1d(p), atleast1d(q)])
  const size = Math.max(a!.size, b!.size)
  return [pad(a!, [size - a!.size, 0]), pad(b!, [size - b!.size, 0])]
}

/** The sum of two polynomials. */
export const polyadd = (p: TensorLike, q: TensorLike): Tensor => {
  const [a, b] = aligned('np.polyadd', p, q)
  return a.add(b)
}
/** The difference of two polynomials. */
export const polysub = (p: TensorLike, q: TensorLike): Tensor => {
  const [a, b] = aligned('np.polysub', p, q)
  return a.sub(b)
}
/** The product of two polynomials. */
export const polymul = (p: TensorLike, q: TensorLike): Tensor => {
  const [a, b] = promoteDTypes('np.polymul', [atleast1d(p), atleast1d(q)], { inexact: true })
  const constant = fill([1], 0, a!.dtype)
  return convolve(a!.size === 0 ? constant : a!, b!.size === 0 ? constant : b!)
}

const requireOrder = (operation: string, m: number): void => {
  if (Number.isInteger(m) && m >= 0) return
  throw new ShapeError({
    operation,
    problem: 'the order is a count',
    got: String(m),
    fix: 'give a whole number from 0',
  })
}

/** The `m`th derivative of a polynomial. */
export const polyder = (p: TensorLike, m: number | { readonly m?: number } = 1): Tensor => {
  const order = typeof m === 'number' ? m : (m.m ?? 1)
  requireOrder('np.polyder', order)
  let a = promoteOne('np.polyder', atleast1d(p), { inexact: true })
  for (let i = 0; i < order; i++) {
    const n = a.size
    if (n <= 1) return fill([0], 0, a.dtype)
    a = at(a, ['0:-1']).mul(
      tensor(
        range(n - 1).map((k) => n - 1 - k),
        { dtype: a.dtype },
      ),
    )
  }
  return a
}

/** The `m`th antiderivative of a polynomial, with constants of integration `k` (0). */
export const polyint = (
  p: TensorLike,
  m: number | { readonly m?: number; readonly k?: TensorLike } = 1,
  k?: TensorLike,
): Tensor => {
  const options = typeof m === 'number' ? { m, ...(k === undefined ? {} : { k }) } : m
  const order = options.m ?? 1
  requireOrder('np.polyint', order)
  const start = promoteOne('np.polyint', atleast1d(p), { inexact: true })
  const constants = broadcastTo(promoteOne('np.polyint', options.k ?? 0).ravel(), [order])
  return range(order).reduce((a, i) => {
    const powers = tensor(
      range(a.size).map((j) => a.size - j),
      { dtype: a.dtype },
    )
    return concatenate([a.div(powers), at(constants, [[i]]).astype(a.dtype)])
  }, start)
}

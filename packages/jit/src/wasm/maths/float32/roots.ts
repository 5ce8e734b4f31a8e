/** Roots and signs in float32. */
import type { Scalar } from '@cotangent/core'
import {
  abs,
  add,
  and,
  bitsOf,
  constant,
  div,
  fromBits,
  gt,
  lt,
  mul,
  select,
  sqrt,
  square,
  sub,
  toFloat32,
  toInt32,
  withSign,
} from '../arith.ts'

export const rsqrt = (x: Scalar): Scalar => div(1, sqrt(x))

/** The first guess divides the exponent by 3; two steps of Halley's method follow. */
export const cbrt = (x: Scalar): Scalar => {
  const a = abs(x)
  // Away from both ends of the exponents.
  const isSmall = lt(a, 1)
  const moved = mul(a, select(isSmall, constant(x, 2 ** 24), 2 ** -24))
  const third = toInt32(mul(toFloat32(bitsOf(moved)), 1 / 3))
  const guess = fromBits(add(third, 0x2a5137a0))
  const near = improvedRoot(improvedRoot(guess, moved), moved)
  const root = mul(near, select(isSmall, constant(x, 2 ** -8), 2 ** 8))
  return select(and(gt(a, 0), lt(a, Infinity)), withSign(root, x), x)
}

/** y − y (y³ − a) / (2 y³ + a). */
const improvedRoot = (y: Scalar, a: Scalar): Scalar => {
  const cube = mul(square(y), y)
  return sub(y, mul(y, div(sub(cube, a), add(add(cube, cube), a))))
}

/** −1, 0 or 1; keeps zeros and NaN. */
export const sign = (x: Scalar): Scalar => select(gt(abs(x), 0), withSign(constant(x, 1), x), x)

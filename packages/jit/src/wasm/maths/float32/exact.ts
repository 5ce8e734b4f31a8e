/** Operations on float32 whose results are exact. */
import { type Scalar, scalars } from '@cotangent/core'
import {
  abs,
  add,
  and,
  bitsOf,
  constant,
  div,
  eq,
  floor,
  fromBits,
  gt,
  lt,
  mul,
  select,
  sub,
  toFloat32,
  toFloat64,
  withSign,
  xor,
} from '../arith.ts'

const { guard } = scalars

/** Bits of quotient that one step takes off. */
const stepBits = 24
/** The quotient of two float32 has at most 277 bits. */
const steps = 12

// Exact: the quotient has about 24 bits, and its product with 24 bits fits in a float64.
const reducedBy = (r: Scalar, y: Scalar): Scalar => sub(r, mul(floor(div(r, y)), y))

/** What truncated division leaves; has the sign of the dividend. */
export const remainder = (x: Scalar, y: Scalar): Scalar => {
  const [a, b] = [toFloat64(abs(x)), toFloat64(abs(y))]
  let far = a
  for (let k = steps - 1; k > 0; k--) far = reducedBy(far, mul(b, 2 ** (stepBits * k)))
  const near = guard(gt(a, mul(b, 2 ** stepBits)), far, a)
  const rest = reducedBy(near, b)
  // A quotient that was rounded up to a whole number leaves a negative rest.
  const found = toFloat32(select(lt(rest, 0), add(rest, b), rest))
  const isWithin = and(eq(abs(y), Infinity), lt(abs(x), Infinity))
  return select(isWithin, x, withSign(found, x))
}

/** The neighbour of `x` in the direction of `y`; `y` where they are equal. */
export const nextAfter = (x: Scalar, y: Scalar): Scalar => {
  const grows = xor(gt(y, x), lt(x, 0))
  const next = fromBits(add(bitsOf(x), select(grows, constant(bitsOf(x), 1), -1)))
  const moved = select(eq(x, 0), withSign(constant(x, 2 ** -149), y), next)
  const isOrdered = and(eq(x, x), eq(y, y))
  return select(isOrdered, select(eq(x, y), y, moved), NaN)
}

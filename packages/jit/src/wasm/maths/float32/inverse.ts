/** Inverse trigonometric functions in float32. */
import type { Scalar } from '@cotangent/core'
import {
  abs,
  add,
  and,
  bitsOf,
  div,
  eq,
  gt,
  horner,
  lt,
  mul,
  neg,
  or,
  pmax,
  pmin,
  polynomial,
  select,
  sqrt,
  square,
  sub,
  withSign,
} from '../arith.ts'

const halfPi = Math.fround(Math.PI / 2)
/** What is missing from π/2, and twice that from π, in float32. */
const halfPiRest = Math.PI / 2 - halfPi

// (asin x / x − 1) / x² in x², on |x| ≤ ½, within 2^-27 of asin x.
const arcsineTail = [0.16666755, 0.0749519, 0.045484144, 0.024110187, 0.042286307]
// (atan x / x − 1) / x² in x², on |x| ≤ 1, within 2^-28 of atan x.
const arctangentTail = [
  -0.33333302, 0.19998626, -0.14265092, 0.10956657, -0.084164545, 0.058177873, -0.031394172,
  0.011028764, -0.0018186589,
]

/** asin of the root is root + rest; beyond ½ it is half of acos |x|. */
interface ArcsineParts {
  readonly isLarge: Scalar
  readonly root: Scalar
  readonly rest: Scalar
}

const arcsineParts = (x: Scalar): ArcsineParts => {
  const a = abs(x)
  const isLarge = gt(a, 0.5)
  const u = select(isLarge, mul(sub(1, a), 0.5), square(a))
  const root = select(isLarge, sqrt(u), a)
  return { isLarge, root, rest: mul(root, mul(u, polynomial(u, arcsineTail))) }
}

export const asin = (x: Scalar): Scalar => {
  const { isLarge, root, rest } = arcsineParts(x)
  const twice = add(root, root)
  const first = sub(halfPi, twice)
  const left = sub(sub(halfPi, first), twice)
  const large = add(first, sub(left, sub(add(rest, rest), halfPiRest)))
  return withSign(select(isLarge, large, add(root, rest)), x)
}

export const acos = (x: Scalar): Scalar => {
  const { isLarge, root, rest } = arcsineParts(x)
  const near = add(root, rest)
  const isNegative = lt(x, 0)
  const twice = add(near, near)
  const large = select(isNegative, sub(2 * halfPi, sub(twice, 2 * halfPiRest)), twice)
  const signed = select(isNegative, neg(near), near)
  return select(isLarge, large, sub(halfPi, sub(signed, halfPiRest)))
}

/** The angle in [0, π/2] whose tangent is the ratio of two magnitudes. */
const angleOf = (small: Scalar, large: Scalar, isSteep: Scalar): Scalar => {
  const t = div(small, large)
  const u = square(t)
  const rest = mul(t, mul(u, horner(u, arctangentTail)))
  return select(isSteep, sub(sub(halfPi, t), sub(rest, halfPiRest)), add(t, rest))
}

export const atan = (x: Scalar): Scalar => {
  const a = abs(x)
  return withSign(angleOf(pmin(a, 1), pmax(a, 1), gt(a, 1)), x)
}

/** The quadrant is that of the signs, those of zeros included. */
export const atan2 = (y: Scalar, x: Scalar): Scalar => {
  const [up, across] = [abs(y), abs(x)]
  const isSteep = gt(up, across)
  const least = pmin(across, up)
  const most = pmax(up, across)
  // 0 / 0 is 0 and ∞ / ∞ is 1.
  const infinite = and(eq(least, Infinity), eq(most, Infinity))
  const numerator = select(infinite, 1, least)
  const denominator = select(or(infinite, eq(most, 0)), 1, most)
  const angle = angleOf(numerator, denominator, isSteep)
  const turned = sub(2 * halfPi, sub(angle, 2 * halfPiRest))
  return withSign(select(lt(bitsOf(x), 0), turned, angle), y)
}

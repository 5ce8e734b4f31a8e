/** Inverse trigonometric functions in any precision. */
import type { Scalar } from '@cotangent/core'
import {
  abs,
  add,
  and,
  div,
  eq,
  gt,
  horner,
  isSignSet,
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

/** What one precision brings along. */
export interface InverseKit {
  /** π/2, and what is missing from it. */
  readonly halfPi: number
  readonly halfPiRest: number
  /** (asin x / x − 1) / x² in x² on |x| ≤ ½, (atan x / x − 1) / x² in x² on |x| ≤ 1. */
  readonly arcsineTail: readonly number[]
  readonly arctangentTail: readonly number[]
}

type Unary = (x: Scalar) => Scalar

export interface Inverses {
  readonly unary: { readonly asin: Unary; readonly acos: Unary; readonly atan: Unary }
  readonly atan2: (y: Scalar, x: Scalar) => Scalar
}

/** asin of the root is root + rest; beyond ½ it is half of acos |x|. */
interface ArcsineParts {
  readonly isLarge: Scalar
  readonly root: Scalar
  readonly rest: Scalar
}

export const makeInverses = (kit: InverseKit): Inverses => {
  const { halfPi, halfPiRest } = kit

  const arcsineParts = (x: Scalar): ArcsineParts => {
    const a = abs(x)
    const isLarge = gt(a, 0.5)
    const u = select(isLarge, mul(sub(1, a), 0.5), square(a))
    const root = select(isLarge, sqrt(u), a)
    return { isLarge, root, rest: mul(root, mul(u, polynomial(u, kit.arcsineTail))) }
  }

  const asin = (x: Scalar): Scalar => {
    const { isLarge, root, rest } = arcsineParts(x)
    const twice = add(root, root)
    const first = sub(halfPi, twice)
    const left = sub(sub(halfPi, first), twice)
    const large = add(first, sub(left, sub(add(rest, rest), halfPiRest)))
    return withSign(select(isLarge, large, add(root, rest)), x)
  }

  const acos = (x: Scalar): Scalar => {
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
    const rest = mul(t, mul(u, horner(u, kit.arctangentTail)))
    return select(isSteep, sub(sub(halfPi, t), sub(rest, halfPiRest)), add(t, rest))
  }

  const atan = (x: Scalar): Scalar => {
    const a = abs(x)
    return withSign(angleOf(pmin(a, 1), pmax(a, 1), gt(a, 1)), x)
  }

  /** The quadrant is that of the signs, those of zeros included. */
  const atan2 = (y: Scalar, x: Scalar): Scalar => {
    const [up, across] = [abs(y), abs(x)]
    const less = pmin(across, up)
    const more = pmax(up, across)
    // 0 / 0 is 0 and ∞ / ∞ is 1.
    const infinite = and(eq(less, Infinity), eq(more, Infinity))
    const numerator = select(infinite, 1, less)
    const denominator = select(or(infinite, eq(more, 0)), 1, more)
    const angle = angleOf(numerator, denominator, gt(up, across))
    const turned = sub(2 * halfPi, sub(angle, 2 * halfPiRest))
    return withSign(select(isSignSet(x), turned, angle), y)
  }
  return { unary: { asin, acos, atan }, atan2 }
}

/** Logarithms in any precision, from x = 2ᵉ (1 + f) and log(1 + f). */
import { type Scalar, scalars } from '@cotangent/core'
import {
  abs,
  add,
  and,
  constant,
  div,
  eq,
  ge,
  gt,
  lt,
  mul,
  pmax,
  polynomial,
  select,
  sqrt,
  square,
  sub,
  withSign,
} from '../arith.ts'

/** x = 2ᵉ (1 + f) with √½ ≤ 1 + f < √2, and 2⁻ᵉ where that is of use. */
export interface LogarithmSplit {
  readonly e: Scalar
  readonly f: Scalar
  readonly inverse: Scalar
}

/** What one precision brings along. */
export interface LogarithmKit {
  /** Of numbers that are not unusual. */
  readonly split: (x: Scalar) => LogarithmSplit
  /** Of all positive finite numbers. */
  readonly splitAny: (x: Scalar) => LogarithmSplit
  /** Of finite numbers of at least 2^-54. */
  readonly splitSum: (x: Scalar) => LogarithmSplit
  /** e ln 2 + log(1 + f + rest) for a tiny rest. */
  readonly sum: (e: Scalar, f: Scalar, rest: Scalar | null) => Scalar
  /** Numbers for the rare side, which must take zero, negative, infinite and NaN. */
  readonly isUnusual: (x: Scalar) => Scalar
  /** log(1 + x) is x up to here. */
  readonly tiny: number
  /** The square of the inverse is nothing beside 1. */
  readonly large: number
  /** (atanh x / x − 1) / x² in x² up to a bound. */
  readonly atanhTail: readonly number[]
  readonly atanhBound: number
}

type Unary = (x: Scalar) => Scalar

export interface Logarithms {
  readonly log: Unary
  readonly log1p: Unary
  readonly asinh: Unary
  readonly acosh: Unary
  readonly atanh: Unary
}

/** −Infinity at 0, NaN below, and Infinity and NaN of themselves. */
const outsideDomain = (x: Scalar, inside: Scalar): Scalar =>
  select(
    gt(x, 0),
    select(lt(x, Infinity), inside, x),
    select(eq(x, 0), constant(x, -Infinity), NaN),
  )

export const makeLogarithms = (kit: LogarithmKit): Logarithms => {
  const { large, split, splitAny, splitSum, sum, tiny } = kit

  /** The rare side is computed only where there are any of its numbers. */
  const log = (x: Scalar): Scalar => {
    const [usual, any] = [split(x), splitAny(x)]
    const rare = outsideDomain(x, sum(any.e, any.f, null))
    return scalars.guard(kit.isUnusual(x), rare, sum(usual.e, usual.f, null))
  }

  /**
   * log(1 + x + rest) + doublings · log 2 for x > −1 and a tiny rest, from the rounded sum and what
   * rounding left out.
   */
  const log1pOf = (x: Scalar, doublings: Scalar | null, rest: Scalar | null): Scalar => {
    const u = add(x, 1)
    const { e, f, inverse } = splitSum(u)
    // Where x is large the sum loses 1 at most, which is nothing beside it.
    const left = sub(x, sub(u, 1))
    const all = rest === null ? left : add(left, rest)
    return sum(doublings === null ? e : add(e, doublings), f, mul(all, inverse))
  }

  const log1p = (x: Scalar): Scalar =>
    select(lt(abs(x), tiny), x, outsideDomain(add(x, 1), log1pOf(x, null, null)))

  /** sign(x) log(|x| + √(x² + 1)); log 2 |x| where x is large. */
  const asinh = (x: Scalar): Scalar => {
    const a = abs(x)
    const u = square(a)
    const isLarge = gt(a, large)
    const more = div(u, add(sqrt(add(u, 1)), 1))
    const z = add(a, more)
    const rest = select(isLarge, 0, sub(more, sub(z, a)))
    const doublings = select(isLarge, constant(x, 1), 0)
    const inside = log1pOf(select(isLarge, sub(a, 1), z), doublings, rest)
    return select(and(gt(a, 1 / large), lt(a, Infinity)), withSign(inside, x), x)
  }

  /** log(x + √(x² − 1)); log 2 x where x is large; NaN below 1. */
  const acosh = (x: Scalar): Scalar => {
    const t = sub(x, 1)
    const isLarge = gt(x, large)
    const [double, squared] = [add(t, t), square(t)]
    const radicand = add(double, squared)
    const root = sqrt(radicand)
    const z = add(root, t)
    // What rounding left out of the radicand (Knuth's two-sum) and of z: without it 2.05 units near 1.03.
    const part = sub(radicand, double)
    const lost = add(sub(double, sub(radicand, part)), sub(squared, part))
    const more = div(lost, pmax(add(root, root), tiny))
    const rest = select(isLarge, 0, add(sub(t, sub(z, root)), more))
    const inside = log1pOf(select(isLarge, t, z), select(isLarge, constant(x, 1), 0), rest)
    return select(ge(x, 1), select(lt(x, Infinity), inside, x), NaN)
  }

  /** A polynomial near zero, and ½ log((1 + x) / (1 − x)) beyond. */
  const atanh = (x: Scalar): Scalar => {
    const a = abs(x)
    const u = square(x)
    const near = add(x, mul(x, mul(u, polynomial(u, kit.atanhTail))))
    const ratio = div(add(a, a), sub(1, a))
    const far = mul(outsideDomain(add(ratio, 1), log1pOf(ratio, null, null)), 0.5)
    return select(lt(a, kit.atanhBound), near, withSign(select(gt(a, 1), NaN, far), x))
  }
  return { log, log1p, asinh, acosh, atanh }
}

/**
 * sin, cos and tan in any precision, on angles reduced by quarter turns. Large angles are reduced in
 * fixed point, which lanes seldom need: that side is a guard.
 */
import { type Scalar, scalars } from '@cotangent/core'
import {
  abs,
  add,
  and,
  div,
  flipped,
  gt,
  horner,
  lt,
  mul,
  ne,
  polynomial,
  select,
  shl,
  signBit,
  square,
  sub,
} from '../arith.ts'

/** An angle of n quarter turns and r − rest, which is in [−π/4, π/4]. */
export interface Reduced {
  readonly r: Scalar
  /** What rounding r left out. */
  readonly rest: Scalar
  /** n plus an offset, as an int32 whose two low bits count. */
  readonly count: Scalar
}

/** What one precision brings along. */
export interface TrigonometricKit {
  readonly reduceSmall: (x: Scalar, offset: number) => Reduced
  /** Of |x|. */
  readonly reduceLarge: (x: Scalar) => Reduced
  /** Angles up to here are small. */
  readonly largest: number
  /** (sin r / r − 1) / r², (cos r − 1 + r² / 2) / r⁴ and (tan r / r − 1) / r² in r², on |r| ≤ π/4. */
  readonly sineTail: readonly number[]
  readonly cosineTail: readonly number[]
  readonly tangentTail: readonly number[]
}

type Unary = (x: Scalar) => Scalar

export interface Trigonometric {
  readonly sin: Unary
  readonly cos: Unary
  readonly tan: Unary
}

const hasBit = (count: Scalar, bit: number): Scalar => ne(and(count, bit), 0)

/** tan (r − rest) from r and (tan r / r − 1), likewise sin, whose slope is nearly 1. */
const corrected = (r: Scalar, tail: Scalar, rest: Scalar): Scalar => sub(r, sub(rest, mul(r, tail)))

export const makeTrigonometric = (kit: TrigonometricKit): Trigonometric => {
  /** sin x where n is even, cos x where it is odd, with the sign of the quadrant. */
  const wave = ({ r, rest, count }: Reduced): Scalar => {
    const u = square(r)
    const sine = corrected(r, mul(u, horner(u, kit.sineTail)), rest)
    const cosine = add(sub(1, mul(u, 0.5)), mul(square(u), horner(u, kit.cosineTail)))
    return flipped(select(hasBit(count, 1), cosine, sine), shl(and(count, 2), 30))
  }

  /** tan (r − rest), or −1 / tan after an odd number of quarter turns. */
  const tangent = ({ r, rest, count }: Reduced): Scalar => {
    const u = square(r)
    const t = corrected(r, mul(u, polynomial(u, kit.tangentTail)), add(rest, mul(rest, u)))
    return select(hasBit(count, 1), div(-1, t), t)
  }

  const reduceLarge = (x: Scalar, offset: number): Reduced => {
    const reduced = kit.reduceLarge(x)
    return { ...reduced, count: add(reduced.count, offset) }
  }

  /** The side for large angles is computed only where there are any. NaN for infinite ones. */
  const bySize = (x: Scalar, small: Scalar, large: Scalar): Scalar =>
    scalars.guard(gt(abs(x), kit.largest), select(lt(abs(x), Infinity), large, NaN), small)

  const odd =
    (f: (reduced: Reduced) => Scalar): Unary =>
    (x) =>
      bySize(x, f(kit.reduceSmall(x, 0)), flipped(f(reduceLarge(x, 0)), signBit(x)))

  return {
    sin: odd(wave),
    // sin (x + π/2).
    cos: (x) => bySize(x, wave(kit.reduceSmall(x, 1)), wave(reduceLarge(x, 1))),
    tan: odd(tangent),
  }
}

/** Functions of float32 that take their steps in float64: two lanes, and nothing to compensate. */
import { type Scalar, scalars } from '@cotangent/core'
import {
  abs,
  add,
  and,
  bitsOf,
  div,
  eq,
  flipped,
  floor,
  fromBits,
  lt,
  mul,
  not,
  or,
  pmax,
  pmin,
  polynomial,
  select,
  shl,
  shrArithmetic,
  signBit,
  sqrt,
  square,
  sub,
  toFloat32,
  toFloat64,
} from '../arith.ts'
import { roundingShift } from './exponential.ts'
import { isUnusual } from './logarithm.ts'

const { literal } = scalars

// (2ᵍ − 1) / g on |g| ≤ ½, within 2^-31 of 2ᵍ.
const exp2Tail = [
  0.693147183895364, 0.24022650926202538, 0.05550400206966171, 0.00961805576032729,
  0.0013342017970230289, 0.00015461830905185497, 1.3360092711747392e-5,
]
// (log₂((1 + s) / (1 − s)) / s − 2 / ln 2) / s² in s², where (1 + s) / (1 − s) is in [√½, √2].
const log2Tail = [0.9617966791813674, 0.5770828550403799, 0.4117061358702842, 0.3402225647490739]
// (x + 2.5) exp(x²) erfc x in (x − 2.5) / (x + 2.5), on 0 ≤ x ≤ 10.1, within 2^-33.
const scaledComplement = [
  1.0540318202990122, -0.8046518476180639, 0.45391411656374203, -0.17125122666015238,
  0.028361539499585763, 0.00839407447644629, -0.004818307083923449, -0.0004446003289169511,
  0.0006982264728925361, 7.036042487475258e-5, -9.738637309383138e-5, -2.6750654109467555e-5,
]
const rootHalfBits = 0x3f3504f3

/** 2^z, of NaN or z in [−160, 140]; precise enough for a float32. */
const exp2Wide = (z: Scalar): Scalar => {
  // The whole part by way of float32, whose bits can be shifted; two factors reach all exponents.
  const shifted = add(toFloat32(z), roundingShift + 254)
  const g = sub(z, toFloat64(sub(shifted, roundingShift + 254)))
  const both = bitsOf(shifted)
  const half = shrArithmetic(both, 1)
  const factor = (n: Scalar): Scalar => toFloat64(fromBits(shl(n, 23)))
  const scale = mul(factor(half), factor(sub(both, half)))
  return mul(add(mul(g, polynomial(g, exp2Tail)), 1), scale)
}

/** log₂ of a positive normal float32 as float64. */
const log2Normal = (x: Scalar): Scalar => {
  const above = sub(bitsOf(x), rootHalfBits)
  const e = toFloat64(shrArithmetic(above, 23))
  const f = sub(toFloat64(fromBits(add(and(above, 0x7fffff), rootHalfBits))), 1)
  const s = div(f, add(f, 2))
  const u = square(s)
  return add(e, mul(s, add(mul(u, polynomial(u, log2Tail)), 2 / Math.LN2)))
}

/** log₂ of a magnitude; −Infinity at 0. */
const log2Wide = (x: Scalar): Scalar => {
  const isDenormal = lt(x, 2 ** -126)
  const found = log2Normal(select(isDenormal, mul(x, 2 ** 23), x))
  const wide = toFloat64(x)
  const finite = select(lt(wide, 2 ** -126), sub(found, 23), found)
  return select(eq(wide, 0), -Infinity, select(lt(wide, Infinity), finite, wide))
}

const isWhole = (x: Scalar): Scalar => eq(floor(x), x)

/** `x` to the power `y` as IEEE 754 `pow` has it: 1 to any power and any to the power 0 are 1. */
export const power = (x: Scalar, y: Scalar): Scalar => {
  if (y.tag === 'literal') {
    const known = knownPower(x, y.value)
    if (known !== null) return known
  }
  const isRare = or(isUnusual(x), not(lt(abs(y), Infinity)))
  return scalars.guard(isRare, powerOfAny(x, y), exp2Bounded(mul(toFloat64(y), log2Normal(x))))
}

/** 2^z as float32, for any z. */
const exp2Bounded = (z: Scalar): Scalar => toFloat32(exp2Wide(pmax(pmin(z, 140), -160)))

const powerOfAny = (x: Scalar, y: Scalar): Scalar => {
  const a = abs(x)
  const magnitude = exp2Bounded(mul(toFloat64(y), log2Wide(a)))
  const isOdd = and(isWhole(y), not(isWhole(mul(y, 0.5))))
  const signed = flipped(magnitude, select(isOdd, signBit(x), 0))
  const isImaginary = and(and(lt(x, 0), lt(a, Infinity)), not(isWhole(y)))
  const isOne = or(or(eq(x, 1), eq(y, 0)), and(eq(a, 1), eq(abs(y), Infinity)))
  return select(isOne, 1, select(isImaginary, NaN, signed))
}

/** Small whole exponents by multiplication; ½ for the infinities too. */
const knownPower = (x: Scalar, y: number): Scalar | null => {
  switch (y) {
    case 0:
      return literal(x.dtype, 1)
    case 1:
      return x
    case 2:
      return square(x)
    case 3:
      return mul(square(x), x)
    case 4:
      return square(square(x))
    case -1:
      return div(1, x)
    case 0.5:
      // √−0 is −0 and √−∞ is NaN, where powers are 0 and ∞.
      return select(eq(x, -Infinity), Infinity, abs(sqrt(x)))
    case -0.5:
      return select(eq(x, -Infinity), 0, div(1, abs(sqrt(x))))
    default:
      return null
  }
}

/** exp(−x²) times a polynomial, and 2 minus that below zero. */
export const erfc = (x: Scalar): Scalar => {
  const wide = toFloat64(x)
  const a = pmin(abs(wide), 10.1)
  const below = add(a, 2.5)
  const ratio = div(polynomial(div(sub(a, 2.5), below), scaledComplement), below)
  const above = mul(exp2Wide(mul(square(a), -1 / Math.LN2)), ratio)
  return toFloat32(select(lt(wide, 0), sub(2, above), above))
}

/**
 * Angles of any size in float32: |x| / 2π modulo 1 as 64 bits of fixed point, by exact integer
 * multiplication with the digits of 1 / 2π that matter (Payne & Hanek 1983, "Radian reduction for
 * trigonometric functions"). Lanes cannot index a table, so the digits are picked by selects.
 */
import type { Scalar } from '@cotangent/core'
import {
  add,
  and,
  bitsOf,
  constant,
  flipped,
  fromBits,
  mul,
  ne,
  or,
  select,
  shl,
  shrArithmetic,
  shrLogical,
  sub,
  toFloat32,
  toInt32,
  topBit,
  xor,
} from '../arith.ts'
import type { Reduced } from '../families/trigonometric.ts'

/** 1 / 2π in digits of 15 bits, after a zero. */
const digits: readonly number[] = [
  0, 5215, 6198, 29298, 4180, 21496, 10071, 26874, 19767, 14363, 13865, 11465, 28942, 8323, 32337,
]
// 2π in eleven bits, and the rest.
const twoPi = [6.28125, 2 * Math.PI - 6.28125] as const
const digitMask = 0x7fff

/** 64 bits after the binary point. */
interface Fraction {
  readonly high: Scalar
  readonly low: Scalar
}

// digits[skip + m] for m < 8: a barrel shifter, one stage for each bit of `skip`.
const digitsFrom = (skip: Scalar): readonly Scalar[] => {
  let row: readonly Scalar[] = digits.map((d) => constant(skip, d))
  for (const by of [4, 2, 1]) {
    const moves = ne(and(skip, by), 0)
    row = row.slice(0, 7 + by).map((d, m) => select(moves, row[m + by]!, d))
  }
  return row
}

/** |x| / 2π modulo 1, for finite |x| ≥ 2^8. */
const turns = (x: Scalar): Fraction => {
  const bits = and(bitsOf(x), 0x7fffffff)
  // |x| = y · 2^(15 · (skip − 1)) where y is an integer below 2^38; skip is ⌊(exponent + 8) / 15⌋.
  const skip = shrArithmetic(mul(sub(shrArithmetic(bits, 23), 135), 137), 11)
  const y = fromBits(sub(bits, mul(sub(skip, 1), 15 * 2 ** 23)))
  const y2 = toInt32(mul(y, 2 ** -30))
  const below30 = sub(y, mul(toFloat32(y2), 2 ** 30))
  const y1 = toInt32(mul(below30, 2 ** -15))
  const y0 = toInt32(sub(below30, mul(toFloat32(y1), 2 ** 15)))
  const window = digitsFrom(skip)
  const fraction: Scalar[] = []
  let carry: Scalar | null = null
  for (let k = 5; k >= 0; k--) {
    const products = add(add(mul(y0, window[k]!), mul(y1, window[k + 1]!)), mul(y2, window[k + 2]!))
    const sum: Scalar = carry === null ? products : add(products, carry)
    fraction.unshift(and(sum, digitMask))
    carry = shrLogical(sum, 15)
  }
  const [f1, f2, f3, f4, f5] = fraction
  return {
    high: or(or(shl(f1!, 17), shl(f2!, 2)), shrLogical(f3!, 13)),
    low: or(or(shl(f3!, 19), shl(f4!, 4)), shrLogical(f5!, 11)),
  }
}

/** Reduces |x| ≥ 2^8 by quarter turns. */
export const reduceLarge = (x: Scalar): Reduced => {
  const { high, low } = turns(x)
  const count = shrLogical(add(high, 2 ** 29), 30)
  const rest = sub(high, shl(count, 30))
  // Magnitude and sign, so that the parts of a small angle do not cancel.
  const sign = shrArithmetic(rest, 31)
  const [h, l] = [xor(rest, sign), xor(low, sign)]
  const middle = or(shl(and(h, 0xff), 16), shrLogical(l, 16))
  const leading = mul(toFloat32(shrLogical(h, 8)), 2 ** -24)
  const tail = add(mul(toFloat32(middle), 2 ** -48), mul(toFloat32(and(l, 0xffff)), 2 ** -64))
  // 2π times the sum of both: the product of twelve bits and eleven is exact.
  const short = fromBits(and(bitsOf(leading), -4096))
  const long = add(sub(leading, short), tail)
  const exact = mul(short, twoPi[0])
  const small = add(mul(short, twoPi[1]), mul(long, 2 * Math.PI))
  const r = add(exact, small)
  const signed = and(sign, topBit)
  return { r: flipped(r, signed), rest: flipped(sub(sub(r, exact), small), signed), count }
}

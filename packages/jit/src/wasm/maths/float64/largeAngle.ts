/**
 * Angles of any size in float64: |x| / 2π modulo 1 by exact multiplication with the digits of 1 / 2π
 * that matter (Payne & Hanek 1983, "Radian reduction for trigonometric functions"). Digits have 24
 * bits, so that products and their sums are exact float64; they are picked by selects.
 */
import type { Scalar } from '@cotangent/core'
import {
  abs,
  add,
  constant,
  floor,
  ge,
  mul,
  select,
  sub,
  toFloat32,
  toFloat64,
  toInt32,
} from '../arith.ts'
import type { Reduced } from '../families/trigonometric.ts'

/** 1 / 2π in digits of 24 bits, after two zeros. */
const digits: readonly number[] = [
  0, 0, 2670176, 14390161, 346751, 644596, 8211767, 7354072, 10839631, 1106960, 8361048, 15398830,
  15816813, 13179790, 9474932, 12059026, 4962946, 7627911, 4163450, 13053002, 6934458, 2133373,
  4959953, 2177639, 1837485, 1564560, 5137525, 9330900, 13532455, 2168802, 15695434, 968702,
  2490359, 8480259, 16501700, 6477442, 10176475, 5087155, 13234882, 7197649, 9427367, 9960075,
  6113774, 11664121, 8150735, 4312701, 14849188, 12229374, 14150727, 14899010,
]
const base = 2 ** 24
/** Digits of the fraction that are computed. */
const length = 6
// 2π in 29 bits, and the rest.
const twoPi = [6.283185303211212, 3.968374318722162e-9] as const

/** The digits of |x| / 2π after the point, for 2^20 ≤ |x|. */
const fractionOf = (x: Scalar): readonly Scalar[] => {
  // Steps down to |x| = y · 2^(24 · skip) with y below 2^48, moving along the digits as far.
  let y = abs(x)
  let row: readonly Scalar[] = digits.map((d) => constant(x, d))
  for (const by of [32, 16, 8, 4, 2, 1]) {
    const moves = ge(y, base ** (by + 1))
    y = mul(y, select(moves, constant(x, base ** -by), 1))
    row = row
      .slice(0, length + 2 + by)
      .map((d, m) => select(moves, row[m + by] ?? constant(x, 0), d))
  }
  const parts: Scalar[] = []
  for (const unit of [base, 1, 1 / base]) {
    const part = floor(mul(y, 1 / unit))
    y = sub(y, mul(part, unit))
    parts.push(part)
  }
  const [p1, p0, q1, q2] = [...parts, mul(y, base * base)]
  const fraction: Scalar[] = []
  let carry: Scalar | null = null
  for (let k = length - 1; k >= 0; k--) {
    const sum: Scalar = add(
      add(mul(q2!, row[k]!), mul(q1!, row[k + 1]!)),
      add(mul(p0!, row[k + 2]!), mul(p1!, row[k + 3]!)),
    )
    const all: Scalar = carry === null ? sum : add(sum, carry)
    carry = floor(mul(all, 1 / base))
    fraction.unshift(sub(all, mul(carry, base)))
  }
  return fraction
}

/** Reduces |x| ≥ 2^20 by quarter turns. */
export const reduceLarge = (x: Scalar): Reduced => {
  const [d1, d2, d3, d4, d5] = fractionOf(x)
  const high = add(mul(d1!, base), d2!)
  const count = floor(add(mul(high, 2 ** -46), 0.5))
  const leading = mul(sub(high, mul(count, 2 ** 46)), 2 ** -48)
  const following = mul(add(mul(d3!, base), d4!), 2 ** -96)
  const tail = add(following, mul(d5!, 2 ** -120))
  const turn = add(leading, tail)
  // 2π times the sum: the product of 24 bits and 29 is exact.
  const short = toFloat64(toFloat32(turn))
  const long = add(sub(turn, short), sub(tail, sub(turn, leading)))
  const exact = mul(short, twoPi[0])
  const small = add(mul(short, twoPi[1]), mul(long, 2 * Math.PI))
  const r = add(exact, small)
  return { r, rest: sub(sub(r, exact), small), count: toInt32(count) }
}

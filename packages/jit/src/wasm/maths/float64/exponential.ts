/** Exponentials of float64. Powers of two are made of float32 ones, whose bits can be shifted. */
import type { Scalar } from '@cotangent/core'
import {
  add,
  bitsOf,
  constant,
  fromBits,
  mul,
  pmax,
  pmin,
  polynomial,
  round,
  shl,
  square,
  sub,
  toFloat32,
  toFloat64,
} from '../arith.ts'
import { type Exponentials, type Reduced, makeExponentials } from '../families/exponential.ts'
import { roundingShift } from '../float32/exponential.ts'

// ln 2 in two parts; multiples of the first by any exponent are exact.
export const ln2High = 0.6931471804855391
export const ln2Low = 7.440617110012397e-11

// (eʳ − 1 − r) / r² on |r| ≤ ln 2 / 2, within 2^-57 of eʳ.
const expTail = [
  0.5000000000000011, 0.1666666666666641, 0.041666666666529184, 0.008333333333495634,
  0.0013888888943923293, 0.00019841269504756046, 2.480149276209247e-5, 2.7557587344426433e-6,
  2.7630378862167696e-7, 2.4999965656382597e-8,
]
const sinhTail = [
  0.16666666666666669, 0.008333333333333139, 0.0001984126984143768, 2.755731915533697e-6,
  2.5052123398528897e-8, 1.605724034371667e-10, 7.75931212253546e-13,
]
const tanhTail = [
  -0.3333333333333333, 0.13333333333333164, -0.053968253968132776, 0.02186948853178343,
  -0.008863235436745687, 0.0035921267582887406, -0.001455822501729125, 0.0005899503091023497,
  -0.00023877465797372675, 9.576021588407915e-5, -3.663955235860972e-5, 1.1807117391628821e-5,
  -2.2767178722992535e-6,
]

/** y · 2ⁿ, rounded once, for a whole n with |n| ≤ 1500: 2ⁿ is 2^b · (2^a)^16. */
export const scaled = (y: Scalar, n: Scalar): Scalar => {
  const offset = roundingShift + 127
  const narrow = toFloat32(n)
  const shifted = add(mul(narrow, 1 / 16), offset)
  const left = add(sub(narrow, mul(sub(shifted, offset), 16)), offset)
  const power = (x: Scalar): Scalar => toFloat64(fromBits(shl(bitsOf(x), 23)))
  const eighth = square(square(square(power(shifted))))
  return mul(mul(mul(y, power(left)), eighth), eighth)
}

/** n and r of x = n ln 2 + r. */
const reduced = (x: Scalar): { readonly n: Scalar; readonly r: Scalar } => {
  const n = round(mul(x, 1 / Math.LN2))
  return { n, r: sub(sub(x, mul(n, ln2High)), mul(n, ln2Low)) }
}

/** eʳ − 1 for |r| ≤ ln 2 / 2. */
export const expMinusOne = (r: Scalar): Scalar => add(r, mul(square(r), polynomial(r, expTail)))

export const wide = (x: Scalar): Reduced => {
  const { n, r } = reduced(x)
  return { r, scaled: (y) => scaled(y, n) }
}

const narrow = (x: Scalar, by: number): { readonly r: Scalar; readonly power: Scalar } => {
  const { n, r } = reduced(x)
  return { r, power: scaled(constant(x, 1), add(n, by)) }
}

export const exponentials: Exponentials = makeExponentials({
  wide,
  falling: wide,
  narrow,
  coarse: (x) => narrow(x, 0),
  expMinusOne,
  overflow: 710,
  underflow: -746,
  fallen: -746,
  vanishing: -38,
  tiny: 2 ** -54,
  saturation: 40,
  largestCosh: 710.5,
  tanhBound: 0.625,
  tanhTail,
  sinhTail,
})

export const exp2 = (x: Scalar): Scalar => {
  const bounded = pmax(pmin(x, 1025), -1076)
  const n = round(bounded)
  return scaled(add(expMinusOne(mul(sub(bounded, n), Math.LN2)), 1), n)
}

/** Logarithms in float64, whose exponents are read off the float32 nearest to a value. */
import type { Scalar } from '@cotangent/core'
import {
  type Operand,
  add,
  bitsOf,
  div,
  fromBits,
  mul,
  polynomial,
  shl,
  shrArithmetic,
  square,
  sub,
  toFloat32,
  toFloat64,
} from '../arith.ts'

const rootHalfBits = 0x3f3504f3
// ln 2 in two parts; multiples of the first by any exponent are exact.
const ln2High = 0.6931471804855391
const ln2Low = 7.440617110012397e-11

// (log((1 + s) / (1 − s)) / s − 2) / s² in s², where (1 + s) / (1 − s) is in [√½, √2]; within 2^-59.
const logTail = [
  0.6666666666666734, 0.39999999999413965, 0.2857142874256129, 0.22222198553916228,
  0.18183565399028034, 0.15314021353175536, 0.14796258652536137,
]

/** x = 2ᵉ (1 + f), for x between 2^-126 and 2^126. */
export interface Split {
  readonly e: Scalar
  readonly f: Scalar
}

export const split = (x: Scalar): Split => {
  const e = shrArithmetic(sub(bitsOf(toFloat32(x)), rootHalfBits), 23)
  const inverse = toFloat64(fromBits(shl(sub(127, e), 23)))
  return { e: toFloat64(e), f: sub(mul(x, inverse), 1) }
}

/** e ln 2 + log(1 + f + rest) for a tiny rest. */
export const logOfParts = (e: Scalar, f: Scalar, rest: Operand = 0): Scalar => {
  const s = div(f, add(f, 2))
  const z = square(s)
  const half = mul(square(f), 0.5)
  const tail = add(mul(s, add(half, mul(z, polynomial(z, logTail)))), mul(e, ln2Low))
  return add(mul(e, ln2High), sub(f, sub(half, rest === 0 ? tail : add(tail, rest))))
}

/** log x for x between 2^-126 and 2^126. */
export const logMiddle = (x: Scalar): Scalar => {
  const { e, f } = split(x)
  return logOfParts(e, f)
}

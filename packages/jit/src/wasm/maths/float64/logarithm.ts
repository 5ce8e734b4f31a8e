/** Logarithms of float64, whose exponents are read off the float32 nearest to a value. */
import { type Scalar, scalars } from '@cotangent/core'
import {
  add,
  and,
  bitsOf,
  constant,
  div,
  fromBits,
  ge,
  gt,
  le,
  lt,
  mul,
  not,
  polynomial,
  select,
  shl,
  shrArithmetic,
  square,
  sub,
  toFloat32,
  toFloat64,
} from '../arith.ts'
import { type LogarithmSplit, type Logarithms, makeLogarithms } from '../families/logarithm.ts'
import { ln2High, ln2Low } from './exponential.ts'

const rootHalfBits = 0x3f3504f3
/** Between its inverse and this, float32 have all exponents. */
const middle = 2 ** 100

// (log((1 + s) / (1 − s)) / s − 2) / s² in s², where (1 + s) / (1 − s) is in [√½, √2]; within 2^-59.
const logTail = [
  0.6666666666666734, 0.39999999999413965, 0.2857142874256129, 0.22222198553916228,
  0.18183565399028034, 0.15314021353175536, 0.14796258652536137,
]

/** For x between 2^-126 and 2^126. */
const split = (x: Scalar): LogarithmSplit => {
  const e = shrArithmetic(sub(bitsOf(toFloat32(x)), rootHalfBits), 23)
  const inverse = toFloat64(fromBits(shl(sub(127, e), 23)))
  return { e: toFloat64(e), f: sub(mul(x, inverse), 1), inverse }
}

/** x = 2ᵉ m with m between 2^-68 and 2^68, for any positive finite x. */
export const centred = (x: Scalar): { readonly e: Scalar; readonly m: Scalar } => {
  let [e, m] = [constant(x, 0), x]
  for (const by of [540, 270, 135, 68]) {
    const up = lt(m, 2 ** -by)
    const down = ge(m, 2 ** by)
    e = add(e, select(up, -by, select(down, constant(x, by), 0)))
    m = mul(m, select(up, 2 ** by, select(down, constant(x, 2 ** -by), 1)))
  }
  return { e, m }
}

const splitAny = (x: Scalar): LogarithmSplit => {
  const { e, m } = centred(x)
  const parts = split(m)
  return { ...parts, e: add(e, parts.e) }
}

// Sums of one and something are large at most.
const splitSum = (x: Scalar): LogarithmSplit => {
  const isLarge = gt(x, middle)
  const { e, m } = centred(x)
  const parts = split(scalars.guard(isLarge, m, x))
  return { ...parts, e: add(parts.e, scalars.guard(isLarge, e, constant(x, 0))) }
}

const sum = (e: Scalar, f: Scalar, rest: Scalar | null): Scalar => {
  const s = div(f, add(f, 2))
  const z = square(s)
  const half = mul(square(f), 0.5)
  const tail = add(mul(s, add(half, mul(z, polynomial(z, logTail)))), mul(e, ln2Low))
  const all = rest === null ? tail : add(tail, rest)
  return add(mul(e, ln2High), sub(f, sub(half, all)))
}

/** log x for x between 2^-126 and 2^126. */
export const logMiddle = (x: Scalar): Scalar => {
  const { e, f } = split(x)
  return sum(e, f, null)
}

export const logarithms: Logarithms = makeLogarithms({
  split,
  splitAny,
  splitSum,
  sum,
  isUnusual: (x) => not(and(ge(x, 1 / middle), le(x, middle))),
  tiny: 2 ** -54,
  large: 2 ** 27,
  // The same as for the logarithm, halved.
  atanhTail: logTail.map((c) => c / 2),
  atanhBound: 0.17,
})

/**
 * log |Γ| and its derivative in float64: a polynomial about 2, the asymptotic series for large numbers,
 * recurrence between, reflection below 0 (DLMF 5.5 and 5.11).
 */
import type { Scalar } from '@cotangent/core'
import {
  abs,
  add,
  and,
  constant,
  div,
  eq,
  floor,
  ge,
  horner,
  le,
  lt,
  mul,
  neg,
  or,
  polynomial,
  round,
  select,
  square,
  sub,
} from '../arith.ts'
import { logarithms } from './logarithm.ts'

// log Γ(1 + v) / (v (v − 1)) in v − 0.75, on 0 ≤ v ≤ 1.5, within 2^-59.
const nearTail = [
  0.4501393121092563, -0.11948158662524275, 0.044520447198509394, -0.01905395783024672,
  0.008776370425279036, -0.004226194125966545, 0.002095533879197985, -0.0010605660739664432,
  0.0005448970032143557, -0.0002831906436311877, 0.00014851663437307836, -7.846155069583611e-5,
  4.17062910844808e-5, -2.228261984154477e-5, 1.1945793238135194e-5, -6.432083492659541e-6,
  3.516959769808432e-6, -1.9138593068481425e-6, 9.415149811310154e-7, -5.002557070042423e-7,
  4.357817326304586e-7, -2.5267223568929424e-7, -3.41593286989401e-8, 2.7957746524611765e-8,
  9.136289047576473e-8, -5.292890204313107e-8,
]
// B₂ₖ / (2k (2k − 1)) and B₂ₖ / 2k, k = 1, 2, …
const stirling = [
  1 / 12,
  -1 / 360,
  1 / 1260,
  -1 / 1680,
  1 / 1188,
  -691 / 360360,
  1 / 156,
  -3617 / 122400,
]
const digammaSeries = [
  1 / 12,
  -1 / 120,
  1 / 252,
  -1 / 240,
  1 / 132,
  -691 / 32760,
  1 / 12,
  -3617 / 8160,
]
// sin(πt) / t in t² and cos(πt) / (¼ − t²) in t², on |t| ≤ ½, within 2^-61.
const sineTail = [
  3.141592653589793, -5.167712780049969, 2.550164039877294, -0.5992645293187333,
  0.08214588656981005, -0.007370430478014485, 0.00046629968503311746, -2.190317571404783e-5,
  7.694625268296004e-7,
]
const cosineTail = [
  4, -3.7392088021787173, 1.2780132969521962, -0.22899788760923534, 0.025330970991172548,
  -0.0019036814992209586, 0.00010357047666091355, -4.266713039053991e-6, 1.3388811488360167e-7,
]
const stirlingStart = 8.5
const digammaStart = 10

/** v between 0 and 1.5 and product with Γ(1 + above) = product · Γ(1 + v), for 0 ≤ above < 7.5. */
const lowered = (above: Scalar): { readonly v: Scalar; readonly product: Scalar } => {
  let [v, product] = [above, constant(above, 1)]
  for (let step = 0; step < stirlingStart - 2.5; step++) {
    const isHigh = ge(v, 1.5)
    product = select(isHigh, mul(product, v), product)
    v = select(isHigh, sub(v, 1), v)
  }
  return { v, product }
}

/** 1 / w + 1 / (w + 1) + … of ten terms, in pairs with equal sums over one denominator. */
const inverses = (w: Scalar): Scalar => {
  const u = mul(w, add(w, digammaStart - 1))
  let [numerator, denominator] = [constant(w, 1), u]
  for (let k = 1; k < digammaStart / 2; k++) {
    const factor = add(u, k * (digammaStart - 1 - k))
    numerator = add(mul(numerator, factor), denominator)
    denominator = mul(denominator, factor)
  }
  return mul(add(add(w, w), digammaStart - 1), div(numerator, denominator))
}

const isPole = (x: Scalar): Scalar => and(le(x, 0), eq(floor(x), x))

/** log |Γ(x)|; Infinity at 0, −1, −2, … and at ±Infinity. */
export const logGamma = (x: Scalar): Scalar => {
  const isNegative = lt(x, 0)
  const isBelowOne = lt(x, 1)
  // Γ(w) where w − 1 is exact near the zeros.
  const beyondOne = select(isBelowOne, select(isNegative, neg(x), x), sub(x, 1))
  const w = add(beyondOne, 1)
  const isFar = ge(w, stirlingStart)
  const { v, product } = lowered(beyondOne)
  const ratio = polynomial(sub(v, 0.75), nearTail)
  // +0 at 1 and 2.
  const near = add(mul(mul(v, sub(v, 1)), ratio), 0)
  const inverse = div(1, w)
  const series = mul(inverse, horner(square(inverse), stirling))
  const constantPart = 0.5 * Math.log(2 * Math.PI) - 0.5
  const far = add(mul(sub(w, 0.5), sub(logarithms.log(w), 1)), add(series, constantPart))
  const main = select(isFar, far, near)
  // What remains is a logarithm: of the product, of x below one, of the sine.
  const factor = select(isFar, 1, product)
  const t = sub(x, round(x))
  const sine = mul(abs(mul(t, polynomial(square(t), sineTail))), 1 / Math.PI)
  const inside = select(isBelowOne, x, factor)
  const logarithm = logarithms.log(select(isNegative, mul(sine, factor), inside))
  // log Γ(x) is log Γ(1 + x) − log x.
  const above = add(main, select(isBelowOne, neg(logarithm), logarithm))
  const value = select(isNegative, neg(add(main, logarithm)), above)
  const found = select(lt(abs(x), Infinity), value, abs(x))
  return select(isPole(x), Infinity, found)
}

/** Γ′(x) / Γ(x); NaN at 0, −1, −2, … and at −Infinity. */
export const digamma = (x: Scalar): Scalar => {
  const isNegative = lt(x, 0)
  const w = select(isNegative, sub(1, x), x)
  const isShifted = lt(w, digammaStart)
  const z = select(isShifted, add(w, digammaStart), w)
  const inverse = div(1, z)
  const u = square(inverse)
  const series = add(mul(inverse, 0.5), mul(u, horner(u, digammaSeries)))
  const main = sub(logarithms.log(z), add(series, select(isShifted, inverses(w), 0)))
  const t = sub(x, round(x))
  const v = square(t)
  const cosine = mul(sub(0.25, v), polynomial(v, cosineTail))
  const cotangent = div(mul(cosine, Math.PI), mul(t, polynomial(v, sineTail)))
  const value = select(isNegative, sub(main, cotangent), main)
  return select(or(isPole(x), eq(x, -Infinity)), NaN, select(lt(x, Infinity), value, x))
}

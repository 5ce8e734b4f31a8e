/**
 * log |Γ| and its derivative for float32, in float64: a polynomial on [1, 2.5], the asymptotic series
 * above 8, recurrence between, reflection below 0 (DLMF 5.5 and 5.11).
 */
import type { Scalar } from '@cotangent/core'
import {
  abs,
  add,
  and,
  div,
  eq,
  floor,
  ge,
  gt,
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
  toFloat32,
  toFloat64,
} from '../arith.ts'
import { logMiddle } from '../float64/logarithm.ts'

// log Γ(w) / ((w − 1) (w − 2)) in w − 1.75, on 1 ≤ w ≤ 2.5, within 2^-35.
const nearTail = [
  0.45013931210789376, -0.1194815868548945, 0.04452044752976103, -0.01905394296548337,
  0.00877635733584425, -0.004226471293875031, 0.0020957289712591515, -0.0010583030801230259,
  0.0005434861033945489, -0.0002925601865752889, 0.00015396524550882079, -5.819162452073938e-5,
  3.0379753126583058e-5, -4.3246682287298774e-5, 2.3417104805614548e-5,
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
const digammaSeries = [1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12]
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
const shift = 6

/** w (w + 1) … (w + 5), from pairs with equal sums, and the sum of its factors' inverses. */
const rising = (w: Scalar): { readonly product: Scalar; readonly inverses: Scalar } => {
  const u = mul(w, add(w, 5))
  const [v, t] = [add(u, 4), add(u, 6)]
  const product = mul(mul(u, v), t)
  const numerator = add(mul(add(u, v), t), mul(u, v))
  return { product, inverses: mul(add(add(w, w), 5), div(numerator, product)) }
}

/** log x of a positive float64 that may be as small as the least float32. */
const logSmall = (x: Scalar): Scalar => {
  const isTiny = lt(x, 2 ** -100)
  const moved = logMiddle(select(isTiny, mul(x, 2 ** 64), x))
  return select(isTiny, sub(moved, 64 * Math.LN2), moved)
}

/** log |Γ(x)|; Infinity at 0, −1, −2, … and at ±Infinity. */
export const logGamma = (x: Scalar): Scalar => {
  const wide = toFloat64(x)
  const isNegative = lt(wide, 0)
  const isBelowOne = lt(wide, 1)
  const w = select(isNegative, sub(1, wide), select(isBelowOne, add(wide, 1), wide))
  const ratio = polynomial(sub(w, 1.75), nearTail)
  // +0 at 1 and 2.
  const near = add(mul(mul(sub(w, 1), sub(w, 2)), ratio), 0)
  const isShifted = lt(w, 8)
  const z = select(isShifted, add(w, shift), w)
  const inverse = div(1, z)
  const series = mul(inverse, horner(square(inverse), stirling))
  // Logarithms of large z by way of a float32-sized one.
  const isHuge = gt(z, 2 ** 100)
  const small = logMiddle(select(isHuge, mul(z, 2 ** -64), z))
  const logarithm = select(isHuge, add(small, 64 * Math.LN2), small)
  const constantPart = 0.5 * Math.log(2 * Math.PI) - 0.5
  const main = add(mul(sub(z, 0.5), sub(logarithm, 1)), add(series, constantPart))
  const isNear = lt(w, 2.5)
  // What remains are logarithms of positive numbers: of the shifts, of x below one, of the sine.
  const t = sub(wide, round(wide))
  const sine = abs(mul(t, polynomial(square(t), sineTail)))
  const shifts = select(and(isShifted, ge(w, 2.5)), rising(w).product, 1)
  const reflected = select(
    isNegative,
    div(mul(sine, 1 / Math.PI), shifts),
    mul(select(isBelowOne, wide, 1), shifts),
  )
  const far = select(isNear, near, main)
  const value = sub(select(isNegative, neg(far), far), logSmall(reflected))
  const isPole = and(le(wide, 0), eq(floor(wide), wide))
  const found = select(isPole, Infinity, select(lt(abs(wide), Infinity), value, abs(wide)))
  return toFloat32(found)
}

/** Γ′(x) / Γ(x); NaN at 0, −1, −2, … and at −Infinity. */
export const digamma = (x: Scalar): Scalar => {
  const wide = toFloat64(x)
  const isNegative = lt(wide, 0)
  const w = select(isNegative, sub(1, wide), wide)
  const isShifted = lt(w, 8)
  const z = select(isShifted, add(w, shift), w)
  const inverse = div(1, z)
  const u = square(inverse)
  const series = add(mul(inverse, 0.5), mul(u, horner(u, digammaSeries)))
  const isHuge = gt(z, 2 ** 100)
  const small = logMiddle(select(isHuge, mul(z, 2 ** -64), z))
  const logarithm = select(isHuge, add(small, 64 * Math.LN2), small)
  const main = sub(logarithm, add(series, select(isShifted, rising(w).inverses, 0)))
  const t = sub(wide, round(wide))
  const v = square(t)
  const cosine = mul(sub(0.25, v), polynomial(v, cosineTail))
  const cotangent = div(mul(cosine, Math.PI), mul(t, polynomial(v, sineTail)))
  const value = select(isNegative, sub(main, cotangent), main)
  const isPole = or(and(le(wide, 0), eq(floor(wide), wide)), eq(wide, -Infinity))
  return toFloat32(select(isPole, NaN, select(lt(wide, Infinity), value, wide)))
}

/** The error function and its complement in float64. */
import type { Scalar } from '@cotangent/core'
import {
  abs,
  add,
  div,
  horner,
  lt,
  mul,
  neg,
  pmax,
  pmin,
  polynomial,
  select,
  square,
  sub,
  toFloat32,
  toFloat64,
  withSign,
} from '../arith.ts'
import { expMinusOne, wide } from './exponential.ts'

// (erf x − x) / x in x², on |x| ≤ 1, within 2^-62 of erf x.
const erfTail = [
  0.1283791670955126, -0.3761263890318375, 0.11283791670954857, -0.026866170645072893,
  0.005223977624780838, -0.0008548326978740622, 0.000120553310368449, -1.4925593505645053e-5,
  1.646097279815068e-6, -1.6350025034086767e-7, 1.4657878650325633e-8, -1.136566164436725e-9,
  5.945254923277589e-11,
]
// (x + 3) exp(x²) erfc x in (x − 3) / (x + 3), on 0.47 ≤ x ≤ 27.3, within 2^-60.
const scaledComplement = [
  1.0740069070883398, -0.8833944531698836, 0.5902283571041019, -0.3104672619005612,
  0.11952776128728326, -0.026827234624730904, -0.0012124166269970676, 0.003034062005697634,
  -0.0005483096955024795, -0.0002767778892524825, 0.00010756152769046628, 3.0398402150174292e-5,
  -1.74708450377517e-5, -4.75002492759285e-6, 2.7665675165266713e-6, 1.0004603294807064e-6,
  -4.110448251323498e-7, -2.3504120154282393e-7, 5.093572765596201e-8, 5.062949380907479e-8,
  -5.336209473685835e-9, -7.106691957217868e-9, 8.423413533692406e-10,
]

const erfNear = (x: Scalar): Scalar => add(x, mul(x, polynomial(square(x), erfTail)))

/** erfc of magnitudes between 0.47 and 27.3: exp(−x²) times a polynomial. */
const complement = (a: Scalar): Scalar => {
  // 24 bits have an exact square; the rest of it is a small correction of the exponent.
  const leading = toFloat64(toFloat32(a))
  const rest = mul(sub(leading, a), add(leading, a))
  const { r, scaled } = wide(neg(square(leading)))
  const below = add(a, 3)
  const ratio = div(horner(div(sub(a, 3), below), scaledComplement), below)
  return scaled(add(ratio, mul(ratio, expMinusOne(add(r, rest)))))
}

export const erf = (x: Scalar): Scalar => {
  const far = sub(1, complement(pmax(pmin(abs(x), 6), 0.5)))
  return select(lt(abs(x), 1), erfNear(x), withSign(far, x))
}

/** 1 − erf x near zero, the complement above, and 2 minus that below. */
export const erfc = (x: Scalar): Scalar => {
  const above = complement(pmax(pmin(abs(x), 27.3), 0.47))
  const far = select(lt(x, 0), sub(2, above), above)
  return select(lt(abs(x), 0.47), sub(1, erfNear(x)), far)
}

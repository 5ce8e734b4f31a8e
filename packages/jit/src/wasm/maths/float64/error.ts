/** The error function and its complement in float64. */
import type { Scalar } from '@cotangent/core'
import {
  abs,
  add,
  constant,
  div,
  eq,
  horner,
  lt,
  mul,
  neg,
  pmax,
  pmin,
  polynomial,
  select,
  sqrt,
  square,
  sub,
  toFloat32,
  toFloat64,
  withSign,
} from '../arith.ts'
import { logMiddle } from './logarithm.ts'
import { expMinusOne, exponentials, wide } from './exponential.ts'

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

// The inverse's first guess is x = y · P(w) with w = −log(1 − y²) (Giles 2010, "Approximating the
// erfinv function"): in w − 2.5 for w < 5, within 2^-27, and in √w − 4.1 beyond, within 2^-20.
const centre = [
  1.5014093595024232, 0.24664028677143873, -0.004177388199940625, -0.001252743591573554,
  0.000218345809360016, -4.962135186862903e-6, -3.4631150646348706e-6, 4.658641650765608e-7,
  2.3270194629097668e-8, -8.765888564816428e-9,
]
const ends = [
  3.9407446678921016, 1.0097347305592574, 0.0010228895211897488, -0.0008128415573418564,
  0.00025938347394941565, -1.6914626040945112e-5, 3.6605302964793186e-5, -5.4284476162298546e-5,
  1.8461322214016263e-5, -1.2872493808240467e-6,
]

/** The x with erf(x) = y; ±Infinity at ±1, NaN beyond. */
export const erfInverse = (y: Scalar): Scalar => {
  const a = abs(y)
  const w = neg(logMiddle(mul(sub(1, a), add(a, 1))))
  const near = polynomial(sub(w, 2.5), centre)
  const far = polynomial(sub(sqrt(w), 4.1), ends)
  const guess = mul(a, select(lt(w, 5), near, far))
  // Halley's method triples the digits; the complement keeps its precision near the ends.
  const isNear = lt(guess, 0.85)
  const left = sub(sub(1, a), complement(pmax(guess, 0.85)))
  const error = select(isNear, sub(erfNear(guess), a), left)
  const slope = exponentials.exp(square(guess))
  const newton = mul(mul(error, Math.sqrt(Math.PI) / 2), slope)
  const better = sub(guess, div(newton, add(mul(guess, newton), 1)))
  const outside = select(eq(a, 1), constant(y, Infinity), NaN)
  return withSign(select(lt(a, 1), better, outside), y)
}

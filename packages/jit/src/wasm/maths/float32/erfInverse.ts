/**
 * The inverse of the error function for float32, in float64: x = y · P(w) where w = −log(1 − y²)
 * (Giles 2010, "Approximating the erfinv function"; the coefficients were fitted afresh).
 */
import type { Scalar } from '@cotangent/core'
import {
  abs,
  add,
  eq,
  lt,
  mul,
  neg,
  polynomial,
  select,
  sqrt,
  sub,
  toFloat32,
  toFloat64,
} from '../arith.ts'
import { logMiddle } from '../float64/logarithm.ts'

// In w − 2.5, on 0 ≤ w ≤ 5, within 2^-31.
const centre = [
  1.5014093517106748, 0.24664027582473044, -0.004177324812815119, -0.0012527050528421838,
  0.00021826382341837098, -4.998556823475871e-6, -3.4261490263704552e-6, 4.796081930785857e-7,
  1.6485473472820432e-8, -1.1006096493007019e-8, 4.350193161274393e-10, 1.3171218968869486e-10,
]
// In √w − 3.1, on 5 ≤ w ≤ 16, within 2^-29.
const ends = [
  2.933231669354033, 1.0033560837527171, 0.007460307441154322, -0.005695735388143056,
  0.004118630137149144, -0.0027194440415134907, 0.001329846383758306, -0.00029020349953604605,
  -0.00015219709376703596, 0.00013241722467817395, -2.6229769197293353e-5,
]

/** The x with erf(x) = y; ±Infinity at ±1, NaN beyond. */
export const erfInverse = (y: Scalar): Scalar => {
  const wide = toFloat64(y)
  const a = abs(wide)
  const w = neg(logMiddle(mul(sub(1, a), add(a, 1))))
  const near = polynomial(sub(w, 2.5), centre)
  const far = polynomial(sub(sqrt(w), 3.1), ends)
  const inside = mul(wide, select(lt(w, 5), near, far))
  const outside = select(eq(a, 1), mul(wide, Infinity), NaN)
  return toFloat32(select(lt(a, 1), inside, outside))
}

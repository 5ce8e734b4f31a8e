/** The error function in float32. */
import type { Scalar } from '@cotangent/core'
import { abs, add, lt, mul, pmin, polynomial, select, square, sub, withSign } from '../arith.ts'
import { expMinusOne, powerOfTwo, reduced } from './exponential.ts'

// (erf x − x) / x in x², on |x| ≤ 0.95, within 2^-30 of erf x.
const erfTail = [
  0.12837917, -0.3761263, 0.11283626, -0.02685574, 0.0051924605, -0.0008050804, 8.002775e-5,
]
// log(1 − erf x) on 0.95 ≤ x ≤ 3.93, whose error is that of erf x within 2^-29.
const logComplement = [
  -0.00024473574, -1.1274749, -0.6375171, -0.10364034, 0.022087723, -0.0030085866, 0.00019243544,
]
const erfNear = (x: Scalar): Scalar => add(x, mul(x, polynomial(square(x), erfTail)))

/** A polynomial near zero, and 1 − exp(polynomial), which damps errors of exp, beyond. */
export const erf = (x: Scalar): Scalar => {
  const { shifted, r } = reduced(polynomial(pmin(abs(x), 3.93), logComplement), 127)
  const complement = mul(add(expMinusOne(r), 1), powerOfTwo(shifted))
  return select(lt(abs(x), 0.95), erfNear(x), withSign(sub(1, complement), x))
}

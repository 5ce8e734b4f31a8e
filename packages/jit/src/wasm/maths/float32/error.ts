/** The error function in float32. */
import type { Scalar } from '@cotangent/core'
import { abs, add, lt, mul, pmin, polynomial, select, square, sub, withSign } from '../arith.ts'
import { powerOfTwo, reduced } from './exponential.ts'

// (erf x − x) / x in x², on |x| ≤ 0.9, within 2^-26 of erf x.
const erfTail = [0.12837915, -0.37612504, 0.11281922, -0.026770493, 0.004998959, -0.00060207996]
// log(1 − erf x) on 0.9 ≤ x ≤ 3.93, whose error is that of erf x within 2^-29.
const logComplement = [
  -0.00016645553, -1.1277972, -0.636976, -0.104113825, 0.022315323, -0.003065527, 0.00019822369,
]
// (eʳ − 1 − r) / r² within 2^-22 of eʳ, which is enough for the complement.
const expTail = [0.49999225, 0.16668995, 0.041894205, 0.008124921]

const erfNear = (x: Scalar): Scalar => add(x, mul(x, polynomial(square(x), erfTail)))

/** A polynomial near zero, and 1 − exp(polynomial), which damps errors of exp, beyond. */
export const erf = (x: Scalar): Scalar => {
  const { shifted, r } = reduced(polynomial(pmin(abs(x), 3.93), logComplement), 127)
  const grown = add(add(r, mul(square(r), polynomial(r, expTail))), 1)
  const complement = mul(grown, powerOfTwo(shifted))
  return select(lt(abs(x), 0.9), erfNear(x), withSign(sub(1, complement), x))
}

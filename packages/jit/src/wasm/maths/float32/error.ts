/** The error function and its complement in float32. */
import type { Scalar } from '@cotangent/core'
import {
  abs,
  add,
  and,
  bitsOf,
  div,
  fromBits,
  lt,
  mul,
  neg,
  pmin,
  polynomial,
  select,
  square,
  sub,
  withSign,
} from '../arith.ts'
import { expMinusOne, powerOfTwo, reduced, scaled } from './exponential.ts'

// (erf x − x) / x in x², on |x| ≤ 0.95, within 2^-30 of erf x.
const erfTail = [
  0.12837917, -0.3761263, 0.11283626, -0.02685574, 0.0051924605, -0.0008050804, 8.002775e-5,
]
// log(1 − erf x) on 0.95 ≤ x ≤ 3.93, whose error is that of erf x within 2^-29.
const logComplement = [
  -0.00024473574, -1.1274749, -0.6375171, -0.10364034, 0.022087723, -0.0030085866, 0.00019243544,
]
// (x + 2) exp(x²) erfc x in (x − 2) / (x + 2), on 0.449 ≤ x ≤ 10.1, within 2^-27.
const scaledComplement = [
  1.0215827, -0.6871607, 0.27947178, -0.036443416, -0.021504424, 0.006490794, 0.003046166,
  -0.00088120723, -0.0005320077, 0.0001003463,
]

const erfNear = (x: Scalar): Scalar => add(x, mul(x, polynomial(square(x), erfTail)))

/** A polynomial near zero, and 1 − exp(polynomial), which damps errors of exp, beyond. */
export const erf = (x: Scalar): Scalar => {
  const { shifted, r } = reduced(polynomial(pmin(abs(x), 3.93), logComplement), 127)
  const complement = mul(add(expMinusOne(r), 1), powerOfTwo(shifted))
  return select(lt(abs(x), 0.95), erfNear(x), withSign(sub(1, complement), x))
}

/** 1 − erf x near zero, exp(−x²) times a polynomial above, and 2 minus that below. */
export const erfc = (x: Scalar): Scalar => {
  const bounded = pmin(abs(x), 10.1)
  const high = square(bounded)
  // What rounding the square left out: products of halves with twelve bits are exact.
  const short = fromBits(and(bitsOf(bounded), -4096))
  const long = sub(bounded, short)
  const low = add(add(sub(square(short), high), mul(add(short, short), long)), square(long))
  const { shifted, r } = reduced(neg(high), 2 * 127)
  const below = add(bounded, 2)
  const ratio = div(polynomial(div(sub(bounded, 2), below), scaledComplement), below)
  const above = scaled(add(ratio, mul(ratio, expMinusOne(sub(r, low)))), shifted)
  const far = select(lt(x, 0), sub(2, above), above)
  return select(lt(abs(x), 0.45), sub(1, erfNear(x)), far)
}

/**
 * exp and its kin in any precision: x = n ln 2 + r with |r| ≤ ln 2 / 2, a polynomial in r, and a power
 * of two (Cody & Waite 1980, "Software Manual for the Elementary Functions").
 */
import type { Scalar } from '@cotangent/core'
import {
  abs,
  add,
  div,
  lt,
  mul,
  negAbs,
  pmax,
  pmin,
  polynomial,
  select,
  square,
  sub,
  withSign,
} from '../arith.ts'
import { isNeverPositive } from '../signs.ts'

/** x as n ln 2 + r. */
export interface Reduced {
  readonly r: Scalar
  /** y · 2ⁿ, rounded once. */
  readonly scaled: (y: Scalar) => Scalar
}

/** What one precision brings along. */
export interface ExponentialKit {
  /** Where y · 2ⁿ may be denormal or infinite. */
  readonly wide: (x: Scalar) => Reduced
  /** The same for x ≤ 0. */
  readonly falling: (x: Scalar) => Reduced
  /** r and 2^(n + by), which must be a normal number. */
  readonly narrow: (x: Scalar, by: number) => { readonly r: Scalar; readonly power: Scalar }
  /** r and 2ⁿ for 0 ≤ x up to `saturation`, the less precise the larger x is. */
  readonly coarse: (x: Scalar) => { readonly r: Scalar; readonly power: Scalar }
  /** eʳ − 1 for |r| ≤ ln 2 / 2. */
  readonly expMinusOne: (r: Scalar) => Scalar
  /** exp is infinite above, 0 below. */
  readonly overflow: number
  readonly underflow: number
  /** Where `falling` gives 0 at the latest. */
  readonly fallen: number
  /** exp x − 1 is −1 below. */
  readonly vanishing: number
  /** exp x − 1 is x up to here. */
  readonly tiny: number
  /** tanh is 1 from half of this on. */
  readonly saturation: number
  /** cosh is infinite above. */
  readonly largestCosh: number
  /** (tanh x / x − 1) / x² in x² on |x| ≤ tanhBound, (sinh x / x − 1) / x² in x² on |x| ≤ 1. */
  readonly tanhBound: number
  readonly tanhTail: readonly number[]
  readonly sinhTail: readonly number[]
}

type Unary = (x: Scalar) => Scalar

export interface Exponentials {
  readonly exp: Unary
  readonly expm1: Unary
  readonly logistic: Unary
  readonly tanh: Unary
  readonly sinh: Unary
  readonly cosh: Unary
}

/** −|x| as one operation. */
const signSet = (x: Scalar): Scalar =>
  x.tag === 'unary' && x.op === 'negate' && x.x.tag === 'unary' && x.x.op === 'absolute'
    ? negAbs(x.x.x)
    : x

/** x + x³ · polynomial(x²), which keeps the sign of zero. */
const oddSum = (x: Scalar, tail: readonly number[]): Scalar => {
  const u = square(x)
  return mul(x, add(mul(u, polynomial(u, tail)), 1))
}

export const makeExponentials = (kit: ExponentialKit): Exponentials => {
  const { expMinusOne, narrow, overflow, underflow, wide } = kit

  const expOf = ({ r, scaled }: Reduced): Scalar => scaled(add(expMinusOne(r), 1))
  /** exp of what is at most 0. */
  const expFalling = (x: Scalar): Scalar => expOf(kit.falling(pmax(x, kit.fallen)))
  const exp = (x: Scalar): Scalar =>
    isNeverPositive(x) ? expFalling(signSet(x)) : expOf(wide(pmax(pmin(x, overflow), underflow)))

  const expm1 = (x: Scalar): Scalar => {
    // Halves keep 2ⁿ finite where n is the largest exponent plus 1.
    const { r, power } = narrow(pmax(pmin(x, overflow), kit.vanishing), -1)
    const half = add(mul(power, expMinusOne(r)), sub(power, 0.5))
    return select(lt(abs(x), kit.tiny), x, add(half, half))
  }

  /** 1 / (1 + e⁻ˣ), by way of e^−|x|, which never overflows; corrected for the rounded sum. */
  const logistic = (x: Scalar): Scalar => {
    const z = expFalling(negAbs(x))
    const below = add(z, 1)
    const quotient = div(select(lt(x, 0), z, 1), below)
    return sub(quotient, mul(quotient, sub(z, sub(below, 1))))
  }

  /** A polynomial near zero, and 1 − 2 / (exp(2 |x|) + 1), which damps errors of exp, beyond. */
  const tanh = (x: Scalar): Scalar => {
    const a = abs(x)
    const { r, power } = kit.coarse(pmin(add(a, a), kit.saturation))
    const grown = mul(add(expMinusOne(r), 1), power)
    const large = withSign(sub(1, div(2, add(grown, 1))), x)
    return select(lt(a, kit.tanhBound), oddSum(x, kit.tanhTail), large)
  }

  /** e^|x| / 2, without overflow where its double would. */
  const halfExp = (x: Scalar): Scalar => {
    const { r, power } = narrow(pmin(abs(x), kit.largestCosh), -2)
    const quarter = mul(add(expMinusOne(r), 1), power)
    return add(quarter, quarter)
  }
  const sinh = (x: Scalar): Scalar => {
    const half = halfExp(x)
    const large = withSign(sub(half, div(0.25, half)), x)
    return select(lt(abs(x), 1), oddSum(x, kit.sinhTail), large)
  }
  const cosh = (x: Scalar): Scalar => {
    const half = halfExp(x)
    return add(half, div(0.25, half))
  }
  return { exp, expm1, logistic, tanh, sinh, cosh }
}

/** The error function and the gamma function, with their relatives. */
import { type Tensor, add, bind1, zerosLike } from '@cotangent/core'
import { floats } from './accepts.ts'
import { div, mul, neg, sub } from './arithmetic.ts'
import { lt, select } from './compare.ts'
import { type Unary, constantLike, unary } from './elements.ts'
import { exp, floor, sin } from './unary.ts'

const twoOverRootPi = 2 / Math.sqrt(Math.PI)
const scale = (x: Tensor, factor: number): Tensor => mul(x, constantLike(x, factor))
const expMinusSquare = (x: Tensor): Tensor => exp(neg(mul(x, x)))

/** `2/√π ∫₀ˣ exp(−t²) dt`. */
export const erfP: Unary = unary('erf', 'erf', floats, 'expensive', (dx, [x]) =>
  mul(dx, scale(expMinusSquare(x), twoOverRootPi)),
)
export const erf = (x: Tensor): Tensor => bind1(erfP, [x], null)

/** `1 − erf(x)`, precise in the tail. */
export const erfcP: Unary = unary('erfc', 'erfc', floats, 'expensive', (dx, [x]) =>
  mul(dx, scale(expMinusSquare(x), -twoOverRootPi)),
)
export const erfc = (x: Tensor): Tensor => bind1(erfcP, [x], null)

/** The inverse of `erf` on [−1, 1]. */
export const erfInvP: Unary = unary('erfInv', 'erfInverse', floats, 'expensive', (dx, _, y) =>
  mul(dx, scale(exp(mul(y, y)), 1 / twoOverRootPi)),
)
export const erfInv = (x: Tensor): Tensor => bind1(erfInvP, [x], null)

/** `log |Γ(x)|`. */
export const lgammaP: Unary = unary('lgamma', 'logGamma', floats, 'expensive', (dx, [x]) =>
  mul(dx, digamma(x)),
)
export const lgamma = (x: Tensor): Tensor => bind1(lgammaP, [x], null)

/** `Γ′(x) / Γ(x)`. */
export const digammaP: Unary = unary('digamma', 'digamma', floats, 'expensive', (dx, [x]) =>
  mul(dx, trigamma(x)),
)
export const digamma = (x: Tensor): Tensor => bind1(digammaP, [x], null)

// B₂ₖ for k = 1 … 7.
const bernoulli: readonly number[] = [1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6]
const shift = 10

const trigammaPositive = (x: Tensor): Tensor => {
  const one = constantLike(x, 1)
  let head = zerosLike(x)
  for (let k = 0; k < shift; k++) {
    const inverse = div(one, add(x, constantLike(x, k)))
    head = add(head, mul(inverse, inverse))
  }
  const inverse = div(one, add(x, constantLike(x, shift)))
  const square = mul(inverse, inverse)
  let tail = zerosLike(x)
  for (const b of bernoulli.toReversed()) tail = add(mul(tail, square), constantLike(x, b))
  const asymptotic = add(add(inverse, scale(square, 0.5)), mul(tail, mul(inverse, square)))
  return add(head, asymptotic)
}

/**
 * The derivative of `digamma`, composed of primitives so that it can be differentiated again:
 * ten steps of the recurrence, the asymptotic series above, reflection below ½.
 * @see DLMF 5.15.5, 5.15.6, 5.15.8
 */
export const trigamma = (x: Tensor): Tensor => {
  const one = constantLike(x, 1)
  const reflected = lt(x, constantLike(x, 0.5))
  const value = trigammaPositive(select(reflected, sub(one, x), x))
  // sin² has period 1 in units of π, so the fraction alone decides.
  const sine = sin(scale(sub(x, floor(x)), Math.PI))
  const cosecant = div(constantLike(x, Math.PI), sine)
  return select(reflected, sub(mul(cosecant, cosecant), value), value)
}

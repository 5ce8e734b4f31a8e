/** Special functions under their SciPy names. */
import { type Tensor, type TensorLike, add, customJvp } from '@cotangent/core'
import * as binary from './prims/binary.ts'
import * as compare from './prims/compare.ts'
import * as specials from './prims/special.ts'
import * as unary from './prims/unary.ts'
import { constantLike, promoteOne, promotePair } from './promote.ts'

type Unary = (x: TensorLike) => Tensor
type Binary = (x: TensorLike, y: TensorLike) => Tensor

const inexact =
  (name: string, f: (x: Tensor) => Tensor): Unary =>
  (x) =>
    f(promoteOne(`special.${name}`, x, { inexact: true }))

const inexactPair =
  (name: string, f: (x: Tensor, y: Tensor) => Tensor): Binary =>
  (x, y) =>
    f(...promotePair(`special.${name}`, x, y, { inexact: true }))

/** The error function. */
export const erf: Unary = inexact('erf', specials.erf)
/** `1 − erf(x)`, exact where erf is near 1. */
export const erfc: Unary = inexact('erfc', specials.erfc)
/** The inverse of `erf` on (−1, 1). */
export const erfinv: Unary = inexact('erfinv', specials.erfInv)
/** `log |Γ(x)|`. */
export const gammaln: Unary = inexact('gammaln', specials.lgamma)
/** The derivative of `gammaln`. */
export const digamma: Unary = inexact('digamma', specials.digamma)
/** `1 / (1 + e⁻ˣ)`. */
export const expit: Unary = inexact('expit', unary.logistic)

/** `log(x / (1 − x))`, the inverse of `expit`. */
export const logit: Unary = inexact('logit', (x) =>
  binary.sub(unary.log(x), unary.log1p(unary.neg(x))),
)

/** `Γ(x)`; NaN at the negative integers. */
export const gamma: Unary = inexact('gamma', (x) => {
  const magnitude = unary.exp(specials.lgamma(x))
  const zero = constantLike(x, 0)
  const whole = unary.floor(x)
  const isOdd = compare.ne(binary.rem(whole, constantLike(x, 2)), zero)
  const isNegative = compare.lt(x, zero)
  const signed = compare.select(binary.and(isNegative, isOdd), unary.neg(magnitude), magnitude)
  const isPole = binary.and(isNegative, compare.eq(whole, x))
  return compare.select(isPole, constantLike(x, Number.NaN), signed)
})

// 0 where x is 0, whatever the logarithm; but not for a y that is no number.
const product = (x: Tensor, y: Tensor, log: (y: Tensor) => Tensor): Tensor => {
  const zero = constantLike(x, 0)
  const vanishes = binary.and(compare.eq(x, zero), compare.eq(y, y))
  return compare.select(vanishes, zero, binary.mul(x, log(y)))
}

const xlogyOf = customJvp(
  (x: Tensor, y: Tensor) => product(x, y, unary.log),
  ([x, y], [dx, dy]) => [
    product(x, y, unary.log),
    add(binary.mul(dx, unary.log(y)), binary.mul(dy, binary.div(x, y))),
  ],
)
/** `x log(y)`, 0 where `x` is 0; the derivative in `x` is `log(y)` there too. */
export const xlogy: Binary = inexactPair('xlogy', xlogyOf)

const xlog1pyOf = customJvp(
  (x: Tensor, y: Tensor) => product(x, y, unary.log1p),
  ([x, y], [dx, dy]) => [
    product(x, y, unary.log1p),
    add(binary.mul(dx, unary.log1p(y)), binary.mul(dy, binary.div(x, add(constantLike(y, 1), y)))),
  ],
)
/** `x log(1 + y)`, 0 where `x` is 0. */
export const xlog1py: Binary = inexactPair('xlog1py', xlog1pyOf)

const negativeXlogx = customJvp(
  (x: Tensor) => unary.neg(product(x, x, unary.log)),
  ([x], [dx]) => [
    unary.neg(product(x, x, unary.log)),
    unary.neg(binary.mul(dx, add(unary.log(x), constantLike(x, 1)))),
  ],
)
/** The entropy of an outcome: `−x log(x)`, 0 at 0, −∞ below. */
export const entr: Unary = inexact('entr', (x) =>
  compare.select(compare.lt(x, constantLike(x, 0)), constantLike(x, -Infinity), negativeXlogx(x)),
)

/** `log B(x, y)`, with the beta function B. */
export const betaln: Binary = inexactPair('betaln', (x, y) =>
  binary.sub(add(specials.lgamma(x), specials.lgamma(y)), specials.lgamma(add(x, y))),
)

/** The distribution function of the standard normal distribution. */
export const ndtr: Unary = inexact('ndtr', (x) => {
  const scaled = binary.mul(x, constantLike(x, -Math.SQRT1_2))
  return binary.mul(specials.erfc(scaled), constantLike(x, 0.5))
})
/** The inverse of `ndtr`. */
export const ndtri: Unary = inexact('ndtri', (x) => {
  const centred = binary.sub(binary.mul(x, constantLike(x, 2)), constantLike(x, 1))
  return binary.mul(specials.erfInv(centred), constantLike(x, Math.SQRT2))
})

// Below −10 the tail underflows: there its asymptotic series is summed in place of it.
const logNdtrValue = (x: Tensor): Tensor => {
  const isTail = compare.lt(x, constantLike(x, -10))
  const near = compare.select(isTail, constantLike(x, 0), x)
  const far = compare.select(isTail, x, constantLike(x, -10))
  const isUpper = compare.gt(x, constantLike(x, 5))
  const upper = unary.neg(ndtr(unary.neg(near)))
  const body = unary.log(ndtr(compare.select(isUpper, constantLike(x, 0), near)))
  return compare.select(isTail, tail(far), compare.select(isUpper, unary.log1p(upper), body))
}

const tail = (x: Tensor): Tensor => {
  const inverse = binary.div(constantLike(x, 1), unary.integerPow(x, 2))
  let series = constantLike(x, 1)
  for (const odd of [7, 5, 3, 1]) {
    series = binary.sub(
      constantLike(x, 1),
      binary.mul(constantLike(x, odd), binary.mul(inverse, series)),
    )
  }
  const exponent = binary.mul(unary.integerPow(x, 2), constantLike(x, -0.5))
  const scale = add(unary.log(unary.neg(x)), constantLike(x, 0.5 * Math.log(2 * Math.PI)))
  return add(binary.sub(exponent, scale), unary.log(series))
}

const logNdtrOf = customJvp(logNdtrValue, ([x], [dx]) => {
  const y = logNdtrValue(x)
  const density = binary.mul(unary.integerPow(x, 2), constantLike(x, -0.5))
  const ratio = binary.sub(
    binary.sub(density, constantLike(x, 0.5 * Math.log(2 * Math.PI))),
    logNdtrOf(x),
  )
  return [y, binary.mul(dx, unary.exp(ratio))]
})
/** `log(ndtr(x))`, exact in both tails. */
export const logNdtr: Unary = inexact('logNdtr', (x) => logNdtrOf(x))

export { logsumexp } from './activations.ts'

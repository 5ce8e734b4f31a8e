/**
 * The logarithm of the gamma function and its derivative, in float64.
 *
 * @see DLMF 5.7.3 (series about 2), 5.11.1 and 5.11.2 (asymptotic series), 5.5.1 to 5.5.4
 * (recurrence and reflection).
 */
import { cosPi, sinPi } from './elementary.ts'

// (−1)ᵏ (ζ(k) − 1) / k for k = 2, 3, …
const zetaTerms: readonly number[] = [
  0.3224670334241132, -0.0673523010531981, 0.020580808427784546, -0.007385551028673986,
  0.0028905103307415234, -0.001192753911703261, 0.0005096695247430425, -0.00022315475845357939,
  9.945751278180853e-5, -4.492623673813314e-5, 2.050721277567069e-5, -9.439488275268397e-6,
  4.374866789907488e-6, -2.039215753801366e-6, 9.55141213040742e-7, -4.492469198764566e-7,
  2.1207184805554665e-7, -1.0043224823968099e-7, 4.7698101693639804e-8, -2.2711094608943164e-8,
  1.0838659214896955e-8, -5.183475041970047e-9, 2.4836745438024785e-9, -1.1921401405860912e-9,
  5.731367241678862e-10, -2.7595228851242334e-10,
]
// 1 − γ
const oneMinusEuler = 0.42278433509846713

/** log Γ(2 + z) for |z| ≤ ½. */
const nearTwo = (z: number): number => {
  let sum = 0
  for (let k = zetaTerms.length - 1; k >= 0; k--) sum = sum * z + zetaTerms[k]!
  return z * (oneMinusEuler + z * sum)
}

// Bernoulli numbers B₂ₖ, k = 1, 2, …
const bernoulli: readonly number[] = [
  1 / 6,
  -1 / 30,
  1 / 42,
  -1 / 30,
  5 / 66,
  -691 / 2730,
  7 / 6,
  -3617 / 510,
]

const logGammaLarge = (x: number): number => {
  const square = 1 / (x * x)
  let sum = 0
  for (let k = bernoulli.length; k >= 1; k--) {
    sum = sum * square + bernoulli[k - 1]! / (2 * k * (2 * k - 1))
  }
  const main = (x - 0.5) * (Math.log(x) - 1)
  return main + (0.5 * Math.log(2 * Math.PI) - 0.5) + sum / x
}

/** log |Γ(x)|; Infinity at 0, −1, −2, … and at ±Infinity. */
export const logGamma = (x: number): number => {
  if (Number.isNaN(x)) return NaN
  if (x === Infinity || x === -Infinity) return Infinity
  if (x < 0.5) {
    if (x <= 0 && Number.isInteger(x)) return Infinity
    if (x > -0.5) return logGamma(1 + x) - Math.log(Math.abs(x))
    return Math.log(Math.PI / Math.abs(sinPi(x))) - logGamma(1 - x)
  }
  if (x < 1.5) return nearTwo(x - 1) - Math.log1p(x - 1)
  if (x >= 10) return x > 1e300 ? x * (Math.log(x) - 1) : logGammaLarge(x)
  // Down to [1.5, 2.5], where the series is short; all factors exceed 1, so nothing cancels.
  let product = 1
  let z = x
  while (z >= 2.5) {
    z -= 1
    product *= z
  }
  return nearTwo(z - 2) + Math.log(product)
}

const digammaLarge = (x: number): number => {
  const square = 1 / (x * x)
  let sum = 0
  for (let k = bernoulli.length; k >= 1; k--) sum = (sum + bernoulli[k - 1]! / (2 * k)) * square
  return Math.log(x) - 0.5 / x - sum
}

/** Γ′(x) / Γ(x); NaN at 0, −1, −2, … and at −Infinity. */
export const digamma = (x: number): number => {
  if (x === -Infinity || (x <= 0 && Number.isInteger(x))) return NaN
  if (x < 0) return digamma(1 - x) - (Math.PI * cosPi(x)) / sinPi(x)
  let sum = 0
  let z = x
  while (z < 10) {
    sum += 1 / z
    z += 1
  }
  return digammaLarge(z) - sum
}

/**
 * Special functions to a hundred digits, to judge the float64 ones by: fixed-point BigInt
 * arithmetic and textbook series, sharing no formula and no constant with what is judged.
 */

const bits = 420n
const one = 1n << bits

/** Exact: every finite number is a multiple of 2^−1074, and of 2^−420 where it is not tiny. */
export const fixed = (x: number): bigint => {
  let scaled = x
  let shift = 0n
  while (!Number.isInteger(scaled)) {
    scaled *= 2
    shift++
  }
  return (BigInt(scaled) << bits) >> shift
}

/** Rounded to float64, with its full precision however small. */
export const toNumber = (x: bigint): number => {
  const magnitude = x < 0n ? -x : x
  const length = BigInt(magnitude.toString(2).length)
  const drop = length > 64n ? length - 64n : 0n
  const value = Number(magnitude >> drop) * 2 ** Number(drop - bits)
  return x < 0n ? -value : value
}

const times = (x: bigint, y: bigint): bigint => (x * y) >> bits
const over = (x: bigint, y: bigint): bigint => (x << bits) / y

const squareRoot = (x: bigint): bigint => {
  const target = x << bits
  let guess = 1n << (BigInt(target.toString(2).length) / 2n + 1n)
  for (;;) {
    const next = (guess + target / guess) >> 1n
    if (next >= guess) return guess
    guess = next
  }
}

const sumSeries = (first: bigint, next: (term: bigint, n: bigint) => bigint): bigint => {
  let sum = 0n
  let term = first
  for (let n = 1n; term !== 0n; n++) {
    sum += term
    term = next(term, n)
    if (term === -1n) break
  }
  return sum
}

const arcTangentOfInverse = (n: bigint): bigint => {
  let power = one / n
  let sum = 0n
  for (let k = 0n; power !== 0n; k++) {
    sum += (k % 2n === 0n ? power : -power) / (2n * k + 1n)
    power /= n * n
  }
  return sum
}

/** Machin's formula. */
export const pi: bigint = 4n * (4n * arcTangentOfInverse(5n) - arcTangentOfInverse(239n))

const logNearOne = (x: bigint): bigint => {
  const t = over(x - one, x + one)
  const square = times(t, t)
  let power = t
  let sum = 0n
  for (let k = 1n; power !== 0n && power !== -1n; k += 2n) {
    sum += power / k
    power = times(power, square)
  }
  return 2n * sum
}

const logTwo: bigint = logNearOne(2n * one)

export const log = (x: bigint): bigint => {
  const exponent = BigInt(x.toString(2).length - 1) - bits
  const mantissa = exponent >= 0n ? x >> exponent : x << -exponent
  return logNearOne(mantissa) + exponent * logTwo
}

/** 2/√π Σ (−1)ⁿ x²ⁿ⁺¹ / (n! (2n + 1)): alternating, but 420 bits outlast the cancellation to |x| = 9. */
export const erf = (x: bigint): bigint => {
  const square = times(x, x)
  let power = x
  let sum = 0n
  for (let n = 0n; power !== 0n && power !== -1n; n++) {
    sum += power / (2n * n + 1n)
    power = -times(power, square) / (n + 1n)
  }
  return over(2n * sum, squareRoot(pi))
}

export const erfc = (x: bigint): bigint => one - erf(x)

export const sine = (x: bigint): bigint => {
  const square = times(x, x)
  return sumSeries(x, (term, n) => -times(term, square) / (2n * n * (2n * n + 1n)))
}

export const cosine = (x: bigint): bigint => sine(x + pi / 2n)

interface Fraction {
  readonly top: bigint
  readonly bottom: bigint
}

const gcd = (a: bigint, b: bigint): bigint => (b === 0n ? (a < 0n ? -a : a) : gcd(b, a % b))

const addFractions = (a: Fraction, b: Fraction): Fraction => {
  const top = a.top * b.bottom + b.top * a.bottom
  const bottom = a.bottom * b.bottom
  const common = gcd(top, bottom)
  return { top: top / common, bottom: bottom / common }
}

/** Bernoulli numbers by their defining recurrence Σ C(m + 1, k) Bₖ = 0. */
const bernoulli: readonly Fraction[] = ((): readonly Fraction[] => {
  const numbers: Fraction[] = [{ top: 1n, bottom: 1n }]
  for (let m = 1n; m <= 60n; m++) {
    let sum: Fraction = { top: 0n, bottom: 1n }
    let choose = 1n
    numbers.forEach((b, k) => {
      sum = addFractions(sum, { top: choose * b.top, bottom: b.bottom })
      choose = (choose * (m + 1n - BigInt(k))) / (BigInt(k) + 1n)
    })
    numbers.push({ top: -sum.top, bottom: sum.bottom * (m + 1n) })
  }
  return numbers
})()

const shift = 80n

// Σ B₂ₖ / (d(k) zᵖ) with p = 2k − 1 or 2k.
const asymptotic = (z: bigint, divisor: (k: bigint) => bigint, first: bigint): bigint => {
  const square = times(z, z)
  let power = first
  let sum = 0n
  for (let k = 1n; k <= 30n; k++) {
    const b = bernoulli[Number(2n * k)]!
    sum += (power * b.top) / (b.bottom * divisor(k))
    power = over(power, square)
  }
  return sum
}

/** log |Γ(x)|, x not an integer below 1: Stirling's series after 80 steps of the recurrence. */
export const logGamma = (x: bigint): bigint => {
  if (x < 0n) {
    const s = sine(times(pi, x % (2n * one)))
    return log(over(pi, s < 0n ? -s : s)) - logGamma(one - x)
  }
  let product = one
  for (let k = 0n; k < shift; k++) product = times(product, x + k * one)
  const z = x + shift * one
  const tail = asymptotic(z, (k) => 2n * k * (2n * k - 1n), over(one, z))
  return times(z - one / 2n, log(z)) - z + log(2n * pi) / 2n + tail - log(product)
}

/** Γ′/Γ, x not an integer below 1. */
export const digamma = (x: bigint): bigint => {
  if (x < 0n) {
    const angle = times(pi, x % (2n * one))
    return digamma(one - x) - over(times(pi, cosine(angle)), sine(angle))
  }
  let sum = 0n
  for (let k = 0n; k < shift; k++) sum += over(one, x + k * one)
  const z = x + shift * one
  const square = times(z, z)
  return log(z) - over(one, z) / 2n - asymptotic(z, (k) => 2n * k, over(one, square)) - sum
}

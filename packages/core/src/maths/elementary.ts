/** Elementary functions that `Math` lacks, in float64. */

export const cbrt = (x: number): number => Math.cbrt(x)
export const exp2 = (x: number): number => 2 ** x
export const rsqrt = (x: number): number => 1 / Math.sqrt(x)
export const logistic = (x: number): number => 1 / (1 + Math.exp(-x))

/**
 * `x` to the power `y` as IEEE 754 `pow` has it: `pow(1, y)` and `pow(x, 0)` are 1 also where the
 * other is NaN or infinite, unlike `Math.pow`.
 */
export const power = (x: number, y: number): number => {
  if (x === 1 || (x === -1 && (y === Infinity || y === -Infinity))) return 1
  return x ** y
}

/** log(exp(x) + exp(y)) without overflow; −Infinity is the neutral element. */
export const logAddExp = (x: number, y: number): number => {
  const high = Math.max(x, y)
  // Equal infinities would subtract to NaN; a NaN is already the maximum.
  if (high === Infinity || high === -Infinity || Number.isNaN(high)) return high
  return high + Math.log1p(Math.exp(-Math.abs(x - y)))
}

/** sin(πx) and cos(πx), exact at multiples of ½. */
export const sinPi = (x: number): number => {
  const turn = x - 2 * Math.round(x / 2)
  if (turn === 1 || turn === -1) return 0
  if (turn > 0.5) return Math.sin(Math.PI * (1 - turn))
  if (turn < -0.5) return Math.sin(Math.PI * (-1 - turn))
  return Math.sin(Math.PI * turn)
}

export const cosPi = (x: number): number => sinPi(0.5 - Math.abs(x - 2 * Math.round(x / 2)))

/** Sums in float64, and how far a float32 sum may be from them. */
import type { Tensor } from '@cotangent/core'

/** A unit in the last place of 1, halved: how far rounding moves a float32, relative to it. */
export const unitRoundoff = 2 ** -24

/** Values with all their bits in use, of both signs, some of them zero; the same every time. */
export const noise = (size: number, seed: number): Float32Array => {
  let state = (seed * 2_654_435_761 + 12_345) >>> 0
  return Float32Array.from({ length: size }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state % 17 === 0 ? 0 : state / 2 ** 31 - 1
  })
}

export const sizeOf = (shape: readonly number[]): number => shape.reduce((n, x) => n * x, 1)

/**
 * Throws where an element is further from the sum in float64 than any order of adding `terms`
 * rounded products may bring it: `(terms + 1) · 2⁻²⁴ · Σ|terms|`, to first order.
 */
export const expectSums = (
  got: Tensor,
  wanted: ArrayLike<number>,
  magnitudes: ArrayLike<number>,
  terms: number,
  name: string,
): void => {
  const values = got.data()
  if (values.length !== wanted.length) throw new Error(`${name}: ${values.length} elements`)
  for (let i = 0; i < values.length; i++) {
    const bound = (terms + 2) * unitRoundoff * magnitudes[i]! + 2 ** -149
    const error = Math.abs(values[i]! - wanted[i]!)
    if (!(error <= bound))
      throw new Error(`${name}, element ${i}: got ${values[i]}, want ${wanted[i]} ± ${bound}`)
  }
}

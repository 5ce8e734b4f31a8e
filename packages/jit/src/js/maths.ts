/**
 * Faster exponentials for float32 operands: about twice as fast as `Math.exp` and `Math.tanh`.
 * Their relative error is below 2e-13, so that after rounding to float32 they agree with the general
 * functions in all but a few of a million values, where they differ by one unit in the last place.
 *
 * exp(x) = 2^n · 2^(j/256) · exp(r) with |r| ≤ ln 2 / 512: two tables and a cubic (Tang 1989,
 * "Table-driven implementation of the exponential function").
 */
import type { UnaryOp } from '@cotangent/core'

const parts = 256
const mostPower = 160
const fractions = Float64Array.from({ length: parts }, (_, j) => 2 ** (j / parts))
const powers = Float64Array.from({ length: 2 * mostPower + 1 }, (_, n) => 2 ** (n - mostPower))
const partsPerUnit = parts / Math.LN2
const unitPart = Math.LN2 / parts
/** Adding and subtracting 1.5 · 2^52 rounds to an integer. */
const rounder = 6755399441055744

/** exp of a float32; overflows and underflows by itself once rounded to float32. */
const exp = (x: number): number => {
  const c = x > 110 ? 110 : x < -110 ? -110 : x
  const k = c * partsPerUnit + rounder - rounder
  const r = c - k * unitPart
  const scale = fractions[k & 255]! * powers[(k >> 8) + 160]!
  return scale + scale * (r + r * r * (0.5 + r * 0.16666666666666666))
}

const logistic = (x: number): number => 1 / (1 + exp(-x))

/** tanh by way of exp(2x) − 1, which is exact near zero: there the scale is 1. */
const tanh = (x: number): number => {
  const c = x > 20 ? 40 : x < -20 ? -40 : x + x
  const k = c * partsPerUnit + rounder - rounder
  const r = c - k * unitPart
  const scale = fractions[k & 255]! * powers[(k >> 8) + 160]!
  const e = scale * (r + r * r * (0.5 + r * 0.16666666666666666)) + (scale - 1)
  const ratio = e / (e + 2)
  // Keeps −0.
  return ratio === 0 ? x : ratio
}

/** Linked in place of the general functions where the operand is no wider than float32. */
export const fastFloat32: Readonly<Partial<Record<UnaryOp, (x: number) => number>>> = {
  exp,
  logistic,
  tanh,
}

/** Rounding, signs, and neighbours among the floating point numbers. */

/** −1, 0 or 1; keeps the sign of zero, NaN stays NaN. */
export const sign = (x: number): number => Math.sign(x)

/** The nearest integer, halves to even; keeps the sign of zero. */
export const roundHalfEven = (x: number): number => {
  const magnitude = Math.abs(x)
  // From 2^52 on every float64 is an integer; NaN goes this way too.
  if (!(magnitude < 4503599627370496)) return x
  const below = Math.floor(magnitude)
  const rest = magnitude - below
  const up = rest > 0.5 || (rest === 0.5 && below % 2 === 1)
  const rounded = up ? below + 1 : below
  return x < 0 || Object.is(x, -0) ? -rounded : rounded
}

/** IEEE maximum: NaN if either is, and 0 above −0. */
export const maximum = (x: number, y: number): number => Math.max(x, y)
/** IEEE minimum: NaN if either is, and −0 below 0. */
export const minimum = (x: number, y: number): number => Math.min(x, y)

const float64 = new Float64Array(1)
const bits64 = new BigInt64Array(float64.buffer)
const float32 = new Float32Array(1)
const bits32 = new Int32Array(float32.buffer)

/** The next float64 after `x` in the direction of `y`; `y` itself where they are equal. */
export const nextAfterFloat64 = (x: number, y: number): number => {
  if (Number.isNaN(x) || Number.isNaN(y)) return NaN
  if (x === y) return y
  if (x === 0) return y > 0 ? 2 ** -1074 : -(2 ** -1074)
  float64[0] = x
  bits64[0] = bits64[0]! + (y > x === x > 0 ? 1n : -1n)
  return float64[0]
}

/** The next float32 after `x` in the direction of `y`; `y` itself where they are equal. */
export const nextAfterFloat32 = (x: number, y: number): number => {
  if (Number.isNaN(x) || Number.isNaN(y)) return NaN
  if (x === y) return y
  if (x === 0) return y > 0 ? 2 ** -149 : -(2 ** -149)
  float32[0] = x
  bits32[0] = bits32[0]! + (y > x === x > 0 ? 1 : -1)
  return float32[0]
}

/** The next float16 after `x` in the direction of `y`; `y` itself where they are equal. */
export const nextAfterFloat16 = (x: number, y: number): number => {
  if (Number.isNaN(x) || Number.isNaN(y)) return NaN
  if (x === y) return y
  if (x === 0) return y > 0 ? 2 ** -24 : -(2 ** -24)
  const magnitude = Math.abs(x)
  const direction = y > x === x > 0 ? 1 : -1
  if (magnitude === Infinity) return x > 0 ? 65504 : -65504
  // Spacing is set by the exponent; stepping down from a power of two halves it.
  const exponent = Math.max(-14, Math.floor(Math.log2(magnitude)))
  const halved = direction < 0 && exponent > -14 && magnitude === 2 ** exponent
  const step = 2 ** (exponent - (halved ? 11 : 10))
  const next = magnitude + direction * step
  const limited = next > 65504 ? Infinity : next
  return x > 0 ? limited : -limited
}

/** The next bfloat16 after `x` in the direction of `y`; `y` itself where they are equal. */
export const nextAfterBfloat16 = (x: number, y: number): number => {
  if (Number.isNaN(x) || Number.isNaN(y)) return NaN
  if (x === y) return y
  if (x === 0) return y > 0 ? 2 ** -133 : -(2 ** -133)
  float32[0] = x
  bits32[0] = bits32[0]! + (y > x === x > 0 ? 0x10000 : -0x10000)
  return float32[0]
}

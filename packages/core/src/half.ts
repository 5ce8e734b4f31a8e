/** float16 and bfloat16 codes to and from numbers, rounding to nearest even. */
import type { TypedArray } from './dtype.ts'

const f32 = new Float32Array(1)
const bits = new Uint32Array(f32.buffer)

export const decodeBfloat16 = (code: number): number => {
  bits[0] = code << 16
  return f32[0]!
}

export const encodeBfloat16 = (value: number): number => {
  f32[0] = value
  const b = bits[0]!
  if (Number.isNaN(value)) return (b >>> 16) | 0x40
  return (b + 0x7fff + ((b >>> 16) & 1)) >>> 16
}

export const decodeFloat16 = (code: number): number => {
  const sign = code & 0x8000 ? -1 : 1
  const exponent = (code >>> 10) & 31
  const fraction = code & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

export const encodeFloat16 = (value: number): number => {
  f32[0] = value
  const b = bits[0]!
  const sign = (b >>> 16) & 0x8000
  const magnitude = b & 0x7fffffff
  if (magnitude > 0x7f800000) return sign | 0x7e00
  if (magnitude >= 0x477ff000) return sign | 0x7c00
  if (magnitude < 0x38800000) {
    // Subnormal half: adding 2^-1 shifts the fraction to the low bits and rounds it to even.
    f32[0] = Math.abs(value) * 2 ** 24
    return sign | roundHalfEven(f32[0]!)
  }
  return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13)
}

const roundHalfEven = (x: number): number => {
  const floor = Math.floor(x)
  const rest = x - floor
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor
}

type HalfType = 'float16' | 'bfloat16'

/** Decodes 16-bit codes to float32 values. */
export const decodeHalf = (dtype: HalfType, codes: TypedArray): Float32Array => {
  const decode = dtype === 'float16' ? decodeFloat16 : decodeBfloat16
  return Float32Array.from(codes, decode)
}

/** Encodes numbers as 16-bit codes. */
export const encodeHalf = (dtype: HalfType, values: TypedArray): Uint16Array => {
  const encode = dtype === 'float16' ? encodeFloat16 : encodeBfloat16
  return Uint16Array.from(values, encode)
}

/** Rounds float32 values to the precision of a half type, in place. */
export const roundToHalf = (dtype: HalfType, values: TypedArray): TypedArray => {
  for (let i = 0; i < values.length; i++) {
    values[i] =
      dtype === 'float16'
        ? decodeFloat16(encodeFloat16(values[i]!))
        : decodeBfloat16(encodeBfloat16(values[i]!))
  }
  return values
}

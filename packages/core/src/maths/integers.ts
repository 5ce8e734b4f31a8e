/** Integer arithmetic of every width: wraps, never traps. */
import { type DType, dtypeInfo } from '../dtype.ts'
import { wrapInteger } from '../prims/integers.ts'

const widthOf = (dtype: DType): number => (dtype === 'bool' ? 1 : dtypeInfo[dtype].bytes * 8)

// The value as its unsigned bit pattern, and with its top bit as a sign.
const unsignedBits = (dtype: DType, x: number): number => {
  const width = widthOf(dtype)
  return width === 32 ? x >>> 0 : x & (2 ** width - 1)
}
const signedBits = (dtype: DType, x: number): number => {
  const unused = 32 - widthOf(dtype)
  return (x << unused) >> unused
}

export const integerMultiply = (dtype: DType, x: number, y: number): number =>
  wrapInteger(dtype, Math.imul(x, y))

/** Truncates; by zero gives −1 (all ones), and the smallest integer by −1 wraps to itself. */
export const integerDivide = (dtype: DType, x: number, y: number): number =>
  wrapInteger(dtype, y === 0 ? -1 : Math.trunc(x / y))

/** Has the sign of the dividend; by zero gives the dividend. */
export const integerRemainder = (dtype: DType, x: number, y: number): number =>
  y === 0 ? x : wrapInteger(dtype, x % y)

/** Exact modulo the width. A negative exponent gives 0, except for bases 1 and −1. */
export const integerPower = (dtype: DType, x: number, n: number): number => {
  if (n < 0) {
    if (x === 1) return 1
    return x === -1 ? (n % 2 === 0 ? 1 : wrapInteger(dtype, -1)) : 0
  }
  let result = 1
  let square = x
  for (let rest = n; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result = Math.imul(result, square)
    square = Math.imul(square, square)
  }
  return wrapInteger(dtype, result)
}

/** 0 where the count is negative or reaches the width. */
export const shiftLeft = (dtype: DType, x: number, count: number): number =>
  count < 0 || count >= widthOf(dtype) ? 0 : wrapInteger(dtype, x << count)

/** Shifts zeros in; 0 where the count is negative or reaches the width. */
export const shiftRightLogical = (dtype: DType, x: number, count: number): number =>
  count < 0 || count >= widthOf(dtype) ? 0 : wrapInteger(dtype, unsignedBits(dtype, x) >>> count)

/** Shifts copies of the top bit in, which fill the result where the count is out of range. */
export const shiftRightArithmetic = (dtype: DType, x: number, count: number): number => {
  const width = widthOf(dtype)
  const inRange = count >= 0 && count < width
  return wrapInteger(dtype, signedBits(dtype, x) >> (inRange ? count : width - 1))
}

/** How many bits of the two's-complement pattern are set. */
export const populationCount = (dtype: DType, x: number): number => {
  let count = 0
  for (let rest = unsignedBits(dtype, x); rest !== 0; rest &= rest - 1) count++
  return count
}

/** How many bits above the highest set one; the width for 0. */
export const countLeadingZeros = (dtype: DType, x: number): number =>
  Math.clz32(unsignedBits(dtype, x)) - (32 - widthOf(dtype))

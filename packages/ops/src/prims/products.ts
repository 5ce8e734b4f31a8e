/** Sums of products: what contractions and convolutions have in common. */
import {
  type Aval,
  type DType,
  DTypeError,
  type NDArray,
  type Scalar,
  isInteger,
  scalars,
  showAval,
  wrapInteger,
} from '@cotangent/core'

const { binaryOp, convertTo } = scalars

/** Throws unless two operands may be multiplied and summed: one dtype, and not a complex one. */
export const requireProductTypes = (
  operation: string,
  names: readonly [string, string],
  x: Aval,
  y: Aval,
): void => {
  if (x.dtype === y.dtype && x.dtype !== 'complex64') return
  throw new DTypeError({
    operation,
    problem: x.dtype === y.dtype ? 'it does not work on complex64' : 'the dtypes differ',
    got: `${names[0]}: ${showAval(x)}, ${names[1]}: ${showAval(y)}`,
    fix: 'cast one of them first: primitives never do it for you',
  })
}

/** `Σ x[xBase + xOffsets[i]] · y[yBase + yOffsets[i]]`, rounded by the caller's store. */
export type InnerProduct = (
  xBase: number,
  xOffsets: Int32Array,
  yBase: number,
  yOffsets: Int32Array,
  count: number,
) => number

/** Floats are summed in float64; integers wrap exactly; booleans are "any of both". */
export const innerProduct = (x: NDArray, y: NDArray): InnerProduct => {
  const { data: a, dtype } = x
  const { data: b } = y
  if (dtype === 'bool' || isInteger(dtype)) {
    // Products and sums modulo 2^32 are right modulo every narrower width too.
    const wrapped: InnerProduct = (xBase, xOffsets, yBase, yOffsets, count) => {
      let sum = 0
      for (let i = 0; i < count; i++) {
        sum = (sum + Math.imul(a[xBase + xOffsets[i]!]!, b[yBase + yOffsets[i]!]!)) | 0
      }
      return sum
    }
    if (dtype === 'bool') return (...args) => (wrapped(...args) === 0 ? 0 : 1)
    return (...args) => wrapInteger(dtype, wrapped(...args))
  }
  return (xBase, xOffsets, yBase, yOffsets, count) => {
    let sum = 0
    for (let i = 0; i < count; i++) sum += a[xBase + xOffsets[i]!]! * b[yBase + yOffsets[i]!]!
    return sum
  }
}

/** The dtype in which a sum of products accumulates. */
export const accumulatorDType = (dtype: DType): DType =>
  dtype === 'bool' || isInteger(dtype) ? dtype : 'float64'

/** `accumulator + x · y`; the accumulator's dtype is `accumulatorDType` of the operands'. */
export const multiplyAdd = (accumulator: Scalar, x: Scalar, y: Scalar): Scalar => {
  const { dtype } = accumulator
  if (dtype === 'bool') return binaryOp('or', accumulator, binaryOp('and', x, y))
  return binaryOp(
    'add',
    accumulator,
    binaryOp('multiply', convertTo(dtype, x), convertTo(dtype, y)),
  )
}

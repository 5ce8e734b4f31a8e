/** What reductions share: checking axes, plain evaluation loops, lowering. */
import {
  type Aval,
  type DType,
  type NDArray,
  type Primitive,
  type Reduction,
  type Scalar,
  ShapeError,
  type Source,
  gatherOffsets,
  integerRange,
  interleave,
  isFloat,
  isHalf,
  isInteger,
  makeArray,
  range,
  scalars,
  showAval,
  stridesOf,
  without,
} from '@cotangent/core'

export interface ReduceParams {
  readonly axes: readonly number[]
}

export type Reduce = Primitive<readonly ['x'], ReduceParams>

/** The shape that is left. @throws ShapeError for axes that are repeated or out of range. */
export const reducedShape = (
  operation: string,
  x: Aval,
  axes: readonly number[],
): readonly number[] => {
  const inRange = axes.every((a) => Number.isInteger(a) && a >= 0 && a < x.shape.length)
  if (inRange && new Set(axes).size === axes.length) return without(x.shape, axes)
  throw new ShapeError({
    operation,
    problem: 'not a set of axes of the input',
    got: `axes [${axes.join(',')}] of ${showAval(x)}`,
    want: x.shape.length === 0 ? 'no axes' : `different axes among 0 … ${x.shape.length - 1}`,
    fix: 'name each axis once',
  })
}

/** Calls `visit` with every element that goes into each output, in row-major order. */
export const forEachReduced = (
  x: NDArray,
  axes: readonly number[],
  visit: (output: number, element: number, position: number) => void,
): void => {
  const kept = range(x.shape.length).filter((d) => !axes.includes(d))
  const strides = stridesOf(x.shape)
  const pick = (ds: readonly number[]): Int32Array =>
    gatherOffsets(
      ds.map((d) => x.shape[d]!),
      ds.map((d) => strides[d]!),
    )
  const outer = pick(kept)
  const inner = pick(axes)
  for (let o = 0; o < outer.length; o++) {
    for (let i = 0; i < inner.length; i++) visit(o, x.data[outer[o]! + inner[i]!]!, i)
  }
}

/** Folds a function over the reduced axes; float intermediates are float64. */
export const fold = (
  x: NDArray,
  axes: readonly number[],
  type: Aval,
  initial: number,
  f: (accumulator: number, element: number) => number,
): NDArray => {
  const out = makeArray(type)
  const wide = isFloat(type.dtype) ? new Float64Array(out.data.length) : out.data
  wide.fill(initial)
  forEachReduced(x, axes, (o, element) => {
    wide[o] = f(wide[o]!, element)
  })
  if (wide !== out.data) out.data.set(wide)
  return out
}

/** Floats accumulate in float64, others in their own dtype. */
export const accumulatorOf = (dtype: DType): DType => (isFloat(dtype) ? 'float64' : dtype)

/** Comparisons need no more precision than the operands have. */
export const extremumOf = (dtype: DType): DType => (isHalf(dtype) ? 'float32' : dtype)

/** One accumulator, combined with each element in turn. */
export const foldReduction = (
  x: Source,
  axes: readonly number[],
  result: DType,
  wide: DType,
  initial: number,
  f: (accumulator: Scalar, element: Scalar) => Scalar,
): Reduction => ({
  extents: axes.map((a) => x.shape[a]!),
  accumulators: [{ dtype: wide, initial }],
  step: ([accumulator], output, reduced) => {
    const element = x.at(interleave(x.shape.length, axes, output, reduced))
    return [f(accumulator!, scalars.convertTo(wide, element))]
  },
  finish: ([accumulator]) => [scalars.convertTo(result, accumulator!)],
})

/** The least value of a dtype: the neutral element of the maximum. */
export const lowest = (dtype: DType): number =>
  isFloat(dtype) ? -Infinity : isInteger(dtype) ? integerRange(dtype)[0] : 0

/** The greatest value of a dtype: the neutral element of the minimum. */
export const highest = (dtype: DType): number =>
  isFloat(dtype) ? Infinity : isInteger(dtype) ? integerRange(dtype)[1] : 1

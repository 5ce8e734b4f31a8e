/** Reductions by an associative operation; the sum is in core. */
import {
  type BinaryOp,
  type JvpTerm,
  type Tensor,
  type Zero,
  bind1,
  broadcastInDim,
  definePrimitive,
  maths,
  moveBatchToFront,
  nonlinear,
  range,
  reduceSum,
  scalars,
  wholeEquation,
  zero,
} from '@cotangent/core'
import { type Accepts, accepted, anyReal, bitPatterns, numbers } from './accepts.ts'
import { div, mul } from './arithmetic.ts'
import { eq } from './compare.ts'
import { convert } from './convert.ts'
import { productTangent } from './duals.ts'
import {
  type Reduce,
  type ReduceParams,
  accumulatorOf,
  extremumOf,
  fold,
  foldReduction,
  highest,
  lowest,
  reducedShape,
} from './reductions.ts'
import type { DType } from '@cotangent/core'

interface Folding {
  readonly name: string
  readonly op: BinaryOp
  readonly accepts: Accepts
  /** The value of an empty reduction. */
  readonly neutral: (dtype: DType) => number
  readonly accumulator: (dtype: DType) => DType
  readonly jvp: JvpTerm<readonly ['x'], ReduceParams> | Zero
}

const reduction = ({ name, op, accepts, neutral, accumulator, jvp }: Folding): Reduce => {
  const primitive: Reduce = definePrimitive({
    name,
    slots: ['x'],
    typing: ([x], { axes }) => {
      accepted(name, x, accepts)
      return [{ ...x, shape: reducedShape(name, x, axes) }]
    },
    evaluate: ([x], { axes }, types) => [
      fold(x, axes, types[0]!, neutral(x.dtype), maths.binaryFunction(op, x.dtype)),
    ],
    jvp: { x: jvp },
    transpose: { x: nonlinear },
    partition: wholeEquation,
    batch: ([x], [dim], { axes }) => ({
      outputs: [bind1(primitive, [moveBatchToFront(x, dim)], { axes: axes.map((a) => a + 1) })],
      dims: [0],
    }),
    lower: ([x], { axes }) => ({
      tag: 'reduce',
      reduction: foldReduction(x, axes, x.dtype, accumulator(x.dtype), neutral(x.dtype), (acc, e) =>
        scalars.binaryOp(op, acc, e),
      ),
    }),
    effectful: false,
  })
  return primitive
}

const run = (primitive: Reduce, x: Tensor, axes: readonly number[]): Tensor =>
  axes.length === 0 ? x : bind1(primitive, [x], { axes: [...axes].sort((a, b) => a - b) })

// The tangent's mean over the elements that attain the extremum.
const sharedTangent: JvpTerm<readonly ['x'], ReduceParams> = (dx, [x], y, { axes }) => {
  const kept = range(x.ndim).filter((d) => !axes.includes(d))
  const attained = convert(eq(x, broadcastInDim(y, x.shape, kept)), x.dtype)
  return div(reduceSum(mul(dx, attained), axes), reduceSum(attained, axes))
}

/** The greatest; NaN if any is. Equal maxima share the derivative evenly. */
export const reduceMaxP: Reduce = reduction({
  name: 'reduceMax',
  op: 'maximum',
  accepts: anyReal,
  neutral: lowest,
  accumulator: extremumOf,
  jvp: sharedTangent,
})
export const reduceMax = (x: Tensor, axes: readonly number[]): Tensor => run(reduceMaxP, x, axes)

/** The least; NaN if any is. Equal minima share the derivative evenly. */
export const reduceMinP: Reduce = reduction({
  name: 'reduceMin',
  op: 'minimum',
  accepts: anyReal,
  neutral: highest,
  accumulator: extremumOf,
  jvp: sharedTangent,
})
export const reduceMin = (x: Tensor, axes: readonly number[]): Tensor => run(reduceMinP, x, axes)

/** The product; integers wrap. The derivative is right with any number of zeros. */
export const reduceProdP: Reduce = reduction({
  name: 'reduceProd',
  op: 'multiply',
  accepts: numbers,
  neutral: () => 1,
  accumulator: accumulatorOf,
  jvp: (dx, [x], _, { axes }) => productTangent(x, dx, axes),
})
export const reduceProd = (x: Tensor, axes: readonly number[]): Tensor => run(reduceProdP, x, axes)

const allOnes = (dtype: DType): number => maths.unaryFunction('not', dtype)(0)

/** Bitwise; for bool: whether all hold. */
export const reduceAndP: Reduce = reduction({
  name: 'reduceAnd',
  op: 'and',
  accepts: bitPatterns,
  neutral: allOnes,
  accumulator: extremumOf,
  jvp: zero,
})
export const reduceAnd = (x: Tensor, axes: readonly number[]): Tensor => run(reduceAndP, x, axes)

/** Bitwise; for bool: whether any holds. */
export const reduceOrP: Reduce = reduction({
  name: 'reduceOr',
  op: 'or',
  accepts: bitPatterns,
  neutral: () => 0,
  accumulator: extremumOf,
  jvp: zero,
})
export const reduceOr = (x: Tensor, axes: readonly number[]): Tensor => run(reduceOrP, x, axes)

/** Bitwise; for bool: whether an odd number hold. */
export const reduceXorP: Reduce = reduction({
  name: 'reduceXor',
  op: 'xor',
  accepts: bitPatterns,
  neutral: () => 0,
  accumulator: extremumOf,
  jvp: zero,
})
export const reduceXor = (x: Tensor, axes: readonly number[]): Tensor => run(reduceXorP, x, axes)

/** Options of the samplers: an object, or the shape alone. */
import {
  type DType,
  DTypeError,
  type Shape,
  ShapeError,
  Tensor,
  isFloat,
  showShape,
} from '@cotangent/core'
import { commonShape } from '../promote.ts'

/** A shape, or options that may hold one. */
export type ShapeOr<O> = Shape | O

export interface SampleOptions {
  /** Default: a scalar, or the shape of the array parameters. */
  readonly shape?: Shape
  /** Default float32. */
  readonly dtype?: DType
}

const isShape = (value: unknown): value is Shape => Array.isArray(value)

/** The shape and the other options. @throws ShapeError for a shape that is none. */
export const resolveOptions = <O extends { readonly shape?: Shape }>(
  operation: string,
  first: ShapeOr<O> | undefined,
  rest: O | undefined,
): readonly [shape: Shape | undefined, options: O | undefined] => {
  const options = isShape(first) ? rest : first
  const shape = isShape(first) ? first : first?.shape
  if (
    shape === undefined ||
    (isShape(shape) && shape.every((n) => Number.isInteger(n) && n >= 0))
  ) {
    return [shape, options]
  }
  throw new ShapeError({
    operation,
    problem: 'a shape is an array of natural numbers',
    got: String(shape),
    fix: 'write the options as an object: { shape: [2, 3] }',
  })
}

/** The dtype of a float sampler. @throws DTypeError for any other. */
export const floatOption = (operation: string, dtype: DType = 'float32'): DType => {
  if (isFloat(dtype)) return dtype
  throw new DTypeError({
    operation,
    problem: 'the samples are floats',
    got: `dtype ${dtype}`,
    want: 'float32, float64, float16 or bfloat16',
    fix:
      dtype === 'complex64'
        ? 'draw the real and imaginary parts apart'
        : 'use random.randint or random.bits for integers',
  })
}

/** The sample shape: the given one if the parameters broadcast to it, else theirs. */
export const sampleShape = (
  operation: string,
  shape: Shape | undefined,
  parameters: readonly (Tensor | number)[],
): Shape => {
  const own = parameters.flatMap((p) => (p instanceof Tensor ? [p.shape] : []))
  const common = commonShape(operation, own)
  if (shape === undefined) return common
  const fits = commonShape(operation, [shape, common])
  if (showShape(fits) === showShape(shape)) return shape
  throw new ShapeError({
    operation,
    problem: 'the parameters do not broadcast to the shape',
    got: `parameters of shape ${showShape(common)}, shape ${showShape(shape)}`,
    fix: 'leave the shape out, or give one that ends in theirs',
  })
}

/** Layers that change shapes, and any function as a layer. */
import {
  type Shape,
  ShapeError,
  type Tensor,
  reshape as reshapeTensor,
  showShape,
  sizeOf,
} from '@cotangent/core'
import { requireRank } from '../errors.ts'
import { type Layer, type None, stateless } from '../layer.ts'

/** `[batch, …]` to `[batch, features]`. */
export const flatten = (): Layer<None, None, 'flatten'> => {
  const flat = (shape: Shape): Shape => {
    requireRank('flatten', shape, (rank) => rank >= 1, '[batch, …]')
    return [shape[0]!, sizeOf(shape.slice(1))]
  }
  return stateless('flatten', (x) => reshapeTensor(x, flat(x.shape)), flat, { window: 'all' })
}

/** Gives each example the shape, `[batch, …]` to `[batch, ...shape]`. */
export const reshape = (shape: Shape): Layer<None, None, 'reshape'> => {
  const shaped = (input: Shape): Shape => {
    if (sizeOf(input.slice(1)) === sizeOf(shape)) return [input[0]!, ...shape]
    throw new ShapeError({
      operation: 'reshape',
      problem: 'an example does not have as many elements as the shape',
      got: `shape ${showShape(input)}`,
      want: `[batch, …] with ${sizeOf(shape)} elements each, for ${showShape(shape)}`,
      fix: 'give a shape of the example alone, without the batch axis',
    })
  }
  return stateless('reshape', (x) => reshapeTensor(x, shaped(x.shape)), shaped)
}

/**
 * A pure function as a layer. `shape` says what it does to shapes; by default, nothing.
 * @example
 * lambda((x) => x.div(255))
 */
export const lambda = (
  f: (x: Tensor) => Tensor,
  shape?: (input: Shape) => Shape,
): Layer<None, None, 'lambda'> => stateless('lambda', f, shape)

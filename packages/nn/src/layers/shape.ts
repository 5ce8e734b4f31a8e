/** Layers that change shapes, and any function as a layer. */
import {
  type Shape,
  ShapeError,
  type Tensor,
  TreeError,
  erase,
  evalShape,
  reshape as reshapeTensor,
  showShape,
  sizeOf,
  typed,
} from '@cotangent/core'
import { requireRank } from '../errors.ts'
import {
  type Layer,
  type None,
  type Shapes,
  defineComposite,
  isShape,
  listOfShapes,
  none,
  stateless,
} from '../layer.ts'

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

interface Lambda {
  (f: (x: Tensor) => Tensor, shape?: (input: Shape) => Shape): Layer<None, None, 'lambda'>
  <X extends readonly Tensor[]>(
    f: (xs: X) => Tensor,
    shape?: (inputs: readonly Shapes[]) => Shape,
  ): Layer<None, None, 'lambda', Tensor, X>
}

type Function = (x: Tensor | readonly Tensor[]) => Tensor

// Tensors of these shapes, as `evalShape` takes them.
const typesOf = (shapes: Shapes): unknown =>
  isShape(shapes) ? { shape: shapes, dtype: 'float32' } : listOfShapes(shapes).map(typesOf)

const build = (
  f: Function,
  shape: (input: Shapes) => Shape = (input) => {
    const y = evalShape((x: unknown) => erase(f)(x), typesOf(input))
    return leafShape(y)
  },
): Layer<None, None, 'lambda', Tensor, Tensor | readonly Tensor[]> =>
  defineComposite<None, None, 'lambda', Tensor, Tensor | readonly Tensor[]>({
    name: 'lambda',
    init: (_, input) => ({ params: none, state: none, outputShape: shape(input) }),
    apply: ({ state }, x) => [f(x), state],
  })

const leafShape = (y: unknown): Shape => {
  if (typeof y === 'object' && y !== null && 'shape' in y && Array.isArray(y.shape)) return y.shape
  throw new TreeError({
    operation: 'lambda',
    problem: 'the function gives no tensor',
    fix: 'return one tensor; for several, use branches',
  })
}

/**
 * A pure function of a tensor, or of a list of them, as a layer. `shape` says what it does to shapes;
 * by default it is traced to find out.
 * @example
 * lambda((x) => x.div(255))
 * serial(branches(dense(4), dense(4)), lambda(([a, b]: readonly [Tensor, Tensor]) => a.sub(b)))
 */
export const lambda: Lambda = typed(erase(build))

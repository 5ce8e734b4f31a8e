/** Layers that join several tensors into one. */
import {
  type Shape,
  ShapeError,
  type Tensor,
  TreeError,
  normalizeAxis,
  showShape,
} from '@cotangent/core'
import { np, prims } from '@cotangent/ops'
import {
  type Layer,
  type None,
  type Shapes,
  defineComposite,
  isShape,
  listOfShapes,
  none,
} from '../layer.ts'

/** A layer from a list of tensors to one. */
export type Merge<Name extends string> = Layer<None, None, Name, Tensor, readonly Tensor[]>

const shapesOf = (name: string, shapes: Shapes): readonly Shape[] => {
  const all = listOfShapes(shapes)
  const list = all.filter(isShape)
  if (list.length > 0 && list.length === all.length) return list
  throw new TreeError({
    operation: name,
    problem: 'there is no list of tensors to join',
    got: `shapes ${JSON.stringify(shapes)}`,
    want: 'one shape for each tensor',
    fix: 'put branches(…) or parallel(…) before it',
  })
}

const merge = <const Name extends string>(
  name: Name,
  join: (xs: readonly Tensor[]) => Tensor,
  shape: (shapes: readonly Shape[]) => Shape,
): Merge<Name> =>
  defineComposite<None, None, Name, Tensor, readonly Tensor[]>({
    name,
    init: (_, shapes) => ({
      params: none,
      state: none,
      outputShape: shape(shapesOf(name, shapes)),
    }),
    apply: ({ state }, xs) => {
      shape(
        shapesOf(
          name,
          xs.map((x) => x.shape),
        ),
      )
      return [join(xs), state]
    },
  })

const joined = (axis: number, shapes: readonly Shape[]): Shape => {
  const [first] = shapes
  const at = normalizeAxis('concat', axis, first!.length)
  shapes.forEach((shape, i) => {
    const other = first!.findIndex((extent, d) => d !== at && shape[d] !== extent)
    if (other < 0 && shape.length === first!.length) return
    throw new ShapeError({
      operation: 'concat',
      problem:
        shape.length === first!.length
          ? `input ${i} does not fit along axis ${other}`
          : `input ${i} has another number of axes`,
      got: shapes.map(showShape).join(', '),
      want: `equal extents along every axis but ${at}`,
      fix: 'give the branches equal output sizes: padding "same" and equal strides',
    })
  })
  return first!.map((extent, d) => (d === at ? shapes.reduce((n, s) => n + s[at]!, 0) : extent))
}

/**
 * Joins a list of tensors along an axis; 1, the channels, by default.
 * @throws ShapeError where another axis differs.
 * @example
 * serial(branches(conv2d(8, 1), conv2d(16, 3, { padding: 1 })), concat()) // 24 channels
 */
export const concat = (axis = 1): Merge<'concat'> =>
  merge(
    'concat',
    (xs) =>
      xs.length === 1 ? xs[0]! : prims.concatenate(xs, normalizeAxis('concat', axis, xs[0]!.ndim)),
    (shapes) => joined(axis, shapes),
  )

/** Puts tensors of one shape on a new axis; the last by default. */
export const stack = (axis = -1): Merge<'stack'> =>
  merge(
    'stack',
    (xs) => np.stack(xs, { axis }),
    (shapes) => {
      const shape = alike('stack', shapes)
      const at = normalizeAxis('stack', axis, shape.length + 1)
      return [...shape.slice(0, at), shapes.length, ...shape.slice(at)]
    },
  )

const alike = (name: string, shapes: readonly Shape[]): Shape => {
  const [first] = shapes
  if (shapes.every((shape) => shape.join() === first!.join())) return first!
  throw new ShapeError({
    operation: name,
    problem: 'the inputs differ in shape',
    got: shapes.map(showShape).join(', '),
    want: 'equal shapes',
    fix: 'project the smaller one, for instance by a convolution of window 1 with a stride',
  })
}

const elementwise = <const Name extends string>(
  name: Name,
  combine: (a: Tensor, b: Tensor) => Tensor,
): Merge<Name> =>
  merge(
    name,
    (xs) => xs.reduce(combine),
    (shapes) => alike(name, shapes),
  )

/** The sum of several tensors of one shape. */
export const add = (): Merge<'add'> => elementwise('add', (a, b) => a.add(b))
/** The product of several tensors of one shape. */
export const multiply = (): Merge<'multiply'> => elementwise('multiply', (a, b) => a.mul(b))
/** The largest of several tensors of one shape, element by element. */
export const maximum = (): Merge<'maximum'> => elementwise('maximum', (a, b) => a.maximum(b))
/** The mean of several tensors of one shape. */
export const average = (): Merge<'average'> =>
  merge(
    'average',
    (xs) => xs.reduce((a, b) => a.add(b)).div(xs.length),
    (shapes) => alike('average', shapes),
  )

/** Random matrices that keep lengths. */
import {
  type Shape,
  ShapeError,
  type Tensor,
  fill,
  moveAxis,
  normalizeAxis,
  showShape,
  sizeOf,
} from '@cotangent/core'
import { foriLoop, random } from '@cotangent/ops'
import type { Initializer } from './basic.ts'

export interface OrthogonalOptions {
  /** Factor of the orthonormal matrix; 1 by default. */
  readonly scale?: number
  /** The axis of the columns, the last by default; all others together are the rows. */
  readonly columnAxis?: number
}

/**
 * A random orthonormal matrix: columns (rows, where there are fewer rows) of length 1 at right
 * angles to each other. Work grows with the cube of the extents.
 * @throws ShapeError for fewer than two axes.
 * @see Saxe, McClelland & Ganguli 2014
 */
export const orthogonal =
  ({ scale = 1, columnAxis = -1 }: OrthogonalOptions = {}): Initializer =>
  (key, shape, dtype = 'float32') => {
    if (shape.length < 2) {
      throw new ShapeError({
        operation: 'initializers.orthogonal',
        problem: 'a matrix has rows and columns',
        got: `shape ${showShape(shape)}`,
        want: 'at least two axes',
        fix: 'use another initialiser for vectors',
      })
    }
    const axis = normalizeAxis('initializers.orthogonal', columnAxis, shape.length)
    const columns = shape[axis]!
    const rows = sizeOf(shape) / Math.max(1, columns)
    const tall = random.normal(key, [Math.max(rows, columns), Math.min(rows, columns)])
    const q = orthonormalColumns(tall)
    const rest = shape.filter((_, d) => d !== axis)
    return moveAxis((rows < columns ? q.T : q).reshape([...rest, columns]), rest.length, axis)
      .mul(scale)
      .astype(dtype)
  }

// Gram and Schmidt's process in float64, each projection taken twice, which is enough for columns
// that are orthogonal to rounding; the signs are those of a QR decomposition with positive diagonal.
const orthonormalColumns = (a: Tensor): Tensor => {
  const columns = a.astype('float64')
  const withoutParts = (q: Tensor, v: Tensor): Tensor => v.sub(q.matmul(v.matmul(q)))
  return foriLoop(
    0,
    a.shape[1]!,
    (i, q) => {
      const v = withoutParts(q, withoutParts(q, columns.at(':', i)))
      return q.set([':', i], v.div(v.square().sum().sqrt()))
    },
    fill(a.shape, 0, 'float64'),
  )
}

export interface DeltaOrthogonalOptions extends OrthogonalOptions {
  /** The last but one by default; 1 for kernels `[outputs, inputs, …window]`. */
  readonly inAxis?: number
  /** The last by default; 0 for kernels `[outputs, inputs, …window]`. */
  readonly outAxis?: number
}

/**
 * An orthogonal matrix at the centre of a convolution's window, zeros around it: the layer keeps
 * lengths. The window has one to three axes, and there are no more inputs than outputs.
 * @throws ShapeError otherwise.
 * @see Xiao et al. 2018, Dynamical Isometry
 * @example
 * initializers.deltaOrthogonal({ inAxis: 1, outAxis: 0 })(key, [16, 8, 3, 3])
 */
export const deltaOrthogonal =
  ({ inAxis = -2, outAxis = -1, ...options }: DeltaOrthogonalOptions = {}): Initializer =>
  (key, shape, dtype = 'float32') => {
    const rank = shape.length
    const [from, to] = [inAxis, outAxis].map((axis) => axis + (axis < 0 ? rank : 0))
    const [inputs, outputs] = [shape[from!], shape[to!]]
    if (rank < 3 || rank > 5 || inputs === undefined || outputs === undefined || inputs > outputs) {
      throw notAKernel(shape)
    }
    const window = shape.filter((_, d) => d !== from && d !== to)
    const matrix = orthogonal(options)(key, [inputs, outputs], dtype)
    const centre = window.map((extent) => Math.floor((extent - 1) / 2))
    const kernel = fill([...window, inputs, outputs], 0, dtype).set(centre, matrix)
    // From the back to their places: the axis that ends up first is moved first.
    const inputAt = from! < to! ? from! : from! - 1
    return moveAxis(moveAxis(kernel, rank - 2, inputAt), rank - 1, to!)
  }

const notAKernel = (shape: Shape): ShapeError =>
  new ShapeError({
    operation: 'initializers.deltaOrthogonal',
    problem: 'no kernel of this shape can be orthogonal',
    got: `shape ${showShape(shape)}`,
    want: 'a window of one to three axes, and no more inputs than outputs',
    fix: 'use orthogonal(), or say which axes are the inputs and the outputs',
  })

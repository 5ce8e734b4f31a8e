/** Which axes of a parameter are the rows and the columns of the matrices that Muon turns. */
import {
  ShapeError,
  type Shape,
  type Tensor,
  TreeError,
  flatten,
  normalizeAxis,
  range,
  reshape,
  showShape,
  sizeOf,
  transpose,
  vmap,
} from '@cotangent/core'
import { type Tree, valueForEach } from './trees.ts'

/**
 * The axes that a product x · W sums over, and those that it gives. Several are flattened together;
 * all others are of the batch: each of its elements is a matrix of its own.
 */
export interface MuonDimensionNumbers {
  /** 0 by default. */
  readonly reductionAxis?: number | readonly number[]
  /** 1 by default. */
  readonly outputAxis?: number | readonly number[]
}

/**
 * Dimension numbers of each leaf, as a tree of them or a prefix of one (one for a whole branch), or as
 * a function from the tree to that. `null` where a leaf is no matter of Muon's.
 */
export type WeightDimensionNumbers = object | ((tree: Tree) => Tree)

export type MaybeDimensions = MuonDimensionNumbers | null

const names: readonly string[] = ['reductionAxis', 'outputAxis']
const isDimensions = (value: unknown): value is MaybeDimensions =>
  value === null ||
  (typeof value === 'object' && Object.keys(value).every((name) => names.includes(name)))

const isFunction = (given: WeightDimensionNumbers): given is (tree: Tree) => Tree =>
  typeof given === 'function'

/** The dimension numbers of every leaf; without any given, the usual ones. @throws TreeError */
export const dimensionsOf = (
  operation: string,
  given: WeightDimensionNumbers | undefined,
  tree: Tree,
): readonly MaybeDimensions[] =>
  given === undefined
    ? flatten(tree, operation).leaves.map(() => ({}))
    : valueForEach(
        operation,
        'the tree of dimension numbers',
        isFunction(given) ? given(tree) : given,
        tree,
        isDimensions,
      )

/** As `dimensionsOf`, for transformations that leave no leaf out. @throws TreeError for a `null`. */
export const allDimensionsOf = (
  operation: string,
  given: WeightDimensionNumbers | undefined,
  tree: Tree,
): readonly MuonDimensionNumbers[] =>
  dimensionsOf(operation, given, tree).map((dimensions) => {
    if (dimensions !== null) return dimensions
    throw new TreeError({
      operation,
      problem: 'some leaves have no dimension numbers',
      got: 'null',
      want: '{ reductionAxis, outputAxis } for every leaf',
      fix: 'use optim.muon, which hands such leaves to Adam, or optim.masked',
    })
  })

interface MatrixAxes {
  readonly batch: readonly number[]
  readonly reduction: readonly number[]
  readonly output: readonly number[]
}

const matrixAxes = (operation: string, shape: Shape, dims: MuonDimensionNumbers): MatrixAxes => {
  const resolved = (axes: number | readonly number[]): readonly number[] =>
    (typeof axes === 'number' ? [axes] : axes).map((d) => normalizeAxis(operation, d, shape.length))
  const reduction = resolved(dims.reductionAxis ?? 0)
  const output = resolved(dims.outputAxis ?? 1)
  const both = [...reduction, ...output]
  if (new Set(both).size !== both.length) {
    throw new ShapeError({
      operation,
      problem: 'an axis is named twice',
      got: `reduction axes ${reduction.join(', ')} and output axes ${output.join(', ')} of shape ${showShape(shape)}`,
      want: 'each axis in one place',
      fix: 'sum over some axes and give others: { reductionAxis: 0, outputAxis: [1, 2] }',
    })
  }
  return { batch: range(shape.length).filter((d) => !both.includes(d)), reduction, output }
}

const extentsOf = (shape: Shape, axes: readonly number[]): Shape => axes.map((d) => shape[d]!)

/** Rows and columns of the matrices. */
export const fansOf = (
  operation: string,
  shape: Shape,
  dims: MuonDimensionNumbers,
): readonly [rows: number, columns: number] => {
  const { reduction, output } = matrixAxes(operation, shape, dims)
  return [sizeOf(extentsOf(shape, reduction)), sizeOf(extentsOf(shape, output))]
}

/** Applies a function of matrices to each matrix of a tensor. */
export const onMatrices = (
  operation: string,
  x: Tensor,
  dims: MuonDimensionNumbers,
  f: (matrix: Tensor) => Tensor,
): Tensor => {
  // A function of matrices that does not mind their being transposed.
  if (x.ndim === 2) return f(x)
  const { batch, reduction, output } = matrixAxes(operation, x.shape, dims)
  const order = [...batch, ...reduction, ...output]
  const moved = transpose(x, order)
  const matrix = [reduction, output].map((axes) => sizeOf(extentsOf(x.shape, axes)))
  const turned =
    batch.length === 0
      ? f(reshape(moved, matrix))
      : vmap(f)(reshape(moved, [sizeOf(extentsOf(x.shape, batch)), ...matrix]))
  return transpose(
    reshape(turned, moved.shape),
    range(x.ndim).map((d) => order.indexOf(d)),
  )
}

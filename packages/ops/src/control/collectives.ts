/** Collectives: what the examples of a named vmap tell each other. */
import {
  ShapeError,
  type Tensor,
  fill,
  fromNDArray,
  moveAxis,
  namedAxis,
  normalizeAxis,
  showAval,
  unflatten,
  zerosLike,
} from '@cotangent/core'
import { ge } from '../prims/compare.ts'
import { reduceMax, reduceMin } from '../prims/reduce.ts'
import { select } from '../prims/compare.ts'
import { broadcastTensor } from '../promote.ts'
import * as primitives from './collectivePrimitives.ts'
import { type Tensors, flattenTensors } from './trees.ts'

/** One axis, or several that are reduced together. */
export type AxisNames = string | readonly string[]

type Along = (x: Tensor, position: Tensor, params: primitives.CollectiveParams) => Tensor

const overAxes = <T>(operation: string, tree: T, names: AxisNames, f: Along): Tensors<T> => {
  const list = typeof names === 'string' ? [names] : names
  const axes = list.map((name) => ({ name, ...namedAxis(operation, name) }))
  const { leaves, structure } = flattenTensors(tree, operation)
  const results = leaves.map((leaf) =>
    axes.reduce((x, { name, index, size }) => f(x, index, { axisName: name, size }), leaf),
  )
  return unflatten(structure, results)
}

/**
 * The sum over a named axis; every example gets it.
 * @throws TracerError where no enclosing vmap has the axis.
 * @example
 * vmap((x: Tensor) => x.div(lax.psum(x, 'i')), { axisName: 'i' })(tensor([1, 3])) // [0.25, 0.75]
 */
export const psum = <T>(tree: T, axisName: AxisNames): Tensors<T> =>
  overAxes('psum', tree, axisName, primitives.psum)

/** The mean over a named axis; integers give floats. @throws TracerError */
export const pmean = <T>(tree: T, axisName: AxisNames): Tensors<T> =>
  overAxes('pmean', tree, axisName, (x, position, params) =>
    primitives.psum(x, position, params).div(params.size),
  )

/** The largest value along a named axis. @throws TracerError */
export const pmax = <T>(tree: T, axisName: AxisNames): Tensors<T> =>
  overAxes('pmax', tree, axisName, (x, position, params) =>
    reduceMax(primitives.allGather(x, position, params), [0]),
  )

/** The smallest value along a named axis. @throws TracerError */
export const pmin = <T>(tree: T, axisName: AxisNames): Tensors<T> =>
  overAxes('pmin', tree, axisName, (x, position, params) =>
    reduceMin(primitives.allGather(x, position, params), [0]),
  )

export interface AllGatherOptions {
  /** Where the new axis goes; 0 by default. */
  readonly axis?: number
}

/** Every example's value, stacked along a new axis. @throws TracerError */
export const allGather = <T>(
  tree: T,
  axisName: string,
  { axis = 0 }: AllGatherOptions = {},
): Tensors<T> =>
  overAxes('allGather', tree, axisName, (x, position, params) => {
    const all = primitives.allGather(x, position, params)
    return moveAxis(all, 0, normalizeAxis('allGather', axis, all.ndim))
  })

/** This example's position along a named axis: int32, from 0. @throws TracerError */
export const axisIndex = (axisName: string): Tensor => namedAxis('axisIndex', axisName).index

/** The extent of a named axis. @throws TracerError */
export const axisSize = (axisName: string): number => namedAxis('axisSize', axisName).size

/**
 * The value of the example that `permutation` (pairs `[source, destination]`) sends here; zeros
 * where nothing is sent.
 * @throws ShapeError when a destination appears twice or a position is outside the axis.
 */
export const ppermute = <T>(
  tree: T,
  axisName: string,
  permutation: readonly (readonly [source: number, destination: number])[],
): Tensors<T> =>
  overAxes('ppermute', tree, axisName, (x, position, params) => {
    const sources = new Int32Array(params.size).fill(-1)
    for (const [source, destination] of permutation) {
      const inside = [source, destination].every(
        (p) => Number.isInteger(p) && p >= 0 && p < params.size,
      )
      if (!inside || sources[destination] !== -1) {
        throw new ShapeError({
          operation: 'ppermute',
          problem: inside ? 'a destination appears twice' : 'a position is outside the axis',
          got: `[${source}, ${destination}] on an axis of ${params.size}`,
          fix: 'give each position of the axis at most one source',
        })
      }
      sources[destination] = source
    }
    const table = fromNDArray({ shape: [params.size], dtype: 'int32', data: sources })
    const source = primitives.ownSlice(table, position)
    const sent = primitives.ownSlice(primitives.allGather(x, position, params), source)
    const arrives = ge(source, fill([], 0, 'int32'))
    return select(broadcastTensor('ppermute', arrives, sent.shape), sent, zerosLike(sent))
  })

/**
 * The sum over a named axis, of which example i gets slice i along the first axis.
 * @throws ShapeError unless the first axis is as long as the named one.
 */
export const psumScatter = <T>(tree: T, axisName: string): Tensors<T> =>
  overAxes('psumScatter', tree, axisName, (x, position, params) => {
    if (x.shape[0] === params.size) {
      return primitives.ownSlice(primitives.psum(x, position, params), position)
    }
    throw new ShapeError({
      operation: 'psumScatter',
      problem: 'the first axis has one slice for each example',
      got: showAval(x.aval),
      want: `a first axis of ${params.size}`,
      fix: 'reshape it so that the first axis is as long as the named one',
    })
  })

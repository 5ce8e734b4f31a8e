/** Where the extremum is. */
import {
  type CompareOp,
  type DType,
  type Primitive,
  type Scalar,
  ShapeError,
  type Tensor,
  aval,
  bind1,
  broadcastInDim,
  currentMachine,
  definePrimitive,
  fill,
  interleave,
  isFloat,
  makeArray,
  maths,
  moveBatchToFront,
  nonlinear,
  range,
  scalars,
  showAval,
  wholeEquation,
  zero,
} from '@cotangent/core'
import { accepted, anyReal } from './accepts.ts'
import { or } from './binary.ts'
import { eq, ne, select } from './compare.ts'
import { iota } from './iota.ts'
import { reduceMax, reduceMin } from './reduce.ts'
import { extremumOf, forEachReduced, highest, lowest, reducedShape } from './reductions.ts'

const { both, compareOp, convertTo, fromIndex, selectOp } = scalars

/** Shorter rows are not worth two passes. */
const shortestRow = 16

// The extremum of a row, then the first position that has it: both in any order.
const inTwoPasses = (
  x: Tensor,
  axis: number,
  extreme: (x: Tensor, axes: readonly number[]) => Tensor,
): Tensor => {
  const axes = range(x.shape.length)
  const found = broadcastInDim(
    extreme(x, [axis]),
    x.shape,
    axes.filter((d) => d !== axis),
  )
  const equal = eq(x, found)
  const isFound = isFloat(x.dtype) ? or(equal, ne(x, x)) : equal
  const none = fill(x.shape, x.shape[axis]! - 1, 'int32')
  return reduceMin(select(isFound, iota('int32', x.shape, axis), none), [axis])
}

type ArgReduce = Primitive<readonly ['x'], { readonly axis: number }>

// Whether an element replaces the best so far: it is better, or the first NaN.
const lowerReplaces = (better: CompareOp, element: Scalar, best: Scalar): Scalar => {
  const improves = compareOp(better, element, best)
  if (!isFloat(element.dtype)) return improves
  const firstNaN = both(compareOp('notEqual', element, element), compareOp('equal', best, best))
  return scalars.binaryOp('or', improves, firstNaN)
}

const argReduction = (
  name: string,
  better: CompareOp,
  worst: (dtype: DType) => number,
  extreme: (x: Tensor, axes: readonly number[]) => Tensor,
): ArgReduce => {
  const beats = maths.compareFunction(better)
  const replaces = (element: number, best: number): boolean =>
    beats(element, best) === 1 || (Number.isNaN(element) && !Number.isNaN(best))
  const primitive: ArgReduce = definePrimitive({
    name,
    slots: ['x'],
    typing: ([x], { axis }) => {
      accepted(name, x, anyReal)
      const shape = reducedShape(name, x, [axis])
      if (x.shape[axis] === 0) {
        throw new ShapeError({
          operation: name,
          problem: 'an empty axis has no extremum',
          got: `axis ${axis} of ${showAval(x)}`,
          fix: 'reduce along an axis that has elements',
        })
      }
      return [aval(shape, 'int32')]
    },
    evaluate: ([x], { axis }, types) => {
      const out = makeArray(types[0]!)
      const best = new Float64Array(out.data.length).fill(worst(x.dtype))
      forEachReduced(x, [axis], (o, element, position) => {
        if (!replaces(element, best[o]!)) return
        best[o] = element
        out.data[o] = position
      })
      return [out]
    },
    jvp: { x: zero },
    transpose: { x: nonlinear },
    partition: wholeEquation,
    batch: ([x], [dim], { axis }) => ({
      outputs: [bind1(primitive, [moveBatchToFront(x, dim)], { axis: axis + 1 })],
      dims: [0],
    }),
    lower: ([x], { axis }) => {
      const isRow = axis === x.shape.length - 1 && x.shape[axis]! >= shortestRow
      if (isRow && currentMachine().vectors)
        return { tag: 'expand', expand: ([input]) => [inTwoPasses(input!, axis, extreme)] }
      const wide = extremumOf(x.dtype)
      return {
        tag: 'reduce',
        reduction: {
          extents: [x.shape[axis]!],
          accumulators: [
            { dtype: wide, initial: worst(x.dtype) },
            { dtype: 'int32', initial: 0 },
          ],
          step: ([best, position], output, reduced) => {
            const at = interleave(x.shape.length, [axis], output, reduced)
            const element = convertTo(wide, x.at(at))
            const replace = lowerReplaces(better, element, best!)
            return [
              selectOp(replace, element, best!),
              selectOp(replace, fromIndex('int32', reduced[0]!), position!),
            ]
          },
          finish: ([, position]) => [position!],
        },
      }
    },
    effectful: false,
  })
  return primitive
}

/** The int32 position of the first maximum along `axis`; of the first NaN if there is one. */
export const argmaxP: ArgReduce = argReduction('argmax', 'greater', lowest, reduceMax)
export const argmax = (x: Tensor, axis: number): Tensor => bind1(argmaxP, [x], { axis })

/** The int32 position of the first minimum along `axis`; of the first NaN if there is one. */
export const argminP: ArgReduce = argReduction('argmin', 'less', highest, reduceMin)
export const argmin = (x: Tensor, axis: number): Tensor => bind1(argminP, [x], { axis })

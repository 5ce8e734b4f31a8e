/**
 * The structural primitives that transforms themselves need: tangents form a vector space, and a
 * batch axis must be put somewhere. Each is the transpose of a neighbour in this family.
 */
import { aval, showAval } from '../aval.ts'
import { type DType, isInexact, isInteger } from '../dtype.ts'
import { DTypeError, InternalError, ShapeError } from '../errors.ts'
import { reshapeLayout } from '../layout.ts'
import type { Index } from '../loop.ts'
import {
  type BatchDim,
  type NDArray,
  type Primitive,
  definePrimitive,
  wholeEquation,
} from '../primitive.ts'
import { binaryOp, constant, convertTo, flatten, literal, unflatten } from '../scalars.ts'
import {
  type Shape,
  inserted,
  inversePermutation,
  range,
  sameShape,
  showShape,
  sizeOf,
  stridesOf,
  without,
} from '../shape.ts'
import { type Tensor, full } from '../tensor.ts'
import { bind1 } from '../trace.ts'
import { givesConstant, givesView } from '../views.ts'
import { makeArray } from './arrays.ts'
import { wrapInteger } from './integers.ts'

const isPermutation = (axes: readonly number[], rank: number): boolean => {
  if (axes.length !== rank) return false
  for (let d = 0; d < rank; d++) if (!axes.includes(d)) return false
  return true
}

/** Reorders axes: output axis `d` is input axis `permutation[d]`. */
export const transposeP: Primitive<readonly ['x'], { readonly permutation: readonly number[] }> =
  definePrimitive({
    name: 'transpose',
    slots: ['x'],
    typing: ([x], { permutation }) => {
      const rank = x.shape.length
      if (!isPermutation(permutation, rank)) {
        throw new ShapeError({
          operation: 'transpose',
          problem: 'not a permutation of the axes',
          got: `permutation [${permutation.join(',')}] of ${showAval(x)}`,
          want: `each of 0 … ${rank - 1} once`,
          fix: 'name every axis once, or none to reverse them',
        })
      }
      return [{ ...x, shape: permutation.map((p) => x.shape[p]!) }]
    },
    evaluate: ([x], { permutation }, types) => {
      const strides = stridesOf(x.shape)
      return [
        gatherStrided(
          x,
          types[0]!.shape,
          permutation.map((p) => strides[p]!),
        ),
      ]
    },
    jvp: { x: (dx, _, __, params) => bind1(transposeP, [dx], params) },
    transpose: {
      x: (ct, _, { permutation }) => transpose(ct, inversePermutation(permutation)),
    },
    partition: wholeEquation,
    batch: ([x], [dim], { permutation }) => ({
      outputs: [transpose(moveBatchToFront(x, dim), [0, ...permutation.map((p) => p + 1)])],
      dims: [0],
    }),
    lower: ([x], { permutation }) => {
      const inverse = inversePermutation(permutation)
      return {
        tag: 'pull',
        cost: 'movement',
        outputs: [(index) => x.at(inverse.map((p) => index[p]!))],
      }
    },
    effectful: false,
  })

givesView(transposeP, ({ offset, strides }, _, { permutation }) => ({
  offset,
  strides: permutation.map((p) => strides[p]!),
}))

export const transpose = (x: Tensor, permutation: readonly number[]): Tensor =>
  permutation.length === x.ndim && permutation.every((p, i) => p === i)
    ? x
    : bind1(transposeP, [x], { permutation })

// Copies `x` into a new array whose axes step through `x` with the given strides.
const gatherStrided = (
  x: NDArray,
  shape: Shape,
  strides: readonly number[],
  offset = 0,
): NDArray => {
  const out = makeArray(aval(shape, x.dtype))
  const rank = shape.length
  const counters = new Array<number>(rank).fill(0)
  let from = offset
  for (let to = 0; to < out.data.length; to++) {
    out.data[to] = x.data[from]!
    for (let d = rank - 1; d >= 0; d--) {
      from += strides[d]!
      if (++counters[d]! < shape[d]!) break
      from -= strides[d]! * shape[d]!
      counters[d] = 0
    }
  }
  return out
}

export interface BroadcastParams {
  readonly shape: Shape
  /** `axes[d]` is where input axis `d` goes; strictly increasing. */
  readonly axes: readonly number[]
}

const fitsAlong = (from: Shape, to: Shape, axes: readonly number[]): boolean => {
  if (axes.length !== from.length) return false
  for (let d = 0, last = -1; d < axes.length; d++) {
    const axis = axes[d]!
    if (!(axis > last && axis < to.length)) return false
    if (from[d] !== 1 && from[d] !== to[axis]) return false
    last = axis
  }
  return true
}

/** Repeats along new axes, and along input axes of extent 1. */
export const broadcastInDimP: Primitive<readonly ['x'], BroadcastParams> = definePrimitive({
  name: 'broadcastInDim',
  slots: ['x'],
  typing: ([x], { shape, axes }) => {
    if (!fitsAlong(x.shape, shape, axes)) {
      throw new ShapeError({
        operation: 'broadcastInDim',
        problem: 'the input does not fit the target shape',
        got: `${showAval(x)} along axes [${axes.join(',')}] to ${showShape(shape)}`,
        want: 'increasing axes, and input extents of 1 or the target’s',
        fix: 'reshape it so that each extent is 1 or the target’s, or use np.broadcastTo',
      })
    }
    return [{ ...x, shape }]
  },
  evaluate: ([x], { shape, axes }) => {
    const strides = stridesOf(x.shape)
    const steps = shape.map((_, d) => {
      const from = axes.indexOf(d)
      return from < 0 || x.shape[from] === 1 ? 0 : strides[from]!
    })
    return [gatherStrided(x, shape, steps)]
  },
  jvp: { x: (dx, _, __, params) => bind1(broadcastInDimP, [dx], params) },
  transpose: {
    x: (ct, _, { shape, axes }, type) => {
      const summed = range(shape.length).filter((d) => {
        const from = axes.indexOf(d)
        return from < 0 || (type.shape[from] === 1 && shape[d] !== 1)
      })
      return reshape(reduceSum(ct, summed), type.shape)
    },
  },
  partition: wholeEquation,
  batch: ([x], [dim], { shape, axes }, { size }) => ({
    outputs: [
      broadcastInDim(moveBatchToFront(x, dim), [size, ...shape], [0, ...axes.map((a) => a + 1)]),
    ],
    dims: [0],
  }),
  lower: ([x], { axes }) => ({
    tag: 'pull',
    cost: 'movement',
    outputs: [(index) => x.at(axes.map((a, d) => (x.shape[d] === 1 ? constant(0) : index[a]!)))],
  }),
  effectful: false,
})

givesView(broadcastInDimP, ({ offset, strides }, x, { axes }, { shape }) => {
  const steps = new Array<number>(shape.length).fill(0)
  axes.forEach((axis, d) => {
    if (x.shape[d] !== 1) steps[axis] = strides[d]!
  })
  return { offset, strides: steps }
})

export const broadcastInDim = (x: Tensor, shape: Shape, axes: readonly number[]): Tensor =>
  sameShape(x.shape, shape) ? x : bind1(broadcastInDimP, [x], { shape, axes })

/** A batch axis of the given size at the front. */
export const broadcastFront = (x: Tensor, size: number): Tensor =>
  bind1(broadcastInDimP, [x], { shape: [size, ...x.shape], axes: range(x.ndim).map((d) => d + 1) })

/** The same elements in row-major order under another shape. */
export const reshapeP: Primitive<readonly ['x'], { readonly shape: Shape }> = definePrimitive({
  name: 'reshape',
  slots: ['x'],
  typing: ([x], { shape }) => {
    if (sizeOf(x.shape) !== sizeOf(shape)) {
      throw new ShapeError({
        operation: 'reshape',
        problem: 'the number of elements differs',
        got: `${showAval(x)} (${sizeOf(x.shape)} elements) to ${showShape(shape)} (${sizeOf(shape)})`,
        fix: 'give extents whose product is the number of elements; one may be -1',
      })
    }
    return [{ ...x, shape }]
  },
  evaluate: ([x], { shape }) => [{ ...x, shape }],
  jvp: { x: (dx, _, __, params) => bind1(reshapeP, [dx], params) },
  transpose: { x: (ct, _, __, type) => reshape(ct, type.shape) },
  partition: wholeEquation,
  batch: ([x], [dim], { shape }, { size }) => ({
    outputs: [reshape(moveBatchToFront(x, dim), [size, ...shape])],
    dims: [0],
  }),
  lower: ([x], { shape }) => ({
    tag: 'pull',
    cost: 'movement',
    outputs: [(index: readonly Index[]) => x.at(unflatten(x.shape, flatten(shape, index)))],
  }),
  effectful: false,
})

givesView(reshapeP, (layout, x, { shape }) => reshapeLayout(x.shape, layout, shape))

export const reshape = (x: Tensor, shape: Shape): Tensor =>
  sameShape(x.shape, shape) ? x : bind1(reshapeP, [x], { shape })

/** Sums over the given axes. float16 to float32 accumulate in float64; integers wrap. */
export const reduceSumP: Primitive<readonly ['x'], { readonly axes: readonly number[] }> =
  definePrimitive({
    name: 'reduceSum',
    slots: ['x'],
    typing: ([x], { axes }) => {
      if (x.dtype === 'bool') {
        throw new DTypeError({
          operation: 'reduceSum',
          problem: 'booleans are counted, not summed',
          got: showAval(x),
          fix: 'convert to int32 first',
        })
      }
      return [{ ...x, shape: without(x.shape, axes) }]
    },
    evaluate: ([x], { axes }, types) => {
      const kept = range(x.shape.length).filter((d) => !axes.includes(d))
      const strides = stridesOf(x.shape)
      const outer = gatherOffsets(
        kept.map((d) => x.shape[d]!),
        kept.map((d) => strides[d]!),
      )
      const inner = gatherOffsets(
        axes.map((d) => x.shape[d]!),
        axes.map((d) => strides[d]!),
      )
      const out = makeArray(types[0]!)
      const integer = isInteger(x.dtype)
      for (let o = 0; o < outer.length; o++) {
        let sum = 0
        const base = outer[o]!
        for (let i = 0; i < inner.length; i++) {
          sum += x.data[base + inner[i]!]!
          if (integer) sum = wrapInteger(x.dtype, sum)
        }
        out.data[o] = sum
      }
      return [out]
    },
    jvp: { x: (dx, _, __, params) => bind1(reduceSumP, [dx], params) },
    transpose: {
      x: (ct, _, { axes }, type) => {
        const kept = range(type.shape.length).filter((d) => !axes.includes(d))
        return broadcastInDim(ct, type.shape, kept)
      },
    },
    partition: wholeEquation,
    batch: ([x], [dim], { axes }) => ({
      outputs: [bind1(reduceSumP, [moveBatchToFront(x, dim)], { axes: axes.map((a) => a + 1) })],
      dims: [0],
    }),
    lower: ([x], { axes }, { outputs }) => {
      const result = outputs[0]!.dtype
      const wide: DType = isInexact(result) ? 'float64' : result
      return {
        tag: 'reduce',
        reduction: {
          extents: axes.map((a) => x.shape[a]!),
          accumulators: [{ dtype: wide, initial: 0 }],
          step: ([sum], output, reduced) => [
            binaryOp(
              'add',
              sum!,
              convertTo(wide, x.at(interleave(x.shape.length, axes, output, reduced))),
            ),
          ],
          finish: ([sum]) => [convertTo(result, sum!)],
        },
      }
    },
    effectful: false,
  })

/** The input index of a reduction, from the output's and the reduced axes' counters. */
export const interleave = (
  rank: number,
  axes: readonly number[],
  output: readonly Index[],
  reduced: readonly Index[],
): readonly Index[] => {
  let next = 0
  return range(rank).map((d) => {
    const at = axes.indexOf(d)
    return at >= 0 ? reduced[at]! : output[next++]!
  })
}

/** Flat offsets of every position of a strided block, row-major. */
export const gatherOffsets = (shape: Shape, strides: readonly number[]): Int32Array => {
  const offsets = new Int32Array(sizeOf(shape))
  const counters = new Array<number>(shape.length).fill(0)
  let offset = 0
  for (let i = 0; i < offsets.length; i++) {
    offsets[i] = offset
    for (let d = shape.length - 1; d >= 0; d--) {
      offset += strides[d]!
      if (++counters[d]! < shape[d]!) break
      offset -= strides[d]! * shape[d]!
      counters[d] = 0
    }
  }
  return offsets
}

export const reduceSum = (x: Tensor, axes: readonly number[]): Tensor =>
  axes.length === 0 ? x : bind1(reduceSumP, [x], { axes: [...axes].sort((a, b) => a - b) })

export interface FillParams {
  readonly shape: Shape
  readonly dtype: DType
  readonly value: number
  readonly weak: boolean
}

/** A constant array, recorded rather than stored while tracing. */
export const fillP: Primitive<readonly [], FillParams> = definePrimitive({
  name: 'fill',
  slots: [],
  typing: (_, { shape, dtype, weak }) => [aval(shape, dtype, weak)],
  evaluate: (_, { shape, dtype, value }) => [full(shape, value, dtype).ndarray()],
  jvp: {},
  transpose: {},
  partition: wholeEquation,
  batch: () => {
    throw new InternalError({ operation: 'fill', problem: 'it has no input that could be batched' })
  },
  lower: (_, { dtype, value }) => ({
    tag: 'pull',
    cost: 'movement',
    outputs: [() => literal(dtype, value)],
  }),
  effectful: false,
})

givesConstant(fillP, ({ value }) => value)

export const fill = (shape: Shape, value: number, dtype: DType, weak = false): Tensor =>
  bind1(fillP, [], { shape, dtype, value, weak })

export const zerosLike = (type: { readonly shape: Shape; readonly dtype: DType }): Tensor =>
  fill(type.shape, 0, type.dtype)

/** Moves an axis; the others keep their order. */
export const moveAxis = (x: Tensor, from: number, to: number): Tensor => {
  if (from === to) return x
  const rest = without(range(x.ndim), [from])
  return transpose(x, inserted(rest, to, from))
}

/** The tensor with its batch axis at the front; unbatched ones are left alone. */
export const moveBatchToFront = (x: Tensor, dim: BatchDim): Tensor =>
  dim === null ? x : moveAxis(x, dim, 0)

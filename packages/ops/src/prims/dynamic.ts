/**
 * Slices whose starts are computed. A start is clamped so that the whole slice lies inside; each of
 * the two primitives is the transpose of the other.
 */
import {
  type Aval,
  type BatchRule,
  DTypeError,
  type NDArray,
  type Primitive,
  type Shape,
  ShapeError,
  type Stmt,
  type Tensor,
  alignBatch,
  bindAny,
  definePrimitive,
  fill,
  gatherOffsets,
  isInteger,
  isLinear,
  makeArray,
  moveBatchToFront,
  range,
  scalars,
  showAval,
  showShape,
  stridesOf,
  variadic,
  wholeEquation,
  zerosLike,
} from '@cotangent/core'
import { gather } from './gather.ts'
import { nestedLoops } from './loops.ts'
import { scatter } from './scatter.ts'
import { clippedIndex } from './slices.ts'
import { stackStarts } from './starts.ts'

const { affine, constant, counter, flatten, load, local } = scalars

type Slots = typeof variadic

const checkStarts = (operation: string, x: Aval, starts: readonly Aval[], sizes: Shape): void => {
  const got = `${showAval(x)}, starts ${starts.map(showAval).join(' ')}, sizes ${showShape(sizes)}`
  if (starts.length !== x.shape.length || sizes.length !== x.shape.length) {
    throw new ShapeError({
      operation,
      problem: 'one start and one size are needed for each axis',
      got,
      fix: 'give one start and one size for each axis',
    })
  }
  if (starts.some((s) => s.shape.length > 0 || !isInteger(s.dtype))) {
    throw new DTypeError({
      operation,
      problem: 'starts must be integer scalars',
      got,
      fix: 'convert the starts with astype("int32")',
    })
  }
  if (sizes.some((size, d) => size < 0 || size > x.shape[d]!)) {
    throw new ShapeError({
      operation,
      problem: 'the slice is larger than the operand',
      got,
      fix: 'take at most as much as there is along each axis',
    })
  }
}

const clampedOffset = (shape: Shape, sizes: Shape, starts: readonly NDArray[]): number => {
  const strides = stridesOf(shape)
  return starts.reduce((offset, start, d) => {
    const at = Math.min(Math.max(start.data[0]!, 0), shape[d]! - sizes[d]!)
    return offset + at * strides[d]!
  }, 0)
}

export interface DynamicSliceParams {
  readonly sizes: Shape
}

const sliceBatch: BatchRule<Slots, DynamicSliceParams> = (inputs, dims, { sizes }, { size }) => {
  const [x, ...starts] = inputs
  const [xDim, ...startDims] = dims
  const front = moveBatchToFront(x!, xDim!)
  if (startDims.every((d) => d === null)) {
    const first = fill([], 0, starts[0]!.dtype)
    return { outputs: [dynamicSlice(front, [first, ...starts], [size, ...sizes])], dims: [0] }
  }
  const indices = stackStarts(starts, startDims, size)
  const axes = range(sizes.length)
  const batched = xDim !== null
  const shift = batched ? 1 : 0
  const y = gather(front, indices, {
    offsetDims: axes.map((d) => d + 1),
    collapsedSliceDims: [],
    startIndexMap: axes.map((d) => d + shift),
    operandBatchingDims: batched ? [0] : [],
    startIndicesBatchingDims: batched ? [0] : [],
    sliceSizes: batched ? [1, ...sizes] : sizes,
    mode: 'clip',
  })
  return { outputs: [y], dims: [0] }
}

/** Inputs `[x, ...starts]`; see `dynamicSlice`. */
export const dynamicSliceP: Primitive<Slots, DynamicSliceParams> = definePrimitive({
  name: 'dynamicSlice',
  slots: variadic,
  typing: ([x, ...starts], { sizes }) => {
    checkStarts('dynamicSlice', x!, starts, sizes)
    return [{ ...x!, shape: sizes }]
  },
  evaluate: ([x, ...starts], { sizes }, types) => {
    const out = makeArray(types[0]!)
    const base = clampedOffset(x!.shape, sizes, starts)
    const offsets = gatherOffsets(sizes, stridesOf(x!.shape))
    for (let i = 0; i < offsets.length; i++) out.data[i] = x!.data[base + offsets[i]!]!
    return [out]
  },
  jvp: ([x, ...starts], [dx], { sizes }) => ({
    outputs: [dynamicSlice(x!, starts, sizes)],
    tangents: [dx === null ? null : dynamicSlice(dx!, starts, sizes)],
  }),
  transpose: ([ct], [, ...starts], _, { inputs: [x] }) => [
    dynamicUpdateSlice(zerosLike(x!), ct!, starts),
    ...starts.map(() => null),
  ],
  partition: wholeEquation,
  batch: sliceBatch,
  lower: ([x, ...starts], { sizes }) => ({
    tag: 'pull',
    cost: 'movement',
    outputs: [
      (index) =>
        x!.at(
          index.map((i, d) =>
            affine([
              [1, clippedIndex(starts[d]!.at([]), x!.shape[d]! - sizes[d]!)],
              [1, i],
            ]),
          ),
        ),
    ],
  }),
  effectful: false,
})

const updateBatch: BatchRule<Slots, null> = (inputs, dims, _, { size }) => {
  const [x, update, ...starts] = inputs
  const [xDim, updateDim, ...startDims] = dims
  const [operand, updates] = alignBatch([x!, update!], [xDim!, updateDim!], size)
  if (startDims.every((d) => d === null)) {
    const first = fill([], 0, starts[0]!.dtype)
    return { outputs: [dynamicUpdateSlice(operand!, updates!, [first, ...starts])], dims: [0] }
  }
  const indices = stackStarts(starts, startDims, size)
  const axes = range(starts.length).map((d) => d + 1)
  const y = scatter(operand!, indices, updates!, {
    updateWindowDims: axes,
    insertedWindowDims: [],
    scatterDimsToOperandDims: axes,
    operandBatchingDims: [0],
    scatterIndicesBatchingDims: [0],
    mode: 'clip',
    uniqueIndices: true,
  })
  return { outputs: [y], dims: [0] }
}

/** Inputs `[x, update, ...starts]`; see `dynamicUpdateSlice`. */
export const dynamicUpdateSliceP: Primitive<Slots, null> = definePrimitive({
  name: 'dynamicUpdateSlice',
  slots: variadic,
  typing: ([x, update, ...starts]) => {
    checkStarts('dynamicUpdateSlice', x!, starts, update!.shape)
    if (x!.dtype !== update!.dtype) {
      throw new DTypeError({
        operation: 'dynamicUpdateSlice',
        problem: 'operand and update must have one dtype',
        got: `${showAval(x!)} and ${showAval(update!)}`,
        fix: 'cast the update to the dtype of the operand',
      })
    }
    return [{ ...x!, weak: x!.weak && update!.weak }]
  },
  evaluate: ([x, update, ...starts]) => {
    const data = x!.data.slice()
    const base = clampedOffset(x!.shape, update!.shape, starts)
    const offsets = gatherOffsets(update!.shape, stridesOf(x!.shape))
    for (let i = 0; i < offsets.length; i++) data[base + offsets[i]!] = update!.data[i]!
    return [{ ...x!, data }]
  },
  jvp: ([x, update, ...starts], [dx, dUpdate]) => ({
    outputs: [dynamicUpdateSlice(x!, update!, starts)],
    tangents: [dynamicUpdateSlice(dx ?? zerosLike(x!), dUpdate ?? zerosLike(update!), starts)],
  }),
  transpose: ([ct], [x, update, ...starts], _, { inputs }) => [
    isLinear(x!) ? dynamicUpdateSlice(ct!, zerosLike(inputs[1]!), starts) : null,
    isLinear(update!) ? dynamicSlice(ct!, starts, inputs[1]!.shape) : null,
    ...starts.map(() => null),
  ],
  partition: wholeEquation,
  batch: updateBatch,
  lower: (_, __, { inputs: [x, update, ...starts] }) => ({
    tag: 'routine',
    scratch: [],
    inPlace: [0],
    emit: ([, from, ...startBuffers], [out]) => {
      const extents = update!.shape
      const index = extents.map((extent, d) => counter(`i${d}`, extent))
      const at = index.map((i, d) =>
        affine([
          [1, clippedIndex(local(starts[d]!.dtype, `start${d}`), x!.shape[d]! - extents[d]!)],
          [1, i],
        ]),
      )
      return [
        ...startBuffers.map(
          (s, d): Stmt => ({
            tag: 'let',
            name: `start${d}`,
            value: load(s.name, s.dtype, constant(0)),
          }),
        ),
        ...nestedLoops(
          extents.map((extent, d) => [`i${d}`, extent]),
          [
            {
              tag: 'store',
              buffer: out!.name,
              at: flatten(out!.shape, at),
              value: load(from!.name, from!.dtype, flatten(extents, index)),
            },
          ],
        ),
      ]
    },
  }),
  effectful: false,
})

/**
 * The slice of the given sizes at `starts`, one integer scalar an axis, moved inside where it does
 * not fit.
 * @throws ShapeError where a size exceeds the extent, DTypeError for starts that are no integers.
 */
export const dynamicSlice = (x: Tensor, starts: readonly Tensor[], sizes: Shape): Tensor =>
  bindAny(dynamicSliceP, [x, ...starts], { sizes })[0]!

/** `x` with the slice at `starts` replaced by `update`, moved inside where it does not fit. */
export const dynamicUpdateSlice = (x: Tensor, update: Tensor, starts: readonly Tensor[]): Tensor =>
  bindAny(dynamicUpdateSliceP, [x, update, ...starts], null)[0]!

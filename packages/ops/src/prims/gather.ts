/**
 * Gathering slices at indexed starts, and adding slices there: each is the transpose of the other.
 * Every kind of advanced reading is a gather.
 */
import {
  type Aval,
  type BatchRule,
  type DType,
  type LowerRule,
  type NDArray,
  type Primitive,
  type Shape,
  type Tensor,
  aval,
  bind1,
  definePrimitive,
  integerRange,
  isInexact,
  isLinear,
  kindOf,
  makeArray,
  moveAxis,
  nonlinear,
  scalars,
  wholeEquation,
  zero,
  zerosLike,
} from '@cotangent/core'
import {
  type ScatterOptions,
  type ScatterParams,
  type ScatterPrimitive,
  scatterParams,
  scatterPrimitive,
  sliceSizesOf,
} from './scatterRules.ts'
import {
  type OutOfBounds,
  type SliceAxes,
  batchedAxes,
  checkSlicing,
  forEachSlice,
  sliceOffsets,
  slicePosition,
  slicedShape,
  slicing,
} from './slices.ts'

const { constant, guard, literal } = scalars

/** XLA's dimension numbers; what is left out is empty. */
export interface GatherOptions {
  /** Axes of the result that run over a slice, increasing. */
  readonly offsetDims: readonly number[]
  /** Operand axes of slice size 1 that the result does not show. */
  readonly collapsedSliceDims: readonly number[]
  /** The operand axis that each component of an index vector positions. */
  readonly startIndexMap: readonly number[]
  readonly operandBatchingDims?: readonly number[]
  readonly startIndicesBatchingDims?: readonly number[]
  readonly sliceSizes: Shape
  /** Default `'clip'`. */
  readonly mode?: Exclude<OutOfBounds, 'drop'>
  /** For `'fill'`: default NaN, the smallest signed or largest unsigned integer, or true. */
  readonly fillValue?: number
}

export interface GatherParams extends SliceAxes {
  readonly sizes: Shape
  readonly mode: Exclude<OutOfBounds, 'drop'>
  readonly fillValue: number
}

type Slots = readonly ['operand', 'indices']

const batchRule: BatchRule<Slots, GatherParams> = ([x, i], [xDim, iDim], params, { size }) => {
  const operand = xDim === null ? x : moveAxis(x, xDim, 0)
  const indices = iDim === null ? i : moveAxis(i, iDim, 0)
  const axes = batchedAxes(params, xDim !== null, iDim !== null)
  const front = xDim === null ? [] : [iDim === null ? size : 1]
  const batched: GatherParams = { ...params, ...axes, sizes: [...front, ...params.sizes] }
  return { outputs: [bind1(gatherP, [operand, indices], batched)], dims: [0] }
}

const evaluate = (
  operand: NDArray,
  indices: NDArray,
  params: GatherParams,
  type: Aval,
): NDArray => {
  const out = makeArray(type)
  const s = slicing(operand.shape, params.sizes, type.shape.length, params)
  const offsets = sliceOffsets(s, type.shape)
  const count = offsets.operand.length
  forEachSlice(s, indices, params.mode !== 'fill', (batch, from) => {
    const to = offsets.batch[batch]!
    for (let i = 0; i < count; i++) {
      out.data[to + offsets.result[i]!] =
        from < 0 ? params.fillValue : operand.data[from + offsets.operand[i]!]!
    }
  })
  return out
}

const lower: LowerRule<Slots, GatherParams> = ([operand, indices], params, { outputs }) => {
  const { shape, dtype } = outputs[0]!
  const s = slicing(operand.shape, params.sizes, shape.length, params)
  return {
    tag: 'pull',
    cost: 'cheap',
    outputs: [
      (index) => {
        const batch = s.batchAxes.map((d) => index[d]!)
        const { at, inside } = slicePosition(s, index, params.mode !== 'fill', (k) =>
          indices.at([...batch, constant(k)]),
        )
        const value = operand.at(at)
        return inside === null ? value : guard(inside, value, literal(dtype, params.fillValue))
      },
    ],
  }
}

/** Slices of an operand; see `gather`. */
export const gatherP: Primitive<Slots, GatherParams> = definePrimitive({
  name: 'gather',
  slots: ['operand', 'indices'],
  typing: ([operand, indices], params) => {
    checkSlicing('gather', operand, indices, params.sizes, params)
    return [aval(slicedShape(indices.shape, params.sizes, params), operand.dtype, operand.weak)]
  },
  evaluate: ([operand, indices], params, types) => [evaluate(operand, indices, params, types[0]!)],
  jvp: {
    operand: (d, [, indices], _, params) =>
      bind1(gatherP, [d, indices], { ...params, fillValue: 0 }),
    indices: zero,
  },
  transpose: {
    operand: (ct, [, indices], params, type) =>
      bind1(scatterAddP, [zerosLike(type), indices, ct], {
        windowAxes: params.windowAxes,
        collapsedAxes: params.collapsedAxes,
        operandBatchAxes: params.operandBatchAxes,
        indexBatchAxes: params.indexBatchAxes,
        startMap: params.startMap,
        mode: params.mode === 'fill' ? 'drop' : params.mode,
        uniqueIndices: false,
      }),
    indices: nonlinear,
  },
  partition: wholeEquation,
  batch: batchRule,
  lower,
  effectful: false,
})

const defaultFill = (dtype: DType): number => {
  if (isInexact(dtype)) return Number.NaN
  return kindOf(dtype) === 'signed' ? integerRange(dtype)[0] : integerRange(dtype)[1]
}

/**
 * Slices of `operand` that start where the index vectors in the last axis of `indices` say. The
 * result's axes are the other axes of `indices` and, at `offsetDims`, the axes of a slice.
 * @throws ShapeError where the dimension numbers do not fit, DTypeError for non-integer indices.
 * @example
 * // rows of a matrix: [5, 3] at [[4], [0]] gives [2, 3]
 * gather(x, rows, { offsetDims: [1], collapsedSliceDims: [0], startIndexMap: [0], sliceSizes: [1, 3] })
 */
export const gather = (operand: Tensor, indices: Tensor, options: GatherOptions): Tensor =>
  bind1(gatherP, [operand, indices], {
    windowAxes: options.offsetDims,
    collapsedAxes: options.collapsedSliceDims,
    operandBatchAxes: options.operandBatchingDims ?? [],
    indexBatchAxes: options.startIndicesBatchingDims ?? [],
    startMap: options.startIndexMap,
    sizes: options.sliceSizes,
    mode: options.mode ?? 'clip',
    fillValue: options.fillValue ?? defaultFill(operand.dtype),
  })

/** The slices that a scatter of these parameters writes; those outside are zero. */
export const gatherUpdates = (
  x: Tensor,
  indices: Tensor,
  params: ScatterParams,
  updates: Shape,
): Tensor =>
  bind1(gatherP, [x, indices], {
    windowAxes: params.windowAxes,
    collapsedAxes: params.collapsedAxes,
    operandBatchAxes: params.operandBatchAxes,
    indexBatchAxes: params.indexBatchAxes,
    startMap: params.startMap,
    sizes: sliceSizesOf(x.shape, updates, params),
    mode: params.mode === 'clip' ? 'clip' : 'fill',
    fillValue: 0,
  })

/** Addition of slices; see `scatterAdd`. */
export const scatterAddP: ScatterPrimitive = scatterPrimitive({
  name: 'scatterAdd',
  combine: (dtype) =>
    dtype === 'bool' ? (old, update) => old | update : (old, update) => old + update,
  op: (dtype) => (dtype === 'bool' ? 'or' : 'add'),
  jvp: ([operand, indices, updates], [dOperand, , dUpdates], params) => {
    const outputs = [bind1(scatterAddP, [operand, indices, updates], params)]
    if (dUpdates === null) return { outputs, tangents: [dOperand] }
    const onto = dOperand ?? zerosLike(operand)
    return { outputs, tangents: [bind1(scatterAddP, [onto, indices, dUpdates], params)] }
  },
  transpose: ([ct], [operand, indices, updates], params) => [
    isLinear(operand) ? ct! : null,
    null,
    isLinear(updates) ? gatherUpdates(ct!, indices, params, updates.shape) : null,
  ],
})

/**
 * `operand` with `updates` added at indexed slices; equal indices add up. See `gather` for the
 * dimension numbers.
 */
export const scatterAdd = (
  operand: Tensor,
  indices: Tensor,
  updates: Tensor,
  options: ScatterOptions,
): Tensor => bind1(scatterAddP, [operand, indices, updates], scatterParams(options))

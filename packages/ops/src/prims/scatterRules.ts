/** What the scatters share: typing, evaluation, batching and lowering. */
import {
  type Aval,
  type BatchRule,
  type BinaryOp,
  type DType,
  DTypeError,
  type LowerRule,
  type NDArray,
  type Primitive,
  type Shape,
  ShapeError,
  type Stmt,
  type Tensor,
  type WholeJvp,
  type WholeTranspose,
  alignBatch,
  bind1,
  definePrimitive,
  isInteger,
  sameShape,
  scalars,
  showAval,
  showShape,
  wholeEquation,
} from '@cotangent/core'
import { nestedLoops, parallelLoops } from './loops.ts'
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

const { binaryOp, constant, convertTo, counter, flatten, load, local } = scalars

/** XLA's dimension numbers; what is left out is empty. */
export interface ScatterOptions {
  /** Axes of the updates that run over a slice, increasing. */
  readonly updateWindowDims: readonly number[]
  /** Operand axes of slice size 1 that the updates do not show. */
  readonly insertedWindowDims: readonly number[]
  /** The operand axis that each component of an index vector positions. */
  readonly scatterDimsToOperandDims: readonly number[]
  readonly operandBatchingDims?: readonly number[]
  readonly scatterIndicesBatchingDims?: readonly number[]
  /** Default `'drop'`: slices that do not fit are left out whole. */
  readonly mode?: Exclude<OutOfBounds, 'fill'>
  /** The caller's promise that no element is written twice; cheaper derivatives. */
  readonly uniqueIndices?: boolean
}

export interface ScatterParams extends SliceAxes {
  readonly mode: Exclude<OutOfBounds, 'fill'>
  readonly uniqueIndices: boolean
}

export const scatterParams = (options: ScatterOptions): ScatterParams => ({
  windowAxes: options.updateWindowDims,
  collapsedAxes: options.insertedWindowDims,
  operandBatchAxes: options.operandBatchingDims ?? [],
  indexBatchAxes: options.scatterIndicesBatchingDims ?? [],
  startMap: options.scatterDimsToOperandDims,
  mode: options.mode ?? 'drop',
  uniqueIndices: options.uniqueIndices ?? false,
})

export type ScatterSlots = readonly ['operand', 'indices', 'updates']
export type ScatterPrimitive = Primitive<ScatterSlots, ScatterParams>

/** The slice sizes that updates of this shape stand for; an empty axis has only empty slices. */
export const sliceSizesOf = (operand: Shape, updates: Shape, axes: SliceAxes): Shape => {
  let next = 0
  return operand.map((extent, d) => {
    if (axes.collapsedAxes.includes(d) || axes.operandBatchAxes.includes(d))
      return Math.min(1, extent)
    return updates[axes.windowAxes[next++]!] ?? 0
  })
}

interface ScatterRules {
  readonly name: string
  /** The new element, from the old one and the update; the store rounds and wraps. */
  readonly combine: (dtype: DType) => (old: number, update: number) => number
  /** The same as an operation, or null where the update replaces the element. */
  readonly op: (dtype: DType) => BinaryOp | null
  readonly jvp: WholeJvp<ScatterSlots, ScatterParams>
  readonly transpose: WholeTranspose<ScatterSlots, ScatterParams>
}

const checkTypes = (
  name: string,
  operand: Aval,
  indices: Aval,
  updates: Aval,
  params: ScatterParams,
): void => {
  if (operand.dtype !== updates.dtype || operand.dtype === 'complex64') {
    throw new DTypeError({
      operation: name,
      problem: 'operand and updates must have one real dtype',
      got: `${showAval(operand)} and ${showAval(updates)}`,
      fix: 'cast the updates to the dtype of the operand',
    })
  }
  const sizes = sliceSizesOf(operand.shape, updates.shape, params)
  checkSlicing(name, operand, indices, sizes, params)
  const wanted = slicedShape(indices.shape, sizes, params)
  if (sameShape(wanted, updates.shape)) return
  throw new ShapeError({
    operation: name,
    problem: 'the updates do not fit the indices',
    got: `updates ${showAval(updates)}, indices ${showAval(indices)}`,
    want: `updates of shape ${showShape(wanted)}`,
    fix: 'broadcast the updates to that shape',
  })
}

const evaluate = (
  operand: NDArray,
  indices: NDArray,
  updates: NDArray,
  params: ScatterParams,
  combine: (old: number, update: number) => number,
): NDArray => {
  const data = operand.data.slice()
  const sizes = sliceSizesOf(operand.shape, updates.shape, params)
  const s = slicing(operand.shape, sizes, updates.shape.length, params)
  const offsets = sliceOffsets(s, updates.shape)
  const count = offsets.operand.length
  forEachSlice(s, indices, params.mode === 'clip', (batch, to) => {
    if (to < 0) return
    const from = offsets.batch[batch]!
    for (let i = 0; i < count; i++) {
      const at = to + offsets.operand[i]!
      data[at] = combine(data[at]!, updates.data[from + offsets.result[i]!]!)
    }
  })
  return { ...operand, data }
}

// Loops over index vectors, then over the slice: later updates of an element come later in time.
const lowerWith =
  (op: (dtype: DType) => BinaryOp | null): LowerRule<ScatterSlots, ScatterParams> =>
  (_, params, { inputs }) => ({
    tag: 'routine',
    scratch: [],
    inPlace: [0],
    emit: ([, indices, updates], [out]) => {
      const { dtype } = out!
      const shape = updates!.shape
      const s = slicing(out!.shape, sliceSizesOf(out!.shape, shape, params), shape.length, params)
      const index = shape.map((extent, d) => counter(`i${d}`, extent))
      const batch = s.batchAxes.map((d) => index[d]!)
      // A wide enough copy of each component: narrow integers could not hold the extents.
      const wide = inputs[1].dtype === 'uint32' ? 'uint32' : 'int32'
      const components: readonly Stmt[] = s.startMap.map((__, k) => ({
        tag: 'let',
        name: `start${k}`,
        value: convertTo(
          wide,
          load(indices!.name, indices!.dtype, flatten(indices!.shape, [...batch, constant(k)])),
        ),
      }))
      const { at, inside } = slicePosition(s, index, params.mode === 'clip', (k) =>
        local(wide, `start${k}`),
      )
      const target = flatten(out!.shape, at)
      const update = load(updates!.name, dtype, flatten(shape, index))
      const operation = op(dtype)
      const value =
        operation === null ? update : binaryOp(operation, load(out!.name, dtype, target), update)
      const along = (axes: readonly number[]): readonly (readonly [string, number])[] =>
        axes.map((d) => [`i${d}`, shape[d]!])
      // The elements of one slice are different ones.
      const slice = parallelLoops(along(s.windowAxes), [
        { tag: 'store', buffer: out!.name, at: target, value },
      ])
      const checked: readonly Stmt[] =
        inside === null ? slice : [{ tag: 'if', condition: inside, then: slice, otherwise: [] }]
      return nestedLoops(along(s.batchAxes), [...components, ...checked])
    },
  })

const batchWith =
  (
    run: (
      inputs: readonly [operand: Tensor, indices: Tensor, updates: Tensor],
      params: ScatterParams,
    ) => Tensor,
  ): BatchRule<ScatterSlots, ScatterParams> =>
  ([operand, indices, updates], [oDim, iDim, uDim], params, { size }) => {
    const [o, u] = alignBatch([operand, updates], [oDim, uDim], size)
    const [i] = iDim === null ? [indices] : alignBatch([indices], [iDim], size)
    const axes = batchedAxes(params, true, iDim !== null)
    return { outputs: [run([o!, i!, u!], { ...params, ...axes })], dims: [0] }
  }

/** A scatter from its arithmetic and derivatives. */
export const scatterPrimitive = (rules: ScatterRules): ScatterPrimitive => {
  const primitive: ScatterPrimitive = definePrimitive<ScatterSlots, ScatterParams>({
    name: rules.name,
    slots: ['operand', 'indices', 'updates'],
    typing: ([operand, indices, updates], params) => {
      checkTypes(rules.name, operand, indices, updates, params)
      return [{ ...operand, weak: operand.weak && updates.weak }]
    },
    evaluate: ([operand, indices, updates], params) => [
      evaluate(operand, indices, updates, params, rules.combine(operand.dtype)),
    ],
    jvp: rules.jvp,
    transpose: rules.transpose,
    partition: wholeEquation,
    batch: batchWith((inputs, params) => bind1(primitive, inputs, params)),
    lower: lowerWith(rules.op),
    effectful: false,
  })
  return primitive
}

/** Products that wrap exactly for integers. */
export const product = (dtype: DType): ((x: number, y: number) => number) =>
  isInteger(dtype) || dtype === 'bool' ? Math.imul : (x, y) => x * y

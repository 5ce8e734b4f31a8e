/** General tensor contraction: matrix products, inner, outer and batched products are all of it. */
import {
  type Aval,
  type BatchRule,
  type Index,
  type LowerRule,
  type NDArray,
  type Primitive,
  type Shape,
  ShapeError,
  type Tensor,
  type TransposeTerm,
  aval,
  bind1,
  definePrimitive,
  gatherOffsets,
  inversePermutation,
  makeArray,
  moveAxis,
  range,
  scalars,
  showAval,
  stridesOf,
  transpose,
  wholeEquation,
} from '@cotangent/core'
import { accumulatorDType, innerProduct, multiplyAdd, requireProductTypes } from './products.ts'

const { binaryOp, convertTo } = scalars

/** Pairs of axes, x's and y's: position `i` of one goes with position `i` of the other. */
export type AxisPairs = readonly [x: readonly number[], y: readonly number[]]

export interface DotParams {
  /** Axes summed over. */
  readonly contract: AxisPairs
  /** Axes kept and paired. */
  readonly batch: AxisPairs
}

type DotSlots = readonly ['x', 'y']

const freeAxes = (
  rank: number,
  contracted: readonly number[],
  batch: readonly number[],
): readonly number[] => range(rank).filter((d) => !contracted.includes(d) && !batch.includes(d))

const extentsOf = (shape: Shape, axes: readonly number[]): Shape => axes.map((d) => shape[d]!)

const checkAxes = (x: Aval, y: Aval, { contract, batch }: DotParams): void => {
  const refuse = (problem: string, fix = 'correct the lists of axes'): ShapeError =>
    new ShapeError({
      operation: 'dotGeneral',
      problem,
      got: `x: ${showAval(x)}, y: ${showAval(y)}, contract [${contract[0].join(',')}] with [${contract[1].join(',')}], batch [${batch[0].join(',')}] with [${batch[1].join(',')}]`,
      fix,
    })
  for (const [operand, side] of [
    [x, 0],
    [y, 1],
  ] as const) {
    const used = [...contract[side], ...batch[side]]
    const fits = used.every((d, i) => d >= 0 && d < operand.shape.length && used.indexOf(d) === i)
    if (!fits) throw refuse(`the axes of ${side === 0 ? 'x' : 'y'} must be in range and distinct`)
  }
  for (const [pairs, what] of [
    [contract, 'contracted'],
    [batch, 'batch'],
  ] as const) {
    if (pairs[0].length !== pairs[1].length)
      throw refuse(`as many ${what} axes are needed for x as for y`)
    pairs[0].forEach((d, i) => {
      if (x.shape[d] === y.shape[pairs[1][i]!]) return
      throw refuse(
        `the ${what} extents differ: ${x.shape[d]} and ${y.shape[pairs[1][i]!]}`,
        'transpose or reshape one of them, so that paired axes agree',
      )
    })
  }
}

const typing = ([x, y]: readonly [Aval, Aval], params: DotParams): readonly Aval[] => {
  requireProductTypes('dotGeneral', ['x', 'y'], x, y)
  checkAxes(x, y, params)
  const { contract, batch } = params
  const shape = [
    ...extentsOf(x.shape, batch[0]),
    ...extentsOf(x.shape, freeAxes(x.shape.length, contract[0], batch[0])),
    ...extentsOf(y.shape, freeAxes(y.shape.length, contract[1], batch[1])),
  ]
  return [aval(shape, x.dtype, x.weak && y.weak)]
}

const offsetsOf = (x: NDArray, axes: readonly number[]): Int32Array => {
  const strides = stridesOf(x.shape)
  return gatherOffsets(
    extentsOf(x.shape, axes),
    axes.map((d) => strides[d]!),
  )
}

const evaluate = (
  [x, y]: readonly [NDArray, NDArray],
  { contract, batch }: DotParams,
  types: readonly Aval[],
): readonly NDArray[] => {
  const out = makeArray(types[0]!)
  const [xBatch, yBatch] = [offsetsOf(x, batch[0]), offsetsOf(y, batch[1])]
  const xFree = offsetsOf(x, freeAxes(x.shape.length, contract[0], batch[0]))
  const yFree = offsetsOf(y, freeAxes(y.shape.length, contract[1], batch[1]))
  const [xSummed, ySummed] = [offsetsOf(x, contract[0]), offsetsOf(y, contract[1])]
  const product = innerProduct(x, y)
  let to = 0
  for (let b = 0; b < xBatch.length; b++) {
    for (let i = 0; i < xFree.length; i++) {
      for (let j = 0; j < yFree.length; j++) {
        out.data[to++] = product(
          xBatch[b]! + xFree[i]!,
          xSummed,
          yBatch[b]! + yFree[j]!,
          ySummed,
          xSummed.length,
        )
      }
    }
  }
  return [out]
}

// Transposes a contraction whose result axes are, in order, axes `order` of the wanted operand.
const toOperandOrder = (result: Tensor, order: readonly number[]): Tensor =>
  transpose(result, inversePermutation(order))

const transposeX: TransposeTerm<DotSlots, DotParams> = (ct, [, y], { contract, batch }, type) => {
  const xFree = freeAxes(type.shape.length, contract[0], batch[0])
  const yFree = freeAxes(y.ndim, contract[1], batch[1])
  const [batches, before] = [batch[0].length, batch[0].length + xFree.length]
  const result = dotGeneral(ct, y, {
    contract: [yFree.map((_, i) => before + i), yFree],
    batch: [range(batches), batch[1]],
  })
  return toOperandOrder(result, [...batch[0], ...xFree, ...pairedInOrder(contract[1], contract[0])])
}

const transposeY: TransposeTerm<DotSlots, DotParams> = (ct, [x], { contract, batch }, type) => {
  const xFree = freeAxes(x.ndim, contract[0], batch[0])
  const yFree = freeAxes(type.shape.length, contract[1], batch[1])
  const batches = batch[0].length
  const result = dotGeneral(x, ct, {
    contract: [xFree, xFree.map((_, i) => batches + i)],
    batch: [batch[0], range(batches)],
  })
  return toOperandOrder(result, [...batch[1], ...pairedInOrder(contract[0], contract[1]), ...yFree])
}

// The partners of `axes`, in the order in which `axes` appear in their operand.
const pairedInOrder = (axes: readonly number[], partners: readonly number[]): readonly number[] =>
  range(axes.length)
    .toSorted((i, j) => axes[i]! - axes[j]!)
    .map((i) => partners[i]!)

const shifted = (axes: readonly number[], dim: number): readonly number[] =>
  axes.map((a) => (a >= dim ? a + 1 : a))

const plusOne = (axes: readonly number[]): readonly number[] => axes.map((a) => a + 1)

// One batched operand gains a free axis: no operand is repeated, and a matrix product stays one.
const batchRule: BatchRule<DotSlots, DotParams> = ([x, y], [xDim, yDim], { contract, batch }) => {
  if (xDim !== null && yDim !== null) {
    const params: DotParams = {
      contract: [plusOne(contract[0]), plusOne(contract[1])],
      batch: [
        [0, ...plusOne(batch[0])],
        [0, ...plusOne(batch[1])],
      ],
    }
    return { outputs: [dotGeneral(moveAxis(x, xDim, 0), moveAxis(y, yDim, 0), params)], dims: [0] }
  }
  const batches = batch[0].length
  if (xDim !== null) {
    const params: DotParams = {
      contract: [shifted(contract[0], xDim), contract[1]],
      batch: [shifted(batch[0], xDim), batch[1]],
    }
    const position = freeAxes(x.ndim, params.contract[0], params.batch[0]).indexOf(xDim)
    return { outputs: [dotGeneral(x, y, params)], dims: [batches + position] }
  }
  const dim = yDim!
  const params: DotParams = {
    contract: [contract[0], shifted(contract[1], dim)],
    batch: [batch[0], shifted(batch[1], dim)],
  }
  const xFree = x.ndim - contract[0].length - batches
  const position = freeAxes(y.ndim, params.contract[1], params.batch[1]).indexOf(dim)
  return { outputs: [dotGeneral(x, y, params)], dims: [batches + xFree + position] }
}

const lower: LowerRule<DotSlots, DotParams> = ([x, y], { contract, batch }, { outputs }) => {
  const { dtype } = outputs[0]!
  const batches = batch[0].length
  const xFree = freeAxes(x.shape.length, contract[0], batch[0])
  const yFree = freeAxes(y.shape.length, contract[1], batch[1])
  const indexOf = (
    side: 0 | 1,
    rank: number,
    free: readonly number[],
    before: number,
    output: readonly Index[],
    reduced: readonly Index[],
  ): readonly Index[] =>
    range(rank).map((d) => {
      const summed = contract[side].indexOf(d)
      if (summed >= 0) return reduced[summed]!
      const paired = batch[side].indexOf(d)
      return paired >= 0 ? output[paired]! : output[before + free.indexOf(d)]!
    })
  const xAt = (output: readonly Index[], reduced: readonly Index[]): readonly Index[] =>
    indexOf(0, x.shape.length, xFree, batches, output, reduced)
  const yAt = (output: readonly Index[], reduced: readonly Index[]): readonly Index[] =>
    indexOf(1, y.shape.length, yFree, batches + xFree.length, output, reduced)
  if (contract[0].length === 0) {
    const times = dtype === 'bool' ? 'and' : 'multiply'
    return {
      tag: 'pull',
      cost: 'cheap',
      outputs: [(index) => binaryOp(times, x.at(xAt(index, [])), y.at(yAt(index, [])))],
    }
  }
  return {
    tag: 'reduce',
    reduction: {
      extents: extentsOf(x.shape, contract[0]),
      accumulators: [{ dtype: accumulatorDType(dtype), initial: 0 }],
      step: ([sum], output, reduced) => [
        multiplyAdd(sum!, x.at(xAt(output, reduced)), y.at(yAt(output, reduced))),
      ],
      finish: ([sum]) => [convertTo(dtype, sum!)],
    },
  }
}

/** `Σ x · y` over the contracted axes; see `dotGeneral`. */
export const dotGeneralP: Primitive<DotSlots, DotParams> = definePrimitive({
  name: 'dotGeneral',
  slots: ['x', 'y'],
  typing: ([x, y], params) => typing([x, y], params),
  evaluate: ([x, y], params, types) => evaluate([x, y], params, types),
  jvp: {
    x: (dx, [, y], _, params) => bind1(dotGeneralP, [dx, y], params),
    y: (dy, [x], _, params) => bind1(dotGeneralP, [x, dy], params),
  },
  transpose: { x: transposeX, y: transposeY },
  partition: wholeEquation,
  batch: batchRule,
  lower,
  effectful: false,
})

/**
 * Sums products over paired axes. The result's axes are the batch axes in the given order, then the
 * remaining axes of `x`, then those of `y`. Floats accumulate in float64 and are rounded once;
 * integers wrap; booleans give "is there a pair of trues".
 * @throws ShapeError where paired extents differ, DTypeError where dtypes do.
 * @example
 * dotGeneral(a, b, { contract: [[1], [0]], batch: [[], []] }) // the matrix product of a and b
 */
export const dotGeneral = (x: Tensor, y: Tensor, params: DotParams): Tensor =>
  bind1(dotGeneralP, [x, y], params)

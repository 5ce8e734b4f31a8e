/** Stable sorting of several arrays by some of them. */
import {
  type Aval,
  type DType,
  type NDArray,
  type Primitive,
  ShapeError,
  type Shape,
  type Tensor,
  UnsupportedError,
  alignBatch,
  bindAny,
  definePrimitive,
  makeArray,
  range,
  reshape,
  sameShape,
  showAval,
  stridesOf,
  gatherOffsets,
  variadic,
  wholeEquation,
  without,
} from '@cotangent/core'
import { gather } from './gather.ts'
import { neverLinear } from './rules.ts'
import { emitSelect } from './selectRoutine.ts'
import { emitSort } from './sortRoutine.ts'
import { iota } from './structural.ts'

export interface SortParams {
  readonly axis: number
  /** How many of the operands, from the first, are compared. */
  readonly numKeys: number
  /** How many elements of each lane stay, the last ones; null for all. */
  readonly keep: number | null
}

const check = (types: readonly Aval[], { axis, numKeys, keep }: SortParams): void => {
  const first = types[0]
  const got = types.map(showAval).join(', ')
  if (first === undefined || !types.every((t) => sameShape(t.shape, first.shape))) {
    throw new ShapeError({
      operation: 'sort',
      problem: 'operands of one shape are needed',
      got,
      fix: 'broadcast them to one shape first',
    })
  }
  if (!Number.isInteger(axis) || axis < 0 || axis >= first.shape.length) {
    throw new ShapeError({
      operation: 'sort',
      problem: 'there is no such axis',
      got: `axis ${axis} of ${got}`,
      fix: 'choose an axis of the operands',
    })
  }
  if (keep !== null && (!Number.isInteger(keep) || keep < 0 || keep > first.shape[axis]!)) {
    throw new ShapeError({
      operation: 'sort',
      problem: 'the axis does not have that many elements',
      got: `${keep} along axis ${axis} of ${got}`,
      fix: 'keep at most as many as there are',
    })
  }
  if (!Number.isInteger(numKeys) || numKeys < 1 || numKeys > types.length) {
    throw new ShapeError({
      operation: 'sort',
      problem: 'there are not that many keys',
      got: `${numKeys} keys among ${got}`,
      fix: 'ask for at most as many keys as operands',
    })
  }
  if (types.some((t) => t.dtype === 'complex64')) {
    throw new UnsupportedError({
      operation: 'sort',
      problem: 'complex numbers have no order',
      got,
      fix: 'sort by real part, imaginary part or magnitude',
    })
  }
}

/** Where less than one in so many stays, the others need no order. */
const fewKept = 8

/** Negative, zero or positive; NaN after everything, equal to itself; −0 equal to 0. */
const compare = (x: number, y: number): number => {
  if (x < y) return -1
  if (x > y) return 1
  if (x === y) return 0
  return Number(Number.isNaN(x)) - Number(Number.isNaN(y))
}

const evaluate = (
  inputs: readonly NDArray[],
  { axis, numKeys, keep }: SortParams,
  types: readonly Aval[],
): readonly NDArray[] => {
  const { shape } = inputs[0]!
  const strides = stridesOf(shape)
  const [extent, step] = [shape[axis]!, strides[axis]!]
  const outer: Shape = without(shape, [axis])
  const kept = keep ?? extent
  const bases = gatherOffsets(outer, without(strides, [axis]))
  const into = stridesOf(shape.with(axis, kept))
  const starts = gatherOffsets(outer, without(into, [axis]))
  const outputs = types.map(makeArray)
  const keys = inputs.slice(0, numKeys).map((x) => x.data)
  for (const [lane, base] of bases.entries()) {
    const order = Array.from({ length: extent }, (_, i) => base + i * step)
    order.sort((i, j) => {
      for (const key of keys) {
        const sign = compare(key[i]!, key[j]!)
        if (sign !== 0) return sign
      }
      return 0
    })
    inputs.forEach(({ data }, o) => {
      const out = outputs[o]!.data
      for (let i = 0; i < kept; i++) {
        out[starts[lane]! + i * into[axis]!] = data[order[extent - kept + i]!]!
      }
    })
  }
  return outputs
}

// Reads `x` along `axis` at the positions a sort gave; the other axes are paired.
const takeSorted = (x: Tensor, positions: Tensor, axis: number): Tensor => {
  const others = range(x.ndim).filter((d) => d !== axis)
  return gather(x, reshape(positions, [...positions.shape, 1]), {
    offsetDims: [],
    collapsedSliceDims: [axis],
    startIndexMap: [axis],
    operandBatchingDims: others,
    startIndicesBatchingDims: others,
    sliceSizes: x.shape.map((extent) => Math.min(1, extent)),
    mode: 'inBounds',
  })
}

/** Sorts all operands by the first ones; see `sort`. */
export const sortP: Primitive<typeof variadic, SortParams> = definePrimitive({
  name: 'sort',
  slots: variadic,
  typing: (types, params) => {
    check(types, params)
    const { axis, keep } = params
    if (keep === null) return types
    return types.map((type) => ({ ...type, shape: type.shape.with(axis, keep) }))
  },
  evaluate: (inputs, params, types) => evaluate(inputs, params, types),
  jvp: (inputs, tangents, { axis, numKeys, keep }) => {
    const positions = iota('int32', inputs[0]!.shape, axis)
    const sorted = sort([...inputs, positions], axis, numKeys, keep)
    const order = sorted.at(-1)!
    return {
      outputs: sorted.slice(0, -1),
      tangents: tangents.map((d) => (d === null ? null : takeSorted(d, order, axis))),
    }
  },
  transpose: neverLinear('sort'),
  partition: wholeEquation,
  batch: (inputs, dims, { axis, numKeys, keep }, { size }) => ({
    outputs: sort(alignBatch(inputs, dims, size), axis + 1, numKeys, keep),
    dims: inputs.map(() => 0),
  }),
  lower: (_, params, { inputs }) => {
    const { shape } = inputs[0]!
    const index: DType = 'int32'
    const extent = shape[params.axis]!
    const { keep } = params
    if (keep !== null && keep * fewKept <= extent) {
      return {
        tag: 'routine',
        scratch: [{ shape: [Math.max(1, keep)], dtype: index }],
        inPlace: inputs.map(() => null),
        emit: (from, to, [order]) => emitSelect(from, to, order!.name, { ...params, keep }),
      }
    }
    const scratch = { shape: [extent], dtype: index }
    return {
      tag: 'routine',
      scratch: [scratch, scratch],
      inPlace: inputs.map(() => null),
      emit: (from, to, buffers) => emitSort(from, to, buffers, params),
    }
  },
  effectful: false,
})

/**
 * Sorts along `axis`, moving the elements of all operands as the first `numKeys` of them compare,
 * lexicographically. Stable: equal keys keep their order. NaN comes last, and −0 equals 0. With `keep`
 * only so many stay, the last ones.
 * @throws ShapeError for operands of different shapes or an axis out of range.
 * @example
 * const [values, order] = sort([x, iota('int32', x.shape, 0)], 0) // sort and argsort
 */
export const sort = (
  operands: readonly Tensor[],
  axis: number,
  numKeys = 1,
  keep: number | null = null,
): readonly Tensor[] => bindAny(sortP, operands, { axis, numKeys, keep })

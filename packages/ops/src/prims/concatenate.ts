/** Joining arrays along an axis. */
import {
  type Aval,
  DTypeError,
  type Index,
  type NDArray,
  type Primitive,
  type Scalar,
  type Shape,
  ShapeError,
  type Source,
  type Tensor,
  alignBatch,
  aval,
  bind1,
  definePrimitive,
  isLinear,
  makeArray,
  replaced,
  sameShape,
  scalars,
  showAval,
  sizeOf,
  variadic,
  wholeEquation,
  zerosLike,
} from '@cotangent/core'
import { slice } from './slice.ts'

const { guard, minus, within } = scalars

const concatenateTyping = (types: readonly Aval[], axis: number): Aval => {
  const first = types[0]
  const report = {
    operation: 'concatenate',
    got: `${types.map(showAval).join(', ')} along axis ${axis}`,
  }
  if (first === undefined) {
    throw new ShapeError({
      ...report,
      problem: 'there is nothing to join',
      got: 'no inputs',
      fix: 'give at least one tensor',
    })
  }
  if (!(Number.isInteger(axis) && axis >= 0 && axis < first.shape.length)) {
    throw new ShapeError({
      ...report,
      problem: 'no such axis',
      want:
        first.shape.length === 0
          ? 'inputs with at least one axis'
          : `0 … ${first.shape.length - 1}`,
      fix: 'choose an axis of the inputs',
    })
  }
  if (types.some((t) => t.dtype !== first.dtype)) {
    throw new DTypeError({ ...report, problem: 'the dtypes differ', fix: 'cast the inputs first' })
  }
  const others = (t: Aval): Shape => replaced(t.shape, axis, 0)
  if (types.some((t) => !sameShape(others(t), others(first)))) {
    throw new ShapeError({
      ...report,
      problem: 'the other axes must have equal extents',
      fix: 'reshape or pad them to equal extents',
    })
  }
  const extent = types.reduce((sum, t) => sum + t.shape[axis]!, 0)
  return aval(
    replaced(first.shape, axis, extent),
    first.dtype,
    types.every((t) => t.weak),
  )
}

const evaluateConcatenate = (inputs: readonly NDArray[], axis: number, type: Aval): NDArray => {
  const out = makeArray(type)
  const outer = sizeOf(type.shape.slice(0, axis))
  const row = sizeOf(type.shape.slice(axis))
  let offset = 0
  for (const { shape, data } of inputs) {
    const block = sizeOf(shape.slice(axis))
    for (let o = 0; o < outer; o++) {
      out.data.set(data.subarray(o * block, (o + 1) * block), o * row + offset)
    }
    offset += block
  }
  return out
}

// The input whose stretch of the axis holds the index, by nested guards.
const lowerConcatenate = (
  inputs: readonly Source[],
  axis: number,
  index: readonly Index[],
): Scalar => {
  const present = inputs.filter((x) => x.shape[axis]! > 0)
  const starts = present.map((_, k) =>
    present.slice(0, k).reduce((sum, x) => sum + x.shape[axis]!, 0),
  )
  const from = (k: number): Scalar => {
    const x = present[k]!
    const start = starts[k]!
    const element = x.at(replaced(index, axis, minus(index[axis]!, start)))
    if (k === present.length - 1) return element
    return guard(within(index[axis]!, start, start + x.shape[axis]!), element, from(k + 1))
  }
  return from(0)
}

// The stretch of a cotangent that belongs to each input.
const pieces = (ct: Tensor, types: readonly Aval[], axis: number): readonly Tensor[] => {
  let offset = 0
  return types.map((type) => {
    const begin = offset
    offset += type.shape[axis]!
    const start = replaced(
      ct.shape.map(() => 0),
      axis,
      begin,
    )
    return slice(ct, start, replaced(ct.shape, axis, offset))
  })
}

/** Joins arrays along an existing axis. */
export const concatenateP: Primitive<typeof variadic, { readonly axis: number }> = definePrimitive({
  name: 'concatenate',
  slots: variadic,
  typing: (types, { axis }) => [concatenateTyping(types, axis)],
  evaluate: (inputs, { axis }, types) => [evaluateConcatenate(inputs, axis, types[0]!)],
  jvp: (inputs, tangents, { axis }) => ({
    outputs: [concatenate(inputs, axis)],
    tangents: [
      tangents.every((t) => t === null)
        ? null
        : concatenate(
            inputs.map((x, i) => tangents[i] ?? zerosLike(x)),
            axis,
          ),
    ],
  }),
  transpose: ([ct], inputs, { axis }, types) => {
    if (ct === null || ct === undefined) return inputs.map(() => null)
    const parts = pieces(ct, types.inputs, axis)
    return inputs.map((x, i) => (isLinear(x) ? parts[i]! : null))
  },
  partition: wholeEquation,
  batch: (inputs, dims, { axis }, { size }) => ({
    outputs: [concatenate(alignBatch(inputs, dims, size), axis + 1)],
    dims: [0],
  }),
  lower: (inputs, { axis }) => ({
    tag: 'pull',
    cost: 'movement',
    outputs: [(index) => lowerConcatenate(inputs, axis, index)],
  }),
  effectful: false,
})

export const concatenate = (xs: readonly Tensor[], axis: number): Tensor =>
  xs.length === 1 && axis < xs[0]!.ndim ? xs[0]! : bind1(concatenateP, xs, { axis })

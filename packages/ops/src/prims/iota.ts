/** Counting along an axis. */
import {
  type Aval,
  type DType,
  DTypeError,
  InternalError,
  type Primitive,
  type Shape,
  ShapeError,
  type Tensor,
  aval,
  bind1,
  definePrimitive,
  isComplex,
  makeArray,
  scalars,
  showShape,
  sizeOf,
  wholeEquation,
} from '@cotangent/core'

export interface IotaParams {
  readonly dtype: DType
  readonly shape: Shape
  readonly axis: number
}

const iotaTyping = ({ dtype, shape, axis }: IotaParams): Aval => {
  if (dtype === 'bool' || isComplex(dtype)) {
    throw new DTypeError({
      operation: 'iota',
      problem: `${dtype} cannot count`,
      got: dtype,
      want: 'an integer or floating point dtype',
      fix: 'choose int32 or float32',
    })
  }
  if (!(Number.isInteger(axis) && axis >= 0 && axis < shape.length)) {
    throw new ShapeError({
      operation: 'iota',
      problem: 'no such axis',
      got: `axis ${axis} of ${showShape(shape)}`,
      want: 'a shape with at least one axis, and one of them',
      fix: 'choose an axis of the shape',
    })
  }
  return aval(shape, dtype)
}

/** 0, 1, 2, … along one axis, the same along the others. */
export const iotaP: Primitive<readonly [], IotaParams> = definePrimitive({
  name: 'iota',
  slots: [],
  typing: (_, params) => [iotaTyping(params)],
  evaluate: (_, { shape, axis }, types) => {
    const out = makeArray(types[0]!)
    const inner = sizeOf(shape.slice(axis + 1))
    const extent = shape[axis]!
    for (let i = 0; i < out.data.length; i++) out.data[i] = Math.floor(i / inner) % extent
    return [out]
  },
  jvp: {},
  transpose: {},
  partition: wholeEquation,
  batch: () => {
    throw new InternalError({ operation: 'iota', problem: 'it has no input that could be batched' })
  },
  lower: (_, { dtype, axis }) => ({
    tag: 'pull',
    cost: 'movement',
    outputs: [(index) => scalars.fromIndex(dtype, index[axis]!)],
  }),
  effectful: false,
})

export const iota = (dtype: DType, shape: Shape, axis: number): Tensor =>
  bind1(iotaP, [], { dtype, shape, axis })

/** Reading an array through a layout, inside a kernel. */
import {
  type Aval,
  InternalError,
  type Layout,
  type Primitive,
  bind1,
  definePrimitive,
  makeArray,
  nonlinear,
  gatherLayout,
  scalars,
  wholeEquation,
} from '@cotangent/core'

export interface StridedParams {
  readonly type: Aval
  readonly layout: Layout
}

/** The elements of the vector `x` that a layout names. Only ever part of what is compiled. */
export const stridedP: Primitive<readonly ['x'], StridedParams> = definePrimitive({
  name: 'strided',
  slots: ['x'],
  typing: (_, { type }) => [type],
  evaluate: ([x], { type, layout }) => {
    const out = makeArray(type)
    gatherLayout(x.data, type.shape, layout, out.data)
    return [out]
  },
  jvp: { x: (dx, _, __, params) => bind1(stridedP, [dx], params) },
  transpose: { x: nonlinear },
  partition: wholeEquation,
  batch: () => {
    throw new InternalError({ operation: 'strided', problem: 'kernels are not batched' })
  },
  lower: ([x], { layout: { offset, strides } }) => ({
    tag: 'pull',
    cost: 'movement',
    outputs: [
      (index) =>
        x.at([
          scalars.affine(
            index.map((i, d) => [strides[d]!, i] as const),
            offset,
          ),
        ]),
    ],
  }),
  effectful: false,
})

/** Samples of contraction and convolution. */
import { prims } from '@cotangent/ops'
import { type Sample, sample, uniform } from '../sample.ts'

type Shape = readonly number[]
const types = ['float64', 'float32', 'bfloat16', 'int32'] as const

const two = (
  label: string,
  x: Shape,
  y: Shape,
  f: Parameters<typeof sample>[2],
): readonly Sample[] =>
  types.map((dtype) =>
    sample(
      `${label}, ${dtype}`,
      (r) => [uniform(r, x, dtype, -2, 2), uniform(r, y, dtype, -2, 2)],
      f,
      { derivatives: dtype === 'float64' ? 'smooth' : 'none' },
    ),
  )

const dot = (
  label: string,
  x: Shape,
  y: Shape,
  contract: readonly [Shape, Shape],
  batch: readonly [Shape, Shape] = [[], []],
): readonly Sample[] => two(label, x, y, (a, b) => prims.dotGeneral(a!, b!, { contract, batch }))

const plain = {
  strides: [1, 1],
  padding: [
    [0, 0],
    [0, 0],
  ],
  inputDilation: [1, 1],
  kernelDilation: [1, 1],
  groups: 1,
} as const

const convolution = (
  label: string,
  x: Shape,
  w: Shape,
  params: Partial<prims.ConvParams> = {},
): readonly Sample[] => two(label, x, w, (a, b) => prims.conv(a!, b!, { ...plain, ...params }))

export const products = {
  dotGeneral: [
    ...dot('vectors', [4], [4], [[0], [0]]),
    ...dot('matrices', [2, 3], [3, 4], [[1], [0]]),
    ...dot('outer', [2], [3], [[], []]),
    ...dot(
      'two axes',
      [2, 3, 4],
      [4, 2, 5],
      [
        [0, 2],
        [1, 0],
      ],
    ),
    ...dot('batched', [3, 2, 4], [4, 5, 3], [[2], [0]], [[0], [2]]),
  ],
  conv: [
    ...convolution('plain', [2, 2, 4, 5], [3, 2, 2, 3]),
    ...convolution('strided and padded', [1, 2, 5, 6], [3, 2, 3, 2], {
      strides: [2, 3],
      padding: [
        [1, 2],
        [0, 1],
      ],
    }),
    ...convolution('dilated kernel', [1, 1, 6, 5], [2, 1, 2, 2], { kernelDilation: [3, 2] }),
    ...convolution('dilated input, cropped', [1, 2, 3, 3], [2, 2, 2, 2], {
      inputDilation: [2, 3],
      padding: [
        [-1, 1],
        [2, -1],
      ],
    }),
    ...convolution('grouped', [1, 4, 3, 3], [6, 2, 2, 2], { groups: 2 }),
    ...convolution('depthwise', [2, 3, 4, 4], [3, 1, 3, 3], {
      groups: 3,
      padding: [
        [1, 1],
        [1, 1],
      ],
    }),
    ...convolution('one axis', [2, 2, 5], [2, 2, 3], {
      strides: [1],
      padding: [[1, 1]],
      inputDilation: [1],
      kernelDilation: [1],
    }),
    ...convolution('no axis', [2, 3], [4, 3], {
      strides: [],
      padding: [],
      inputDilation: [],
      kernelDilation: [],
    }),
  ],
}

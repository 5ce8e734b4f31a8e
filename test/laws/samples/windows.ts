/** Samples of window reductions and of their derivatives. */
import { type Tensor, tensor } from '@cotangent/core'
import { prims } from '@cotangent/ops'
import { type Sample, distinct, sample, uniform } from '../sample.ts'

type Options = Parameters<typeof prims.reduceWindowSum>[1]

const cases: readonly (readonly [label: string, shape: readonly number[], options: Options])[] = [
  ['2x2', [1, 1, 4, 4], { window: [1, 1, 2, 2], strides: [1, 1, 2, 2] }],
  ['overlapping', [2, 5], { window: [1, 3] }],
  [
    'padded',
    [4, 3],
    {
      window: [3, 2],
      strides: [2, 1],
      padding: [
        [1, 1],
        [0, 1],
      ],
    },
  ],
  ['dilated', [7], { window: [2], windowDilation: [3] }],
  ['spread', [4], { window: [3], inputDilation: [2], padding: [[1, 0]] }],
]

const types = ['float64', 'float32', 'float16', 'int32'] as const

const reducing = (
  f: (x: Tensor, options: Options) => Tensor,
  make: typeof distinct,
): readonly Sample[] =>
  cases.flatMap(([label, shape, options]) =>
    types.map((dtype) =>
      sample(
        `${label}, ${dtype}`,
        (r) => [make(r, shape, dtype)],
        (x) => f(x!, options),
        {
          derivatives: dtype === 'float64' ? 'smooth' : 'none',
        },
      ),
    ),
  )

// The operand only decides; it is float32, so that derivatives are taken in the other input.
const deciding = (
  f: (x: Tensor, operand: Tensor, options: prims.SelectOptions) => Tensor,
  firstShape: (shape: readonly number[], options: Options) => readonly number[],
): readonly Sample[] =>
  cases.flatMap(([label, shape, options]) =>
    (['max', 'min'] as const).map((select) =>
      sample(
        `${select} ${label}`,
        (r) => [uniform(r, firstShape(shape, options)), distinct(r, shape)],
        (x, operand) => f(x!, operand!, { ...options, select }),
        { derivatives: 'smooth' },
      ),
    ),
  )

const outputShape = (shape: readonly number[], options: Options): readonly number[] =>
  prims.reduceWindowSum(
    tensor(new Float32Array(shape.reduce((a, b) => a * b, 1)), { shape }),
    options,
  ).shape

export const windows = {
  reduceWindowSum: reducing(prims.reduceWindowSum, uniform),
  reduceWindowMax: reducing(prims.reduceWindowMax, distinct),
  reduceWindowMin: reducing(prims.reduceWindowMin, distinct),
  selectAndGatherAdd: deciding(prims.selectAndGatherAdd, (shape) => shape),
  selectAndScatterAdd: deciding(prims.selectAndScatterAdd, outputShape),
}

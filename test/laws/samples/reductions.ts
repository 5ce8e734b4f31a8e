/** Samples of reductions and running reductions. */
import { type DType, type Tensor, reduceSum } from '@cotangent/core'
import { prims } from '@cotangent/ops'
import {
  type Derivatives,
  type Random,
  type Sample,
  distinct,
  filled,
  floatTypes,
  integerTypes,
  integers,
  sample,
  uniform,
} from '../sample.ts'

type Shape = readonly number[]
type Over<A> = (x: Tensor, axes: A) => Tensor

const axesOf: readonly (readonly [shape: Shape, axes: Shape])[] = [
  [[5], [0]],
  [[2, 3], [1]],
  [
    [2, 3, 4],
    [0, 2],
  ],
  [
    [3, 2],
    [0, 1],
  ],
]

const floating = (
  f: Over<Shape>,
  make: (random: Random, shape: Shape, dtype: DType) => Tensor,
  derivatives: Derivatives = 'smooth',
): readonly Sample[] =>
  axesOf.flatMap(([shape, axes]) =>
    floatTypes.map((dtype) =>
      sample(
        `${dtype} ${shape.join('x')} over ${axes.join(',')}`,
        (r) => [make(r, shape, dtype)],
        (x) => f(x!, axes),
        { derivatives: dtype === 'float64' ? derivatives : 'none' },
      ),
    ),
  )

const whole = (f: Over<Shape>): readonly Sample[] =>
  integerTypes.map((dtype) =>
    sample(
      dtype,
      (r) => [integers(r, [3, 4], dtype)],
      (x) => f(x!, [0]),
    ),
  )

const boolean = (f: Over<Shape>): readonly Sample[] =>
  axesOf.map(([shape, axes]) =>
    sample(
      `bool over ${axes.join(',')}`,
      (r) => [uniform(r, shape, 'bool', 0, 1)],
      (x) => f(x!, axes),
    ),
  )

const withNaN = (f: (x: Tensor) => Tensor): Sample =>
  sample(
    'with NaN and infinities',
    () => [filled([2, 4], 'float32', (i) => [1, NaN, 3, -Infinity, -2, Infinity, 0, NaN][i]!)],
    (x) => f(x!),
  )

const empty = (f: Over<Shape>): Sample =>
  sample(
    'of nothing',
    (r) => [uniform(r, [0, 3])],
    (x) => f(x!, [0]),
    { derivatives: 'smooth' },
  )

// One zero and two zeros in a product: no derivative may divide.
const zeros = (f: (x: Tensor) => Tensor): readonly Sample[] =>
  [
    [0.7, 0, 1.3, 0.6, 2],
    [0, 1.1, 0, 0.4, 2],
    [0, 0, 0, 1, 1],
  ].map((values) =>
    sample(
      `zeros in ${values.join(' ')}`,
      () => [filled([5], 'float64', (i) => values[i]!)],
      (x) => f(x!),
      { derivatives: 'smooth' },
    ),
  )

const running = (
  f: (x: Tensor, axis: number, reverse?: boolean) => Tensor,
  make: (random: Random, shape: Shape, dtype: DType) => Tensor,
): readonly Sample[] =>
  (
    [
      [[7], 0],
      [[3, 4], 0],
      [[3, 5], 1],
      [[2, 6, 3], 1],
      [[1, 2], 0],
    ] as const
  ).flatMap(([shape, axis]) =>
    [false, true].flatMap((reverse) =>
      floatTypes.map((dtype) =>
        sample(
          `${dtype} ${shape.join('x')} along ${axis}${reverse ? ' backwards' : ''}`,
          (r) => [make(r, shape, dtype)],
          (x) => f(x!, axis, reverse),
          { derivatives: dtype === 'float64' ? 'smooth' : 'none' },
        ),
      ),
    ),
  )

const runningIntegers = (f: (x: Tensor, axis: number) => Tensor): readonly Sample[] =>
  integerTypes.map((dtype) =>
    sample(
      dtype,
      (r) => [integers(r, [4, 3], dtype)],
      (x) => f(x!, 0),
    ),
  )

const places = (f: (x: Tensor, axis: number) => Tensor): readonly Sample[] => [
  ...floatTypes.map((dtype) =>
    sample(
      dtype,
      (r) => [distinct(r, [3, 4], dtype)],
      (x) => f(x!, 1),
    ),
  ),
  ...integerTypes.map((dtype) =>
    sample(
      dtype,
      (r) => [uniform(r, [5, 2], dtype, 0, 3)],
      (x) => f(x!, 0),
    ),
  ),
  sample(
    'bool',
    (r) => [uniform(r, [5], 'bool', 0, 1)],
    (x) => f(x!, 0),
  ),
  withNaN((x) => f(x, 1)),
]

const bits = (f: Over<Shape>): readonly Sample[] => [...whole(f), ...boolean(f)]

export const reductions = {
  reduceSum: [...floating(reduceSum, uniform), ...whole(reduceSum), empty(reduceSum)],
  reduceMax: [
    ...floating(prims.reduceMax, distinct),
    ...whole(prims.reduceMax),
    ...boolean(prims.reduceMax),
    withNaN((x) => prims.reduceMax(x, [1])),
  ],
  reduceMin: [
    ...floating(prims.reduceMin, distinct),
    ...whole(prims.reduceMin),
    ...boolean(prims.reduceMin),
    withNaN((x) => prims.reduceMin(x, [1])),
  ],
  reduceProd: [
    ...floating(prims.reduceProd, uniform),
    ...zeros((x) => prims.reduceProd(x, [0])),
    ...whole(prims.reduceProd),
    empty(prims.reduceProd),
  ],
  reduceAnd: bits(prims.reduceAnd),
  reduceOr: bits(prims.reduceOr),
  reduceXor: bits(prims.reduceXor),
  argmax: places(prims.argmax),
  argmin: places(prims.argmin),
  cumsum: [...running(prims.cumsum, uniform), ...runningIntegers(prims.cumsum)],
  cumprod: [
    ...running(prims.cumprod, uniform),
    ...zeros((x) => prims.cumprod(x, 0)),
    ...zeros((x) => prims.cumprod(x, 0, true)),
    ...runningIntegers(prims.cumprod),
  ],
  cummax: [
    ...running(prims.cummax, distinct),
    ...runningIntegers(prims.cummax),
    withNaN((x) => prims.cummax(x, 1)),
  ],
  cummin: [
    ...running(prims.cummin, distinct),
    ...runningIntegers(prims.cummin),
    withNaN((x) => prims.cummin(x, 1)),
  ],
  cumlogsumexp: [...running(prims.cumlogsumexp, uniform), withNaN((x) => prims.cumlogsumexp(x, 1))],
}

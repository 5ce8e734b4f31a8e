/** Samples of gathers, scatters, dynamic slices, sorting and random bits. */
import { type DType, type Tensor, tensor } from '@cotangent/core'
import { prims } from '@cotangent/ops'
import { type Random, type Sample, distinct, integers, sample, uniform } from '../sample.ts'

type Shape = readonly number[]
const types = ['float64', 'float32', 'bfloat16', 'int32', 'uint8'] as const
const smoothFor = (dtype: DType): 'smooth' | 'none' => (dtype === 'float64' ? 'smooth' : 'none')

// Some of them outside.
const positions = (random: Random, shape: Shape, extent: number): Tensor =>
  uniform(random, shape, 'int32', -2, extent + 1)

interface Layout {
  readonly label: string
  readonly operand: Shape
  readonly indices: Shape
  readonly extent: number
  readonly updates: Shape
  readonly sizes: Shape
  readonly windowAxes: Shape
  readonly collapsed: Shape
  readonly startMap: Shape
}

const layouts: readonly Layout[] = [
  {
    label: 'rows',
    operand: [5, 3],
    indices: [4, 1],
    extent: 5,
    updates: [4, 3],
    sizes: [1, 3],
    windowAxes: [1],
    collapsed: [0],
    startMap: [0],
  },
  {
    label: 'elements',
    operand: [3, 4],
    indices: [2, 3, 2],
    extent: 3,
    updates: [2, 3],
    sizes: [1, 1],
    windowAxes: [],
    collapsed: [0, 1],
    startMap: [1, 0],
  },
  {
    label: 'blocks',
    operand: [6, 4],
    indices: [3, 2],
    extent: 4,
    updates: [3, 2, 2],
    sizes: [2, 2],
    windowAxes: [1, 2],
    collapsed: [],
    startMap: [0, 1],
  },
]

const gathers = (): readonly Sample[] =>
  layouts.flatMap((l) =>
    (['clip', 'fill'] as const).flatMap((mode) =>
      types.map((dtype) =>
        sample(
          `${l.label}, ${mode}, ${dtype}`,
          (r) => [uniform(r, l.operand, dtype, 0, 1), positions(r, l.indices, l.extent)],
          (x, i) =>
            prims.gather(x!, i!, {
              offsetDims: l.windowAxes,
              collapsedSliceDims: l.collapsed,
              startIndexMap: l.startMap,
              sliceSizes: l.sizes,
              mode,
              fillValue: 0,
            }),
          { derivatives: smoothFor(dtype) },
        ),
      ),
    ),
  )

type Scatter = typeof prims.scatter

const optionsOf = (
  l: Layout,
  mode: 'clip' | 'drop',
  uniqueIndices: boolean,
): Parameters<Scatter>[3] => ({
  updateWindowDims: l.windowAxes,
  insertedWindowDims: l.collapsed,
  scatterDimsToOperandDims: l.startMap,
  mode,
  uniqueIndices,
})

const scatters = (
  f: Scatter,
  make: (r: Random, shape: Shape, dtype: DType) => Tensor,
): readonly Sample[] =>
  layouts.flatMap((l) =>
    (['clip', 'drop'] as const).flatMap((mode) =>
      types.map((dtype) =>
        sample(
          `${l.label}, ${mode}, ${dtype}`,
          (r) => [
            make(r, l.operand, dtype),
            positions(r, l.indices, l.extent),
            make(r, l.updates, dtype),
          ],
          (x, i, u) => f(x!, i!, u!, optionsOf(l, mode, false)),
          { derivatives: smoothFor(dtype) },
        ),
      ),
    ),
  )

// Differentiable in the updates only where no element is written twice.
const multiplying = (): readonly Sample[] => [
  ...scatters(prims.scatterMul, (r, shape, dtype) => uniform(r, shape, dtype, 0, 2)).map(
    (s): Sample => ({ ...s, derivatives: 'none' }),
  ),
  sample(
    'different rows',
    (r) => [uniform(r, [5, 3]), uniform(r, [2, 3])],
    (x, u) =>
      prims.scatterMul(
        x!,
        tensor([[4], [1]], { dtype: 'int32' }),
        u!,
        optionsOf(layouts[0]!, 'drop', true),
      ),
    { derivatives: 'smooth' },
  ),
]

const start = (random: Random, extent: number): Tensor => uniform(random, [], 'int32', 0, extent)

const slices = (): readonly Sample[] =>
  types.map((dtype) =>
    sample(
      dtype,
      (r) => [uniform(r, [5, 4], dtype, 0, 1), start(r, 5), start(r, 4)],
      (x, i, j) => prims.dynamicSlice(x!, [i!, j!], [2, 3]),
      { derivatives: smoothFor(dtype) },
    ),
  )

const updates = (): readonly Sample[] =>
  types.map((dtype) =>
    sample(
      dtype,
      (r) => [
        uniform(r, [5, 4], dtype, 0, 1),
        uniform(r, [2, 3], dtype, 0, 1),
        start(r, 5),
        start(r, 4),
      ],
      (x, u, i, j) => prims.dynamicUpdateSlice(x!, u!, [i!, j!]),
      { derivatives: smoothFor(dtype) },
    ),
  )

const sorts = (): readonly Sample[] => [
  ...types.map((dtype) =>
    sample(
      `${dtype} along 0`,
      (r) => [distinct(r, [6, 2], dtype)],
      (x) => prims.sort([x!], 0),
      {
        derivatives: smoothFor(dtype),
      },
    ),
  ),
  sample(
    'with a passenger',
    (r) => [distinct(r, [2, 5]), uniform(r, [2, 5])],
    (key, value) => prims.sort([key!, value!], 1),
    { derivatives: 'smooth' },
  ),
  sample(
    'two keys',
    (r) => [uniform(r, [7], 'int32', 0, 2), uniform(r, [7], 'int32', 0, 2), uniform(r, [7])],
    (a, b, value) => prims.sort([a!, b!, value!], 0, 2),
    { derivatives: 'smooth' },
  ),
]

export const indexing = {
  gather: gathers(),
  scatter: scatters(prims.scatter, uniform),
  scatterAdd: scatters(prims.scatterAdd, uniform),
  scatterMul: multiplying(),
  scatterMin: scatters(prims.scatterMin, uniform),
  scatterMax: scatters(prims.scatterMax, uniform),
  dynamicSlice: slices(),
  dynamicUpdateSlice: updates(),
  sort: sorts(),
  threefry2x32: [
    sample(
      'four words',
      (r) => Array.from({ length: 4 }, () => integers(r, [3], 'uint32')),
      (a, b, c, d) => prims.threefry2x32(a!, b!, c!, d!),
    ),
  ],
}

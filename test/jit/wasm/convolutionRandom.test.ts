/** Convolutions of random shapes in one to three dimensions and any layout, forward and backward. */
import { type Tensor, range, vjp } from '@cotangent/core'
import { jit } from '@cotangent/jit'
import { lax, np } from '@cotangent/ops'
import { describe, expect, test } from 'vitest'
import { type Draws, drawsFrom } from '../programs.ts'
import { expectSums, noise, sizeOf } from './contractionSupport.ts'

interface Layer {
  readonly x: readonly number[]
  readonly w: readonly number[]
  readonly strides: readonly number[]
  readonly padding: readonly (readonly [number, number])[]
  readonly lhsDilation: readonly number[]
  readonly rhsDilation: readonly number[]
  readonly groups: number
  readonly channelsLast: boolean
}

const layerFrom = (draws: Draws, rank: number): Layer => {
  const each = <T>(make: () => T): readonly T[] => range(rank).map(make)
  const groups = draws.pick([1, 1, 1, 2, 3])
  const [inputs, outputs] = [1 + draws.below(4), 1 + draws.below(4)]
  const kernel = each(() => draws.pick([1, 2, 3, 3, 5]))
  const plain = draws.chance(0.4)
  const rhsDilation = each(() => (plain ? 1 : draws.pick([1, 1, 2, 3])))
  const lhsDilation = each(() => (plain ? 1 : draws.pick([1, 1, 1, 2])))
  const extents = kernel.map(
    (k, d) => (k - 1) * rhsDilation[d]! + 1 + draws.below(rank < 3 ? 9 : 4),
  )
  return {
    x: [1 + draws.below(3), groups * inputs, ...extents],
    w: [groups * outputs, inputs, ...kernel],
    strides: each(() => draws.pick([1, 1, 2, 3])),
    padding: kernel.map((k) => [draws.below(k), draws.below(k + 1)] as const),
    lhsDilation,
    rhsDilation,
    groups,
    channelsLast: draws.chance(0.5),
  }
}

const last = (shape: readonly number[]): readonly number[] => [
  shape[0]!,
  ...shape.slice(2),
  shape[1]!,
]
const kernelLast = (shape: readonly number[]): readonly number[] => [
  ...shape.slice(2),
  shape[1]!,
  shape[0]!,
]

const spatial = 'HWD'

const convolution = (l: Layer): ((x: Tensor, w: Tensor) => Tensor) => {
  const axes = spatial.slice(0, l.w.length - 2)
  const dimensionNumbers = l.channelsLast
    ? ([`N${axes}C`, `${axes}IO`, `N${axes}C`] as const)
    : ([`NC${axes}`, `OI${axes}`, `NC${axes}`] as const)
  return (x, w) =>
    lax.convGeneralDilated(x, w, l.strides, l.padding, {
      lhsDilation: l.lhsDilation,
      rhsDilation: l.rhsDilation,
      dimensionNumbers,
      featureGroupCount: l.groups,
    })
}

/** The result and both gradients: sums of products of three arrays, two at a time. */
const everything =
  (l: Layer) =>
  (x: Tensor, w: Tensor, ct: Tensor): readonly Tensor[] => {
    const [y, pull] = vjp(convolution(l), x, w)
    return [y, ...pull(ct)]
  }

const check = (l: Layer, seed: number): void => {
  const arrays = (shapes: readonly (readonly number[])[]): readonly Tensor[] =>
    shapes.map((shape, i) => np.array(noise(sizeOf(shape), 3 * seed + i)).reshape([...shape]))
  const inputs = arrays(l.channelsLast ? [last(l.x), kernelLast(l.w)] : [l.x, l.w])
  const [x, w] = [inputs[0]!, inputs[1]!]
  const { shape } = jit(convolution(l)).lower(x, w).ir.graph.outputs[0]!.aval
  const [ct] = arrays([shape])
  const got = jit(everything(l), { backend: 'wasm' })(x, w, ct!)
  const interpreted = jit(everything(l), { backend: 'interpret' })
  const want = interpreted(x, w, ct!)
  // The same sums of magnitudes bound what rounding can do.
  const magnitudes = interpreted(x.abs(), w.abs(), ct!.abs())
  const window = sizeOf(l.w.slice(2))
  const terms = [
    l.w[1]! * window,
    (l.w[0]! / l.groups) * window,
    sizeOf(shape) / (l.channelsLast ? shape.at(-1)! : shape[1]!),
  ]
  got.forEach((y, i) => {
    expect(y.shape).toEqual(want[i]!.shape)
    const name = `${['y', 'dx', 'dw'][i]} of ${JSON.stringify(l)}`
    expectSums(y, want[i]!.data(), magnitudes[i]!.data(), terms[i]! + 1, name)
  })
}

describe.each([1, 2, 3])('in %s dimensions', (rank) => {
  test('random layers', () => {
    for (let seed = 0; seed < (rank === 2 ? 14 : 7); seed++) {
      check(layerFrom(drawsFrom(1009 * seed + rank), rank), seed)
    }
  })
})

describe('layers of every kind', () => {
  const ones = [1, 1]
  const layer = (x: readonly number[], w: readonly number[], more: Partial<Layer> = {}): Layer => ({
    x,
    w,
    strides: ones,
    padding: [
      [0, 0],
      [0, 0],
    ],
    lhsDilation: ones,
    rhsDilation: ones,
    groups: 1,
    channelsLast: false,
    ...more,
  })
  test.each([
    ['1×1', layer([2, 9, 5, 7], [13, 9, 1, 1])],
    ['1×1, strided', layer([2, 5, 9, 7], [4, 5, 1, 1], { strides: [2, 3] })],
    ['depthwise', layer([2, 5, 8, 9], [5, 1, 3, 3], { groups: 5 })],
    ['depthwise, twice the channels', layer([1, 6, 7, 7], [12, 1, 3, 3], { groups: 6 })],
    [
      'depthwise, channels last',
      layer([2, 8, 6, 7], [8, 1, 3, 3], { groups: 8, channelsLast: true }),
    ],
    ['a window as large as the image', layer([3, 4, 5, 6], [7, 4, 5, 6])],
    ['7×7 of few channels', layer([1, 3, 15, 17], [6, 3, 7, 7], { strides: [2, 2] })],
    ['transposed', layer([2, 4, 5, 6], [3, 4, 4, 4], { lhsDilation: [2, 2] })],
    ['one pixel', layer([1, 1, 1, 1], [1, 1, 1, 1])],
    ['columns', layer([2, 3, 1, 19], [4, 3, 1, 5], { channelsLast: true })],
  ] as const)('%s', (_, l) => check(l, 77))
})

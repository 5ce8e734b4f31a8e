/** Convolution against a naive reference, and its laws. */
import { type Tensor, tensor } from '@cotangent/core'
import '@cotangent/ops'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type ConvParams, conv } from '../../packages/ops/src/prims/conv.ts'
import {
  checkBatching,
  checkCompiled,
  checkDerivatives,
  expectClose,
  noise,
  varied,
} from './laws.ts'

const positions = (shape: readonly number[]): readonly (readonly number[])[] =>
  shape.reduce<readonly (readonly number[])[]>(
    (all, extent) => all.flatMap((p) => Array.from({ length: extent }, (_, i) => [...p, i])),
    [[]],
  )

const flat = (shape: readonly number[], at: readonly number[]): number =>
  at.reduce((offset, i, d) => offset * shape[d]! + i, 0)

/** The definition: every output is a sum over channels and kernel elements that fall on the input. */
const reference = (x: Tensor, w: Tensor, p: ConvParams, shape: readonly number[]): Tensor => {
  const [xs, ws] = [x.data(), w.data()]
  const spatial = x.shape.slice(2)
  const out = positions(shape).map(([n, o, ...at]) => {
    const group = Math.floor(o! / (w.shape[0]! / p.groups))
    let sum = 0
    for (const [c, ...k] of positions(w.shape.slice(1))) {
      const from = at.map(
        (i, d) =>
          (i * p.strides[d]! + k[d]! * p.kernelDilation[d]! - p.padding[d]![0]) /
          p.inputDilation[d]!,
      )
      if (from.some((i, d) => !Number.isInteger(i) || i < 0 || i >= spatial[d]!)) continue
      sum +=
        xs[flat(x.shape, [n!, group * w.shape[1]! + c!, ...from])]! *
        ws[flat(w.shape, [o!, c!, ...k])]!
    }
    return sum
  })
  return tensor(Float64Array.from(out), { shape, dtype: x.dtype })
}

interface Sample {
  readonly x: Tensor
  readonly w: Tensor
  readonly params: ConvParams
}

const axis = fc.record({
  extent: fc.integer({ min: 1, max: 5 }),
  kernel: fc.integer({ min: 1, max: 3 }),
  stride: fc.integer({ min: 1, max: 3 }),
  low: fc.integer({ min: -1, max: 2 }),
  high: fc.integer({ min: -1, max: 2 }),
  inputDilation: fc.integer({ min: 1, max: 2 }),
  kernelDilation: fc.integer({ min: 1, max: 2 }),
})

const samples: fc.Arbitrary<Sample> = fc
  .record({
    axes: fc.array(axis, { minLength: 0, maxLength: 2 }),
    batch: fc.integer({ min: 1, max: 2 }),
    groups: fc.integer({ min: 1, max: 3 }),
    channels: fc.integer({ min: 1, max: 2 }),
    outputs: fc.integer({ min: 1, max: 2 }),
  })
  .map(({ axes, batch, groups, channels, outputs }) => ({
    x: noise([batch, channels * groups, ...axes.map((a) => a.extent)], 3),
    w: noise([outputs * groups, channels, ...axes.map((a) => a.kernel)], 4),
    params: {
      strides: axes.map((a) => a.stride),
      padding: axes.map((a) => [a.low, a.high] as const),
      inputDilation: axes.map((a) => a.inputDilation),
      kernelDilation: axes.map((a) => a.kernelDilation),
      groups,
    },
  }))

const plain = (rank: number): ConvParams => ({
  strides: Array(rank).fill(1),
  padding: Array(rank).fill([0, 0]),
  inputDilation: Array(rank).fill(1),
  kernelDilation: Array(rank).fill(1),
  groups: 1,
})

describe('conv', () => {
  test('equals the definition', () => {
    fc.assert(
      fc.property(samples, ({ x, w, params }) => {
        const y = conv(x, w, params)
        expectClose(y, reference(x, w, params, y.shape), 1e-13, 'value')
      }),
      { numRuns: 150 },
    )
  })

  test('laws', () => {
    fc.assert(
      fc.property(samples, ({ x, w, params }) => {
        const f = (a: Tensor, b: Tensor): Tensor => conv(a, b, params)
        checkDerivatives(f, [x, w])
        checkBatching(f, [x, w], varied, 1e-13)
        checkCompiled(f, [x, w], 1e-13)
      }),
      { numRuns: 25 },
    )
  })

  test('three spatial axes, strides that leave elements over, groups', () => {
    const x = noise([2, 4, 4, 5, 3], 1)
    const w = noise([6, 2, 2, 2, 2], 2)
    const params: ConvParams = {
      ...plain(3),
      strides: [2, 2, 1],
      padding: [
        [1, 0],
        [0, 1],
        [1, 1],
      ],
      groups: 2,
    }
    const y = conv(x, w, params)
    expectClose(y, reference(x, w, params, y.shape), 1e-13, 'value')
    checkDerivatives((a, b) => conv(a, b, params), [x, w])
    checkCompiled((a, b) => conv(a, b, params), [x, w], 1e-13)
  })

  test('integers wrap', () => {
    const x = tensor(Int32Array.of(2 ** 30, 2 ** 30), { shape: [1, 1, 2] })
    const w = tensor(Int32Array.of(2, 2), { shape: [1, 1, 2] })
    expect(conv(x, w, plain(1)).item()).toBe(0)
  })

  test('a kernel larger than the input gives nothing', () => {
    expect(conv(noise([1, 1, 2], 1), noise([1, 1, 3], 2), plain(1)).shape).toEqual([1, 1, 0])
  })

  test('refuses channels and options that do not fit', () => {
    expect(() => conv(noise([1, 3, 4], 1), noise([2, 2, 3], 2), plain(1))).toThrow(
      /channels do not fit/,
    )
    expect(() =>
      conv(noise([1, 2, 4], 1), noise([3, 1, 3], 2), { ...plain(1), groups: 2 }),
    ).toThrow(/divide into the groups/)
    expect(() => conv(noise([1, 2, 4], 1), noise([2, 2, 3], 2), plain(2))).toThrow(
      /one entry an axis/,
    )
    expect(() =>
      conv(noise([1, 2, 4], 1), noise([2, 2, 3], 2), { ...plain(1), strides: [0] }),
    ).toThrow(/at least 1/)
  })
})

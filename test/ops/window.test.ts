/** Window reductions and their derivatives against naive references, and the laws. */
import { type Tensor, grad, tensor } from '@cotangent/core'
import '@cotangent/ops'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  selectAndGatherAdd,
  selectAndScatterAdd,
} from '../../packages/ops/src/prims/selectScatter.ts'
import {
  reduceWindowMax,
  reduceWindowMin,
  reduceWindowSum,
} from '../../packages/ops/src/prims/window.ts'
import type { WindowOptions } from '../../packages/ops/src/prims/windows.ts'
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

type Full = Required<WindowOptions>

/** The elements of `x` under each window. */
const windows = (x: Tensor, w: Full, shape: readonly number[]): readonly (readonly number[])[] =>
  positions(shape).map((o) =>
    positions(w.window).flatMap((k) => {
      const at = o.map(
        (i, d) =>
          (i * w.strides[d]! + k[d]! * w.windowDilation[d]! - w.padding[d]![0]) /
          w.inputDilation[d]!,
      )
      return at.every((i, d) => Number.isInteger(i) && i >= 0 && i < x.shape[d]!)
        ? [x.data()[flat(x.shape, at)]!]
        : []
    }),
  )

const axis = fc.record({
  extent: fc.integer({ min: 1, max: 6 }),
  window: fc.integer({ min: 1, max: 3 }),
  stride: fc.integer({ min: 1, max: 3 }),
  low: fc.integer({ min: 0, max: 2 }),
  high: fc.integer({ min: -1, max: 2 }),
  inputDilation: fc.constantFrom(1, 1, 2),
  windowDilation: fc.constantFrom(1, 1, 2),
})

interface Sample {
  readonly x: Tensor
  readonly w: Full
}

const samples: fc.Arbitrary<Sample> = fc
  .array(axis, { minLength: 1, maxLength: 3 })
  .map((axes) => ({
    x: noise(
      axes.map((a) => a.extent),
      5,
    ),
    w: {
      window: axes.map((a) => a.window),
      strides: axes.map((a) => a.stride),
      padding: axes.map((a) => [a.low, a.high] as const),
      inputDilation: axes.map((a) => a.inputDilation),
      windowDilation: axes.map((a) => a.windowDilation),
    },
  }))

const kinds = {
  sum: {
    reduce: reduceWindowSum,
    of: (v: readonly number[]): number => v.reduce((a, b) => a + b, 0),
  },
  max: { reduce: reduceWindowMax, of: (v: readonly number[]): number => Math.max(...v) },
  min: { reduce: reduceWindowMin, of: (v: readonly number[]): number => Math.min(...v) },
}

describe.each(Object.entries(kinds))('window %s', (name, { reduce, of }) => {
  test('equals the definition', () => {
    fc.assert(
      fc.property(samples, ({ x, w }) => {
        const y = reduce(x, w)
        const wanted = Float64Array.from(windows(x, w, y.shape), of)
        expectClose(y, tensor(wanted, { shape: y.shape }), 1e-14, 'value')
      }),
      { numRuns: 150 },
    )
  })

  test('laws', () => {
    fc.assert(
      fc.property(samples, ({ x, w }) => {
        const f = (a: Tensor): Tensor => reduce(a, w)
        // A window of padding only has an infinite extremum: no differences can be taken there.
        if (name === 'sum' || f(x).data().every(Number.isFinite)) checkDerivatives(f, [x])
        checkBatching(f, [x], varied, 1e-14)
        checkCompiled(f, [x], 1e-14)
      }),
      { numRuns: 30 },
    )
  })
})

describe('the chosen element of a window', () => {
  test('laws of gathering and scattering', () => {
    fc.assert(
      fc.property(samples, fc.constantFrom('max' as const, 'min' as const), ({ x, w }, select) => {
        const options = { select, ...w }
        const gather = (t: Tensor): Tensor => selectAndGatherAdd(t, x, options)
        const t = noise(x.shape, 6)
        const source = noise(gather(t).shape, 7)
        const scatter = (s: Tensor): Tensor => selectAndScatterAdd(s, x, options)
        checkDerivatives(gather, [t])
        checkDerivatives(scatter, [source])
        checkBatching((a, b) => selectAndGatherAdd(a, b, options), [t, x], varied)
        checkBatching((a, b) => selectAndScatterAdd(a, b, options), [source, x], varied, 1e-14)
        checkCompiled((a, b) => selectAndGatherAdd(a, b, options), [t, x])
        checkCompiled((a, b) => selectAndScatterAdd(a, b, options), [source, x], 1e-14)
      }),
      { numRuns: 40 },
    )
  })

  test('the whole cotangent goes to the first of equals', () => {
    const f = (x: Tensor): Tensor => reduceWindowMax(x, { window: [3] }).sum()
    expect(grad(f)(tensor([2, 2, 1, 2, 2])).toArray()).toEqual([1, 1, 0, 1, 0])
    const g = (x: Tensor): Tensor => reduceWindowMin(x, { window: [2], strides: [2] }).sum()
    expect(grad(g)(tensor([3, 3, 4, 1])).toArray()).toEqual([1, 0, 0, 1])
  })

  test('padding never wins, even against the lowest number', () => {
    const x = tensor([-Infinity, -Infinity])
    const options = { window: [3], padding: [[1, 1]] } as const
    expect(
      selectAndScatterAdd(tensor([1, 10]), x, { select: 'max', ...options }).toArray(),
    ).toEqual([11, 0])
    expect(reduceWindowMax(tensor([-5, -7]), options).toArray()).toEqual([-5, -5])
  })

  test('NaN wins the value', () => {
    expect(reduceWindowMax(tensor([1, NaN, 3, 4]), { window: [2] }).toArray()).toEqual([
      NaN,
      NaN,
      4,
    ])
  })

  test('integers have their own lowest value', () => {
    const x = tensor(Int32Array.of(-5, -9, -7))
    expect(reduceWindowMax(x, { window: [2], padding: [[2, 0]], strides: [2] }).toArray()).toEqual([
      -2147483648, -5,
    ])
  })
})

test('average pooling without overlap differentiates by repeating', () => {
  const x = noise([1, 2, 5, 4], 8)
  checkDerivatives((a) => reduceWindowSum(a, { window: [1, 1, 2, 2], strides: [1, 1, 2, 2] }), [x])
  checkDerivatives(
    (a) =>
      reduceWindowSum(a, {
        window: [1, 1, 2, 2],
        strides: [1, 1, 2, 2],
        padding: [
          [0, 0],
          [0, 0],
          [1, 0],
          [1, 1],
        ],
      }),
    [x],
  )
})

test('refuses what does not fit', () => {
  expect(() => reduceWindowSum(noise([4, 4], 1), { window: [2] })).toThrow(/one entry an axis/)
  expect(() => reduceWindowSum(tensor([true, false]), { window: [2] })).toThrow(
    /does not work on bool/,
  )
  expect(() =>
    selectAndScatterAdd(noise([4], 1), noise([4], 2), { select: 'max', window: [2] }),
  ).toThrow(/do not fit the windows/)
})

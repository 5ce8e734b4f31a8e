/** Gathering against a naive reference, its laws, and dynamic slices. */
import { type Tensor, grad, tensor, vmap } from '@cotangent/core'
import '@cotangent/ops'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { dynamicSlice, dynamicUpdateSlice } from '../../packages/ops/src/prims/dynamic.ts'
import { type GatherOptions, gather } from '../../packages/ops/src/prims/gather.ts'
import {
  checkBatching,
  checkCompiled,
  checkDerivatives,
  expectClose,
  integers,
  noise,
  varied,
} from './laws.ts'
import { type SliceSample, flat, positions, sliceSamples, sources } from './slices.ts'

const optionsOf = (s: SliceSample, mode: 'clip' | 'fill'): GatherOptions => ({
  offsetDims: s.windowAxes,
  collapsedSliceDims: s.collapsed,
  startIndexMap: s.startMap,
  sliceSizes: s.sizes,
  mode,
})

const modes = fc.constantFrom('clip' as const, 'fill' as const)

describe('gather', () => {
  test('equals the definition', () => {
    fc.assert(
      fc.property(sliceSamples, modes, (s, mode) => {
        const x = noise(s.operand, 1)
        const wanted = sources(s, mode === 'clip').map((at) =>
          at === null ? NaN : x.data()[flat(s.operand, at)]!,
        )
        const y = gather(x, s.indices, optionsOf(s, mode))
        expectClose(y, tensor(Float64Array.from(wanted), { shape: s.result }), 0, 'value')
      }),
      { numRuns: 150 },
    )
  })

  test('laws', () => {
    fc.assert(
      fc.property(sliceSamples, modes, (s, mode) => {
        const f = (x: Tensor, i: Tensor): Tensor =>
          gather(x, i, { ...optionsOf(s, mode), fillValue: 2 })
        const inputs = [noise(s.operand, 1), s.indices]
        checkDerivatives(f, inputs)
        checkBatching(f, inputs, varied)
        checkCompiled(f, inputs)
      }),
      { numRuns: 40 },
    )
  })

  test('vmap of vmap', () => {
    const x = noise([2, 3, 5], 1)
    const i = integers([2, 3, 4, 1], -1, 6, 2)
    const row = (a: Tensor, k: Tensor): Tensor =>
      gather(a, k, { offsetDims: [], collapsedSliceDims: [0], startIndexMap: [0], sliceSizes: [1] })
    const got = vmap(vmap(row))(x, i)
    const index = i.data()
    const wanted = Float64Array.from(
      index,
      (k, p) => x.data()[Math.floor(p / 4) * 5 + Math.min(Math.max(k, 0), 4)]!,
    )
    expectClose(got, tensor(wanted, { shape: [2, 3, 4] }), 0, 'value')
  })

  test('fills integers with their extremes and booleans with true', () => {
    const outside = tensor(Int32Array.of(7), { shape: [1, 1] })
    const take = (x: Tensor): Tensor =>
      gather(x, outside, {
        offsetDims: [],
        collapsedSliceDims: [0],
        startIndexMap: [0],
        sliceSizes: [1],
        mode: 'fill',
      })
    expect(take(tensor(Int32Array.of(1, 2))).toArray()).toEqual([-2147483648])
    expect(take(tensor(Uint8Array.of(1, 2))).toArray()).toEqual([255])
    expect(take(tensor([true, false])).toArray()).toEqual([true])
    expect(take(tensor([1, 2])).toArray()).toEqual([NaN])
  })

  test('unsigned indices beyond int32 are outside', () => {
    const far = tensor(Uint32Array.of(4294967295), { shape: [1, 1] })
    const take =
      (mode: 'clip' | 'fill') =>
      (x: Tensor): Tensor =>
        gather(x, far, {
          offsetDims: [],
          collapsedSliceDims: [0],
          startIndexMap: [0],
          sliceSizes: [1],
          mode,
        })
    for (const mode of ['clip', 'fill'] as const) checkCompiled(take(mode), [tensor([1, 2, 3])])
    expect(take('clip')(tensor([1, 2, 3])).toArray()).toEqual([3])
  })

  test('refuses dimension numbers that do not fit', () => {
    const x = noise([4, 3], 1)
    const rows = integers([2, 1], 0, 4, 1)
    const good: GatherOptions = {
      offsetDims: [1],
      collapsedSliceDims: [0],
      startIndexMap: [0],
      sliceSizes: [1, 3],
    }
    expect(gather(x, rows, good).shape).toEqual([2, 3])
    expect(() => gather(x, rows, { ...good, startIndexMap: [0, 1] })).toThrow(/wrong length/)
    expect(() => gather(x, rows, { ...good, sliceSizes: [1, 4] })).toThrow(/do not fit the operand/)
    expect(() => gather(x, rows, { ...good, collapsedSliceDims: [1] })).toThrow(/slice size 1/)
    expect(() => gather(x, rows, { ...good, offsetDims: [] })).toThrow(/one window axis/)
    expect(() => gather(x, noise([2, 1], 1), good)).toThrow(/must be integers/)
  })
})

const scalar = (value: number): Tensor => tensor(value, { dtype: 'int32' })

describe('dynamic slices', () => {
  const shapes = fc.array(
    fc.record({
      extent: fc.integer({ min: 1, max: 4 }),
      size: fc.integer({ min: 1, max: 4 }),
      start: fc.integer({ min: -3, max: 5 }),
    }),
    { minLength: 1, maxLength: 3 },
  )

  test('reading: value and laws', () => {
    fc.assert(
      fc.property(shapes, (axes) => {
        const extents = axes.map((a) => a.extent)
        const sizes = axes.map((a) => Math.min(a.size, a.extent))
        const starts = axes.map((a) => scalar(a.start))
        const x = noise(extents, 1)
        const clamped = axes.map((a, d) => Math.min(Math.max(a.start, 0), extents[d]! - sizes[d]!))
        const wanted = positions(sizes).map(
          (at) =>
            x.data()[
              flat(
                extents,
                at.map((i, d) => i + clamped[d]!),
              )
            ]!,
        )
        const f = (a: Tensor, ...s: Tensor[]): Tensor => dynamicSlice(a, s, sizes)
        expectClose(
          f(x, ...starts),
          tensor(Float64Array.from(wanted), { shape: sizes }),
          0,
          'value',
        )
        checkDerivatives((a) => f(a, ...starts), [x])
        checkBatching(f, [x, ...starts], (t, p, copy) =>
          p === 0 ? varied(t, p, copy) : scalar(copy - 1),
        )
        checkCompiled(f, [x, ...starts])
      }),
      { numRuns: 25 },
    )
  })

  test('writing: value and laws', () => {
    fc.assert(
      fc.property(shapes, (axes) => {
        const extents = axes.map((a) => a.extent)
        const sizes = axes.map((a) => Math.min(a.size, a.extent))
        const starts = axes.map((a) => scalar(a.start))
        const [x, u] = [noise(extents, 1), noise(sizes, 2)]
        const clamped = axes.map((a, d) => Math.min(Math.max(a.start, 0), extents[d]! - sizes[d]!))
        const wanted = Float64Array.from(x.data())
        for (const at of positions(sizes))
          wanted[
            flat(
              extents,
              at.map((i, d) => i + clamped[d]!),
            )
          ] = u.data()[flat(sizes, at)]!
        const f = (a: Tensor, b: Tensor, ...s: Tensor[]): Tensor => dynamicUpdateSlice(a, b, s)
        expectClose(f(x, u, ...starts), tensor(wanted, { shape: extents }), 0, 'value')
        checkDerivatives((a, b) => f(a!, b!, ...starts), [x, u])
        checkBatching(f, [x, u, ...starts], (t, p, copy) =>
          p < 2 ? varied(t, p, copy) : scalar(copy - 1),
        )
        checkCompiled(f, [x, u, ...starts])
      }),
      { numRuns: 15 },
    )
  })

  test('refuses slices larger than the operand and starts that are no integers', () => {
    expect(() => dynamicSlice(noise([2], 1), [scalar(0)], [3])).toThrow(/larger than the operand/)
    expect(() => dynamicSlice(noise([2], 1), [tensor(0)], [1])).toThrow(/integer scalars/)
    expect(() => dynamicSlice(noise([2, 2], 1), [scalar(0)], [1, 1])).toThrow(
      /one start and one size/,
    )
  })

  test('the gradient is zero outside the slice', () => {
    const f = (x: Tensor): Tensor => dynamicSlice(x, [scalar(1)], [2]).sum()
    expect(grad(f)(tensor([1, 2, 3, 4])).toArray()).toEqual([0, 1, 1, 0])
  })
})

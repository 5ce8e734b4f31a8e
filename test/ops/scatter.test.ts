/** The scatters against a naive reference, and their laws. */
import { type Tensor, grad, tensor } from '@cotangent/core'
import '@cotangent/ops'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type ScatterOptions,
  scatter,
  scatterAdd,
  scatterMax,
  scatterMin,
  scatterMul,
} from '../../packages/ops/src/prims/scatter.ts'
import { type SliceSample, flat, positions, sliceSamples, sources } from './slices.ts'
import {
  checkBatching,
  checkCompiled,
  checkDerivatives,
  expectClose,
  integers,
  noise,
  varied,
} from './laws.ts'

const optionsOf = (s: SliceSample, mode: 'clip' | 'drop'): ScatterOptions => ({
  updateWindowDims: s.windowAxes,
  insertedWindowDims: s.collapsed,
  scatterDimsToOperandDims: s.startMap,
  mode,
})

const kinds = {
  set: { run: scatter, combine: (_: number, u: number): number => u },
  add: { run: scatterAdd, combine: (o: number, u: number): number => o + u },
  mul: { run: scatterMul, combine: (o: number, u: number): number => o * u },
  min: { run: scatterMin, combine: Math.min },
  max: { run: scatterMax, combine: Math.max },
}

const modes = fc.constantFrom('clip' as const, 'drop' as const)

describe.each(Object.entries(kinds))('scatter: %s', (name, { run, combine }) => {
  // Updates in row-major order of the batch, then of the slice.
  const order = (s: SliceSample): readonly number[] =>
    positions(s.result)
      .map((at, i) => ({
        key: flat(
          s.batch,
          at.filter((_, d) => !s.windowAxes.includes(d)),
        ),
        i,
      }))
      .toSorted((a, b) => a.key - b.key || a.i - b.i)
      .map(({ i }) => i)

  test('equals the definition', () => {
    fc.assert(
      fc.property(sliceSamples, modes, (s, mode) => {
        const [x, u] = [noise(s.operand, 1), noise(s.result, 2)]
        const wanted = Float64Array.from(x.data())
        const targets = sources(s, mode === 'clip')
        for (const i of order(s)) {
          const at = targets[i]!
          if (at === null) continue
          const to = flat(s.operand, at)
          wanted[to] = combine(wanted[to]!, u.data()[i]!)
        }
        expectClose(
          run(x, s.indices, u, optionsOf(s, mode)),
          tensor(wanted, { shape: s.operand }),
          1e-15,
          'value',
        )
      }),
      { numRuns: 120 },
    )
  })

  test('laws', () => {
    fc.assert(
      fc.property(sliceSamples, modes, (s, mode) => {
        const f = (x: Tensor, i: Tensor, u: Tensor): Tensor => run(x, i, u, optionsOf(s, mode))
        const inputs = [noise(s.operand, 1), s.indices, noise(s.result, 2)]
        const once = s.batch.every((extent) => extent === 1)
        if (name !== 'mul' || once) checkDerivatives(f, inputs)
        else checkDerivatives((x) => f(x!, inputs[1]!, inputs[2]!), [inputs[0]!])
        checkBatching(f, inputs, varied, 1e-15)
        checkCompiled(f, inputs, 1e-15)
      }),
      { numRuns: 25 },
    )
  })
})

const rows: ScatterOptions = {
  updateWindowDims: [],
  insertedWindowDims: [0],
  scatterDimsToOperandDims: [0],
}
const twice = tensor(Int32Array.of(1, 1), { shape: [2, 1] })

describe('equal indices', () => {
  test('the last of several replacements stays, and receives the cotangent', () => {
    const x = tensor([0, 0, 0])
    expect(scatter(x, twice, tensor([5, 6]), rows).toArray()).toEqual([0, 6, 0])
    const f = (u: Tensor): Tensor => scatter(x, twice, u, rows).sum()
    expect(grad(f)(tensor([5, 6])).toArray()).toEqual([0, 1])
  })

  test('equal maxima share the cotangent, the old value among them', () => {
    const f = (x: Tensor, u: Tensor): Tensor => scatterMax(x, twice, u, rows).sum()
    const both = grad(f, { argnums: [0, 1] })(tensor([0, 3, 0]), tensor([3, 3]))
    expect(both.map((g) => g.toArray())).toEqual([
      [1, Math.fround(1 / 3), 1],
      [Math.fround(1 / 3), Math.fround(1 / 3)],
    ])
  })

  test('multiplication refuses a derivative in the updates, unless they are unique', () => {
    const f =
      (options: ScatterOptions) =>
      (u: Tensor): Tensor =>
        scatterMul(tensor([2, 3, 4]), integers([2, 1], 0, 1, 1), u, options).sum()
    expect(() => grad(f(rows))(tensor([5, 6]))).toThrow(/known to differ/)
    const unique = (u: Tensor): Tensor =>
      scatterMul(tensor([2, 3, 4]), tensor(Int32Array.of(2, 0), { shape: [2, 1] }), u, {
        ...rows,
        uniqueIndices: true,
      }).sum()
    expect(grad(unique)(tensor([5, 6])).toArray()).toEqual([4, 2])
  })
})

test('an untouched NaN keeps its derivative', () => {
  const f = (x: Tensor): Tensor => scatterMax(x, twice, tensor([1, 2]), rows).sum()
  expect(grad(f)(tensor([NaN, 0, 1])).toArray()).toEqual([1, 0, 1])
})

test('integers and booleans', () => {
  const index = tensor(Int32Array.of(0, 0, 9), { shape: [3, 1] })
  const x = tensor(Int32Array.of(2 ** 31 - 1, 5))
  const u = tensor(Int32Array.of(1, 1, 1))
  expect(scatterAdd(x, index, u, rows).toArray()).toEqual([-(2 ** 31) + 1, 5])
  expect(scatterMul(x, index, tensor(Int32Array.of(2, 3, 4)), rows).toArray()).toEqual([-6, 5])
  const flags = tensor([false, true])
  expect(scatterAdd(flags, index, tensor([true, true, false]), rows).toArray()).toEqual([
    true,
    true,
  ])
  checkCompiled((a, b) => scatterAdd(a, index, b, rows), [flags, tensor([true, true, false])])
})

test('refuses updates that do not fit', () => {
  expect(() => scatterAdd(noise([3], 1), twice, noise([3], 2), rows)).toThrow(/updates do not fit/)
  expect(() => scatterAdd(noise([3], 1), twice, noise([2], 2, 'float32'), rows)).toThrow(
    /one real dtype/,
  )
})

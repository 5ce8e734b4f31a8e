import { type DType, type Stmt, scalars } from '@cotangent/core'
import { type Kernel, compileKernel } from '@cotangent/jit'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  decode,
  drawsFrom,
  edgesOf,
  encode,
  nestSize,
  randomNest,
  randomScalar,
  realDTypes,
} from './programs.ts'
import { checkedArray, walkKernel } from './walk.ts'

const { counter, load } = scalars

describe('scalars of every dtype', () => {
  const inputs = realDTypes.flatMap((dtype) => ['x', 'y'].map((slot) => ({ dtype, slot })))
  const extent = 12
  const at = counter('i', extent)

  const agree = (dtype: DType, seed: number): void => {
    const draws = drawsFrom(seed)
    const leaf = (d: DType) => load(`${draws.pick(['x', 'y'])}_${d}`, d, at)
    const value = randomScalar(draws, dtype, 1 + draws.below(4), leaf, at)
    const body: readonly Stmt[] = [
      { tag: 'for', counter: 'i', extent, body: [{ tag: 'store', buffer: 'out', at, value }] },
    ]
    const buffers: Kernel['buffers'] = [
      ...inputs.map(({ dtype: d, slot }) => {
        return { name: `${slot}_${d}`, dtype: d, size: extent, access: 'read' as const }
      }),
      { name: 'out', dtype, size: extent, access: 'write' },
    ]
    const data = inputs.map(({ dtype: d }) =>
      encode(
        d,
        Array.from({ length: extent }, () => draws.pick(edgesOf(d))),
      ),
    )
    const [got, want] = [encode(dtype, Array(extent).fill(0)), encode(dtype, Array(extent).fill(0))]
    const kernel: Kernel = { name: `random_${dtype}`, buffers, body }
    const { run, source } = compileKernel(kernel)
    run(...data, got)
    walkKernel(kernel, [...data, want])
    expect(decode(dtype, got), source).toEqual(decode(dtype, want))
  }

  for (const dtype of realDTypes) {
    test(`${dtype}: printed = walked`, () => {
      fc.assert(
        fc.property(fc.integer(), (seed) => agree(dtype, seed)),
        { numRuns: 150 },
      )
    })
  }
})

describe('loop nests', () => {
  test('all passes and the printer keep the meaning of random programs', () => {
    const buffers: Kernel['buffers'] = ['a', 'b', 'c'].map((name) => {
      return { name, dtype: 'float32', size: nestSize, access: 'readwrite' }
    })
    const fresh = (): Float32Array[] =>
      buffers.map((_, n) =>
        Float32Array.from({ length: nestSize }, (__, i) => ((i * 5 + n) % 7) - 3),
      )
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const kernel: Kernel = { name: 'random_nest', buffers, body: randomNest(seed) }
        const [got, want] = [fresh(), fresh()]
        walkKernel(kernel, want)
        const { run, source } = compileKernel(kernel)
        run(...got.map((d) => checkedArray(d)))
        expect(got, source).toEqual(want)
      }),
      { numRuns: 1500 },
    )
  })
})

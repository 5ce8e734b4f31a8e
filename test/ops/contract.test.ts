/** Contraction against a naive reference, and its laws. */
import { type Tensor, tensor } from '@cotangent/core'
import '@cotangent/ops'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type DotParams, dotGeneral } from '../../packages/ops/src/prims/contract.ts'
import {
  checkBatching,
  checkCompiled,
  checkDerivatives,
  expectClose,
  noise,
  varied,
} from './laws.ts'

/** Sums over all index assignments by name, one letter an axis. */
const einsum = (xAxes: string, yAxes: string, outAxes: string, x: Tensor, y: Tensor): Tensor => {
  const extents = new Map<string, number>()
  for (const [axes, t] of [
    [xAxes, x],
    [yAxes, y],
  ] as const)
    [...axes].forEach((a, d) => extents.set(a, t.shape[d]!))
  const names = [...extents.keys()]
  const at = (axes: string, position: ReadonlyMap<string, number>): number =>
    [...axes].reduce((offset, a) => offset * extents.get(a)! + position.get(a)!, 0)
  const shape = [...outAxes].map((a) => extents.get(a)!)
  const out = new Float64Array(shape.reduce((n, e) => n * e, 1))
  const [xs, ys] = [x.data(), y.data()]
  const walk = (d: number, position: Map<string, number>): void => {
    if (d === names.length) {
      const to = at(outAxes, position)
      out[to] = out[to]! + xs[at(xAxes, position)]! * ys[at(yAxes, position)]!
      return
    }
    for (let i = 0; i < extents.get(names[d]!)!; i++) walk(d + 1, position.set(names[d]!, i))
  }
  walk(0, new Map())
  return tensor(out, { shape, dtype: x.dtype })
}

interface Sample {
  readonly xAxes: string
  readonly yAxes: string
  readonly outAxes: string
  readonly params: DotParams
  readonly x: Tensor
  readonly y: Tensor
}

const shuffle = (letters: readonly string[], order: readonly number[]): string =>
  [...letters]
    .map((l, i) => [order[i % order.length]! * 31 + i * 7, l] as const)
    .sort(([a], [b]) => (a % 13) - (b % 13) || a - b)
    .map(([, l]) => l)
    .join('')

const samples: fc.Arbitrary<Sample> = fc
  .record({
    batch: fc.integer({ min: 0, max: 2 }),
    contract: fc.integer({ min: 0, max: 2 }),
    xFree: fc.integer({ min: 0, max: 2 }),
    yFree: fc.integer({ min: 0, max: 2 }),
    extents: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 8, maxLength: 8 }),
    order: fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 4, maxLength: 4 }),
  })
  .map(({ batch, contract, xFree, yFree, extents, order }) => {
    const b = [...'bc'].slice(0, batch)
    const k = [...'kl'].slice(0, contract)
    const m = [...'mn'].slice(0, xFree)
    const p = [...'pq'].slice(0, yFree)
    const xAxes = shuffle([...b, ...k, ...m], order)
    const yAxes = shuffle([...p, ...k, ...b], order.toReversed())
    const extentOf = (letter: string): number => extents['bcklmnpq'.indexOf(letter)]!
    const params: DotParams = {
      contract: [k.map((l) => xAxes.indexOf(l)), k.map((l) => yAxes.indexOf(l))],
      batch: [b.map((l) => xAxes.indexOf(l)), b.map((l) => yAxes.indexOf(l))],
    }
    const free = (axes: string, letters: readonly string[]): string =>
      [...axes].filter((l) => letters.includes(l)).join('')
    return {
      xAxes,
      yAxes,
      outAxes: b.join('') + free(xAxes, m) + free(yAxes, p),
      params,
      x: noise([...xAxes].map(extentOf), 1),
      y: noise([...yAxes].map(extentOf), 2),
    }
  })

describe('dotGeneral', () => {
  test('equals the sum over all index assignments', () => {
    fc.assert(
      fc.property(samples, ({ xAxes, yAxes, outAxes, params, x, y }) => {
        expectClose(dotGeneral(x, y, params), einsum(xAxes, yAxes, outAxes, x, y), 1e-14, 'value')
      }),
      { numRuns: 60 },
    )
  })

  test('laws', () => {
    fc.assert(
      fc.property(samples, ({ params, x, y }) => {
        const f = (a: Tensor, b: Tensor): Tensor => dotGeneral(a, b, params)
        checkDerivatives(f, [x, y])
        checkBatching(f, [x, y], varied, 1e-14)
        checkCompiled(f, [x, y], 1e-14)
      }),
      { numRuns: 12 },
    )
  })

  test('integers wrap exactly', () => {
    const x = tensor(Int32Array.of(2 ** 31 - 1, -7, 123456789), { shape: [1, 3] })
    const y = tensor(Int32Array.of(2 ** 31 - 1, 2 ** 30, 987654321), { shape: [3, 1] })
    const wanted = Number(
      BigInt.asIntN(32, (2n ** 31n - 1n) ** 2n - 7n * 2n ** 30n + 123456789n * 987654321n),
    )
    const matmul = { contract: [[1], [0]], batch: [[], []] } as const
    expect(dotGeneral(x, y, matmul).item()).toBe(wanted)
  })

  test('float32 is rounded once, after summing in float64', () => {
    const x = tensor([[1e8, 1, -1e8]])
    const ones = tensor([[1], [1], [1]])
    expect(dotGeneral(x, ones, { contract: [[1], [0]], batch: [[], []] }).item()).toBe(1)
  })

  test('an empty contraction is zero, a contraction of nothing an outer product', () => {
    const empty = dotGeneral(noise([2, 0], 1), noise([0, 3], 2), {
      contract: [[1], [0]],
      batch: [[], []],
    })
    expect([...empty.data()]).toEqual([0, 0, 0, 0, 0, 0])
    const outer = dotGeneral(tensor([1, 2]), tensor([3, 4]), {
      contract: [[], []],
      batch: [[], []],
    })
    expect(outer.toArray()).toEqual([
      [3, 4],
      [6, 8],
    ])
  })

  test('refuses extents and axes that do not fit', () => {
    expect(() =>
      dotGeneral(noise([2, 3], 1), noise([2, 3], 2), { contract: [[1], [0]], batch: [[], []] }),
    ).toThrow(/contracted extents differ: 3 and 2/)
    expect(() =>
      dotGeneral(noise([2], 1), noise([2], 2), { contract: [[1], [0]], batch: [[], []] }),
    ).toThrow(/in range and distinct/)
    expect(() =>
      dotGeneral(noise([2], 1), noise([2], 2, 'float32'), {
        contract: [[0], [0]],
        batch: [[], []],
      }),
    ).toThrow(/dtypes differ/)
  })
})

import { describePlan } from '@cotangent/jit'
import { expect, test } from 'vitest'
import { add, multiply, read, storing, sum, wide } from './reductionSupport.ts'

const zero = [{ dtype: 'float64', initial: 0 }] as const
const outputsOf = (shape: readonly number[]) =>
  shape.map((extent, d) => ({ name: `i${d}`, extent }))

const matmul = (m: number, n: number, k: number, transposed: '' | 'a' | 'b' = ''): string => {
  const a = transposed === 'a' ? [k, m] : [m, k]
  const b = transposed === 'b' ? [n, k] : [k, n]
  return describePlan({
    outputs: outputsOf([m, n]),
    extents: [k],
    accumulators: zero,
    step: ([acc], [i, j], [r]) => [
      add(
        acc!,
        multiply(
          wide(read('a', a, transposed === 'a' ? [r!, i!] : [i!, r!])),
          wide(read('b', b, transposed === 'b' ? [j!, r!] : [r!, j!])),
        ),
      ),
    ],
    finish: storing([m, n]),
    scratch: () => 's',
  })
}

interface Conv {
  readonly x: readonly number[]
  readonly w: readonly number[]
  readonly stride?: number
}

const conv = ({ x, w, stride = 1 }: Conv): string => {
  const out = [x[0]!, w[0]!, ...[2, 3].map((d) => Math.floor((x[d]! - w[d]!) / stride) + 1)]
  return describePlan({
    outputs: outputsOf(out),
    extents: w.slice(1),
    accumulators: zero,
    step: ([acc], [n, o, y, z], [c, ky, kx]) => {
      const at = [n!, c!, sum([stride, y!], [1, ky!]), sum([stride, z!], [1, kx!])]
      return [add(acc!, multiply(wide(read('x', x, at)), wide(read('w', w, [o!, c!, ky!, kx!]))))]
    },
    finish: storing(out),
    scratch: () => 's',
  })
}

const sums = (shape: readonly number[], axis: number): string => {
  const out = shape.filter((_, d) => d !== axis)
  return describePlan({
    outputs: outputsOf(out),
    extents: [shape[axis]!],
    accumulators: zero,
    step: ([acc], index, [k]) => [
      add(acc!, wide(read('x', shape, [...index.slice(0, axis), k!, ...index.slice(axis)]))),
    ],
    finish: storing(out),
    scratch: () => 's',
  })
}

test('products of matrices take tiles of 4 rows by 8 lanes', () => {
  expect(matmul(256, 256, 256)).toBe('output i1 8 x 4 i0, packed x1')
  expect(matmul(256, 256, 256, 'a')).toBe('output i1 8 x 4 i0, packed x0 x1')
})

test('rows that fall into few sets of a cache, and columns, are copied first', () => {
  // 800 floats are 50 lines, an even number: half of the sets. 784 are 49.
  expect(matmul(64, 800, 256)).toBe('output i1 8 x 4 i0, packed x1')
  expect(matmul(64, 784, 256)).toBe('output i1 8 x 4 i0')
  expect(matmul(512, 512, 512)).toBe('output i1 8 x 4 i0, packed x1')
  expect(matmul(256, 256, 256, 'b')).toBe('output i1 8 x 4 i0, packed x1')
})

test('few rows or columns take wide tiles, or lanes along the terms', () => {
  expect(matmul(1, 256, 256)).toMatch(/^output i1 \d+$/)
  expect(matmul(2, 256, 256)).toBe('output i1 16 x 2 i0')
  expect(matmul(128, 10, 256)).toMatch(/^output i1 12 x \d i0$/)
  expect(matmul(1, 256, 256, 'b')).toMatch(/^reduced k0/)
})

test('convolutions take neighbouring columns of the output and several channels', () => {
  expect(conv({ x: [8, 64, 58, 58], w: [64, 64, 3, 3] })).toBe('output i3 8 x 4 i1')
  expect(conv({ x: [64, 1, 32, 32], w: [6, 1, 5, 5] })).toMatch(/^output i3 \d+ x \d i1$/)
  // Height and width of a 1×1 convolution are one dim.
  expect(conv({ x: [8, 64, 28, 28], w: [64, 64, 1, 1] })).toBe('output i3 8 x 4 i1')
})

test('strided convolutions, and outputs shorter than a vector, take channels as lanes', () => {
  expect(conv({ x: [1, 3, 230, 230], w: [64, 3, 7, 7], stride: 2 })).toMatch(/^output i1 8 x 4/)
  expect(conv({ x: [64, 6, 14, 14], w: [16, 6, 5, 5] })).toMatch(/^output i1 8 x 4 i\d, packed x1$/)
})

test('sums of rows take four partial results, sums of columns neighbouring columns', () => {
  expect(sums([1024, 1024], 1)).toBe('reduced k0 16')
  expect(sums([1_000_000], 0)).toBe('reduced k0 16')
  expect(sums([1024, 1024], 0)).toMatch(/^output i0 \d+$/)
})

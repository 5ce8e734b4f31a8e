/** Sums down rows: in the order of memory, and in the kernel that works on the rows. */
import { type Tensor, flatten, interpret, leafTensor, vjp } from '@cotangent/core'
import { getThreads, jit, setThreads, threads } from '@cotangent/jit'
import { nn } from '@cotangent/nn'
import { np } from '@cotangent/ops'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { divisionOf } from '../../../packages/jit/src/loops/vector/rowSums.ts'

const wave = (shape: readonly number[], step = 1.7): Tensor => {
  const count = shape.reduce((a, b) => a * b, 1)
  const values = Float32Array.from({ length: count }, (_, i) => Math.sin(i * step) + 0.3)
  return np.reshape(np.array(values), [...shape])
}

const dataOf = (tree: unknown): readonly ArrayLike<number>[] =>
  flatten(tree).leaves.map((leaf) => leafTensor(leaf).data())

const threadsBefore = getThreads()
beforeAll(() => threads.setForksAlways(true))
afterAll(() => {
  threads.setForksAlways(false)
  setThreads(threadsBefore)
})

/** As interpreted, relative to the largest value, and the same bits on one thread and on three. */
const expectSame = <A extends readonly unknown[], R>(
  f: (...args: A) => R,
  ...args: A
): ReturnType<ReturnType<typeof jit<A, R>>['lower']> => {
  const compiled = jit(f, { backend: 'wasm' })
  setThreads(1)
  const one = dataOf(compiled(...args))
  const want = dataOf(interpret(f)(...args))
  want.forEach((y, n) => {
    let [largest, off] = [1e-6, 0]
    for (let i = 0; i < y.length; i++) {
      largest = Math.max(largest, Math.abs(y[i]!))
      off = Math.max(off, Math.abs(one[n]![i]! - y[i]!))
    }
    expect(off / largest).toBeLessThan(5e-6)
  })
  setThreads(3)
  expect(dataOf(compiled(...args))).toEqual(one)
  return compiled.lower(...args)
}

test('divisions cover all rows, and depend on their number alone', () => {
  for (let total = 1; total < 3000; total += 7) {
    for (const wanted of [1, 4, 16, 64]) {
      const { parts, blocks, rows, rest } = divisionOf(total, wanted)
      expect(parts * blocks * rows + rest).toBe(total)
      expect(Math.min(parts, blocks, rows)).toBeGreaterThan(0)
      expect(rest).toBeLessThan(Math.max(total / 2, 2 * wanted))
    }
  }
  expect(divisionOf(2 ** 22, 8).blocks).toBeLessThanOrEqual(64)
})

describe('columns of large arrays', () => {
  for (const shape of [
    [2048, 256],
    [1000, 300],
    [997, 513],
    [40, 30, 257],
  ]) {
    test(`${shape.join('×')}`, () => {
      const axes = shape.map((_, d) => d).slice(0, -1)
      const x = wave(shape)
      const lowered = expectSame((a: Tensor) => np.sum(a, axes), x)
      expect(lowered.kernels[0]!.source).toMatch(/for \w*part </)
      expectSame((a: Tensor) => np.max(a, axes), x)
      expectSame((a: Tensor, b: Tensor) => np.mean(np.multiply(a, b), axes), x, wave(shape, 0.9))
    })
  }

  test('of infinite and missing numbers', () => {
    const x = np.array(
      Float32Array.from({ length: 1024 * 512 }, (_, i) => (i === 7 ? Infinity : 1)),
    )
    const sums = jit((a: Tensor) => np.sum(np.reshape(a, [1024, 512]), 0), { backend: 'wasm' })
    const values = sums(x).data()
    expect([values[6], values[7], values[8]]).toEqual([1024, Infinity, 1024])
  })
})

describe('gradients of a scale and a bias', () => {
  const layer = (cotangent: Tensor, x: Tensor, scale: Tensor, bias: Tensor) => {
    const [y, pullback] = vjp(
      (a: Tensor, s: Tensor, b: Tensor) => nn.functional.layerNorm(a, { scale: s, bias: b }),
      x,
      scale,
      bias,
    )
    return [y, pullback(cotangent)] as const
  }
  for (const shape of [
    [512, 128],
    [333, 200],
    [6, 50, 131],
  ]) {
    test(`of layer normalisation, ${shape.join('×')}`, () => {
      const width = shape.at(-1)!
      const args = [wave(shape, 0.7), wave(shape), wave([width], 2.1), wave([width], 3.3)] as const
      const { kernels } = expectSame(layer, ...args)
      expect(kernels).toHaveLength(1)
      // Rows and sums alternate in blocks.
      expect(kernels[0]!.source).toMatch(/for \w*row < \d+/)
    })
  }

  test('few rows are not worth it', () => {
    const args = [wave([32, 64], 0.7), wave([32, 64]), wave([64], 2.1), wave([64], 3.3)] as const
    expect(expectSame(layer, ...args).kernels.length).toBeGreaterThan(1)
  })

  test('of a bias below a softmax', () => {
    const loss = (x: Tensor, bias: Tensor): Tensor =>
      np.sum(np.square(nn.softmax(np.add(x, bias), { axis: -1 })))
    const both = (x: Tensor, bias: Tensor) => {
      const [value, pullback] = vjp(loss, x, bias)
      return [value, pullback(np.array(1))] as const
    }
    expectSame(both, wave([300, 200]), wave([200]))
  })
})

import { type Tensor, flatten, grad, interpret, leafTensor } from '@cotangent/core'
import { jit } from '@cotangent/jit'
import { nn } from '@cotangent/nn'
import { np } from '@cotangent/ops'
import { describe, expect, test } from 'vitest'

const wave = (shape: readonly number[]): Tensor => {
  const count = shape.reduce((a, b) => a * b, 1)
  return np.reshape(np.array(Float32Array.from({ length: count }, (_, i) => Math.sin(i * 1.7))), [
    ...shape,
  ])
}

const sameAsInterpreted = <A extends readonly unknown[], R>(
  f: (...args: A) => R,
  ...args: A
): void => {
  const compiled = jit(f, { backend: 'wasm' })
  const [got, want] = [flatten(compiled(...args)), flatten(interpret(f)(...args))]
  want.leaves.forEach((leaf, n) => {
    const [x, y] = [leafTensor(got.leaves[n]!).data(), leafTensor(leaf).data()]
    let largest = 1
    for (const v of y) largest = Math.max(largest, Math.abs(v))
    let off = 0
    for (let i = 0; i < y.length; i++) off = Math.max(off, Math.abs(x[i]! - y[i]!))
    // float32 sums of terms as large as the largest result.
    expect(off / largest).toBeLessThan(2e-5)
  })
  expect(compiled.lower(...args).kernels.length).toBeGreaterThan(0)
}

interface Layer {
  readonly x: readonly number[]
  readonly w: readonly number[]
  readonly stride?: number
  readonly padding?: number
  readonly dilation?: number
  readonly groups?: number
}

describe('convolutions and their gradients', () => {
  const layers: readonly Layer[] = [
    { x: [2, 3, 9, 11], w: [4, 3, 3, 3], stride: 2, padding: 1 },
    { x: [2, 4, 8, 8], w: [6, 4, 1, 1], stride: 2 },
    { x: [1, 3, 19, 17], w: [5, 3, 7, 7], stride: 2, padding: 3 },
    { x: [1, 2, 31, 29], w: [4, 2, 11, 11], stride: 4, padding: 2 },
    { x: [2, 4, 10, 13], w: [8, 2, 3, 3], stride: 3, groups: 2, padding: 1 },
    { x: [2, 3, 12, 12], w: [4, 3, 3, 3], dilation: 2, padding: 2 },
    { x: [2, 6, 9, 9], w: [6, 1, 3, 3], groups: 6, padding: 1 },
    { x: [3, 1, 14, 14], w: [6, 1, 5, 5] },
    { x: [2, 40, 12, 12], w: [33, 40, 3, 3], padding: 1 },
    { x: [2, 64, 12, 14], w: [64, 64, 3, 3], padding: 1 },
    { x: [3, 64, 8, 16], w: [68, 64, 3, 3], padding: 1 },
    { x: [2, 66, 9, 11], w: [64, 66, 3, 3] },
  ]
  for (const { x, w, ...options } of layers) {
    test(`${x.join('×')} by ${w.join('×')} ${JSON.stringify(options)}`, () => {
      const conv = (a: Tensor, b: Tensor): Tensor => nn.functional.conv(a, b, options)
      const [input, kernel] = [wave(x), wave(w)]
      sameAsInterpreted(conv, input, kernel)
      const loss = (a: Tensor, b: Tensor): Tensor => np.sum(np.square(conv(a, b)))
      sameAsInterpreted(grad(loss, { argnums: [0, 1] }), input, kernel)
    })
  }
})

describe('sums', () => {
  test('ten million tenths', () => {
    const total = jit((x: Tensor) => np.sum(x), { backend: 'wasm' })
    expect(Math.abs(total(np.full([10_000_000], 0.1)).item() / 1e6 - 1)).toBeLessThan(1e-6)
  })

  test('of long columns', () => {
    const columns = jit((x: Tensor) => np.mean(x, 0), { backend: 'wasm' })
    for (const mean of columns(np.full([200_000, 5], 0.1)).data()) {
      expect(Math.abs(mean / 0.1 - 1)).toBeLessThan(2e-6)
    }
  })

  test('of rows, with what follows them', () => {
    const x = wave([7, 45])
    sameAsInterpreted(
      (a: Tensor) => np.divide(np.exp(a), np.sum(np.exp(a), { axis: 1, keepdims: true })),
      x,
    )
    sameAsInterpreted((a: Tensor) => np.var(a, 1), x)
    sameAsInterpreted((a: Tensor) => np.std(np.reshape(a, [-1]), 0), wave([300, 301]))
  })
})

/** Matrix products of every size from 1 to 40, every transposition, with and without batches. */
import { type Tensor, range } from '@cotangent/core'
import { jit } from '@cotangent/jit'
import { np } from '@cotangent/ops'
import { describe, expect, test } from 'vitest'
import { expectSums, noise, sizeOf } from './contractionSupport.ts'

interface Product {
  readonly batch: readonly number[]
  readonly m: number
  readonly n: number
  readonly k: number
  readonly left: boolean
  readonly right: boolean
}

const swapped = (x: Tensor): Tensor => np.matrixTranspose(x)

const check = (product: Product): void => {
  const { batch, m, n, k, left, right } = product
  const shapes = [
    [...batch, ...(left ? [k, m] : [m, k])],
    [...batch, ...(right ? [n, k] : [k, n])],
  ] as const
  const [a, b] = shapes.map((shape, i) => noise(sizeOf(shape), m + 50 * n + 2500 * k + i))
  const multiply = jit(
    (x: Tensor, y: Tensor) => (left ? swapped(x) : x).matmul(right ? swapped(y) : y),
    { backend: 'wasm' },
  )
  const got = multiply(np.array(a!).reshape([...shapes[0]]), np.array(b!).reshape([...shapes[1]]))
  const count = sizeOf(batch) * m * n
  const [wanted, magnitudes] = [new Float64Array(count), new Float64Array(count)]
  for (let at = 0; at < count; at++) {
    const [s, i, j] = [Math.floor(at / (m * n)), Math.floor(at / n) % m, at % n]
    for (let l = 0; l < k; l++) {
      const x = a![s * m * k + (left ? l * m + i : i * k + l)]!
      const y = b![s * n * k + (right ? j * k + l : l * n + j)]!
      wanted[at]! += x * y
      magnitudes[at]! += Math.abs(x * y)
    }
  }
  expect(got.shape).toEqual([...batch, m, n])
  expectSums(got, wanted, magnitudes, k, JSON.stringify(product))
}

const transpositions = [
  [false, false],
  [true, false],
  [false, true],
  [true, true],
] as const

describe.each(transpositions)('transposed: %s and %s', (left, right) => {
  const turn = Number(left) + 2 * Number(right)
  test('each size in each place', () => {
    for (const size of range(41).slice(1)) {
      const [p, q] = [1 + ((size * 7 + turn) % 11), 1 + ((size * 5 + 3 * turn) % 19)]
      const [m, n, k] = [[size, p, q] as const, [p, size, q] as const, [q, p, size] as const][
        (size + turn) % 3
      ]!
      check({ batch: [], m, n, k, left, right })
      if (size % 5 === turn) check({ batch: [], m: size, n: size, k: size, left, right })
    }
  })
  test('batches', () => {
    for (const [batch, m, n, k] of [
      [[2], 5, 7, 3],
      [[3], 1, 13, 9],
      [[1], 17, 1, 5],
      [[2, 3], 4, 8, 33],
      [[7], 9, 16, 1],
      [[5], 40, 37, 40],
    ] as const) {
      check({ batch, m, n, k, left, right })
    }
  })
  test('larger than a panel', () => {
    check({ batch: [], m: 67, n: 131, k: 259, left, right })
    check({ batch: [], m: 3, n: 300, k: 1031, left, right })
  })
  test('terms in few chunks, equal or not, and in many', () => {
    check({ batch: [], m: 16, n: 24, k: 1024, left, right })
    check({ batch: [], m: 19, n: 21, k: 1031, left, right })
    check({ batch: [2], m: 17, n: 16, k: 1600, left, right })
    check({ batch: [], m: 16, n: 16, k: 9001, left, right })
  })
})

test('nothing times nothing', () => {
  const multiply = jit((x: Tensor, y: Tensor) => x.matmul(y), { backend: 'wasm' })
  expect(multiply(np.ones([2, 0]), np.ones([0, 3])).toArray()).toEqual([
    [0, 0, 0],
    [0, 0, 0],
  ])
  expect(multiply(np.ones([0, 4]), np.ones([4, 3])).shape).toEqual([0, 3])
})

test('other element types', () => {
  const integers = (shape: readonly number[], dtype: 'int32' | 'uint8' | 'float64'): Tensor =>
    np
      .arange(sizeOf(shape))
      .mod(23)
      .reshape([...shape])
      .astype(dtype)
  for (const dtype of ['int32', 'uint8', 'float64'] as const) {
    const multiply = (backend: 'wasm' | 'interpret'): Tensor =>
      jit((x: Tensor, y: Tensor) => x.matmul(y), { backend })(
        integers([9, 13], dtype),
        integers([13, 21], dtype),
      )
    // Sums of such integers are exact in any order.
    expect(multiply('wasm').data()).toEqual(multiply('interpret').data())
  }
})

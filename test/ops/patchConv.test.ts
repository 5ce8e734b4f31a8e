/** Windows side by side: one product, in every direction, equal to the interpreter. */
import { type Tensor, grad } from '@cotangent/core'
import { jit } from '@cotangent/jit'
import { lax, np, random } from '@cotangent/ops'
import { describe, expect, test } from 'vitest'
import { expectCompiled } from '../jit/support.ts'

const key = random.key(3)
const [first, second] = random.split(key)

// Sums of small whole numbers are exact, in whatever order.
const wholes = (key: Tensor, shape: readonly number[]): Tensor =>
  random.randint(key, shape, -3, 4).astype('float32')

describe('convolutions of windows side by side', () => {
  test.each([
    ['two axes', [2, 3, 12, 8], [5, 3, 4, 4], [4, 4]],
    ['with elements left over', [2, 3, 14, 11], [5, 3, 4, 4], [4, 4]],
    ['oblong windows', [1, 2, 10, 16], [3, 2, 2, 8], [2, 8]],
    ['one axis', [3, 2, 50], [4, 2, 16], [16]],
    ['three axes', [1, 2, 6, 4, 9], [2, 2, 3, 2, 3], [3, 2, 3]],
  ])('%s', (_, shape, kernel, strides) => {
    const x = wholes(first!, shape)
    const w = wholes(second!, kernel)
    const loss = (x: Tensor, w: Tensor): Tensor => lax.conv(x, w, strides, 'VALID').square().sum()
    expectCompiled((x: Tensor, w: Tensor) => lax.conv(x, w, strides, 'VALID'), x, w)
    expectCompiled(grad(loss, { argnums: [0, 1] }), x, w)
    const { kernels } = jit(grad(loss, { argnums: [0, 1] })).lower(x, w)
    expect(kernels.some(({ name }) => name.includes('conv'))).toBe(false)
  })

  test('windows that overlap, or lie apart, are none', () => {
    const x = np.ones([1, 2, 13, 13])
    const w = np.ones([3, 2, 4, 4])
    for (const stride of [3, 5]) {
      const { kernels } = jit((x: Tensor) => lax.conv(x, w, [stride, stride], 'VALID')).lower(x)
      expect(kernels.some(({ name }) => name.includes('conv'))).toBe(true)
    }
  })

  test('padded ones, too', () => {
    const x = wholes(first!, [2, 2, 8, 8])
    const w = wholes(second!, [3, 2, 4, 4])
    const f = (x: Tensor, w: Tensor): Tensor =>
      lax.conv(
        x,
        w,
        [4, 4],
        [
          [2, 2],
          [2, 2],
        ],
      )
    expectCompiled(
      grad((x: Tensor, w: Tensor) => f(x, w).square().sum(), { argnums: [0, 1] }),
      x,
      w,
    )
  })
})

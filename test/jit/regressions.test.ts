/** Programs that were compiled wrongly once, as small as they get. */
import type { Tensor } from '@cotangent/core'
import { np } from '@cotangent/ops'
import { describe, test } from 'vitest'
import { expectCompiled } from './support.ts'

const int32 = (values: readonly number[]): Tensor => np.array(values).astype('int32')

describe('kernels', () => {
  test('a running int32 choice wraps: argmin of negative integers', () =>
    expectCompiled((x: Tensor) => x.argmin({ axis: 1 }), int32([-4, -4, -5, -4]).reshape(1, 4)))
})

describe('equal equations', () => {
  test('infinities of both signs are different parameters', () =>
    expectCompiled((x: Tensor) => np.nanToNum(x), np.array([-Infinity, Infinity, NaN, 1])))
})

describe('memory', () => {
  test('a scatter whose operand is also its update copies it first', () =>
    expectCompiled(
      (x: Tensor) => {
        const y = x.reshape(2, 2).matmul(x.reshape(2, 2)).ravel()
        return y.addAt([int32([1, 2, 3, 0])], y).mul(2)
      },
      np.array([1, 2, 3, 4]),
    ))
})

describe('arrays without elements', () => {
  test('a concatenation of nothing', () =>
    expectCompiled((x: Tensor) => [np.concatenate([x, x]).neg(), x.sum().add(1)], np.zeros([0, 4])))
})

/** Programs that were compiled wrongly once, as small as they get. */
import { type Tensor, grad } from '@cotangent/core'
import { np } from '@cotangent/ops'
import { describe, test } from 'vitest'
import { expectClose, expectCompiled } from './support.ts'

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

describe('memory of elements of another width', () => {
  test('six int32 are no place for three float64', () =>
    expectCompiled(
      (x: Tensor) => {
        const order = x.argsort({ axis: 0 }).ravel()
        return order.at('0:3').astype('float64').add(0.5).cumsum()
      },
      np.array([3, 1, 2, 2, 1, 3]).reshape(3, 2),
    ))
})

describe('arrays without elements', () => {
  test('a concatenation of nothing', () =>
    expectCompiled((x: Tensor) => [np.concatenate([x, x]).neg(), x.sum().add(1)], np.zeros([0, 4])))
})

test('the gradient of sorting nothing', () =>
  expectClose(grad((x: Tensor) => x.sort({ axis: 0 }).sum())(np.zeros([0, 4])), np.zeros([0, 4])))

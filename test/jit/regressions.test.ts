/** Programs that were compiled wrongly once, as small as they get. */
import { type Tensor, TracerError, grad, interpret } from '@cotangent/core'
import { jit } from '@cotangent/jit'
import { np } from '@cotangent/ops'
import { describe, expect, test } from 'vitest'
import { expectClose, expectCompiled } from './support.ts'

const int32 = (values: readonly number[]): Tensor => np.array(values).astype('int32')

describe('kernels', () => {
  test('a running int32 choice wraps: argmin of negative integers', () =>
    expectCompiled((x: Tensor) => x.argmin({ axis: 1 }), int32([-4, -4, -5, -4]).reshape(1, 4)))
})

describe('reads at several indices', () => {
  test.each([1, 4, 37])('%i positions, one tensor of them for each axis', (n) => {
    const x = np.arange(12 * 7 * 5).reshape(12, 7, 5)
    const at = (extent: number, step: number): Tensor =>
      int32(Array.from({ length: n }, (_, i) => ((i * step) % (2 * extent)) - extent))
    expectCompiled((x: Tensor, i: Tensor, j: Tensor) => x.at(i, j), x, at(12, 5), at(7, 3))
    expectCompiled(
      (x: Tensor, i: Tensor, j: Tensor, k: Tensor) => x.at(i, j, k).mul(2),
      x,
      at(12, 5),
      at(7, 3),
      at(5, 2),
    )
  })
})

describe('functions of half floats', () => {
  test.each(['float16', 'bfloat16'] as const)(
    '%s: are arithmetic in every stage of rows',
    (dtype) => {
      const x = np
        .linspace(-4, 4, 6 * 67)
        .reshape(6, 67)
        .astype(dtype)
      const f = (x: Tensor): Tensor => {
        const e = np.exp(x.sub(x.max({ axis: 1, keepdims: true })))
        return e.div(e.sum({ axis: 1, keepdims: true }))
      }
      // A rounding of float32 may make another half of it.
      for (const backend of ['js', 'wasm'] as const)
        expectClose(jit(f, { backend })(x), interpret(f)(x), 2 ** -9)
      // A call by this name would be one of JavaScript, for each element.
      expect(jit(f, { backend: 'wasm' }).lower(x).source).not.toMatch(/\bexp\(/)
    },
  )
})

describe('compile time', () => {
  test('what all lanes share is looked at once, however often it is used', () => {
    const constant = (): Tensor => np.full([3, 4], 2).astype('int32').astype('float32')
    // Each sine uses its argument several times: the third would never come to an end.
    expectCompiled((x: Tensor) => [x.add(1), np.sin(np.sin(np.sin(constant())))], np.ones([2]))
  })
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

describe('tensors that share elements keep them when one is donated', () => {
  const grow = jit((x: Tensor) => x.add(1), { donate: [0] })
  const make = (): Tensor => np.array([1, 2, 3])
  const kept = (x: Tensor): void => expect(x.toArray()).toEqual([1, 2, 3])
  test('an input that a function returns', () => {
    const x = make()
    expectClose(grow(jit((y: Tensor) => y)(x)), np.array([2, 3, 4]))
    kept(x)
    expectClose(grow(x), np.array([2, 3, 4]))
  })
  test('a constant that it returns, and one that it reads', () => {
    const c = make()
    const constant = jit((y: Tensor) => [c, c.mul(y)])
    const [first] = constant(np.ones([]))
    grow(first!)
    kept(c)
    grow(c)
    const [again, product] = constant(np.ones([]))
    kept(again!)
    kept(product!)
  })
  test('one result returned twice', () => {
    const [a, b] = jit((y: Tensor) => [y.mul(1), y.mul(1)])(make())
    grow(a!)
    kept(b!)
  })
  test('another shape of a tensor', () => {
    const x = make()
    grow(x.reshape(3, 1))
    kept(x)
    const y = interpret((z: Tensor) => z.reshape(3, 1))(x)
    grow(x)
    kept(y.ravel())
  })
  test('one tensor passed twice is refused, whichever of the two is donated', () => {
    const x = make()
    const add = (a: Tensor, b: Tensor): Tensor => a.add(b)
    expect(() => jit(add, { donate: [0] })(x, x)).toThrow(TracerError)
    expect(() => jit(add, { donate: [1] })(x, x)).toThrow(TracerError)
    kept(x)
  })
})

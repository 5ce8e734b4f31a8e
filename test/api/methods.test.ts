import { np, type Tensor, tensor } from 'cotangent'
import { describe, expect, test } from 'vitest'
import { expectClose } from './support.ts'

const x = tensor([
  [1, 2, 3],
  [4, 5, 6],
])

describe('methods mirror functions', () => {
  const same: readonly (readonly [string, Tensor, Tensor])[] = [
    ['add', x.add(2), np.add(x, 2)],
    ['sub', x.sub(2), np.subtract(x, 2)],
    ['mul', x.mul(2), np.multiply(x, 2)],
    ['div', x.div(2), np.divide(x, 2)],
    ['pow', x.pow(2), np.power(x, 2)],
    ['neg', x.neg(), np.negative(x)],
    ['abs', x.neg().abs(), np.abs(np.negative(x))],
    ['exp', x.exp(), np.exp(x)],
    ['log', x.log(), np.log(x)],
    ['sqrt', x.sqrt(), np.sqrt(x)],
    ['sin', x.sin(), np.sin(x)],
    ['cos', x.cos(), np.cos(x)],
    ['tanh', x.tanh(), np.tanh(x)],
    ['matmul', x.matmul(x.T), np.matmul(x, x.T)],
    ['dot', x.dot(x.T), np.dot(x, x.T)],
    ['sum', x.sum(), np.sum(x)],
    ['sum of an axis', x.sum(0), np.sum(x, 0)],
    ['sum kept', x.sum({ axis: 1, keepdims: true }), np.sum(x, { axis: 1, keepdims: true })],
    ['mean', x.mean(), np.mean(x)],
    ['max', x.max(-1), np.max(x, -1)],
    ['min', x.min([0, 1]), np.min(x, [0, 1])],
    ['prod', x.prod(), np.prod(x)],
    ['std', x.std(), np.std(x)],
    ['var', x.var(), np.var(x)],
    ['argmax', x.argmax(1), np.argmax(x, 1)],
    ['argmin', x.argmin(), np.argmin(x)],
    ['any', x.greater(5).any(), np.any(np.greater(x, 5))],
    ['all', x.greater(5).all(), np.all(np.greater(x, 5))],
    ['cumsum', x.cumsum(1), np.cumsum(x, 1)],
    ['reshape', x.reshape([3, 2]), np.reshape(x, [3, 2])],
    ['reshape with -1', x.reshape([-1]), np.ravel(x)],
    ['cumprod', x.cumprod(0), np.cumprod(x, 0)],
    ['ptp', x.ptp(1), np.ptp(x, 1)],
    ['expm1', x.expm1(), np.expm1(x)],
    ['log1p', x.log1p(), np.log1p(x)],
    ['tan', x.tan(), np.tan(x)],
    ['reciprocal', x.reciprocal(), np.reciprocal(x)],
    ['diagonal', x.diagonal(), np.diagonal(x)],
    ['trace', x.trace(), np.trace(x)],
    ['repeat', x.repeat(2, 1), np.repeat(x, 2, 1)],
    ['take', x.take([2, 0], 1), np.take(x, [2, 0], 1)],
    ['ravel', x.ravel(), np.ravel(x)],
    ['flatten', x.flatten(), np.ravel(x)],
    ['transpose', x.transpose(), np.transpose(x)],
    ['transpose of axes', x.transpose([1, 0]), np.transpose(x, [1, 0])],
    ['T', x.T, np.transpose(x)],
    ['squeeze', x.reshape([1, 2, 3]).squeeze(), x],
    ['swapaxes', x.swapaxes(0, 1), np.swapaxes(x, 0, 1)],
    ['astype', x.astype('int32'), np.array(x, { dtype: 'int32' })],
    ['equal', x.equal(2), np.equal(x, 2)],
    ['notEqual', x.notEqual(2), np.notEqual(x, 2)],
    ['less', x.less(2), np.less(x, 2)],
    ['lessEqual', x.lessEqual(2), np.lessEqual(x, 2)],
    ['greater', x.greater(2), np.greater(x, 2)],
    ['greaterEqual', x.greaterEqual(2), np.greaterEqual(x, 2)],
    ['where', x.where(x.greater(2), 0), np.where(np.greater(x, 2), x, 0)],
    ['clip', x.clip(2, 5), np.clip(x, 2, 5)],
    ['round', x.div(3).round(), np.round(np.divide(x, 3))],
    ['sort', x.neg().sort(), np.sort(np.negative(x))],
    ['argsort', x.neg().argsort(), np.argsort(np.negative(x))],
    ['maximum', x.maximum(3), np.maximum(x, 3)],
    ['minimum', x.minimum(3), np.minimum(x, 3)],
    ['mod', x.mod(4), np.mod(x, 4)],
  ]
  test.each(same)('%s', (_, method, f) => {
    expect(method.shape).toEqual(f.shape)
    expect(method.dtype).toBe(f.dtype)
    expect(method.toArray()).toEqual(f.toArray())
  })
})

describe('operands', () => {
  test('may be a number, a boolean, a nested array', () => {
    expect(x.add(1).toArray()).toEqual([
      [2, 3, 4],
      [5, 6, 7],
    ])
    expect(x.mul(true).toArray()).toEqual(x.toArray())
    expect(x.add([10, 20, 30]).toArray()).toEqual([
      [11, 22, 33],
      [14, 25, 36],
    ])
    expect(x.sub([[1], [2]]).toArray()).toEqual([
      [0, 1, 2],
      [2, 3, 4],
    ])
    expect(x.equal([1, 5, 6]).toArray()).toEqual([
      [true, false, false],
      [false, true, true],
    ])
    expect(x.matmul([[1], [1], [1]]).toArray()).toEqual([[6], [15]])
    expect(np.add([1, 2], 3).toArray()).toEqual([4, 5])
    expect(np.sin(0).item()).toBe(0)
  })

  test('broadcast as in NumPy', () => {
    expect(tensor([[1], [2]]).add(tensor([10, 20, 30])).shape).toEqual([2, 3])
    expect(np.ones([5, 1, 3]).mul(np.ones([4, 1])).shape).toEqual([5, 4, 3])
    expect(np.zeros([0, 3]).add(1).shape).toEqual([0, 3])
  })

  test('divide and take remainders as JAX does', () => {
    const i = tensor([7, -7], { dtype: 'int32' })
    expect(i.div(2).dtype).toBe('float32')
    expect(i.div(2).toArray()).toEqual([3.5, -3.5])
    expect(np.floorDivide(i, 2).toArray()).toEqual([3, -4])
    expect(i.mod(4).toArray()).toEqual([3, 1])
    expect(i.mod(-4).toArray()).toEqual([-1, -3])
    expect(np.floorDivide(i, 0).dtype).toBe('int32')
  })

  test('sums of integers stay integers, means become floats', () => {
    const i = np.arange(5)
    expect(i.sum().dtype).toBe('int32')
    expect(i.mean().dtype).toBe('float32')
    expect(i.greater(2).sum().dtype).toBe('int32')
    expect(i.argmax().dtype).toBe('int32')
    expectClose(i.mean(), 2)
  })

  test('a sum of ten million values of 0.1 does not drift', () => {
    const n = 10_000_000
    const total = Number(np.full([n], 0.1).sum().item())
    expect(Math.abs(total / (n * Math.fround(0.1)) - 1)).toBeLessThan(1e-6)
  })

  test('matmul of vectors, matrices and batches', () => {
    expect(
      tensor([1, 2])
        .matmul(tensor([3, 4]))
        .item(),
    ).toBe(11)
    expect(np.ones([5, 2, 3]).matmul(np.ones([3, 4])).shape).toEqual([5, 2, 4])
    expect(np.ones([2, 3]).matmul(np.ones([3])).shape).toEqual([2])
  })
})

import {
  cond,
  foriLoop,
  grad,
  hessian,
  jit,
  jvp,
  np,
  scan,
  type Tensor,
  tensor,
  vmap,
} from 'cotangent'
import { describe, expect, test } from 'vitest'
import { expectClose } from './support.ts'

const x = np.arange(24).reshape([2, 3, 4])

describe('at reads', () => {
  test('an integer, from the front and the back', () => {
    expect(x.at(1).shape).toEqual([3, 4])
    expect(x.at(1, 2, 3).item()).toBe(23)
    expect(x.at(-1, -1, -1).item()).toBe(23)
    expect(x.at(0, 1).toArray()).toEqual([4, 5, 6, 7])
  })

  test('slices with start, stop and step', () => {
    expect(x.at(':', 0, 0).toArray()).toEqual([0, 12])
    expect(x.at(0, 0, '1:3').toArray()).toEqual([1, 2])
    expect(x.at(0, 0, '::2').toArray()).toEqual([0, 2])
    expect(x.at(0, 0, '::-1').toArray()).toEqual([3, 2, 1, 0])
    expect(x.at(0, 0, '-2:').toArray()).toEqual([2, 3])
    expect(x.at(0, 0, ':-1').toArray()).toEqual([0, 1, 2])
    expect(x.at(0, 0, '3:0:-2').toArray()).toEqual([3, 1])
    expect(x.at(0, 0, '2:100').toArray()).toEqual([2, 3])
    expect(x.at(0, 0, '3:1').shape).toEqual([0])
  })

  test('new axes and the ellipsis', () => {
    expect(x.at(null).shape).toEqual([1, 2, 3, 4])
    expect(x.at(':', null, 0).shape).toEqual([2, 1, 4])
    expect(x.at('...', 0).shape).toEqual([2, 3])
    expect(x.at(0, '...', 1).toArray()).toEqual([1, 5, 9])
    expect(x.at('...').shape).toEqual([2, 3, 4])
    expect(x.at().shape).toEqual([2, 3, 4])
  })

  test('arrays and tensors of integers', () => {
    expect(x.at(tensor([1, 0], { dtype: 'int32' })).shape).toEqual([2, 3, 4])
    expect(x.at(0, [2, 0]).toArray()).toEqual([
      [8, 9, 10, 11],
      [0, 1, 2, 3],
    ])
    expect(x.at([0, 1], [1, 2]).toArray()).toEqual([
      [4, 5, 6, 7],
      [20, 21, 22, 23],
    ])
    expect(x.at([[0], [1]], [0, 2], 0).toArray()).toEqual([
      [0, 8],
      [12, 20],
    ])
    // Advanced indices apart from each other put their axes first, NumPy's rule.
    expect(x.at([0, 1], ':', [0, 3]).shape).toEqual([2, 3])
    expect(np.zeros([2, 3, 4, 5]).at([0, 1, 1], ':', [0, 1, 2]).shape).toEqual([3, 3, 5])
    expect(np.zeros([2, 3, 4, 5]).at(':', [0, 1, 1], [0, 1, 2]).shape).toEqual([2, 3, 5])
    expect(x.at(0, 0, [-1, -2]).toArray()).toEqual([3, 2])
  })

  test('masks, where the shape does not depend on a traced value', () => {
    const v = tensor([1, -2, 3])
    expect(v.at(v.greater(0)).toArray()).toEqual([1, 3])
    expect(v.at([true, false, true]).toArray()).toEqual([1, 3])
    expect(() => jit((t: Tensor) => t.at(t.greater(0)))(v)).toThrow(/where/)
  })

  test('reads out of bounds are clamped', () => {
    expect(
      tensor([1, 2, 3])
        .at(tensor([5, -7], { dtype: 'int32' }))
        .toArray(),
    ).toEqual([3, 1])
  })

  test('refuses what is no index', () => {
    expect(() => x.at(0, 0, 0, 0)).toThrow(/IndexError|too many|at most|axes/i)
    expect(() => x.at('...', '...')).toThrow()
    expect(() => x.at('a:b')).toThrow()
    expect(() => x.at('::0')).toThrow(/step|zero|0/)
    expect(() => x.at(tensor([0.5]))).toThrow()
    expect(() => x.at(0.5)).toThrow()
    expect(() => x.at(NaN)).toThrow()
  })
})

describe('set and its kin write a new tensor', () => {
  const z = np.zeros([3, 3])
  test('set', () => {
    expect(z.set([0, 1], 5).toArray()).toEqual([
      [0, 5, 0],
      [0, 0, 0],
      [0, 0, 0],
    ])
    expect(z.sum().item()).toBe(0)
    expect(z.set([':', 0], [1, 2, 3]).toArray()).toEqual([
      [1, 0, 0],
      [2, 0, 0],
      [3, 0, 0],
    ])
    expect(z.set(['::2'], 1).toArray()).toEqual([
      [1, 1, 1],
      [0, 0, 0],
      [1, 1, 1],
    ])
    expect(z.set([-1, '...'], 2).at(2).toArray()).toEqual([2, 2, 2])
    expect(
      z
        .set(
          [
            [0, 1],
            [1, 2],
          ],
          [7, 8],
        )
        .toArray(),
    ).toEqual([
      [0, 7, 0],
      [0, 0, 8],
      [0, 0, 0],
    ])
    expect(z.set(['...'], 1).sum().item()).toBe(9)
  })

  test('set by a mask', () => {
    const v = tensor([1, -2, 3])
    expect(v.set([v.less(0)], 0).toArray()).toEqual([1, 0, 3])
    expect(jit((t: Tensor) => t.set([t.less(0)], 0))(v).toArray()).toEqual([1, 0, 3])
  })

  test('addAt adds once for every repeat of an index', () => {
    expect(
      np
        .zeros([3])
        .addAt([[0, 0, 2]], 1)
        .toArray(),
    ).toEqual([2, 0, 1])
    expect(
      np
        .zeros([3])
        .addAt([tensor([1, 1], { dtype: 'int32' })], [3, 4])
        .toArray(),
    ).toEqual([0, 7, 0])
  })

  test('mulAt, minAt, maxAt', () => {
    const v = tensor([1, 2, 3])
    expect(v.mulAt([[0, 2]], 10).toArray()).toEqual([10, 2, 30])
    expect(v.minAt(['1:'], 2).toArray()).toEqual([1, 2, 2])
    expect(v.maxAt([0], 9).toArray()).toEqual([9, 2, 3])
  })

  test('drops writes that are out of bounds and keeps the dtype', () => {
    expect(
      tensor([1, 2])
        .set([tensor([9], { dtype: 'int32' })], 5)
        .toArray(),
    ).toEqual([1, 2])
    expect(np.arange(3).set([0], 2.7).dtype).toBe('int32')
    expect(() => np.zeros([3]).set(['0:2'], [1, 2, 3])).toThrow(/set|broadcast|shape/i)
  })
})

describe('indexing inside transforms', () => {
  const v = tensor([1, 2, 3, 4])
  const i = tensor([3, 0, 3], { dtype: 'int32' })

  test('grad of at, set and addAt', () => {
    expect(grad((t: Tensor) => t.at('::2').sum())(v).toArray()).toEqual([1, 0, 1, 0])
    expect(grad((t: Tensor) => t.at(i).mul([1, 2, 4]).sum())(v).toArray()).toEqual([2, 0, 0, 5])
    expect(grad((t: Tensor) => t.set([1], 0).sum())(v).toArray()).toEqual([1, 0, 1, 1])
    expect(grad((t: Tensor) => v.set(['1:3'], t).mul(v).sum())(tensor([0, 0])).toArray()).toEqual([
      2, 3,
    ])
    expect(grad((t: Tensor) => t.addAt([i], t.at('1:')).pow(2).sum())(v).shape).toEqual([4])
    expectClose(grad((t: Tensor) => t.mulAt([[0]], t.at(1)).sum())(v), [2, 2, 1, 1])
    expect(grad((t: Tensor) => t.maxAt([0], 9).sum())(v).toArray()).toEqual([0, 1, 1, 1])
  })

  test('vmap over the tensor, the index, both', () => {
    const m = np.arange(12).reshape([3, 4])
    expect(vmap((row: Tensor) => row.at(1))(m).toArray()).toEqual([1, 5, 9])
    expect(vmap((k: Tensor) => v.at(k))(i).toArray()).toEqual([4, 1, 4])
    expect(vmap((row: Tensor, k: Tensor) => row.at(k))(m, i).toArray()).toEqual([3, 4, 11])
    expect(vmap((row: Tensor, k: Tensor) => row.set([k], -1))(m, i).toArray()).toEqual([
      [0, 1, 2, -1],
      [-1, 5, 6, 7],
      [8, 9, 10, -1],
    ])
    expect(vmap((k: Tensor) => np.zeros([4]).addAt([k], 1))(i).toArray()).toEqual([
      [0, 0, 0, 1],
      [1, 0, 0, 0],
      [0, 0, 0, 1],
    ])
  })

  test('jit, scan, loops and branches with a traced index', () => {
    expect(jit((t: Tensor, k: Tensor) => t.at(k, null))(v, i).shape).toEqual([3, 1])
    const fill = foriLoop(0, 4, (k, t: Tensor) => t.set([k], t.at(k).mul(k)), v)
    expect(fill.toArray()).toEqual([0, 2, 6, 12])
    const [, picked] = scan((c: Tensor, k: Tensor) => [c, v.at(k)], tensor(0), i)
    expect(picked.toArray()).toEqual([4, 1, 4])
    expect(
      cond(
        true,
        (t: Tensor) => t.at(0),
        (t: Tensor) => t.at(1),
        v,
      ).item(),
    ).toBe(1)
  })

  test('jvp, hessian and compositions', () => {
    const f = (t: Tensor): Tensor => t.at(i).pow(2).sum()
    const [y, dy] = jvp(f, [v], [np.ones([4])])
    expect([y.item(), dy.item()]).toEqual([33, 18])
    expect(hessian(f)(v).toArray()).toEqual([
      [2, 0, 0, 0],
      [0, 0, 0, 0],
      [0, 0, 0, 0],
      [0, 0, 0, 4],
    ])
    expectClose(vmap(grad(jit(f)))(np.stack([v, v])).at(1), [2, 0, 0, 16])
  })

  test('iteration, printing of the shape and spreading work on tracers', () => {
    const f = (t: Tensor): Tensor => {
      const [a, b] = t
      return a!.mul(b!)
    }
    expect(grad(f)(tensor([3, 4])).toArray()).toEqual([4, 3])
    expect(jit((t: Tensor) => np.stack([...t].reverse()))(v).toArray()).toEqual([4, 3, 2, 1])
  })
})

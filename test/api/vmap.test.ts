import { grad, jit, lax, np, type Tensor, tensor, vmap } from 'cotangent'
import { describe, expect, test } from 'vitest'
import { expectClose } from './support.ts'

const m = np.arange(6).reshape([2, 3]).astype('float32')

describe('vmap', () => {
  test('maps the first axis of every argument', () => {
    expect(vmap((x: Tensor) => x.sum())(m).toArray()).toEqual([3, 12])
    expect(vmap((x: Tensor, y: Tensor) => x.dot(y))(m, m).toArray()).toEqual([5, 50])
  })

  test('inAxes: null is not mapped, negative counts from the back', () => {
    const dot = (x: Tensor, y: Tensor): Tensor => x.dot(y)
    expect(vmap(dot, { inAxes: [0, null] })(m, tensor([1, 1, 1])).toArray()).toEqual([3, 12])
    expect(vmap((x: Tensor) => x.sum(), { inAxes: 1 })(m).toArray()).toEqual([3, 5, 7])
    expect(vmap((x: Tensor) => x.sum(), { inAxes: -1 })(m).toArray()).toEqual([3, 5, 7])
    expect(vmap((x: Tensor) => x.sum(), { inAxes: [-1] })(m).toArray()).toEqual([3, 5, 7])
  })

  test('inAxes as trees, of a whole argument or of its leaves', () => {
    const f = (p: { a: Tensor; b: Tensor }, x: Tensor): Tensor => p.a.mul(x).add(p.b)
    const out = vmap(f, { inAxes: [{ a: 0, b: null }, 0] })(
      { a: tensor([1, 2]), b: tensor(10) },
      tensor([3, 4]),
    )
    expect(out.toArray()).toEqual([13, 18])
    expect(
      vmap(f, { inAxes: [null, 0] })({ a: tensor(1), b: tensor(2) }, tensor([3, 4])).toArray(),
    ).toEqual([5, 6])
  })

  test('outAxes: position, negative, trees, null', () => {
    expect(vmap((x: Tensor) => x.mul(2), { outAxes: 1 })(m).shape).toEqual([3, 2])
    expect(vmap((x: Tensor) => x.mul(2), { outAxes: -1 })(m).shape).toEqual([3, 2])
    const f = (x: Tensor): { a: Tensor; b: Tensor } => ({ a: x, b: x })
    const out = vmap(f, { outAxes: { a: 0, b: 1 } })(m)
    expect([out.a.shape, out.b.shape]).toEqual([
      [2, 3],
      [3, 2],
    ])
    expect(vmap((_x: Tensor) => tensor(7), { outAxes: null })(m).item()).toBe(7)
    expect(() => vmap((x: Tensor) => x.sum(), { outAxes: null })(m)).toThrow(/outAxes/)
  })

  test('what does not depend on the mapped argument is repeated', () => {
    expect(vmap((_x: Tensor) => tensor([1, 2]))(m).shape).toEqual([2, 2])
  })

  test('axisSize without a mapped argument', () => {
    expect(vmap(() => tensor(1), { axisSize: 4 })().shape).toEqual([4])
    expect(() => vmap((x: Tensor) => x, { axisSize: 4 })(m)).toThrow(/axisSize|4/)
  })

  test('refuses sizes that differ, axes that are not there, scalars', () => {
    const add = (x: Tensor, y: Tensor): Tensor => x.add(y)
    expect(() => vmap(add)(np.ones([2]), np.ones([3]))).toThrow(/vmap/)
    expect(() => vmap((x: Tensor) => x, { inAxes: 2 })(m)).toThrow(/vmap/)
    expect(() => vmap((x: Tensor) => x)(tensor(1))).toThrow(/vmap/)
    expect(() => vmap((x: Tensor) => x, { inAxes: null })(m)).toThrow(/vmap|mapped/)
    expect(() => vmap(add, { inAxes: [0] })(m, m)).toThrow(/inAxes/)
  })

  test('nested, each over its own axis', () => {
    const outer = vmap((x: Tensor) => vmap((y: Tensor) => x.mul(y))(tensor([1, 10])))(
      tensor([1, 2, 3]),
    )
    expect(outer.toArray()).toEqual([
      [1, 10],
      [2, 20],
      [3, 30],
    ])
  })

  test('a closure over what is not mapped', () => {
    const w = tensor([1, 2, 3])
    expect(vmap((x: Tensor) => x.dot(w))(m).toArray()).toEqual([8, 26])
  })

  test('per-example gradients', () => {
    const loss = (w: Tensor, x: Tensor): Tensor => w.dot(x).pow(2)
    const g = vmap(grad(loss), { inAxes: [null, 0] })(tensor([1, 1, 1]), m)
    expectClose(g, [
      [0, 6, 12],
      [72, 96, 120],
    ])
  })
})

describe('collectives inside a named vmap', () => {
  const v = tensor([1, 2, 3])
  test('psum, pmean, pmax, pmin', () => {
    const over = (f: (x: Tensor) => Tensor): unknown => vmap(f, { axisName: 'i' })(v).toArray()
    expect(over((x) => lax.psum(x, 'i'))).toEqual([6, 6, 6])
    expect(over((x) => lax.pmean(x, 'i'))).toEqual([2, 2, 2])
    expect(over((x) => lax.pmax(x, 'i'))).toEqual([3, 3, 3])
    expect(over((x) => lax.pmin(x, 'i'))).toEqual([1, 1, 1])
    expect(over((x) => x.div(lax.psum(x, 'i')))).toEqual([1 / 6, 1 / 3, 0.5].map(Math.fround))
  })

  test('allGather and axisIndex', () => {
    expect(vmap((x: Tensor) => lax.allGather(x, 'i'), { axisName: 'i' })(v).shape).toEqual([3, 3])
    expect(vmap((x: Tensor) => x.mul(lax.axisIndex('i')), { axisName: 'i' })(v).toArray()).toEqual([
      0, 2, 6,
    ])
  })

  test('of trees, and of numbers: the size of the axis', () => {
    const out = vmap((x: Tensor) => lax.psum({ a: x, n: tensor(1) }, 'i'), { axisName: 'i' })(v)
    expect([out.a.toArray(), out.n.toArray()]).toEqual([
      [6, 6, 6],
      [3, 3, 3],
    ])
  })

  test('two names at once', () => {
    const f = (x: Tensor): Tensor => lax.psum(lax.psum(x, 'inner'), 'outer')
    const g = vmap(vmap(f, { axisName: 'inner' }), { axisName: 'outer' })
    expect(g(m).toArray()).toEqual([
      [15, 15, 15],
      [15, 15, 15],
    ])
    const both = vmap(
      vmap((x: Tensor) => lax.psum(x, ['inner', 'outer']), { axisName: 'inner' }),
      { axisName: 'outer' },
    )
    expect(both(m).at(0, 0).item()).toBe(15)
  })

  test('differentiate and compile', () => {
    const f = (x: Tensor): Tensor =>
      vmap((y: Tensor) => y.sub(lax.pmean(y, 'i')).pow(2), { axisName: 'i' })(x).sum()
    expectClose(grad(f)(v), [-2, 0, 2])
    expectClose(jit(grad(f))(v), [-2, 0, 2])
  })

  test('an unknown axis name is named', () => {
    expect(() => vmap((x: Tensor) => lax.psum(x, 'nope'), { axisName: 'i' })(v)).toThrow(/nope/)
    expect(() => lax.psum(v, 'i')).toThrow(/\bi\b/)
  })
})

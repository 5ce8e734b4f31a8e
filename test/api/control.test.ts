import {
  cond,
  foriLoop,
  grad,
  jit,
  jvp,
  lax,
  np,
  scan,
  switchCase,
  type Tensor,
  tensor,
  vmap,
  whileLoop,
} from 'cotangent'
import { describe, expect, test } from 'vitest'
import { expectClose } from './support.ts'

const v = tensor([1, 2, 3])
const add = (c: Tensor, x: Tensor): readonly [Tensor, Tensor] => [c.add(x), c.mul(x)]

describe('scan', () => {
  test('gives the carry and the stacked outputs', () => {
    const [c, ys] = scan(add, tensor(10), v)
    expect(c.item()).toBe(16)
    expect(ys.toArray()).toEqual([10, 22, 39])
  })

  test('reverse, length only, unroll', () => {
    const [c, ys] = scan(add, tensor(10), v, { reverse: true })
    expect([c.item(), ys.toArray()]).toEqual([16, [15, 26, 30]])
    const [d, zs] = scan((x: Tensor) => [x.mul(2), x], tensor(1), null, { length: 4 })
    expect([d.item(), zs.toArray()]).toEqual([16, [1, 2, 4, 8]])
    for (const unroll of [1, 2, 3, 7]) {
      const [e, ws] = scan(add, tensor(10), v, { unroll })
      expect([e.item(), ws.toArray()]).toEqual([16, [10, 22, 39]])
    }
  })

  test('trees of carries, inputs and outputs; an output of null', () => {
    const [c, ys] = scan(
      (state: { n: Tensor; pair: readonly [Tensor, Tensor] }, x: { a: Tensor; b: Tensor }) => [
        { n: state.n.add(1), pair: [state.pair[1], state.pair[0].add(x.a)] as const },
        { sum: x.a.add(x.b) },
      ],
      { n: tensor(0), pair: [tensor(0), tensor(100)] as const },
      { a: v, b: v },
    )
    expect(c.n.item()).toBe(3)
    expect(c.pair.map((p) => p.item())).toEqual([102, 4])
    expect(ys.sum.toArray()).toEqual([2, 4, 6])
    const [last, none] = scan((s: Tensor, x: Tensor) => [s.add(x), null], tensor(0), v)
    expect([last.item(), none]).toEqual([6, null])
  })

  test('of no steps', () => {
    const [c, ys] = scan(add, tensor(10), np.zeros([0]))
    expect([c.item(), ys.shape]).toEqual([10, [0]])
  })

  test('a carry that starts as a number', () => {
    const [c] = scan((s: Tensor, x: Tensor) => [s.add(x), null], tensor(0), v)
    expect(c.dtype).toBe('float32')
  })

  test('derivatives agree with those of the unrolled loop', () => {
    const f = (x: Tensor): Tensor => {
      const [c, ys] = scan((s: Tensor, y: Tensor) => [s.mul(y).sin(), s], tensor(1), x)
      return c.add(ys.sum())
    }
    const loop = (x: Tensor): Tensor => {
      let s: Tensor = tensor(1)
      let total: Tensor = tensor(0)
      for (const y of x) {
        total = total.add(s)
        s = s.mul(y).sin()
      }
      return total.add(s)
    }
    expectClose(f(v), loop(v).toArray())
    expectClose(grad(f)(v), grad(loop)(v).toArray())
    expectClose(jit(grad(f))(v), grad(loop)(v).toArray())
    expectClose(jvp(f, [v], [np.ones([3])])[1], jvp(loop, [v], [np.ones([3])])[1].toArray())
    expectClose(vmap(grad(f))(np.stack([v, v.mul(2)])).at(1), grad(loop)(v.mul(2)).toArray())
  })

  test('refuses a body that changes the carry’s type or structure', () => {
    expect(() => scan((c: Tensor, x: Tensor) => [np.stack([c, x]), null], tensor(0), v)).toThrow(
      /scan.*carry/s,
    )
    // @ts-expect-error: the carry becomes another tree
    expect(() => scan((c: Tensor) => [{ c }, null], tensor(0), v)).toThrow(/scan/)
    expect(() => scan(add, tensor(0), v, { length: 5 })).toThrow(/length/)
    expect(() => scan((c: Tensor) => [c, null], tensor(0), null)).toThrow(/length/)
    expect(() =>
      scan((c: Tensor, x: { a: Tensor; b: Tensor }) => [c.add(x.a), null], tensor(0), {
        a: v,
        b: np.ones([2]),
      }),
    ).toThrow(/scan/)
    expect(() => scan(add, tensor(0), tensor(1))).toThrow(/scan/)
    // @ts-expect-error: a body must give a pair
    expect(() => scan((c: Tensor) => c, tensor(0), v)).toThrow(/scan/)
  })
})

describe('whileLoop and foriLoop', () => {
  test('whileLoop', () => {
    expect(
      whileLoop(
        (x: Tensor) => x.less(100),
        (x: Tensor) => x.mul(2),
        tensor(1),
      ).item(),
    ).toBe(128)
    const [n, x] = whileLoop(
      ([, y]: readonly [Tensor, Tensor]) => y.greater(1),
      ([k, y]: readonly [Tensor, Tensor]) => [k.add(1), y.div(2)] as const,
      [tensor(0), tensor(10)] as const,
    )
    expect([n.item(), x.item()]).toEqual([4, 0.625])
  })

  test('whileLoop compiles, batches, and pushes tangents', () => {
    const f = (x: Tensor): Tensor =>
      whileLoop(
        (y: Tensor) => y.less(100),
        (y: Tensor) => y.mul(2),
        x,
      )
    expect(jit(f)(tensor(3)).item()).toBe(192)
    expect(vmap(f)(tensor([1, 3, 200])).toArray()).toEqual([128, 192, 200])
    expect(jit(vmap(f))(tensor([1, 3, 200])).toArray()).toEqual([128, 192, 200])
    expect(jvp(f, [tensor(3)], [tensor(1)])[1].item()).toBe(64)
  })

  test('reverse mode of whileLoop is refused with the way out', () => {
    const f = (x: Tensor): Tensor =>
      whileLoop(
        (y: Tensor) => y.less(100),
        (y: Tensor) => y.mul(2),
        x,
      )
    expect(() => grad(f)(tensor(3))).toThrow(/scan|foriLoop/)
  })

  test('foriLoop', () => {
    expect(foriLoop(0, 5, (i, x: Tensor) => x.add(i), tensor(0)).item()).toBe(10)
    expect(foriLoop(2, 2, (i, x: Tensor) => x.add(i), tensor(7)).item()).toBe(7)
    expect(foriLoop(5, 2, (i, x: Tensor) => x.add(i), tensor(7)).item()).toBe(7)
    expect(
      grad((x: Tensor) => foriLoop(0, 3, (_, y: Tensor) => y.mul(x), tensor(1)))(tensor(2)).item(),
    ).toBe(12)
    const f = jit((n: Tensor) => foriLoop(0, n, (i, x: Tensor) => x.add(i), tensor(0)))
    expect(f(tensor(4, { dtype: 'int32' })).item()).toBe(6)
    expect(f(tensor(5, { dtype: 'int32' })).item()).toBe(10)
    expect(f.cacheSize).toBe(1)
  })
})

describe('cond and switchCase', () => {
  test('cond takes one branch', () => {
    const f = (p: boolean | Tensor, x: Tensor): Tensor =>
      cond(
        p,
        (y: Tensor) => y.mul(2),
        (y: Tensor) => y.neg(),
        x,
      )
    expect(f(true, v).toArray()).toEqual([2, 4, 6])
    expect(f(tensor(false), v).toArray()).toEqual([-1, -2, -3])
    expect(jit(f)(tensor(true), v).toArray()).toEqual([2, 4, 6])
    expect(vmap(f)(tensor([true, false, true]), v).toArray()).toEqual([2, -2, 6])
    expect(grad((x: Tensor) => f(tensor(false), x).sum())(v).toArray()).toEqual([-1, -1, -1])
    expect(jit(vmap(grad((x: Tensor) => f(x.greater(1.5), x))))(v).toArray()).toEqual([-1, 2, 2])
  })

  test('several operands, trees, none', () => {
    const out = cond(
      tensor(true),
      (a: Tensor, b: { c: Tensor }) => ({ s: a.add(b.c) }),
      (a: Tensor) => ({ s: a }),
      tensor(1),
      { c: tensor(2) },
    )
    expect(out.s.item()).toBe(3)
    expect(
      cond(
        true,
        () => tensor(1),
        () => tensor(2),
      ).item(),
    ).toBe(1)
  })

  test('switchCase clamps its index', () => {
    const branches = [(x: Tensor) => x, (x: Tensor) => x.mul(10), (x: Tensor) => x.mul(100)]
    const f = (i: Tensor): Tensor => switchCase(i, branches, tensor(3))
    const at = (i: number): Tensor => tensor(i, { dtype: 'int32' })
    expect([-1, 0, 1, 2, 9].map((i) => f(at(i)).item())).toEqual([3, 3, 30, 300, 300])
    expect([-1, 0, 1, 2, 9].map((i) => jit(f)(at(i)).item())).toEqual([3, 3, 30, 300, 300])
    expect(vmap(f)(tensor([0, 1, 2], { dtype: 'int32' })).toArray()).toEqual([3, 30, 300])
    expect(switchCase(1, branches, tensor(3)).item()).toBe(30)
  })

  test('refuses branches that differ, and predicates that are no boolean scalars', () => {
    expect(() =>
      cond(
        tensor(true),
        (x: Tensor) => x,
        (x: Tensor) => x.sum(),
        v,
      ),
    ).toThrow(/cond/)
    expect(() =>
      cond(
        tensor([true, false]),
        (x: Tensor) => x,
        (x: Tensor) => x,
        v,
      ),
    ).toThrow(/cond/)
    expect(() => switchCase(0, [], v)).toThrow(/switch/)
  })
})

describe('lax.map and lax.associativeScan', () => {
  test('map applies one at a time and stacks', () => {
    expect(lax.map((x: Tensor) => x.mul(x), v).toArray()).toEqual([1, 4, 9])
    const out = lax.map((p: { a: Tensor; b: Tensor }) => ({ c: p.a.add(p.b) }), { a: v, b: v })
    expect(out.c.toArray()).toEqual([2, 4, 6])
    expect(grad((x: Tensor) => lax.map((y: Tensor) => y.mul(y), x).sum())(v).toArray()).toEqual([
      2, 4, 6,
    ])
  })

  test('associativeScan is the running total', () => {
    const plus = (a: Tensor, b: Tensor): Tensor => a.add(b)
    expect(lax.associativeScan(plus, v).toArray()).toEqual([1, 3, 6])
    expect(lax.associativeScan(plus, v, { reverse: true }).toArray()).toEqual([6, 5, 3])
    expect(
      lax
        .associativeScan(plus, np.ones([2, 5]), { axis: 1 })
        .at(0)
        .toArray(),
    ).toEqual([1, 2, 3, 4, 5])
    expect(
      jit((x: Tensor) => lax.associativeScan((a: Tensor, b: Tensor) => a.mul(b), x))(v).toArray(),
    ).toEqual([1, 2, 6])
    expectClose(grad((x: Tensor) => lax.associativeScan(plus, x).sum())(v), [3, 2, 1])
  })
})

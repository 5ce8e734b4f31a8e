import {
  checkpoint,
  clipGradient,
  customJvp,
  customVjp,
  grad,
  hessian,
  jacfwd,
  jacrev,
  jit,
  jvp,
  linearize,
  linearTranspose,
  np,
  scan,
  stopGradient,
  type Tensor,
  tensor,
  tree,
  valueAndGrad,
  vjp,
  vmap,
} from 'cotangent'
import { describe, expect, test } from 'vitest'
import { expectClose } from './support.ts'

const square = (x: Tensor): Tensor => x.mul(x)
const v = tensor([1, 2, 3])

describe('grad', () => {
  test('of a scalar function', () => {
    expect(grad(square)(tensor(3)).item()).toBe(6)
    expect(grad((x: Tensor) => square(x).sum())(v).toArray()).toEqual([2, 4, 6])
    expect(grad(grad(grad((x: Tensor) => x.pow(4))))(tensor(2)).item()).toBeCloseTo(48)
  })

  test('gives the tree of the argument, frozen', () => {
    const params = { w: v, deep: { b: tensor(1), none: null }, list: [tensor(2)] }
    const g = grad((p: typeof params, x: Tensor) => p.w.mul(x).sum().add(p.deep.b).mul(p.list[0]!))(
      params,
      tensor([1, 1, 1]),
    )
    expect(g.w.toArray()).toEqual([2, 2, 2])
    expect(g.deep.b.item()).toBe(2)
    expect(g.deep.none).toBe(null)
    expect(g.list[0]!.item()).toBe(7)
    expect(Object.isFrozen(g)).toBe(true)
    expect(Object.isFrozen(g.deep)).toBe(true)
  })

  test('argnums: one, several, negative', () => {
    const f = (a: Tensor, b: Tensor): Tensor => a.mul(b)
    expect(grad(f, { argnums: 1 })(tensor(3), tensor(5)).item()).toBe(3)
    const both = grad(f, { argnums: [0, 1] })(tensor(3), tensor(5))
    expect(both.map((g) => g.item())).toEqual([5, 3])
    expect(grad(f, { argnums: -1 })(tensor(3), tensor(5)).item()).toBe(3)
    expect(() => grad(f, { argnums: 2 })(tensor(3), tensor(5))).toThrow(/argnums/)
  })

  test('hasAux', () => {
    const f = (x: Tensor): readonly [Tensor, { y: Tensor }] => [square(x), { y: x.add(1) }]
    const [g, aux] = grad(f, { hasAux: true })(tensor(3))
    expect(g.item()).toBe(6)
    expect(aux.y.item()).toBe(4)
    const [[value, aux2], g2] = valueAndGrad(f, { hasAux: true })(tensor(3))
    expect([value.item(), aux2.y.item(), g2.item()]).toEqual([9, 4, 6])
  })

  test('valueAndGrad', () => {
    const [y, g] = valueAndGrad(square)(tensor(3))
    expect([y.item(), g.item()]).toEqual([9, 6])
    const [, gs] = valueAndGrad((a: Tensor, b: Tensor) => a.mul(b), { argnums: [0, 1] })(
      tensor(3),
      tensor(5),
    )
    expect(gs.map((g3) => g3.item())).toEqual([5, 3])
  })

  test('numbers are leaves too', () => {
    expect(Number(grad((x: Tensor | number) => np.sin(x))(0).item())).toBe(1)
  })

  test('refuses a function that does not give one float', () => {
    expect(() => grad((x: Tensor) => x.mul(2))(v)).toThrow(/scalar/)
    expect(() => grad((x: Tensor) => x.sum().astype('int32'))(v)).toThrow(/grad/)
    expect(() => grad((x: Tensor) => x.sum())(np.arange(3))).toThrow(/int32/)
  })

  test('of a constant is zero, in the right shape and dtype', () => {
    const g = grad((_x: Tensor) => tensor(1))(np.ones([2, 3], { dtype: 'float16' }))
    expect(g.shape).toEqual([2, 3])
    expect(g.dtype).toBe('float16')
    expect(g.sum().item()).toBe(0)
  })

  test('an `if` on a concrete value works outside jit', () => {
    const f = (x: Tensor): Tensor => (Number(x.item()) > 0 ? x.mul(2) : x.mul(-3))
    expect(grad(f)(tensor(1)).item()).toBe(2)
    expect(grad(f)(tensor(-1)).item()).toBe(-3)
  })

  test('does not confuse perturbations', () => {
    const f = (x: Tensor): Tensor => x.mul(grad((y: Tensor) => x.add(y))(tensor(1)))
    expect(grad(f)(tensor(5)).item()).toBe(1)
    const g = (x: Tensor): Tensor =>
      x.mul(jvp((y: Tensor) => x.mul(y), [tensor(1)], [tensor(1)])[1])
    expect(grad(g)(tensor(5)).item()).toBe(10)
  })
})

describe('jvp, vjp, linearize, linearTranspose', () => {
  test('jvp', () => {
    const [y, dy] = jvp(
      (a: Tensor, b: Tensor) => a.mul(b),
      [tensor(3), tensor(5)],
      [tensor(1), tensor(2)],
    )
    expect([y.item(), dy.item()]).toEqual([15, 11])
    expect(() => jvp(square, [v], [tensor([1, 2])])).toThrow(/jvp/)
    // @ts-expect-error: a tangent is missing
    expect(() => jvp(square, [v], [])).toThrow(/jvp/)
  })

  test('jvp of trees', () => {
    const [out, dot] = jvp(
      (p: { a: Tensor }) => ({ b: square(p.a) }),
      [{ a: tensor(3) }],
      [{ a: tensor(1) }],
    )
    expect([out.b.item(), dot.b.item()]).toEqual([9, 6])
  })

  test('vjp gives an array of cotangents', () => {
    const [y, pullback] = vjp((a: Tensor, b: Tensor) => a.mul(b), tensor(3), tensor(5))
    expect(y.item()).toBe(15)
    const cotangents = pullback(tensor(1))
    expect(Array.isArray(cotangents)).toBe(true)
    expect(cotangents.map((c) => c.item())).toEqual([5, 3])
    expect(pullback(tensor(10)).map((c) => c.item())).toEqual([50, 30])
    expect(() => pullback(tensor([1, 2]))).toThrow(/vjp|pullback|cotangent/)
  })

  test('linearize', () => {
    const [y, push] = linearize((x: Tensor) => x.sin(), v)
    expectClose(y, [1, 2, 3].map(Math.sin))
    expectClose(push(np.ones([3])), [1, 2, 3].map(Math.cos))
    expectClose(push(np.zeros([3])), [0, 0, 0])
  })

  test('linearTranspose', () => {
    const m = tensor([
      [1, 2, 3],
      [4, 5, 6],
    ])
    const transposed = linearTranspose((x: Tensor) => m.matmul(x), v)
    const [ct] = transposed(tensor([1, 10]))
    expect(ct!.toArray()).toEqual([41, 52, 63])
    expect(() => linearTranspose((x: Tensor) => x.sin(), v)(v)).toThrow(/linear/)
  })
})

describe('jacobians', () => {
  const f = (x: Tensor): Tensor => np.stack([x.sum(), x.prod()])
  test('not square, both ways', () => {
    const wanted = [
      [1, 1, 1],
      [6, 3, 2],
    ]
    expectClose(jacfwd(f)(v), wanted)
    expectClose(jacrev(f)(v), wanted)
  })

  test('of trees', () => {
    const j = jacrev((p: { a: Tensor; b: Tensor }) => ({ y: p.a.mul(p.b) }))({ a: v, b: tensor(2) })
    expect(j.y.a.shape).toEqual([3, 3])
    expect(j.y.b.toArray()).toEqual([1, 2, 3])
  })

  test('hessian, mixed blocks', () => {
    expectClose(hessian((x: Tensor) => x.prod())(v), [
      [0, 3, 2],
      [3, 0, 1],
      [2, 1, 0],
    ])
    const h = hessian((p: { a: Tensor; b: Tensor }) => p.a.mul(p.b).sum())({ a: v, b: v })
    expect(h.a.b.toArray()).toEqual([
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ])
    expect(h.a.a.sum().item()).toBe(0)
  })
})

describe('rules of one’s own', () => {
  test('stopGradient', () => {
    expect(grad((x: Tensor) => x.mul(stopGradient(x)))(tensor(3)).item()).toBe(3)
    expect(stopGradient({ a: v, n: null }).a.toArray()).toEqual([1, 2, 3])
  })

  test('clipGradient bounds the cotangent, not the value', () => {
    const f = (x: Tensor): Tensor => clipGradient(-1, 1, x).mul(100)
    expect(f(tensor(3)).item()).toBe(300)
    expect(grad(f)(tensor(3)).item()).toBe(1)
    expect(grad((x: Tensor) => f(x).neg())(tensor(3)).item()).toBe(-1)
    expectClose(vmap(grad(f))(v), [1, 1, 1])
  })

  test('customJvp', () => {
    const f = customJvp(
      (x: Tensor) => x.sin(),
      ([x], [dx]) => [x!.sin(), dx!.mul(100)],
    )
    expectClose(f(v), [1, 2, 3].map(Math.sin))
    expect(grad(f)(tensor(1)).item()).toBe(100)
    expect(vmap(grad(f))(v).toArray()).toEqual([100, 100, 100])
    expect(jit(grad(f))(tensor(1)).item()).toBe(100)
  })

  test('customVjp', () => {
    const f = customVjp(
      (x: Tensor, y: Tensor) => x.mul(y),
      (x: Tensor, y: Tensor) => [x.mul(y), { x, y }],
      (saved, ct: Tensor) => [ct.mul(saved.y).mul(10), ct.mul(saved.x)],
    )
    expect(f(tensor(2), tensor(3)).item()).toBe(6)
    const g = grad(f, { argnums: [0, 1] })(tensor(2), tensor(3))
    expect(g.map((x) => x.item())).toEqual([30, 2])
    expect(jit(vmap(grad(f)))(v, v).toArray()).toEqual([10, 20, 30])
  })

  test('checkpoint changes no number', () => {
    const f = (x: Tensor): Tensor => x.sin().cos().exp().sum()
    const plain = grad(f)(v)
    expectClose(grad(checkpoint(f))(v), plain.toArray())
    expectClose(jit(grad(checkpoint(f)))(v), plain.toArray())
    expectClose(
      vmap(grad(checkpoint((x: Tensor) => x.sin().cos())))(v),
      vmap(grad((x: Tensor) => x.sin().cos()))(v).toArray(),
    )
    expect(checkpoint(f)(v).item()).toBe(f(v).item())
  })
})

describe('any order of transforms', () => {
  const body = (c: Tensor, x: Tensor): readonly [Tensor, Tensor] => {
    const next = c.mul(0.5).add(x.sin())
    return [next, next]
  }
  const f = (x: Tensor): Tensor => scan(body, tensor(0), x)[0]

  test('vmap(grad(jit(scan)))', () => {
    const wanted = grad(f)(v).toArray()
    expectClose(vmap(grad(jit(f)))(np.stack([v, v])).at(1), wanted)
    expectClose(jit(vmap(grad(f)))(np.stack([v, v])).at(0), wanted)
    expectClose(grad((x: Tensor) => vmap(jit(f))(x).sum())(np.stack([v, v])).at(0), wanted)
    expectClose(jit(jit(jit(grad(f))))(v), wanted)
  })

  test('jit in grad in vmap in scan', () => {
    const step = (c: Tensor, x: Tensor): readonly [Tensor, Tensor] => {
      const g = vmap(grad(jit((y: Tensor) => y.mul(y).mul(c.sum()))))(x)
      return [c.add(g), g.sum()]
    }
    const [c, ys] = scan(step, np.ones([2]), np.ones([3, 2]))
    expect(c.toArray()).toEqual([125, 125])
    expect(ys.shape).toEqual([3])
    const total = (c0: Tensor): Tensor => scan(step, c0, np.ones([3, 2]))[0].sum()
    expectClose(grad(total)(np.ones([2])), [125, 125])
    expectClose(jit(grad(total))(np.ones([2])), [125, 125])
  })

  test('hessian of a scan equals the hessian of the loop', () => {
    const loop = (x: Tensor): Tensor => {
      let c: Tensor = tensor(0)
      for (const y of x) c = body(c, y)[0]
      return c
    }
    expectClose(hessian(f)(v), hessian(loop)(v).toArray())
  })

  test('closures over tracers of an outer transform', () => {
    const g = (x: Tensor): Tensor =>
      vmap((y: Tensor) => jit((z: Tensor) => z.mul(x).mul(y))(y))(v).sum()
    expectClose(grad(g)(tensor(2)), 14)
    expectClose(jit(grad(g))(tensor(2)), 14)
  })

  test('trees go through all of them', () => {
    const p = { a: v, b: [tensor(2), null] as const }
    const h = (q: typeof p): Tensor => q.a.mul(q.b[0]).sum()
    expect(tree.equals(jit(grad(h))(p), grad(h)(p))).toBe(true)
  })
})

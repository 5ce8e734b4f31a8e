import { grad, jit, makeIR, np, random, type Tensor, tensor, tree, vmap } from 'cotangent'
import { describe, expect, test } from 'vitest'
import { expectClose, thrownBy } from './support.ts'

const v = tensor([1, 2, 3])

describe('jit', () => {
  test('gives the same numbers and the same tree', () => {
    const f = (
      p: { a: Tensor; n: null },
      x: Tensor,
    ): { y: Tensor; z: readonly [Tensor, null] } => ({
      y: p.a.mul(x).sin(),
      z: [x.sum(), null],
    })
    const eager = f({ a: v, n: null }, v)
    const compiled = jit(f)({ a: v, n: null }, v)
    expect(tree.allClose(compiled, eager)).toBe(true)
    expect(Object.keys(compiled)).toEqual(['y', 'z'])
    expect(Object.isFrozen(compiled)).toBe(true)
  })

  test('runs the function once for each shape, dtype and tree', () => {
    let traces = 0
    const f = jit((x: Tensor) => {
      traces++
      return x.mul(2)
    })
    f(v)
    f(tensor([4, 5, 6]))
    expect(traces).toBe(1)
    expect(f.cacheSize).toBe(1)
    f(np.ones([2, 2]))
    f(np.ones([3], { dtype: 'int32' }))
    expect(traces).toBe(3)
    expect(f.cacheSize).toBe(3)
    f.clearCache()
    expect(f.cacheSize).toBe(0)
    expect(f(v).toArray()).toEqual([2, 4, 6])
    expect(f.cacheSize).toBe(1)
  })

  test('static arguments compile anew for each value', () => {
    let traces = 0
    const f = jit(
      (x: Tensor, n: number, mode: 'up' | 'down') => {
        traces++
        let y = x
        for (let i = 0; i < n; i++) y = y.mul(mode === 'up' ? 2 : 0.5)
        return y
      },
      { staticArgs: [1, 2] },
    )
    expect(f(v, 3, 'up').toArray()).toEqual([8, 16, 24])
    expect(f(v, 1, 'down').toArray()).toEqual([0.5, 1, 1.5])
    expect(f(v, 3, 'up').toArray()).toEqual([8, 16, 24])
    expect(traces).toBe(2)
  })

  test('positions may be one number, or count from the last', () => {
    const power = (x: Tensor, n: number): Tensor => x.pow(n)
    expect(jit(power, { staticArgs: 1 })(v, 2).toArray()).toEqual([1, 4, 9])
    const f = jit(power, { staticArgs: [-1] })
    f(v, 2)
    f(v, 3)
    expect(f.cacheSize).toBe(2)
    expect(thrownBy(() => jit(power, { staticArgs: [-3] })(v, 2)).message).toMatch(/staticArgs/)
  })

  test('a text that is not static is refused, with the fix', () => {
    const f = (x: Tensor, mode: string): Tensor => (mode === 'up' ? x : x.neg())
    expect(thrownBy(() => jit(f)(v, 'up')).message).toMatch(/staticArgs/)
    expect(jit(f, { staticArgs: [1] })(v, 'down').toArray()).toEqual([-1, -2, -3])
  })

  test('objects as static values are compared by value or identity, not by a lossy string', () => {
    const f = jit(
      (x: Tensor, o: { readonly n: number; readonly s: string }) => x.mul(o.n).add(o.s.length),
      {
        staticArgs: [1],
      },
    )
    expect(f(v, { n: 2, s: 'a' }).toArray()).toEqual([3, 5, 7])
    expect(f(v, { n: 3, s: 'ab' }).toArray()).toEqual([5, 8, 11])
    expect(f(v, { n: 2, s: 'a' }).toArray()).toEqual([3, 5, 7])
    const g = jit((x: Tensor, h: (y: Tensor) => Tensor) => h(x), { staticArgs: [1] })
    expect(g(v, (y) => y.mul(2)).toArray()).toEqual([2, 4, 6])
    expect(g(v, (y) => y.mul(3)).toArray()).toEqual([3, 6, 9])
  })

  test('a number that is not static is an argument like any other', () => {
    let traces = 0
    const f = jit((x: Tensor, s: number | Tensor) => {
      traces++
      return x.mul(s)
    })
    expect(f(v, 2).toArray()).toEqual([2, 4, 6])
    expect(f(v, 5).toArray()).toEqual([5, 10, 15])
    expect(traces).toBe(1)
    expect(f(v, 5).dtype).toBe('float32')
    expect(f(np.arange(3), 5).dtype).toBe('int32')
  })

  test('a donated argument cannot be used again', () => {
    const step = jit((x: Tensor, y: Tensor) => x.add(y), { donate: [0] })
    const x = np.ones([1000])
    const y = np.ones([1000])
    expect(step(x, y).sum().item()).toBe(2000)
    expect(() => x.sum()).toThrow(/donat/)
    expect(() => x.toArray()).toThrow(/donat/)
    expect(y.sum().item()).toBe(1000)
  })

  test('what it closes over is a constant, and stays so', () => {
    const w = tensor([10, 20, 30])
    const f = jit((x: Tensor) => x.mul(w))
    expect(f(v).toArray()).toEqual([10, 40, 90])
    expect(f(v).toArray()).toEqual([10, 40, 90])
  })

  test('an output may be an input, a constant, the same twice', () => {
    const [a, b, c] = jit((x: Tensor): readonly [Tensor, Tensor, Tensor] => [x, x, tensor([9])])(v)
    expect([a.toArray(), b.toArray(), c.toArray()]).toEqual([[1, 2, 3], [1, 2, 3], [9]])
  })

  test('errors of the function come through and leave jit usable', () => {
    const f = jit((x: Tensor) => {
      if (x.shape[0] === 2) throw new RangeError('mine')
      return x
    })
    expect(() => f(np.ones([2]))).toThrow(RangeError)
    expect(f(v).toArray()).toEqual([1, 2, 3])
    expect(grad((x: Tensor) => x.sum())(v).toArray()).toEqual([1, 1, 1])
  })

  test('a host `if` on a traced value throws, with the fix and the line', () => {
    const error = thrownBy(() =>
      jit((x: Tensor) => (Number(x.item()) > 0 ? x : x.neg()))(tensor(1)),
    )
    expect(error.name).toBe('TracerError')
    expect(error.message).toMatch(/where|cond|static/)
    expect(error.message).toContain('jit.test.ts')
  })

  test('the cache is bounded', () => {
    const f = jit((x: Tensor, n: number) => x.mul(n), { staticArgs: [1] })
    for (let n = 0; n < 400; n++) f(tensor(1), n)
    expect(f.cacheSize).toBeLessThan(400)
    expect(f(tensor(2), 399).item()).toBe(798)
  })

  test('of keys and of trees with booleans', () => {
    const f = jit((key: Tensor) => random.uniform(key, [4]))
    expect(f(random.key(3)).toArray()).toEqual(random.uniform(random.key(3), [4]).toArray())
    expect(jit((b: boolean | Tensor, x: Tensor) => np.where(b, x, 0))(true, v).toArray()).toEqual([
      1, 2, 3,
    ])
  })

  test('arguments of no use, empty tensors, no arguments', () => {
    expect(jit((_: Tensor, y: Tensor) => y)(v, tensor(1)).item()).toBe(1)
    expect(jit((x: Tensor) => x.mul(2).sum())(np.zeros([0, 3])).item()).toBe(0)
    expect(jit((x: Tensor) => x.mul(2))(np.zeros([0, 3])).shape).toEqual([0, 3])
    expect(jit(() => np.ones([2]))().toArray()).toEqual([1, 1])
  })
})

describe('jit(f).lower(...)', () => {
  const f = (x: Tensor, y: Tensor): Tensor => x.mul(y).add(1).tanh().sum()
  const lowered = jit(f).lower(v, v)

  test('shows the graph as traced and as optimised', () => {
    expect(String(lowered.ir)).toMatch(/mul/)
    expect(String(lowered.ir)).toMatch(/tanh/)
    expect(String(lowered.ir)).toMatch(/f(loat)?32\[3\]/)
    expect(String(lowered.optimized)).toMatch(/tanh/)
    expect(lowered.ir.toDot()).toMatch(/^digraph/)
    expect(JSON.parse(JSON.stringify(lowered.ir.toJSON()))).toBeTypeOf('object')
  })

  test('shows every kernel: one for a fused chain', () => {
    expect(lowered.kernels).toHaveLength(1)
    const [kernel] = lowered.kernels
    expect(kernel!.name).toMatch(/sum/i)
    expect(kernel!.source).toContain('tanh')
    expect(lowered.source).toBeTypeOf('string')
    expect(lowered.source).toContain(kernel!.name)
    expect(lowered.source).toMatch(/sourceURL/)
  })

  test('shows the memory plan', () => {
    expect(lowered.memory).toBeTypeOf('object')
    expect(JSON.stringify(lowered.memory)).toMatch(/\d/)
  })

  test('compiles to a function', () => {
    const run = lowered.compile()
    expectClose(run(v, v), f(v, v).toArray())
    expect(() => run(np.ones([4]), np.ones([4]))).toThrow(/shape|structure|\[4\]/)
  })

  test('runs nothing and needs no values', () => {
    let ran = 0
    jit((x: Tensor) => {
      ran++
      return x.sum()
    }).lower(v)
    expect(ran).toBe(1)
  })

  test('of a transformed function', () => {
    const g = jit(vmap(grad((x: Tensor) => x.sin().sum()))).lower(np.ones([2, 3]))
    expect(String(g.optimized)).toMatch(/cos/)
    expectClose(g.compile()(np.zeros([2, 3])), [
      [1, 1, 1],
      [1, 1, 1],
    ])
  })

  test('backend', () => {
    expect(jit((x: Tensor) => x.mul(2), { backend: 'js' })(v).toArray()).toEqual([2, 4, 6])
    // @ts-expect-error: no such backend
    expect(() => jit((x: Tensor) => x, { backend: 'cuda' })(v)).toThrow(/cuda/)
  })
})

describe('makeIR', () => {
  const ir = makeIR((x: Tensor, y: Tensor) => x.mul(y).sum())(v, v)
  test('prints typed equations', () => {
    expect(String(ir)).toMatch(/mul/)
    expect(String(ir)).toMatch(/sum/i)
    expect(`${String(ir)}`).toMatch(/f(loat)?32\[3\]/)
  })

  test('toDot is a graph that graphviz reads', () => {
    expect(ir.toDot()).toMatch(/^digraph[^{]*\{[\s\S]*->[\s\S]*\}\s*$/)
  })

  test('toJSON survives a round trip through text', () => {
    const json = JSON.parse(JSON.stringify(ir))
    expect(json).toEqual(JSON.parse(JSON.stringify(ir.toJSON())))
    expect(JSON.stringify(json)).toContain('mul')
  })

  test('of gradients and loops', () => {
    expect(String(makeIR(grad((x: Tensor) => x.sin().sum()))(v))).toMatch(/cos/)
    expect(String(makeIR(jit((x: Tensor) => x.sin()))(v))).toMatch(/sin/)
  })

  test('is not tied to the values it was traced with', () => {
    expect(String(makeIR((x: Tensor) => x.add(1))(tensor(123456)))).not.toContain('123456')
  })
})

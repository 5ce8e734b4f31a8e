import {
  checkGrads,
  costOf,
  customJvp,
  debug,
  evalShape,
  grad,
  interpret,
  jit,
  np,
  scan,
  type Tensor,
  tensor,
  vmap,
} from 'cotangent'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { expectClose, thrownBy } from './support.ts'

const v = tensor([1, 2, 3])

describe('evalShape', () => {
  test('gives shapes and dtypes of the output tree and runs nothing', () => {
    const out = evalShape(
      (x: Tensor, y: Tensor) => ({ a: x.matmul(y), b: [x.sum().astype('int32')] }),
      np.ones([2, 3]),
      np.ones([3, 4]),
    )
    expect(out.a.shape).toEqual([2, 4])
    expect(out.a.dtype).toBe('float32')
    expect(out.b[0]!.shape).toEqual([])
    expect(out.b[0]!.dtype).toBe('int32')
  })

  test('takes shapes and dtypes in place of tensors, however large', () => {
    const huge = { shape: [1_000_000, 1_000_000], dtype: 'float32' } as const
    const out = evalShape((x: Tensor) => x.matmul(x).sum(1), huge)
    expect(out.shape).toEqual([1_000_000])
  })
})

describe('costOf', () => {
  test('counts operations, bytes and parameters', () => {
    const cost = costOf((p: { w: Tensor }, x: Tensor) => x.matmul(p.w))(
      { w: np.ones([64, 32]) },
      np.ones([16, 64]),
    )
    expect(cost.flops).toBe(2 * 16 * 64 * 32)
    expect(cost.bytes).toBeGreaterThanOrEqual(4 * (64 * 32 + 16 * 64))
    expect(cost.parameters).toBe(64 * 32)
  })

  test('a scan costs its body times its length', () => {
    const f = (n: number): number =>
      costOf((x: Tensor) => scan((c: Tensor) => [c.matmul(x), null], x, null, { length: n })[0])(
        np.ones([8, 8]),
      ).flops
    expect(f(10)).toBe(10 * f(1))
  })
})

describe('checkGrads', () => {
  test('is silent where the derivatives are right', () => {
    expect(() => checkGrads((x: Tensor) => x.sin().mul(x).sum(), [v], { order: 2 })).not.toThrow()
    expect(() => checkGrads((x: Tensor, y: Tensor) => x.mul(y), [v, v])).not.toThrow()
    expect(() =>
      checkGrads((x: Tensor) => x.tanh(), [v], { modes: ['fwd'], eps: 1e-3, tolerance: 1e-2 }),
    ).not.toThrow()
  })

  test('throws with the worst element where they are wrong', () => {
    const wrong = customJvp(
      (x: Tensor) => x.mul(x),
      ([x], [dx]) => [x!.mul(x!), dx!.mul(x!).mul([2, 2, 5])],
    )
    const error = thrownBy(() => checkGrads(wrong, [v], { order: 1, modes: ['rev'] }))
    expect(error.name).toBe('NumericsError')
    expect(error.message).toContain('element 2')
  })
})

describe('interpret', () => {
  test('runs operation by operation and agrees with the rest', () => {
    const f = (x: Tensor): Tensor => x.sin().mul(2).sum()
    expect(interpret(f)(v).item()).toBeCloseTo(Number(f(v).item()), 6)
    expectClose(interpret(grad(f))(v), grad(f)(v).toArray())
    expectClose(interpret(jit(f))(v), jit(f)(v).toArray())
    const [out] = interpret((x: Tensor): readonly [Tensor, { y: Tensor }] => [x, { y: x }])(v)
    expect(out.toArray()).toEqual([1, 2, 3])
  })
})

describe('debug.print', () => {
  afterEach(() => {
    vi.restoreAllMocks()
  })
  const printed = (run: () => unknown): string => {
    const lines: string[] = []
    vi.spyOn(console, 'log').mockImplementation((...args: readonly unknown[]) => {
      lines.push(args.map(String).join(' '))
    })
    run()
    return lines.join('\n')
  }

  test('prints values under every transform', () => {
    const f = (x: Tensor): Tensor => {
      debug.print('x is {}', x)
      return x.mul(2).sum()
    }
    expect(printed(() => f(v))).toMatch(/x is .*1.*2.*3/)
    expect(printed(() => jit(f)(v))).toMatch(/x is .*1.*2.*3/)
    expect(printed(() => grad(f)(v))).toMatch(/x is .*1.*2.*3/)
    expect(printed(() => jit(grad(f))(v))).toMatch(/x is .*1.*2.*3/)
    expect(printed(() => vmap(f)(np.stack([v, v])))).toMatch(/x is/)
    const scanned = printed(() =>
      jit(
        (x: Tensor) =>
          scan(
            (c: Tensor, y: Tensor) => {
              debug.print('step {}', y)
              return [c.add(y), null]
            },
            tensor(0),
            x,
          )[0],
      )(v),
    )
    expect(scanned.match(/step/g)).toHaveLength(3)
  })

  test('prints at every call of a compiled function', () => {
    const f = jit((x: Tensor) => {
      debug.print('called {}', x)
      return x
    })
    f(v)
    expect(
      printed(() => {
        f(v)
        f(tensor([7, 8, 9]))
      }),
    ).toMatch(/called .*1[\s\S]*called .*7/)
  })
})

describe('debug.nans', () => {
  test('names the first operation that made a NaN, with its line', () => {
    const f = (x: Tensor): Tensor => {
      const y = x.sub(2)
      const z = y.log()
      return z.mul(3).sum()
    }
    const error = thrownBy(() => debug.nans(f)(v))
    expect(error.name).toBe('NumericsError')
    expect(error.message).toContain('log')
    expect(error.message).toContain('inspect.test.ts')
    expect(error.message).not.toMatch(/^mul/)
  })

  test('names an infinity, and stays silent where all is finite', () => {
    expect(() => debug.nans((x: Tensor) => x.div(0))(v)).toThrow(/div/)
    expect(
      debug
        .nans((x: Tensor) => x.mul(2))(v)
        .toArray(),
    ).toEqual([2, 4, 6])
  })

  test('looks inside gradients, loops and compiled functions', () => {
    const f = (x: Tensor): Tensor => x.sqrt().sum()
    expect(() => debug.nans(grad(f))(tensor([0, 1]))).toThrow()
    expect(() => debug.nans(jit((x: Tensor) => x.log()))(tensor([-1]))).toThrow(/log/)
    expect(() =>
      debug.nans(
        (x: Tensor) => scan((c: Tensor, y: Tensor) => [c.add(y.log()), null], tensor(0), x)[0],
      )(tensor([1, -1])),
    ).toThrow(/log/)
  })
})

describe('debug.check', () => {
  test('throws the message when it does not hold, under every transform', () => {
    const f = (x: Tensor): Tensor => {
      debug.check(x.greater(0).all(), 'x must be positive')
      return x.sum()
    }
    expect(f(v).item()).toBe(6)
    expect(jit(f)(v).item()).toBe(6)
    expect(grad(f)(v).toArray()).toEqual([1, 1, 1])
    expect(() => f(v.neg())).toThrow(/x must be positive/)
    expect(() => jit(f)(v.neg())).toThrow(/x must be positive/)
    expect(() => grad(f)(v.neg())).toThrow(/x must be positive/)
    expect(() => jit(vmap(grad(f)))(np.stack([v, v.neg()]))).toThrow(/x must be positive/)
    expect(thrownBy(() => f(v.neg())).name).toBe('NumericsError')
  })
})

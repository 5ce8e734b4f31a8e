/** Compiled functions inside transforms inside loops, in every order, against the interpreter. */
import {
  type Graph,
  type Tensor,
  NumericsError,
  checkpoint,
  customVjp,
  grad,
  interpret,
  jvp,
  stopGradient,
  subgraphs,
  tensor,
  valueAndGrad,
  vmap,
} from '@cotangent/core'
import { jit } from '@cotangent/jit'
import { cond, debug, foriLoop, lax, np, scan, whileLoop } from '@cotangent/ops'
import { describe, expect, test } from 'vitest'
import { expectClose } from './support.ts'

type Map = (x: Tensor) => Tensor
type Wrapper = (f: Map) => Map

const weights = tensor([0.5, -1.5, 2])
const x = tensor([0.3, -0.7, 0.9])

/** Each takes a function of three numbers to another one. */
const wrappers: Readonly<Record<string, Wrapper>> = {
  jit: (f) => jit(f),
  grad: (f) => grad((y: Tensor) => f(y).mul(weights).sum()),
  vmap: (f) => (y) => vmap(f)(np.stack([y, y.mul(0.5)])).sum({ axis: 0 }),
  scan: (f) => (y) => {
    const step = (c: Tensor, k: Tensor): readonly [Tensor, Tensor] => [f(c).mul(k), f(c.add(k))]
    const [final, ys] = scan(step, y, tensor([0.3, 0.5]))
    return final.add(ys.sum({ axis: 0 }))
  },
  fori: (f) => (y) => foriLoop(0, 2, (i, c) => f(c).mul(0.5).add(i), y),
  cond: (f) => (y) => cond(y.sum().greater(0), f, (z) => f(z.neg()), y),
  checkpoint: (f) => checkpoint(f),
  jvp: (f) => (y) => jvp(f, [y], [weights])[1],
  while: (f) => (y) =>
    whileLoop(
      ([i]) => i.less(2),
      ([i, c]) => [i.add(1), f(c).mul(0.5)] as const,
      [tensor(0), y] as const,
    )[1],
}

const base: Map = (y) => y.sin().mul(y).add(y.sum().tanh())

const composed = (names: readonly string[]): Map =>
  names.reduceRight((f, name) => wrappers[name]!(f), base)

const permutations = (items: readonly string[]): readonly (readonly string[])[] =>
  items.length < 2
    ? [items]
    : items.flatMap((item) =>
        permutations(items.filter((other) => other !== item)).map((rest) => [item, ...rest]),
      )

const expectSame = (names: readonly string[]): void => {
  const want = interpret(composed(names))(x)
  expectClose(composed(names)(x), want, 1e-5)
  expectClose(jit(composed(names))(x), want, 1e-5)
}

describe('in every order', () => {
  test.each(permutations(['jit', 'grad', 'vmap', 'scan']).map((p) => [p.join(' of '), p] as const))(
    '%s',
    (_, names) => expectSame(names),
  )
  const others = ['fori', 'cond', 'checkpoint', 'jvp', 'while']
  test.each(others)('jit, grad, vmap and %s', (other) => {
    const derivative = other === 'while' ? 'jvp' : 'grad'
    for (const names of permutations(['jit', derivative, 'vmap', other])) expectSame(names)
  })
  test('derivatives of derivatives of compiled loops', () => {
    expectSame(['vmap', 'grad', 'jit', 'scan', 'checkpoint'])
    expectSame(['grad', 'grad', 'jit', 'fori'])
    expectSame(['grad', 'jit', 'grad', 'jit', 'scan'])
    expectSame(['jvp', 'grad', 'jit', 'cond'])
    expectSame(['vmap', 'jit', 'cond', 'scan'])
    expectSame(['scan', 'jit', 'scan', 'grad', 'jit'])
    expectSame(['scan', 'grad', 'scan', 'cond', 'jit'])
    expectSame(['jvp', 'jvp', 'jit', 'while'])
  })
})

describe('values that come back several times, or unchanged', () => {
  const agrees = (f: (y: Tensor) => unknown): void => expectClose(jit(f)(x), interpret(f)(x), 1e-6)
  const c = tensor([1, 2, 3])
  test('from a scan', () => {
    agrees((y) =>
      scan(
        ([a, b]) => {
          const next = a.add(b).sin()
          return [[next, next] as const, [next, next, a, c, y] as const]
        },
        [y, y.mul(2)] as const,
        null,
        { length: 3 },
      ),
    )
    agrees((y) => scan(([a, b]) => [[b, a] as const, [a, a]], [y, c] as const, null, { length: 3 }))
  })
  test('from a while loop', () => {
    agrees((y) =>
      whileLoop(
        ([i]) => i.less(3),
        ([i, a, b]) => {
          const next = a.mul(b).add(0.1)
          return [i.add(1), next, next] as const
        },
        [tensor(0), y, c] as const,
      ),
    )
    agrees((y) =>
      whileLoop(
        ([i]) => i.less(3),
        ([i, a, b]) => [i.add(1), b, a] as const,
        [tensor(0), y, y] as const,
      ),
    )
  })
  test('from a branch', () => {
    agrees((y) =>
      cond(
        y.sum().greater(0),
        (z) => {
          const w = z.exp()
          return [w, w, z, c]
        },
        (z) => [z, z, c, z],
        y,
      ),
    )
  })
  test('out of a kernel over rows that reads its own rows elsewhere', () => {
    const rows = np.arange(160).reshape(8, 20).mul(0.01).sin()
    const f = (y: Tensor): readonly Tensor[] => {
      const e = y.div(y.square().sum({ axis: 1, keepdims: true })).exp()
      const turned = e.add(np.flip(e, 1))
      return [e, turned, turned.add(np.roll(turned, 3, 1)).sum({ axis: 1 })]
    }
    expectClose(jit(f)(rows), interpret(f)(rows), 1e-5)
  })
})

/** How many equations of a primitive there are, in nested graphs too. */
const count = (graph: Graph, name: string): number =>
  graph.equations.reduce(
    (n, e) =>
      n +
      Number(e.primitive.name === name) +
      subgraphs(e.params).reduce((m, [, inner]) => m + count(inner, name), 0),
    0,
  )

describe('recomputation', () => {
  const f = (y: Tensor): Tensor => y.sin().exp().sin().exp()
  const sines = (g: Map): number =>
    count(jit(valueAndGrad((y: Tensor) => g(y).sum())).lower(x).optimized.graph, 'sin')
  test('survives optimisation', () => {
    expect(sines(f)).toBe(2)
    expect(sines(checkpoint(f))).toBe(4)
    expect(sines(checkpoint(f, { policy: 'everything' }))).toBe(2)
  })
  test('in a scan too', () => {
    const looped =
      (g: Map): Map =>
      (y) =>
        scan((c: Tensor) => [g(c), null], y, null, { length: 3 })[0]
    expect(sines(looped(checkpoint(f)))).toBeGreaterThan(sines(looped(f)))
    const loss = (y: Tensor): Tensor => looped(checkpoint(f))(y).sum()
    expectClose(jit(grad(loss))(x), interpret(grad(loss))(x), 1e-5)
  })
})

describe('custom rules, stopped gradients and named axes', () => {
  const clipped = customVjp(
    (y: Tensor) => y.sin(),
    (y) => [y.sin(), y.cos()],
    (cosine: Tensor, ct) => [ct.mul(cosine).clip(-0.2, 0.2)],
  )
  const unclipped: Map = (y) => y.sin()
  const looped =
    (f: Map): Map =>
    (y) =>
      scan((c: Tensor) => [f(c.mul(2)), c], y, null, { length: 3 })[0]
  test('customVjp in a compiled scan', () => {
    const loss =
      (f: Map) =>
      (y: Tensor): Tensor =>
        looped(f)(y).sum()
    const want = interpret(grad(loss(clipped)))(x)
    expectClose(jit(grad(loss(clipped)))(x), want)
    expectClose(grad(jit(loss(clipped)))(x), want)
    expectClose(vmap(jit(grad(loss(jit(clipped)))))(np.stack([x, x])), np.stack([want, want]))
    expect(want.data()).not.toEqual(grad(loss(unclipped))(x).data())
  })
  test('stopGradient', () => {
    const f = (y: Tensor): Tensor => stopGradient(y.exp()).mul(y).sum()
    expectClose(jit(grad(f))(x), x.exp())
    expectClose(grad(jit(f))(x), x.exp())
    expectClose(jit(vmap(grad(jit(f))))(np.stack([x, x])), np.stack([x.exp(), x.exp()]))
  })
  test('psum in jit in vmap', () => {
    const shares = (y: Tensor): Tensor => y.exp().div(lax.psum(y.exp(), 'i'))
    const e = x.exp()
    const want = e.div(e.sum())
    expectClose(vmap(jit(shares), { axisName: 'i' })(x), want)
    expectClose(jit(vmap(jit(shares), { axisName: 'i' }))(x), want)
    const scanned = (y: Tensor): Tensor =>
      scan((c: Tensor) => [shares(c), null], y, null, { length: 3 })[0]
    const loss = (y: Tensor): Tensor => vmap(jit(scanned), { axisName: 'i' })(y).mul(weights).sum()
    expectClose(jit(grad(loss))(x), interpret(grad(loss))(x), 1e-5)
  })
})

describe('effects', () => {
  const printed = (run: () => unknown): readonly string[] => {
    const lines: string[] = []
    const previous = debug.printTo((line) => lines.push(line))
    try {
      run()
    } finally {
      debug.printTo(previous)
    }
    return lines
  }
  const noisy = (y: Tensor): Tensor => {
    debug.print('y = {}', y.sum())
    return y.mul(2)
  }
  test('once in each execution, though the result is not used', () => {
    const f = jit((y: Tensor) => {
      noisy(y)
      return y
    })
    expect(printed(() => [f(tensor(1)), f(tensor(2))])).toEqual(['y = 1', 'y = 2'])
  })
  test('once in each step of a compiled loop, in order', () => {
    const f = jit((y: Tensor) => scan((c: Tensor) => [noisy(c), null], y, null, { length: 3 })[0])
    expect(printed(() => f(tensor(1)))).toEqual(['y = 1', 'y = 2', 'y = 4'])
    const none = jit(
      (y: Tensor) => scan((c: Tensor) => [noisy(c), null], y, null, { length: 0 })[0],
    )
    expect(printed(() => none(tensor(1)))).toEqual([])
  })
  test('of the branch taken', () => {
    const f = jit((y: Tensor) => cond(y.greater(0), noisy, (z) => z, y))
    expect(printed(() => [f(tensor(1)), f(tensor(-1))])).toEqual(['y = 1'])
  })
  test('equal ones are not merged, and one of a constant is not folded', () => {
    const f = jit((y: Tensor) => {
      debug.print('a')
      debug.print('a')
      debug.print('c = {}', tensor(1).add(1))
      return y
    })
    const lines = ['a', 'a', 'c = 2']
    expect(printed(() => [f(x), f(x)])).toEqual([...lines, ...lines])
  })
  test('a failed check throws and leaves the function usable', () => {
    const f = jit((y: Tensor) => {
      debug.check(y.greater(0).all(), 'positive')
      return y.matmul(y)
    })
    expect(() => f(x)).toThrow(NumericsError)
    expect(f(tensor([1, 2])).item()).toBe(5)
  })
  test('an effect may call the function that it belongs to', () => {
    const square = jit((y: Tensor) => {
      const z = y.matmul(y).sin()
      debug.print('{}', z)
      return z.matmul(z)
    })
    const a = np.arange(9).reshape(3, 3)
    const want = interpret((y: Tensor) => y.matmul(y).sin().matmul(y.matmul(y).sin()))(a)
    let depth = 0
    const previous = debug.printTo(() => {
      if (depth++ === 0) square(np.eye(3))
    })
    try {
      expectClose(square(a), want)
    } finally {
      debug.printTo(previous)
    }
    expect(depth).toBe(2)
  })
})

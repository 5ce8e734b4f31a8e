/** Transforms of transforms: what must hold whatever is nested in what. */
import {
  type Tensor,
  TracerError,
  UnsupportedError,
  checkpoint,
  customJvp,
  customVjp,
  grad,
  hessian,
  interpret,
  jacfwd,
  jacrev,
  jvp,
  linearTranspose,
  linearize,
  makeIR,
  check,
  stopGradient,
  tensor,
  valueAndGrad,
  vjp,
  vmap,
} from '@cotangent/core'
import { jit } from '@cotangent/jit'
import { cond, lax, np, scan } from '@cotangent/ops'
import { describe, expect, test } from 'vitest'
import { expectClose } from '../ops/agreement.ts'

type F = (x: Tensor) => Tensor
const close = (got: Tensor, want: number): void =>
  expectClose(got, tensor(want).astype(got.dtype), 1e-5)
const one = tensor(1)

describe('perturbations are not confused', () => {
  // d/dx (x · d/dy (x + y)) = 1, where mixing the two tangents would give 2.
  const cases: Readonly<Record<string, (d: (f: F) => F) => F>> = {
    'a sum': (d) => d((x) => x.mul(d((y) => x.add(y))(one))),
    'a product': (d) => d((x) => x.mul(d((y) => x.mul(y))(one))),
    'a closure over both': (d) => d((x) => d((y) => d((z) => x.mul(y).mul(z))(x.mul(2)))(x)),
  }
  const expected: Readonly<Record<string, number>> = {
    'a sum': 1,
    'a product': 6,
    'a closure over both': 0,
  }
  const derivatives: Readonly<Record<string, (f: F) => F>> = {
    grad: (f) => grad(f),
    jvp: (f) => (x) => jvp(f, [x], [tensor(1)])[1],
    linearize: (f) => (x) => linearize(f, x)[1](tensor(1)),
    vjp: (f) => (x) => vjp(f, x)[1](tensor(1))[0],
    'grad of jit': (f) => grad(jit(f)),
    'jit of grad': (f) => jit(grad(f)),
  }
  for (const [name, program] of Object.entries(cases)) {
    for (const [mode, d] of Object.entries(derivatives)) {
      test(`${name} by ${mode}`, () => {
        // x·y + … at x = 3: d(x·x) = 2x = 6; d(x·y·z) by z, y and x: x·y, x, 1.
        const want = name === 'a closure over both' ? 1 : expected[name]!
        close(program(d)(tensor(3)), want)
      })
    }
  }
  test('a derivative inside a loop inside a derivative', () => {
    const f: F = (x) =>
      scan(
        (s, y) => [s.add(grad((z: Tensor) => z.mul(z).mul(x))(y)), null],
        0,
        np.arange(3).astype('float32'),
      )[0]
    // Σ 2·y·x over y = 0, 1, 2.
    close(grad(f)(tensor(5)), 6)
    close(grad((x: Tensor) => grad(f)(x.mul(x)))(tensor(5)), 0)
  })
})

describe('higher orders', () => {
  test('three gradients', () => {
    const f: F = (x) => x.mul(x).mul(x).mul(x).add(x.sin())
    const x = 0.7
    close(grad(grad(grad(f)))(tensor(x)), 24 * x - Math.cos(x))
    close(grad(grad(grad(jit(f))))(tensor(x)), 24 * x - Math.cos(x))
    close(jit(grad(jit(grad(jit(grad(f))))))(tensor(x)), 24 * x - Math.cos(x))
  })
  test('three gradients of a scan', () => {
    const f: F = (x) => scan((s) => [s.mul(x), null], x, null, { length: 4 })[0]
    // x⁵: 60 x².
    close(grad(grad(grad(f)))(tensor(2)), 240)
    expectClose(vmap(grad(grad(grad(f))))(tensor([1, 2])), tensor([60, 240]))
  })
  test('hessians in every order of modes', () => {
    const f: F = (x) =>
      x
        .mul(x)
        .mul(x)
        .sum()
        .add(x.at(0).mul(x.at(1)).sin())
    const x = tensor([0.3, -1.2])
    const want = jacfwd(jacrev(f))(x)
    for (const h of [
      hessian(f),
      jacrev(jacrev(f)),
      jacfwd(jacfwd(f)),
      jacrev(jacfwd(f)),
      jit(hessian(f)),
    ]) {
      expectClose(h(x), want)
    }
  })
})

describe('values of traced tensors', () => {
  const halved: F = (x) => (x.item() > 0 ? x.mul(x) : x.neg())
  test('an eager derivative may look at them', () => {
    close(grad(halved)(tensor(3)), 6)
    close(grad(halved)(tensor(-3)), -1)
    close(grad(grad(halved))(tensor(3)), 2)
    close(jvp(halved, [tensor(3)], [tensor(1)])[1], 6)
    expect(
      valueAndGrad((x: Tensor) => (x.sin().sum().item() > 0 ? x.sum() : x.sum().neg()))(
        tensor([1, 2]),
      )[0].item(),
    ).toBe(3)
  })
  test('after loops and branches, whose effects happen once', () => {
    const f: F = (x) => {
      const s = scan((c) => [c.mul(x), null], x, null, { length: 2 })[0]
      const t = cond(
        s.greater(1),
        (v) => v.mul(2),
        (v) => v,
        s,
      )
      return t.item() > 1 ? t : x
    }
    close(grad(f)(tensor(2)), 24)
  })
  test('jit, vmap and loop bodies may not', () => {
    const x = tensor([1, 2])
    expect(() => vmap(halved)(x)).toThrow(TracerError)
    expect(() => jit(halved)(tensor(1))).toThrow(TracerError)
    expect(() => jit(grad(halved))(tensor(1))).toThrow(TracerError)
    expect(() => vmap(grad(halved))(x)).toThrow(TracerError)
    expect(() => scan((s, v) => [halved(s).add(v), null], 0.5, x)).toThrow(TracerError)
  })
  test('the error names the place and the way out', () => {
    expect(() => vmap((x: Tensor) => x.mul(Number(x)))(tensor([1]))).toThrow(
      /vmap[\s\S]*np\.where[\s\S]*transforms\.test\.ts/,
    )
  })
  test('no conversion is silent', () => {
    const uses: Readonly<Record<string, (x: Tensor) => unknown>> = {
      plus: (x) => Number(x) + 1,
      json: (x) => JSON.stringify({ x }),
      value: (x) => x.valueOf(),
      array: (x) => x.toArray(),
      data: (x) => x.data(),
    }
    for (const use of Object.values(uses)) {
      expect(() =>
        jit((x: Tensor) => {
          use(x)
          return x
        })(tensor(1)),
      ).toThrow(TracerError)
    }
    let text = ''
    jit((x: Tensor) => {
      text = String(x)
      return x
    })(tensor(1))
    expect(text).toContain('Tracer')
  })
  test('a leaked tracer is refused', () => {
    let leaked: Tensor | null = null
    grad((x: Tensor) => {
      leaked = x.sin()
      return x.mul(x)
    })(tensor(1))
    expect(() => leaked!.add(1)).toThrow(/leaked/)
    expect(() => grad((x: Tensor) => x.mul(leaked!))(tensor(1))).toThrow(/leaked/)
    const kept: Tensor[] = []
    scan(
      (s, x) => {
        kept.push(x)
        return [s.add(x), null]
      },
      0,
      tensor([1, 2]),
    )
    expect(() => kept[0]!.add(1)).toThrow(/leaked/)
  })
})

describe('custom rules', () => {
  const safe = customJvp(
    (x: Tensor) => x.sqrt(),
    ([x], [dx]) => {
      const y = x.sqrt()
      // The divisor is never zero, in the transpose either.
      return [y, np.where(y.greater(0), dx.div(np.where(y.greater(0), y.mul(2), 1)), 0)]
    },
  )
  const clipped = customVjp(
    (x: Tensor) => x.mul(1),
    (x: Tensor): readonly [Tensor, null] => [x.mul(1), null],
    (_: null, ct: Tensor) => [ct.clip(-1, 1)],
  )
  test('customJvp in both modes and under transforms', () => {
    close(grad(safe)(tensor(0)), 0)
    close(grad(safe)(tensor(4)), 0.25)
    close(jvp(safe, [tensor(4)], [tensor(2)])[1], 0.5)
    close(grad(grad(safe))(tensor(4)), -1 / 32)
    expectClose(vmap(grad(safe))(tensor([0, 4])), tensor([0, 0.25]))
    expectClose(grad((x: Tensor) => vmap(safe)(x).sum())(tensor([0, 4])), tensor([0, 0.25]))
    close(jit(grad(jit(safe)))(tensor(4)), 0.25)
    close(grad(checkpoint((x: Tensor) => safe(x).mul(3)))(tensor(4)), 0.75)
    expectClose(
      grad((x: Tensor) => scan((s, v) => [s.add(safe(v)), null], 0, x)[0])(tensor([0, 4])),
      tensor([0, 0.25]),
    )
    close(grad((x: Tensor) => cond(x.greater(1), safe, (v) => v, x))(tensor(4)), 0.25)
  })
  test('customVjp in reverse mode and under transforms', () => {
    const f: F = (x) => clipped(x).mul(10)
    close(grad(f)(tensor(2)), 1)
    expectClose(vmap(grad(f))(tensor([2, 3])), tensor([1, 1]))
    expectClose(grad((x: Tensor) => vmap(f)(x).sum())(tensor([2, 3])), tensor([1, 1]))
    close(jit(grad(f))(tensor(2)), 1)
    close(grad(checkpoint(f))(tensor(2)), 1)
    expectClose(
      grad((x: Tensor) => scan((s, v) => [s.add(f(v)), null], 0, x)[0])(tensor([2, 3])),
      tensor([1, 1]),
    )
    close(grad((x: Tensor) => cond(x.greater(1), f, (v) => v, x))(tensor(4)), 1)
    expect(() => jvp(f, [tensor(1)], [tensor(1)])).toThrow(UnsupportedError)
  })
  test('an argument shared by the batch sums its cotangents', () => {
    const scaled = customVjp(
      (w: Tensor, x: Tensor) => w.mul(x),
      (w: Tensor, x: Tensor): readonly [Tensor, readonly [Tensor, Tensor]] => [w.mul(x), [w, x]],
      ([w, x]: readonly [Tensor, Tensor], ct: Tensor) => [ct.mul(x), ct.mul(w)],
    )
    const f = (w: Tensor, x: Tensor): Tensor => vmap(scaled, { inAxes: [null, 0] })(w, x).sum()
    expectClose(grad(f, { argnums: [0, 1] })(tensor(2), tensor([1, 2, 3])), [
      tensor(6),
      tensor([2, 2, 2]),
    ])
  })
})

describe('recomputation', () => {
  const f: F = (x) => x.sin().mul(x).tanh().sum()
  const x = tensor([0.3, -0.8])
  for (const policy of ['nothing', 'dots', 'everything'] as const) {
    test(`policy ${policy}`, () => {
      const g = checkpoint(f, { policy })
      expectClose(g(x), f(x))
      expectClose(grad(g)(x), grad(f)(x))
      expectClose(hessian(g)(x), hessian(f)(x))
      expectClose(vmap(grad(g))(np.stack([x, x])), vmap(grad(f))(np.stack([x, x])))
      expectClose(jit(grad(g))(x), grad(f)(x))
      expectClose(grad(checkpoint((v: Tensor) => checkpoint(g)(v).mul(2)))(x), grad(f)(x).mul(2))
    })
  }
  test('nested with compiled functions, loops and branches', () => {
    const body = (v: Tensor): Tensor => {
      const s = jit(f)(v)
      const [t, ys] = scan((c, u) => [c.mul(u).sin(), c], s, v)
      return cond(
        t.greater(0),
        (a, b) => a.mul(b.sum()),
        (a) => a,
        t,
        ys,
      )
    }
    expectClose(grad(checkpoint(body))(x), grad(body)(x))
    expectClose(grad(checkpoint(checkpoint(body)))(x), grad(body)(x))
    expectClose(hessian(checkpoint(body))(x), hessian(body)(x))
    expectClose(jit(grad(checkpoint(body)))(x), grad(body)(x))
    const batch = np.stack([x, x.neg(), x.mul(2)])
    expectClose(vmap(grad(checkpoint(body)))(batch), vmap(grad(body))(batch))
  })
})

describe('linear maps', () => {
  test('the transpose of a scan with a counter', () => {
    const f = (x: Tensor): readonly [Tensor, Tensor] => {
      const [[, s], ys] = scan(
        ([i, c], v) => [[i.add(1), c.mul(2).add(v.mul(i))], c],
        [1, 0 as number],
        x,
      )
      return [s, ys]
    }
    const [y, pull] = vjp(f, tensor([1, 2, 3]))
    expectClose(y, [tensor(21), tensor([0, 1, 6])])
    const transposed = linearTranspose(f, tensor([0, 0, 0]))
    const ct = [tensor(1), tensor([1, 1, 1])] as const
    expectClose(transposed(ct), pull(ct))
  })
  test('the transpose is the adjoint', () => {
    const f = (x: Tensor): Tensor => lax.map((row) => row.mul(3).sum(), x)
    const x = tensor([
      [1, 2],
      [3, 4],
    ])
    const ct = tensor([5, 7])
    expect(f(x).mul(ct).sum().item()).toBe(linearTranspose(f, x)(ct)[0].mul(x).sum().item())
  })
  test('a gradient stops', () => {
    close(grad((x: Tensor) => stopGradient(x).mul(x))(tensor(3)), 3)
    close(jvp((x: Tensor) => stopGradient(x.mul(x)), [tensor(3)], [tensor(1)])[1], 0)
    close(grad((x: Tensor) => grad((y: Tensor) => stopGradient(x).mul(y).mul(y))(x))(tensor(3)), 6)
  })
})

test('every derived graph is well formed', () => {
  const f = (x: Tensor): Tensor => {
    const [s, ys] = scan(
      (c, v) => [
        c.mul(v).sin(),
        cond(
          v.greater(0),
          (a) => a.exp(),
          (a) => a,
          v,
        ),
      ],
      0.5,
      x,
    )
    return s.add(checkpoint((v: Tensor) => v.mul(v).sum())(ys))
  }
  const x = tensor([0.4, -0.2, 0.9])
  const batch = np.stack([x, x.neg()])
  for (const g of [
    f,
    grad(f),
    hessian(f),
    jit(grad(f)),
    (v: Tensor) => jvp(grad(f), [v], [v])[1],
  ]) {
    check(makeIR(g)(x).graph, 'a transform')
    check(makeIR(vmap(g))(batch).graph, 'a transform under vmap')
    expectClose(interpret(g)(x), g(x))
  }
})

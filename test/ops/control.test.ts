import {
  type Tensor,
  checkpoint,
  customJvp,
  customVjp,
  grad,
  jacfwd,
  jvp,
  linearize,
  stopGradient,
  tensor,
  vmap,
} from '@cotangent/core'
import { jit } from '@cotangent/jit'
import { cond, foriLoop, lax, np, scan, switchCase, whileLoop } from '@cotangent/ops'
import { describe, expect, test } from 'vitest'
import { type Law, batched, expectClose, expectSame, transforms } from './agreement.ts'

type Step = (carry: Tensor, x: Tensor) => readonly [Tensor, Tensor]

/** The loop that `scan` stands for. */
const unrolled = (
  f: Step,
  init: Tensor,
  xs: Tensor,
  reverse = false,
): readonly [Tensor, Tensor] => {
  let carry = init
  const ys: Tensor[] = []
  for (let i = 0; i < xs.shape[0]!; i++) {
    const t = reverse ? xs.shape[0]! - 1 - i : i
    const [next, y] = f(carry, xs.at(t))
    carry = next
    ys[t] = y
  }
  return [carry, np.stack(ys)]
}

const w = tensor([
  [0.3, -0.2],
  [0.5, 0.4],
])
const c = tensor([0.1, -0.4])
const xs = tensor([
  [0.5, 1],
  [-0.3, 0.2],
  [0.7, -1.1],
])

describe('scan is the unrolled loop', () => {
  const bodies: Readonly<Record<string, (w: Tensor) => Step>> = {
    'a recurrent cell': (v) => (s, x) => {
      const h = v.matmul(s).add(x).tanh()
      return [h, h.mul(x)]
    },
    'constants used beside the carry': (v) => (s, x) => [s.add(x), v.sum().sin().mul(x)],
    'loop-invariant work': (v) => (s, x) => {
      const scale = v.mul(v).sin()
      return [scale.matmul(s).add(x), x]
    },
    'the carry of before': (v) => (s, x) => [x.mul(v.at(0)), s],
    'a carry that only constants reach': (v) => (s, x) => [v.at(1), x.mul(s)],
    'a y that does not depend on anything': () => (s, x) => [s.mul(x), np.ones(2)],
    'an integer beside': (v) => (s, x) => {
      const k = x.greater(0).astype('int32').sum()
      return [s.mul(k).add(v.at(k)), x.mul(k)]
    },
    'a branch in the loop': (v) => (s, x) => {
      const y = cond(
        x.at(0).greater(0),
        (a) => a.sin().mul(v.at(0)),
        (a) => a.mul(a),
        s,
      )
      return [y.add(x), y]
    },
    'a loop in the loop': (v) => (s, x) => {
      const [last, all] = scan((p, row) => [p.mul(row).sin(), p.add(x)], s, v)
      return [last.add(x), all.sum({ axis: 0 })]
    },
    'a checkpoint in the loop': (v) => (s, x) => {
      const h = checkpoint((a: Tensor, b: Tensor) => v.matmul(a.sin()).add(b).tanh())(s, x)
      return [h, h.mul(s)]
    },
    'a custom forward rule in the loop': (v) => {
      const cube = customJvp(
        (x: Tensor) => x.mul(x).mul(x),
        ([x], [dx]) => [x.mul(x).mul(x), x.mul(x).mul(3).mul(dx)],
      )
      return (s, x) => [cube(s).sub(x).tanh(), v.matmul(cube(x))]
    },
    'a stopped gradient': (v) => (s, x) => [stopGradient(s).mul(x).add(v.matmul(s)), s],
  }
  for (const [name, body] of Object.entries(bodies)) {
    for (const reverse of [false, true]) {
      test(`${name}${reverse ? ', reversed' : ''}`, () => {
        const looped: Law = (v, init, items) => scan(body(v!), init!, items!, { reverse })
        const plain: Law = (v, init, items) => unrolled(body(v!), init!, items!, reverse)
        // Batches are blind to the direction.
        if (reverse) expectSame(looped, plain, [w, c, xs], transforms)
        else expectSame(looped, plain, [w, c, xs])
      })
    }
  }
})

test('a scan with a custom reverse rule inside', () => {
  const cube = customVjp(
    (x: Tensor) => x.mul(x).mul(x),
    (x: Tensor) => [x.mul(x).mul(x), x],
    (x: Tensor, ct: Tensor) => [x.mul(x).mul(3).mul(ct)],
  )
  const body =
    (v: Tensor, f: (x: Tensor) => Tensor): Step =>
    (s, x) => [f(s).sub(x).tanh(), v.matmul(f(x))]
  const custom: Law = (v, init, items) => scan(body(v!, cube), init!, items!)
  const plain: Law = (v, init, items) =>
    unrolled(
      body(v!, (x) => x.mul(x).mul(x)),
      init!,
      items!,
    )
  const {
    value,
    grad: gradient,
    'grad of grad': second,
    jit: compiled,
    'jit of grad': both,
  } = transforms
  const reverse = { value, gradient, second, compiled, both }
  const under = Object.entries(reverse).flatMap(([name, t]) =>
    t === undefined ? [] : [[name, t] as const],
  )
  expectSame(custom, plain, [w, c, xs], { ...Object.fromEntries(under), ...batched(3) })
})

describe('several ways to run the same steps', () => {
  const step: Step = (s, x) => {
    const h = s.mul(0.7).add(x.sin()).tanh()
    return [h, h.mul(x)]
  }
  const long = np.linspace(-1, 1, { num: 7 })
  const once: Law = (init, items) => scan(step, init!, items!)
  for (const reverse of [false, true]) {
    for (const options of [
      { unroll: 2 },
      { unroll: 3 },
      { unroll: true },
      { unroll: 20 },
      { checkpoint: true },
      { checkpoint: 2 },
      { checkpoint: 7 },
      { checkpoint: 3, unroll: 2 },
    ] as const) {
      test(`${JSON.stringify(options)}${reverse ? ' reversed' : ''}`, () => {
        expectSame(
          (init, items) => scan(step, init!, items!, { ...options, reverse }),
          (init, items) => scan(step, init!, items!, { reverse }),
          [tensor(0.3), long],
          reverse ? transforms : undefined,
        )
      })
    }
  }
  test('map in batches', () => {
    const f = (x: Tensor): readonly [Tensor, Tensor] => [x.sin(), x.mul(x)]
    for (const batchSize of [1, 2, 3, 7, 9]) {
      expectSame(
        (items) => lax.map(f, items!, { batchSize }),
        (items) => lax.map(f, items!),
        [long],
      )
    }
  })
  test('an empty scan', () => {
    expectSame(once, (init) => [init!, np.zeros([0])], [tensor(0.3), np.zeros([0])], {
      value: (f) => f,
      grad: transforms['grad']!,
      jit: transforms['jit']!,
    })
  })
})

describe('choices', () => {
  const x = tensor([0.5, -0.7])
  const y = tensor([
    [1, 0.2],
    [-0.3, 2],
  ])
  const a = (u: Tensor, v: Tensor): PQ => ({ p: v.matmul(u).sin(), q: u.sum() })
  const b = (u: Tensor): PQ => ({ p: u.mul(u), q: np.zeros([]) })
  const third = (u: Tensor, v: Tensor): PQ => ({ p: u.exp().mul(v.at(0)), q: v.sum().mul(u.at(1)) })
  const branches = [a, b, third]
  for (const i of [0, 1, 2]) {
    test(`branch ${i}`, () => {
      expectSame(
        (u, v) => switchCase(i, branches, u!, v!),
        (u, v) => branches[i]!(u!, v!),
        [x, y],
      )
    })
  }
  test('a predicate that depends on the operands', () => {
    const law: Law = (u, v) => cond(u!.sum().greater(0), a, third, u!, v!)
    const select: Law = (u, v) => {
      const [s, t] = [a(u!, v!), third(u!, v!)]
      return {
        p: np.where(u!.sum().greater(0), s.p, t.p),
        q: np.where(u!.sum().greater(0), s.q, t.q),
      }
    }
    expectSame(law, select, [x, y])
    expectSame(law, select, [x.neg(), y])
  })
  test('operands that a branch closes over', () => {
    expectSame(
      (u, v) =>
        cond(
          u!.at(0).less(0),
          () => v!.sum(),
          () => u!.mul(v!).sum().sin(),
        ),
      (u, v) => u!.mul(v!).sum().sin(),
      [x, y],
      transforms,
    )
  })
})

interface PQ {
  readonly p: Tensor
  readonly q: Tensor
}

describe('counted and conditional loops', () => {
  const power: Law = (m, v) => foriLoop(0, 3, (i, s) => m!.matmul(s).mul(i.add(1)), v!)
  const byHand: Law = (m, v) => m!.matmul(m!.matmul(m!.matmul(v!)).mul(2)).mul(3)
  test('foriLoop is its steps', () => expectSame(power, byHand, [w, c]))

  // The number of steps depends on the values: forward mode only.
  const halve: Law = (z) =>
    whileLoop(
      (s) => s.greater(0.2),
      (s) => s.mul(s).mul(0.6),
      z!,
    )
  const forward =
    (f: Law): Law =>
    (...args) =>
      transforms['jvp']!(f)(...args)
  const steps: Law = (z) => {
    const f = (s: Tensor): Tensor => s.mul(s).mul(0.6)
    const once = np.where(z!.greater(0.2), f(z!), z!)
    const twice = np.where(once.greater(0.2), f(once), once)
    return np.where(twice.greater(0.2), f(twice), twice)
  }
  test('whileLoop under forward mode and vmap', () => {
    for (const value of [0.1, 0.9, 1.2]) {
      expectSame(halve, steps, [tensor(value)], {
        value: (f) => f,
        jvp: forward,
        'jvp of jvp': (f) => forward(forward(f)),
        jit: transforms['jit']!,
        'jit of jvp': (f) => transforms['jit']!(forward(f)),
        ...batched(1),
        'jvp of vmap': (f) => forward(batched(1)['vmap B']!(f)),
        'vmap of jvp': (f) => batched(1)['vmap B']!(forward(f)),
        'jit of vmap of jvp': (f) => transforms['jit']!(batched(1)['vmap B']!(forward(f))),
      })
    }
  })
  test('a loop that closes over batched values', () => {
    const double = (limit: Tensor, z: Tensor, factor: Tensor): Tensor =>
      whileLoop(
        (s) => s.less(limit),
        (s) => s.mul(factor),
        z,
      )
    const args = [tensor([5, 50, 3]), tensor([1, 2, 4]), tensor([2, 3, 5])] as const
    const byExample = (mapped: readonly boolean[]): Tensor =>
      np.stack(
        [0, 1, 2].map((e) => {
          const [limit, z, factor] = args.map((a, i) => a.at(mapped[i]! ? e : 0))
          return double(limit!, z!, factor!)
        }),
      )
    for (let n = 1; n < 8; n++) {
      const mapped = [0, 1, 2].map((i) => ((n >> i) & 1) === 1)
      const given = args.map((a, i) => (mapped[i]! ? a : a.at(0)))
      const inAxes = mapped.map((m) => (m ? 0 : null))
      const [limit, z, factor] = given
      for (const run of [vmap(double, { inAxes }), jit(vmap(double, { inAxes }))]) {
        expectClose(run(limit!, z!, factor!), byExample(mapped))
      }
    }
    // A counted loop over a batch keeps its one condition.
    const counted = vmap(
      (z: Tensor) =>
        whileLoop(
          ([i]) => i.less(3),
          ([i, s]) => [i.add(1), s.mul(z)],
          [0, z],
        )[1],
    )
    expectClose(counted(tensor([1, 2, 3])), tensor([1, 16, 81]))
  })
  test('forward mode of every kind, through loops in loops', () => {
    const f = (z: Tensor): Tensor =>
      scan(
        (s) => [
          whileLoop(
            (t) => t.abs().greater(0.5),
            (t) => t.mul(z).mul(0.4),
            s,
          ).add(z),
          null,
        ],
        z,
        null,
        { length: 3 },
      )[0]
    const z = tensor(1.2)
    const h = 1e-3
    const difference = (f(z.add(h)).item() - f(z.sub(h)).item()) / (2 * h)
    const derivatives = [
      jvp(f, [z], [tensor(1)])[1],
      jacfwd(f)(z),
      linearize(f, z)[1](tensor(1)),
      jit(jacfwd(f))(z),
      vmap(jacfwd(f))(np.stack([z, z])).at(1),
    ]
    for (const d of derivatives) expect(d.item()).toBeCloseTo(difference, 2)
  })
  test('the gradient of what does not pass through the loop', () => {
    const f = (z: Tensor): Tensor =>
      whileLoop(
        (s) => s.less(10),
        (s) => s.mul(2),
        stopGradient(z),
      ).mul(z)
    expectClose(grad(f)(tensor(3)), tensor(12))
  })
  test('reverse mode is refused', () => {
    expect(() =>
      grad((z: Tensor) =>
        whileLoop(
          (s) => s.less(10),
          (s) => s.mul(2),
          z,
        ),
      )(tensor(3)),
    ).toThrow(/whileLoop: reverse mode[\s\S]*scan/)
    expect(() =>
      grad((z: Tensor, n: Tensor) => foriLoop(0, n, (_, s) => s.mul(2), z))(
        tensor(3),
        tensor(4, { dtype: 'int32' }),
      ),
    ).not.toThrow()
  })
})

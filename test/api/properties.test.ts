import {
  checkpoint,
  cond,
  customJvp,
  foriLoop,
  jacfwd,
  lax,
  switchCase,
  grad,
  hessian,
  jit,
  jvp,
  np,
  scan,
  type Tensor,
  tensor,
  tree,
  vjp,
  vmap,
} from 'cotangent'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { numbersOf } from './support.ts'

type Fn = (x: Tensor) => Tensor
const w = tensor([0.3, -0.7, 1.1])
const m = tensor([
  [0.5, -0.2, 0.1],
  [0.3, 0.8, -0.6],
  [-0.4, 0.2, 0.7],
])

const slow = customJvp(
  (x: Tensor) => x.mul(x).mul(0.5),
  ([x], [dx]) => [x.mul(x).mul(0.5), dx.mul(x)],
)

/** Smooth functions of three numbers in [-1, 1] to three, each printed by the name it has here. */
const blocks: Readonly<Record<string, Fn>> = {
  sin: (x) => x.sin(),
  cos: (x) => x.cos(),
  tanh: (x) => x.tanh(),
  'exp of a third': (x) => x.mul(1 / 3).exp(),
  'log of 1 + x²': (x) => x.mul(x).log1p(),
  'sqrt of 1 + x²': (x) => x.mul(x).add(1).sqrt(),
  'over 2 + x²': (x) => np.divide(1, x.mul(x).add(2)),
  neg: (x) => x.neg(),
  square: (x) => x.pow(2),
  'times w': (x) => x.mul(w),
  'minus its mean': (x) => x.sub(x.mean()),
  matmul: (x) => m.matmul(x),
  reversed: (x) => x.at('::-1'),
  gathered: (x) => x.at([2, 0, 0]),
  'set at 1': (x) => x.set([1], 0.25),
  'added at 0 and 2': (x) => x.addAt([[0, 2, 2]], x),
  cumsum: (x) => x.cumsum(),
  softmax: (x) => x.sub(x.max()).exp().div(x.sub(x.max()).exp().sum()),
  'clipped far away': (x) => x.clip(-50, 50),
  rolled: (x) => np.roll(x, 1),
  'outer and sum': (x) => np.outer(x, w).sum(0),
  'where positive weight': (x) => np.where(w.greater(0), x.sin(), x.mul(0.5)),
  compiled: (x) => jit((y: Tensor) => y.sin().mul(0.7))(x),
  mapped: (x) => vmap((y: Tensor) => y.mul(y).add(0.1))(x),
  scanned: (x) =>
    scan(
      (c: Tensor, y: Tensor) => {
        const next = c.mul(0.5).add(y.tanh())
        return [next, next]
      },
      x.at(0).mul(0.2),
      x,
    )[1],
  sorted: (x) => np.sort(x.tanh().add([0, 3, -3])),
  'the longer way round': (x) => np.concatenate([x, x.neg()]).reshape([2, 3]).T.at(':', 1).neg(),
  'padded and cut': (x) => np.pad(x, 2).at('2:-2'),
  'chosen by a branch': (x) =>
    cond(
      x.sum().tanh().greater(2),
      (y: Tensor) => y.mul(2),
      (y: Tensor) => y.sin(),
      x,
    ),
  switched: (x) =>
    switchCase(1, [(y: Tensor) => y, (y: Tensor) => y.mul(y), (y: Tensor) => y.neg()], x),
  'three times over': (x) => foriLoop(0, 3, (i, y: Tensor) => y.mul(0.9).add(i), x.mul(0.1)),
  recomputed: (x) => checkpoint((y: Tensor) => y.sin().mul(y))(x),
  'running products': (x) => lax.associativeScan((a: Tensor, b: Tensor) => a.mul(b), x.add(0.5)),
  cumprod: (x) => x.cumprod(),
  einsum: (x) => np.einsum('i,ij,j->j', x, m, x),
  'a convolution': (x) => np.convolve(x, w, { mode: 'same' }),
  normed: (x) => x.div(x.pow(2).sum().add(1).sqrt()),
  standardised: (x) => x.sub(x.mean()).div(x.var().add(1).sqrt()),
  'a power': (x) => np.power(x.tanh().add(2), x.sin()),
  'an angle': (x) => np.arctan2(x, x.mul(x).add(1)),
  'larger than w': (x) => x.tanh().add([5, -5, 5]).maximum(w),
  'the largest, thrice': (x) => np.broadcastTo(x.tanh().add([0, 9, 0]).max(), [3]),
  'a Jacobian times x': (x) => jacfwd((y: Tensor) => y.mul(y).mul(w))(x).matmul(x),
  'a pullback': (x) => vjp((y: Tensor) => y.sin(), x)[1](x)[0]!,
  'a pushforward': (x) => jvp((y: Tensor) => y.cos(), [x], [x])[1],
  'its own rule': (x) => slow(x),
  'batched windows': (x) => vmap((i: Tensor) => x.at(i).mul(x.at(i.sub(1))))(np.arange(3)),
  'a mean over a named axis': (x) =>
    vmap((y: Tensor) => y.sub(lax.pmean(y, 'i')), { axisName: 'i' })(x),
  'its own gradient': (x) => grad((y: Tensor) => y.mul(y).sin().sum())(x).mul(0.3),
}
const names = Object.keys(blocks)
const pairs: Readonly<Record<string, (a: Tensor, b: Tensor) => Tensor>> = {
  plus: (a, b) => a.add(b),
  times: (a, b) => a.mul(b),
  minus: (a, b) => a.sub(b),
}

type Program = { readonly text: string; readonly f: Fn }
const step = fc.constantFrom(...names).map((name): Program => ({ text: name, f: blocks[name]! }))
const joined = fc.tuple(fc.constantFrom(...Object.keys(pairs)), step, step).map(
  ([name, a, b]): Program => ({
    text: `(${a.text} ${name} ${b.text})`,
    f: (x) => pairs[name]!(a.f(x), b.f(x)),
  }),
)
const program = fc.array(fc.oneof(step, joined), { minLength: 1, maxLength: 5 }).map((steps) => ({
  text: steps.map(({ text }) => text).join(', then '),
  f: (x: Tensor): Tensor => steps.reduce((value, { f }) => f(value), x),
  steps,
}))
// What grows beyond this is as sensitive to rounding as it is to its input.
const isTame = (steps: readonly Program[], x: readonly number[]): boolean => {
  let value = f64(x)
  return steps.every(({ f }) => {
    value = f(value)
    return numbersOf(value.toArray()).every((element) => Math.abs(element) < 20)
  })
}
const shown = fc.tuple(
  program,
  fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 3, maxLength: 3 }),
)
const close = (a: unknown, b: unknown, tolerance: number): boolean => {
  const [x, y] = [numbersOf(a), numbersOf(b)]
  const scale = Math.max(1, ...y.map(Math.abs))
  return (
    x.length === y.length && x.every((value, i) => Math.abs(value - y[i]!) <= tolerance * scale)
  )
}
const f64 = (values: readonly number[]): Tensor => tensor([...values], { dtype: 'float64' })
const weights = f64([0.7, -0.4, 1.3])

describe('random programs', () => {
  const check = (law: (program: Program, x: readonly number[]) => void, numRuns: number): void => {
    fc.assert(
      fc.property(shown, ([p, x]) => {
        fc.pre(isTame(p.steps, x))
        try {
          law(p, x)
        } catch (error) {
          throw new Error(`${p.text} at [${x.join(', ')}]: ${String(error)}`, { cause: error })
        }
      }),
      { numRuns, includeErrorInReport: true },
    )
  }

  test('grad is what finite differences say', () => {
    check(({ f }, values) => {
      const loss = (x: Tensor): Tensor => f(x).mul(weights).sum()
      const x = f64(values)
      const analytic = grad(loss)(x).toArray()
      const numeric = values.map((_, i) => {
        const at = (h: number): number =>
          Number(loss(f64(values.map((value, j) => (i === j ? value + h : value)))).item())
        return (at(1e-5) - at(-1e-5)) / 2e-5
      })
      // Constants of float32 inside, and central differences: what is left is 1e-4.
      expect(close(analytic, numeric, 2e-4), `${String(analytic)} against ${String(numeric)}`).toBe(
        true,
      )
    }, 60)
  })

  test('forward and reverse agree: ⟨ct, J v⟩ = ⟨Jᵀ ct, v⟩', () => {
    check(({ f }, values) => {
      const x = f64(values)
      const [, tangent] = jvp(f, [x], [weights])
      const [, pullback] = vjp(f, x)
      const [cotangent] = pullback(weights.astype(tangent.dtype))
      expect(
        close(tangent.mul(weights).sum().item(), cotangent.mul(weights).sum().item(), 1e-5),
      ).toBe(true)
    }, 60)
  })

  test('hessians are symmetric', () => {
    check(({ f }, values) => {
      const h = hessian((x: Tensor) => f(x).mul(weights).sum())(f64(values))
      expect(close(h.toArray(), h.T.toArray(), 1e-4)).toBe(true)
    }, 20)
  })

  test('vmap is the loop', () => {
    check(({ f }, values) => {
      const rows = np.stack([tensor([...values]), tensor([...values]).neg(), w])
      const loop = [...rows].map((row) => f(row).toArray())
      expect(close(vmap(f)(rows).toArray(), loop, 1e-5)).toBe(true)
      const columns = vmap(f, { inAxes: 1, outAxes: -1 })(rows.T)
      expect(close(columns.T.toArray(), loop, 1e-5)).toBe(true)
    }, 40)
  })

  test('jit is eager, also of gradients and batches', () => {
    check(({ f }, values) => {
      const x = tensor([...values])
      const loss = (y: Tensor): Tensor => f(y).mul(w).sum()
      expect(close(jit(f)(x).toArray(), f(x).toArray(), 1e-5)).toBe(true)
      expect(close(jit(grad(loss))(x).toArray(), grad(loss)(x).toArray(), 1e-4)).toBe(true)
      const rows = np.stack([x, w])
      expect(
        close(jit(vmap(grad(loss)))(rows).toArray(), vmap(grad(loss))(rows).toArray(), 1e-4),
      ).toBe(true)
    }, 40)
  })
})

describe('trees', () => {
  type Leaf = number | boolean | Tensor
  type Any = number | null | readonly Any[] | { readonly [name: string]: Any }
  const trees = fc.letrec<{ any: Any }>((tie) => ({
    any: fc.oneof(
      { maxDepth: 4 },
      fc.integer(),
      fc.constant(null),
      fc.array(tie('any'), { maxLength: 4 }),
      fc.dictionary(
        fc.string({ minLength: 1 }).filter((name) => name !== '__proto__'),
        tie('any'),
        { maxKeys: 4 },
      ),
    ),
  })).any
  // Its leaves are numbers; a recursive type would have the compiler go on for ever.
  const any: fc.Arbitrary<unknown> = trees

  test('unflatten undoes flatten', () => {
    fc.assert(
      fc.property(any, (t) => {
        const [leaves, structure] = tree.flatten(t)
        expect(tree.unflatten(structure, leaves)).toEqual(t)
        expect(leaves).toEqual(tree.leaves(t))
      }),
      { numRuns: 200 },
    )
  })

  test('map keeps identity and composition', () => {
    const up = (x: Leaf): number => Number(x) + 1
    const twice = (x: Leaf): number => Number(x) * 2
    fc.assert(
      fc.property(any, (t) => {
        expect(tree.map((x: Leaf) => x, t)).toEqual(t)
        expect(tree.map((x: Leaf) => twice(up(x)), t)).toEqual(tree.map(twice, tree.map(up, t)))
      }),
      { numRuns: 200 },
    )
  })

  test('combine undoes partition, and sizes add up', () => {
    fc.assert(
      fc.property(any, (t) => {
        const [even, odd] = tree.partition((x: Leaf) => Number(x) % 2 === 0, t)
        expect(tree.leaves(even).length + tree.leaves(odd).length).toBe(tree.leaves(t).length)
        expect(tree.combine(even, odd)).toEqual(t)
      }),
      { numRuns: 200 },
    )
  })

  test('a tree of tensors goes through jit unchanged', () => {
    fc.assert(
      fc.property(any, (t) => {
        const tensors = tree.map((x: Leaf) => tensor(Number(x) % 1000), t)
        expect(tree.equals(jit((p: unknown) => p)(tensors), tensors)).toBe(true)
      }),
      { numRuns: 30 },
    )
  })
})

describe('arrays', () => {
  const shape = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 })

  test('reshape keeps the order, transposing twice is nothing', () => {
    fc.assert(
      fc.property(shape, (dims) => {
        const size = dims.reduce((a, b) => a * b, 1)
        const x = np.arange(size).reshape(dims)
        expect(x.ravel().toArray()).toEqual(np.arange(size).toArray())
        expect(x.T.T.toArray()).toEqual(x.toArray())
        expect(tensor(x.data(), { shape: dims }).toArray()).toEqual(x.toArray())
      }),
    )
  })

  test('a slice is JavaScript’s own for a step of one', () => {
    const bound = fc.option(fc.integer({ min: -8, max: 8 }), { nil: undefined })
    fc.assert(
      fc.property(bound, bound, (start, stop) => {
        const text = `${start ?? ''}:${stop ?? ''}`
        expect(np.arange(6).at(text).toArray()).toEqual([0, 1, 2, 3, 4, 5].slice(start, stop))
      }),
    )
  })

  test('broadcasting commutes and has the larger shape', () => {
    fc.assert(
      fc.property(shape, fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }), (dims, ones) => {
        const other = dims.map((n, i) => (ones[i] === true ? 1 : n))
        const sum = np.ones(dims).add(np.ones(other))
        expect(sum.shape).toEqual(np.ones(other).add(np.ones(dims)).shape)
        expect(sum.shape).toEqual(dims.map((n, i) => (n === 1 ? other[i]! : n)))
      }),
    )
  })
})

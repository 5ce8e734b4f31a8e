/** Laws of what combines and wraps transformations. */
import { type Tensor, grad, tensor, tree, vmap } from '@cotangent/core'
import { jit } from '@cotangent/jit'
import { optim } from '@cotangent/nn'
import { np, random } from '@cotangent/ops'
import fc from 'fast-check'
import { describe, expect, expectTypeOf, test } from 'vitest'

const params = {
  a: tensor([1, -2, 3]),
  b: {
    c: tensor([
      [0.5, 1],
      [2, -1],
    ]),
  },
}
type Params = typeof params

const numbers = fc.array(fc.double({ min: -3, max: 3, noNaN: true }), {
  minLength: 7,
  maxLength: 7,
})
const gradients = numbers.map(
  (v): Params => ({ a: tensor(v.slice(0, 3)), b: { c: tensor([v.slice(3, 5), v.slice(5)]) } }),
)

const run = <S>(
  optimizer: optim.GradientTransformation<S>,
  steps: readonly Params[],
  from: Params = params,
): Params => {
  let [p, state] = [from, optimizer.init(from)]
  for (const g of steps) {
    const [updates, next] = optimizer.update(g, state, p)
    p = optim.applyUpdates(p, updates)
    state = next
  }
  return p
}

const close = (a: unknown, b: unknown): void =>
  expect(tree.allClose(a, b, { rtol: 1e-4, atol: 1e-5 })).toBe(true)

const few = { numRuns: 10 }

describe('chain', () => {
  test('is associative, and identity is neutral', () => {
    const parts = (): readonly [
      optim.AnyTransformation,
      optim.AnyTransformation,
      optim.AnyTransformation,
    ] => [optim.clipByGlobalNorm(1), optim.scaleByAdam(), optim.scale(-0.1)]
    fc.assert(
      fc.property(fc.array(gradients, { minLength: 3, maxLength: 3 }), (steps) => {
        const [f, g, h] = parts()
        const flat = run(optim.chain(f, g, h), steps)
        close(run(optim.chain(optim.chain(f, g), h), steps), flat)
        close(run(optim.chain(f, optim.chain(g, h)), steps), flat)
        close(run(optim.chain(optim.identity(), f, g, h), steps), flat)
        close(run(optim.namedChain(['clip', f], ['adam', g], ['step', h]), steps), flat)
      }),
      few,
    )
  })

  test('states are typed by part and by name', () => {
    const [adam, rate] = optim
      .chain(optim.scaleByAdam(), optim.scaleByLearningRate(0.1))
      .init(params)
    expectTypeOf(adam).toEqualTypeOf<optim.AdamState>()
    expectTypeOf(rate).toEqualTypeOf<optim.RateState>()
    const named = optim
      .namedChain(['mean', optim.ema(0.9)], ['push', optim.trace(0.9)])
      .init(params)
    expectTypeOf(named.mean).toEqualTypeOf<optim.EmaState>()
    expectTypeOf(named.push).toEqualTypeOf<optim.TraceState>()
    expect(() => optim.namedChain(['x', optim.identity()], ['x', optim.identity()])).toThrow(
      'a name of its own',
    )
  })
})

describe('masked', () => {
  const g: Params = { a: tensor([1, 1, 1]), b: { c: np.ones([2, 2]) } }

  test('leaves outside the mask are the same objects', () => {
    const only = optim.masked(optim.scale(-2), { a: true, b: { c: false } })
    const [updates] = only.update(g, only.init(params), params)
    expect(updates.b.c).toBe(g.b.c)
    expect(updates.a.toArray()).toEqual([-2, -2, -2])
    const decayed = optim.addDecayedWeights(0.1, { a: false, b: true })
    expect(decayed.update(g, decayed.init(params), params)[0].a).toBe(g.a)
  })

  test('a mask may be a prefix or a function, and has the structure of the tree', () => {
    const byPrefix = optim.masked(optim.setToZero(), { a: false, b: true })
    const byFunction = optim.masked(optim.setToZero(), (t) =>
      tree.map((x: Tensor) => x.ndim > 1, t),
    )
    for (const each of [byPrefix, byFunction]) {
      const [updates] = each.update(g, each.init(params), params)
      expect(updates.a).toBe(g.a)
      expect(updates.b.c.toArray()).toEqual([
        [0, 0],
        [0, 0],
      ])
    }
    expect(() => optim.masked(optim.identity(), { a: true }).init(params)).toThrow('prefix')
  })

  test('partition: each leaf by its own transformation, alone', () => {
    fc.assert(
      fc.property(fc.array(gradients, { minLength: 3, maxLength: 3 }), (steps) => {
        const both = optim.partition(
          { fast: optim.adam(0.1), slow: optim.sgd(0.01) },
          { a: 'fast', b: { c: 'slow' } },
        )
        const got = run(both, steps)
        close(got.a, run(optim.adam(0.1), steps).a)
        close(got.b.c, run(optim.sgd(0.01), steps).b.c)
      }),
      few,
    )
    expect(() =>
      optim.multiTransform({ fast: optim.adam(0.1) }, { a: 'fast', b: 'other' }).init(params),
    ).toThrow('no transformation')
  })

  test('freeze and selectiveTransform keep parameters bit by bit', () => {
    const mask = { a: true, b: false }
    const frozen = run(optim.chain(optim.sgd(0.1), optim.freeze(mask)), [g, g])
    const selected = run(optim.selectiveTransform(optim.adam(0.1), { freezeMask: mask }), [g, g])
    expect(frozen.a.toArray()).toEqual(params.a.toArray())
    expect(selected.a.toArray()).toEqual(params.a.toArray())
    close(selected.b.c, run(optim.adam(0.1), [g, g]).b.c)
  })
})

describe('accumulate', () => {
  test('n small batches equal one large one, for any optimiser and n', () => {
    const x = random.normal(random.key(1), [12, 3])
    const loss = (w: Tensor, rows: Tensor): Tensor => rows.matmul(w).sin().square().mean()
    fc.assert(
      fc.property(fc.constantFrom(1, 2, 3, 4, 6), fc.constantFrom('adam', 'sgd'), (n, kind) => {
        const make = (): optim.AnyTransformation =>
          kind === 'adam' ? optim.adam(0.1) : optim.sgd(0.1, { momentum: 0.9 })
        let w = tensor([0.3, -0.5, 0.8])
        let big = w
        const [small, whole] = [optim.accumulate(make(), n), make()]
        let [s, t] = [small.init(w), whole.init(big)]
        for (let round = 0; round < 2; round++) {
          for (let i = 0; i < n; i++) {
            const rows = x.at({ start: (12 / n) * i, stop: (12 / n) * (i + 1) })
            const [u, next] = small.update(grad(loss)(w, rows), s, w)
            if (i < n - 1) expect(u.toArray()).toEqual([0, 0, 0])
            w = optim.applyUpdates(w, u)
            s = next
          }
          expect(optim.hasUpdated(s).item()).toBe(1)
          const [u, next] = whole.update(grad(loss)(big, x), t, big)
          big = optim.applyUpdates(big, u)
          t = next
        }
        close(w, big)
      }),
      few,
    )
  })

  test('what is skipped counts as not computed', () => {
    const bad: Params = { ...params, a: tensor([NaN, 0, 0]) }
    const optimizer = optim.accumulate(optim.sgd(1), 2, { shouldSkip: optim.skipNotFinite })
    close(run(optimizer, [params, bad, params]), run(optim.sgd(1), [params]))
    const large = optim.accumulate(optim.sgd(1), 1, { shouldSkip: optim.skipLargeUpdates(1) })
    expect(run(large, [params]).a.toArray()).toEqual(params.a.toArray())
  })
})

describe('injectHyperparams', () => {
  const make = (): optim.GradientTransformation<
    optim.InjectState<'rate' | 'b1', readonly [optim.AdamState, optim.RateState]>
  > => optim.injectHyperparams(({ rate, b1 }) => optim.adam(rate, { b1 }), { rate: 0.1, b1: 0.8 })

  test('equals constants', () => {
    fc.assert(
      fc.property(fc.array(gradients, { minLength: 3, maxLength: 3 }), (steps) => {
        close(run(make(), steps), run(optim.adam(0.1, { b1: 0.8 }), steps))
      }),
      few,
    )
  })

  test('values can be changed between the steps of one compiled function', () => {
    const optimizer = make()
    const step = jit((g: Params, s: ReturnType<typeof optimizer.init>) =>
      optimizer.update(g, s, params),
    )
    const first = optimizer.init(params)
    const halved = tree.update(first, (s) => {
      s.hyperparams.rate = tensor(0.05)
    })
    const [full] = step(params, first)
    const [half, next] = step(params, halved)
    close(half.a.mul(2), full.a)
    expect(next.hyperparams.rate.item()).toBeCloseTo(0.05, 6)
    expect(step.cacheSize).toBe(1)
  })

  test('schedules drive any number', () => {
    const { rate, momentum } = optim.oneCycle({ peak: 1, steps: 10 })
    const optimizer = optim.injectHyperparams((h) => optim.sgd(h.rate, { momentum: h.momentum }), {
      rate,
      momentum,
    })
    let state = optimizer.init(params)
    for (let i = 0; i < 4; i++) state = optimizer.update(params, state, params)[1]
    expect(state.hyperparams.rate.item()).toBeCloseTo(rate(3).item(), 6)
    expect(state.hyperparams.momentum.item()).toBeCloseTo(momentum(3).item(), 6)
  })
})

describe('the others', () => {
  test('lookahead brings slow and fast parameters together', () => {
    const optimizer = optim.lookahead(optim.sgd(0.1), { syncPeriod: 2, slowStepSize: 0.5 })
    let [p, state] = [params, optimizer.init(params)]
    for (let i = 1; i <= 4; i++) {
      const [u, next] = optimizer.update(params, state, p)
      p = optim.applyUpdates(p, u)
      state = next
      if (i % 2 === 0) close(p, state.slow)
    }
    // Two steps of −0.1 p, half of the way, twice.
    close(p.a, params.a.mul(0.8))
    expect(() => optim.lookahead(optim.sgd(1), { syncPeriod: 0, slowStepSize: 1 })).toThrow(
      'one step or more',
    )
  })

  test('applyIfFinite skips, and gives up in the end', () => {
    const bad: Params = { ...params, a: tensor([Infinity, 0, 0]) }
    const optimizer = optim.applyIfFinite(optim.sgd(0.1), 1)
    let state = optimizer.init(params)
    const [u, next] = optimizer.update(bad, state, params)
    expect(u.a.toArray()).toEqual([0, 0, 0])
    state = next
    expect([state.notFiniteCount.item(), state.lastFinite.item()]).toEqual([1, 0])
    expect(optimizer.update(bad, state, params)[0].a.at(0).item()).toBe(-Infinity)
  })

  test('noise has the variance asked for', () => {
    const zeros = { w: np.zeros([20_000]) }
    const noise = optim.addNoise({ eta: 0.5, gamma: 0, key: 3 })
    const [first, state] = noise.update(zeros, noise.init(zeros))
    const [second] = noise.update(zeros, state)
    expect(first.w.var().item()).toBeCloseTo(0.5, 1)
    expect(first.w.mul(second.w).mean().item()).toBeCloseTo(0, 1)
  })

  test('clipping of single examples', () => {
    const each = {
      w: tensor([
        [3, 4],
        [0.3, 0.4],
        [0, 0],
      ]),
    }
    const [sum, count] = optim.perExampleGlobalNormClip(each, 1)
    close(sum.w, tensor([0.9, 1.2]))
    expect(count.item()).toBe(1)
    const [layers, counts] = optim.perExampleLayerNormClip(each, 1)
    close(layers, sum)
    expect(counts.w.item()).toBe(1)
    const dp = optim.differentiallyPrivateAggregate({ l2NormClip: 1, noiseMultiplier: 0, key: 0 })
    close(dp.update(each, dp.init(each))[0].w, tensor([0.3, 0.4]))
    expect(() => optim.perExampleGlobalNormClip({ a: np.ones([2]), b: np.ones([3]) }, 1)).toThrow(
      'first axis',
    )
  })

  test('what needs more than gradients says so', () => {
    const plateau = optim.reduceOnPlateau()
    expect(() => plateau.update(params, plateau.init(params), params)).toThrow('needs value')
    expect(() => optim.reduceOnPlateau({ factor: 2 })).toThrow('between 0 and 1')
    const trust = optim.scaleByTrustRatio()
    expect(() => trust.update(params, trust.init(params))).toThrow('needs the parameters')
    expect(() => optim.scaleByLbfgs({ memorySize: 0 })).toThrow('at least one step')
  })

  test('reduceOnPlateau: the scale falls after so many values that are no better', () => {
    const plateau = optim.reduceOnPlateau({ factor: 0.5, patience: 2, cooldown: 1 })
    let state = plateau.init(params)
    const scales = [3, 2, 2, 2, 2, 2, 2, 1].map((value) => {
      state = plateau.update(params, state, params, { value })[1]
      return state.scale.item()
    })
    expect(scales).toEqual([1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25])
  })

  test('sam in one update equals sam in two', () => {
    const loss = (w: Tensor): Tensor =>
      w
        .mul(tensor([1, 3]))
        .square()
        .sum()
    const parts = (): readonly [optim.AnyTransformation, optim.AnyTransformation] => [
      optim.sgd(0.01),
      optim.chain(optim.normalize(), optim.sgd(0.1)),
    ]
    const start = tensor([1, 1])
    const once = optim.sam(...parts(), { opaqueMode: true })
    const [u] = once.update(grad(loss)(start), once.init(start), start, {
      gradFn: (p: Tensor) => grad(loss)(p),
    })
    const twice = optim.sam(...parts())
    let [p, state] = [start, twice.init(start)]
    for (let i = 0; i < 2; i++) {
      const [v, next] = twice.update(grad(loss)(p), state, p)
      p = optim.applyUpdates(p, v)
      state = next
    }
    close(p, start.add(u))
  })

  test('the average of schedule-free parameters', () => {
    const optimizer = optim.scheduleFreeSgd(0.1)
    const w = tensor([1, 2])
    const [u, state] = optimizer.update(w, optimizer.init(w), w)
    // After one step the average is the base's own parameters.
    close(optim.scheduleFreeEvalParams(state, w.add(u)), w.mul(0.9))
  })

  test('orthogonalised matrices have singular values near one', () => {
    const m = random.normal(random.key(5), [4, 6])
    for (const preconditioning of ['frobenius', 'spectral', 'aol', 'schatten'] as const) {
      const y = optim.orthogonalize(m, { preconditioning, steps: 8 })
      const gram = y.matmul(y.T)
      expect(gram.sub(np.eye(4)).abs().max().item()).toBeLessThan(0.55)
    }
  })

  test('hypergradients: the loss after some steps by the rate and the decay', () => {
    const loss = (w: Tensor): Tensor =>
      w
        .mul(tensor([1, 2]))
        .sin()
        .square()
        .sum()
    const after = ({ rate, b1 }: { readonly rate: Tensor; readonly b1: Tensor }): Tensor => {
      const optimizer = optim.adam(rate, { b1, epsilonRoot: 1e-3 })
      let w = tensor([0.4, -0.3])
      let state = optimizer.init(w)
      for (let i = 0; i < 3; i++) {
        const [u, next] = optimizer.update(grad(loss)(w), state, w)
        w = optim.applyUpdates(w, u)
        state = next
      }
      return loss(w)
    }
    const at = { rate: tensor(0.1), b1: tensor(0.8) }
    const h = 1e-2
    const slope = (name: 'rate' | 'b1'): number => {
      const moved = (by: number): number => after({ ...at, [name]: at[name].add(by) }).item()
      return (moved(h) - moved(-h)) / (2 * h)
    }
    const found = grad(after)(at)
    expect(found.rate.item()).toBeCloseTo(slope('rate'), 1)
    expect(found.b1.item()).toBeCloseTo(slope('b1'), 2)
  })

  test('an ensemble by vmap is each member alone', () => {
    const optimizer = optim.chain(optim.clipByGlobalNorm(1), optim.lion(0.1), optim.ema(0.5))
    const starts = random.normal(random.key(4), [3, 2])
    const step = (
      w: Tensor,
      state: ReturnType<typeof optimizer.init>,
    ): readonly [Tensor, typeof state] => {
      const [u, next] = optimizer.update(w.mul(3), state, w)
      return [optim.applyUpdates(w, u), next]
    }
    const [together] = vmap((w: Tensor) => {
      const [once, state] = step(w, optimizer.init(w))
      return step(once, state)
    })(starts)
    for (let i = 0; i < 3; i++) {
      const [once, state] = step(starts.at(i), optimizer.init(starts.at(i)))
      close(together.at(i), step(once, state)[0])
    }
  })
})

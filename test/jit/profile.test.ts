/** Profiles: what must hold of any, and what they say of known programs. */
import { type Tensor, cond, debug, grad, jit, np, random, scan, tensor } from 'cotangent'
import { describe, expect, test, vi } from 'vitest'
import { showTime } from '../../packages/jit/src/profile/table.ts'

const normal = (seed: number, shape: readonly number[]): Tensor =>
  random.normal(random.key(seed), shape)

const layer = (x: Tensor, w: Tensor): Tensor => {
  const h = np.tanh(x.matmul(w))
  return h.sub(h.mean({ axis: 1, keepdims: true })).sum()
}
const args = [normal(0, [64, 48]), normal(1, [48, 32])] as const
const quick = { repeat: 3, warmup: 1 }

const backends = ['js', 'wasm'] as const

describe.each(backends)('a profile of %s code', (backend) => {
  const compiled = jit(grad(layer, { argnums: 1 }), { backend })
  const profile = jit.profile(compiled, quick)(...args)

  test('has kernels with times that are positive and fit into the call', () => {
    expect(profile.backend).toBe(backend)
    expect(profile.rows.length).toBeGreaterThan(1)
    let sum = 0
    for (const row of profile.rows) {
      expect(row.time).toBeGreaterThan(0)
      expect(row.calls).toBe(1)
      expect(row.threads).toBeGreaterThanOrEqual(1)
      expect(row.threads).toBeLessThanOrEqual(profile.threads)
      expect(row.bytes).toBeGreaterThan(0)
      expect(row.source).not.toBe('')
      expect(row.share).toBeCloseTo(row.time / profile.total.time)
      for (const value of [row.flopsPerSecond, row.bytesPerSecond, row.roof]) {
        expect(Number.isFinite(value) && value >= 0).toBe(true)
      }
      sum += row.time
    }
    const { total } = profile
    expect(sum).toBeCloseTo(total.kernels)
    expect(total.kernels).toBeLessThanOrEqual(total.time)
    expect(total.kernels + total.other).toBeCloseTo(total.time)
    expect(total.unobserved).toBeGreaterThan(0)
    const times = profile.rows.map((row) => row.time)
    expect(times).toEqual(times.toSorted((a, b) => b - a))
  })

  test('tells the stages of the first call in their order', () => {
    const stages = profile.compile.map((c) => c.stage)
    const order = ['trace', 'optimise', 'lower', 'plan', 'loop passes', 'print', 'compile', 'link']
    expect(stages).toEqual(
      [...order, 'first run'].filter((s) => backend === 'wasm' || s !== 'link'),
    )
    for (const { time } of profile.compile) expect(time).toBeGreaterThanOrEqual(0)
    expect(profile.compile.reduce((n, c) => n + c.time, 0)).toBeGreaterThan(0)
  })

  test('is the same after a trip through JSON', () => {
    expect(JSON.parse(JSON.stringify(profile))).toEqual(profile.toJSON())
  })

  test('is a valid trace: kernels lie one after the other in their calls', () => {
    const { traceEvents } = JSON.parse(profile.toChromeTrace())
    const complete = traceEvents.filter((e: { ph: string }) => e.ph === 'X')
    for (const { ts, dur, name, pid, tid } of complete) {
      expect(ts >= 0 && dur >= 0 && Number.isInteger(pid) && Number.isInteger(tid)).toBe(true)
      expect(name).not.toBe('')
    }
    const of = (cat: string): readonly { ts: number; dur: number }[] =>
      complete.filter((e: { cat: string }) => e.cat === cat)
    const calls = of('call')
    const kernels = of('kernel')
    expect(calls).toHaveLength(quick.repeat)
    expect(kernels).toHaveLength(quick.repeat * profile.rows.length)
    let last = 0
    for (const { ts, dur } of kernels) {
      expect(ts).toBeGreaterThanOrEqual(last - 1e-3)
      last = ts + dur
      const around = calls.filter((c) => c.ts <= ts + 1e-3 && last <= c.ts + c.dur + 1e-3)
      expect(around).toHaveLength(1)
    }
    expect(of('compile').length).toBe(profile.compile.length)
  })

  test('prints a table with columns in line, and the reasons below it', () => {
    const text = String(profile)
    const lines = text.split('\n')
    const head = lines.find((line) => line.startsWith('kernel '))!
    for (const { name, apart } of profile.rows) {
      const line = lines.find((l) => l.startsWith(`${name} `))!
      expect(line.length).toBe(head.length)
      expect(text).toContain(apart)
    }
    expect(profile.table(1)).toContain(`${profile.rows.length - 1} more`)
  })

  test('does what the function does as often, within loops too', () => {
    const step = (c: Tensor, x: Tensor): readonly [Tensor, Tensor] => {
      const next = np.tanh(c.add(x).matmul(args[1].T.matmul(args[1])))
      return [next, next.sum()]
    }
    const loop = jit((xs: Tensor) => scan(step, np.zeros([4, 32]), xs), { backend })
    const { rows } = jit.profile(loop, quick)(normal(3, [5, 4, 32]))
    const inside = rows.filter((row) => row.inside === 'scan × 5')
    expect(inside.length).toBeGreaterThan(0)
    for (const row of inside) expect(row.calls).toBe(5)
  })

  test('leaves out what did not run', () => {
    const f = jit(
      (x: Tensor, flag: Tensor) =>
        cond(
          flag,
          (y: Tensor) => y.matmul(y),
          (y: Tensor) => np.sort(y),
          x,
        ),
      { backend },
    )
    const names = (flag: boolean): string =>
      jit
        .profile(f, quick)(normal(4, [32, 32]), tensor(flag))
        .rows.map((row) => row.name)
        .join(' ')
    expect(names(true)).toMatch(/dot/)
    expect(names(true)).not.toMatch(/sort/)
    expect(names(false)).toMatch(/sort/)
    expect(names(false)).not.toMatch(/dot/)
  })

  test('times calls of JavaScript', () => {
    const printed = vi.spyOn(console, 'log').mockImplementation(() => {})
    const f = jit(
      (x: Tensor) => {
        debug.print('x is {}', x)
        return x.matmul(x)
      },
      { backend },
    )
    const { rows } = jit.profile(f, quick)(normal(5, [32, 32]))
    expect(rows.find((row) => row.name === 'host call')?.calls).toBe(1)
    expect(printed.mock.calls.length).toBeGreaterThanOrEqual(2 * quick.repeat)
    printed.mockRestore()
  })

  test('leaves donated arguments to their owner, with their values', () => {
    const f = jit((x: Tensor, y: Tensor) => x.add(y), { backend, donate: [0] })
    const x = np.ones([1000])
    jit.profile(f, quick)(x, np.ones([1000]))
    expect(x.sum().item()).toBe(1000)
    expect(f.cacheSize).toBe(0)
    expect(
      f(x, np.ones([1000]))
        .sum()
        .item(),
    ).toBe(2000)
  })
})

describe('jit.profile', () => {
  test('the example of its documentation', () => {
    const profile = jit.profile((x: Tensor) => np.exp(x.matmul(x)))(np.ones([256, 256]))
    expect(String(profile)).toMatch(/^a nameless function: .* a call/)
    expect(profile.rows.find((row) => row.flops > 1e6)?.operations).toEqual(['dotGeneral', 'exp'])
  })

  test('counts the arithmetic and the bytes of a product', () => {
    const [n, k, m] = [64, 48, 80]
    const { rows } = jit.profile((x: Tensor, y: Tensor) => x.matmul(y), quick)(
      normal(0, [n, k]),
      normal(1, [k, m]),
    )
    const product = rows.find((row) => row.operations.includes('dotGeneral'))!
    expect(product.flops).toBe(2 * n * k * m)
    expect(product.bytes).toBe(4 * (n * k + k * m + n * m))
    expect(product.bound).toBe('compute')
  })

  test('counts only what is read of an array', () => {
    const { rows } = jit.profile((x: Tensor) => x.at('0:10').mul(2), quick)(np.ones([100_000]))
    expect(rows.reduce((sum, row) => sum + row.bytes, 0)).toBe(4 * (10 + 10))
    expect(rows.reduce((sum, row) => sum + row.flops, 0)).toBe(10)
  })

  test('takes a plain function, and knows the lines that made the kernels', () => {
    const profile = jit.profile(layer, quick)(...args)
    expect(profile.name).toBe('layer')
    expect(profile.rows.some(({ at }) => at?.includes('profile.test.ts') === true)).toBe(true)
  })

  test('says why kernels are apart and results in memory', () => {
    const profile = jit.profile((x: Tensor, w: Tensor) => {
      const h = x.matmul(w)
      const wide = np.exp(h)
      return [np.sort(h), wide.sum({ axis: 0 }), wide.matmul(wide.T), wide.sub(1).sum({ axis: 1 })]
    }, quick)(...args)
    const reasons = profile.rows.map((row) => row.apart).join('\n')
    expect(reasons).toMatch(/the first kernel/)
    expect(reasons).toMatch(/a routine: its statements are its own/)
    expect(reasons).toMatch(/again and again|iteration space|tile of sums/)
    const stored = profile.rows.flatMap((row) => row.stored).join('\n')
    expect(stored).toMatch(/a result of the function/)
    expect(stored).toMatch(/read .*by (two|three) kernels|read as a whole by/)
  })

  test('refuses what has no kernels, and options that mean nothing', () => {
    const f = (x: Tensor): Tensor => x.mul(2)
    const x = np.ones([3])
    expect(() => jit.profile(jit(f, { backend: 'interpret' }))(x)).toThrow(/interpreted/)
    expect(() => jit.profile(f, { repeat: 0 })).toThrow(/repeat counts calls/)
    expect(() => jit.profile(f, { warmup: 1.5 })).toThrow(/warmup counts calls/)
    expect(() => jit.profile(f, JSON.parse('{ "runs": 3 }'))).toThrow(/no option "runs"/)
    expect(() => jit((y: Tensor) => (jit.profile(f)(y), y))(x)).toThrow(/jit\.profile/)
  })

  test('lets errors of the function through', () => {
    const f = (): Tensor => {
      throw new RangeError('mine')
    }
    expect(() => jit.profile(f, quick)()).toThrow('mine')
    expect(jit.profile((x: Tensor) => x.mul(2), quick)(np.ones([3])).rows).toHaveLength(1)
  })

  test('shows times with three figures', () => {
    expect([0.0123, 0.5, 1.5, 123.4, 4321].map(showTime)).toEqual([
      '12.3 µs',
      '500 µs',
      '1.50 ms',
      '123 ms',
      '4.32 s',
    ])
  })
})

describe('lower() of WebAssembly', () => {
  const f = (x: Tensor, w: Tensor): Tensor =>
    scan((c: Tensor, y: Tensor) => [c.add(y.matmul(w).sum({ axis: 0 })), c], np.zeros([32]), x)[0]
  const lowered = jit(f, { backend: 'wasm' }).lower(normal(0, [6, 64, 48]), args[1])

  test('has the loops of its kernels and the calls of its driver as text', () => {
    for (const { name, source } of lowered.kernels) {
      expect(source).toContain(`kernel ${name}(`)
      expect(lowered.source).toContain(source)
    }
    expect(lowered.source).toMatch(/driver\(x0: f32\[6,64,48\], x1: f32\[48,32\]\) \{/)
    expect(lowered.source).toMatch(/for time < 6 \{/)
    expect(lowered.source).toMatch(/return y0/)
  })

  test('has the bytes of a valid module', () => {
    const { wasm } = lowered
    expect(wasm !== null && WebAssembly.validate(wasm)).toBe(true)
    expect(jit(f, { backend: 'js' }).lower(normal(0, [6, 64, 48]), args[1]).wasm).toBeNull()
  })
})

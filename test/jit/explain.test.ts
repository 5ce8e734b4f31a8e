/** `jit.explain`: each reason to compile again, in words. */
import { type Tensor, grad, jit, np, scan, tensor } from 'cotangent'
import { describe, expect, test } from 'vitest'

const v = tensor([1, 2, 3])
const double = (x: Tensor): Tensor => x.mul(2)

/** The latest compilation's changes, in words. */
const latest = (f: (...args: never[]) => unknown): string =>
  String(jit.explain(f))
    .split(/\n {2}(?=\d+\. )/)
    .at(-1)!

describe('jit.explain', () => {
  test('tells what is compiled, and the first call', () => {
    const f = jit(double)
    expect(jit.explain(f).compilations).toBe(0)
    f(v)
    f(tensor([4, 5, 6]))
    const { name, compilations, variants, misses, capacity } = jit.explain(f)
    expect([name, compilations, capacity]).toEqual(['jit(double)', 1, 128])
    expect(variants).toEqual(['args[0]: float32[3]'])
    expect(misses).toHaveLength(1)
    expect(misses[0]).toMatchObject({ number: 1, reason: 'first', closest: 0, changes: [] })
    expect(latest(f)).toMatch(/the first call/)
  })

  test('the example of its documentation', () => {
    const f = jit((x: Tensor) => x.mul(2))
    f(np.ones([32, 10]))
    f(np.ones([16, 10]))
    expect(jit.explain(f).misses[1]!.changes[0]!.advice).toBe(
      'batch size; pad or drop the remainder',
    )
  })

  test('a batch of another size', () => {
    const f = jit(({ x }: { x: Tensor }) => x.sum())
    f({ x: np.ones([32, 784]) })
    f({ x: np.ones([16, 784]) })
    expect(latest(f)).toContain(
      'args[0].x: float32[32,784] → float32[16,784]: batch size; pad or drop the remainder',
    )
    expect(jit.explain(f).misses[1]!.changes[0]!.kind).toBe('batch')
  })

  test('other sizes and numbers of axes', () => {
    const f = jit(double)
    f(np.ones([2, 3]))
    f(np.ones([2, 4]))
    expect(latest(f)).toContain('float32[2,3] → float32[2,4]: size of axis 1; pad')
    f(np.ones([5]))
    expect(latest(f)).toContain('float32[5]: another number of axes; reshape it')
  })

  test('another dtype, and the fix', () => {
    const f = jit(double)
    f(v)
    f(v.astype('int32'))
    expect(latest(f)).toContain(
      "args[0]: float32[3] → int32[3]: dtype; convert it before the call: x.astype('float32')",
    )
  })

  test('a number where there was a tensor', () => {
    const f = jit((x: Tensor, s: number | Tensor) => x.mul(s))
    f(v, tensor(2))
    f(v, 2)
    expect(latest(f)).toMatch(
      /args\[1\]: float32\[\] → int32\[\] \(weak\): weak type: a JavaScript/,
    )
  })

  test('a number that is whole in one call and not in the other', () => {
    const f = jit((x: Tensor, s: number) => x.mul(s))
    f(v, 2)
    f(v, 2.5)
    expect(latest(f)).toMatch(
      /int32\[\] \(weak\) → float32\[\] \(weak\): dtype of a JavaScript number/,
    )
  })

  test('another tree: leaves that come, go, or are nested in another way', () => {
    const f = jit((p: { readonly a: Tensor; readonly b?: Tensor }) => p.a.mul(2))
    f({ a: v })
    f({ a: v, b: v })
    expect(latest(f)).toContain('args[0].b: absent → float32[3]: another tree; give')
    const g = jit((...xs: readonly unknown[]) => (xs.length === 0 ? v : double(v)))
    g([v, v])
    g([v])
    expect(latest(g)).toContain('args[0][1]: float32[3] → absent: another tree')
    const h = jit((_: unknown) => v)
    h({ a: null })
    h({ b: null })
    expect(latest(h)).toMatch(/args: .* → .*: another tree/)
  })

  test('a new function object in every call', () => {
    const f = jit((x: Tensor, act: (y: Tensor) => Tensor) => act(x), { staticArgs: [1] })
    for (let i = 0; i < 2; i++) f(v, (y) => y.mul(2))
    expect(latest(f)).toMatch(/args\[1\]: .* → .*: a new function object every call; hoist it out/)
    const third = (y: Tensor): Tensor => y.mul(3)
    f(v, third)
    expect(latest(f)).toMatch(/function third: another function; each one is compiled anew/)
  })

  test('a new object in every call, or another one', () => {
    const f = jit((x: Tensor, o: { readonly n: number }) => x.mul(o.n), { staticArgs: [1] })
    f(v, { n: 2 })
    f(v, { n: 2 })
    expect(latest(f)).toMatch(/\{ n \} → \{ n \}: a new object every call, .*hoist it out/)
    f(v, { n: 3 })
    expect(latest(f)).toMatch(/another object; each one is compiled anew/)
  })

  test('another static value', () => {
    const f = jit((x: Tensor, n: number, mode: string) => (mode === 'up' ? x.mul(n) : x), {
      staticArgs: [1, 2],
    })
    f(v, 2, 'up')
    f(v, 3, 'up')
    expect(latest(f)).toContain('args[1]: 2 → 3: another value of a static argument')
    f(v, 3, 'down')
    expect(latest(f)).toContain('args[2]: "up" → "down"')
  })

  test('the closest of several variants is compared with', () => {
    const f = jit((x: Tensor, y: Tensor) => x.sum().add(y.sum()))
    f(np.ones([2]), np.ones([2]))
    f(np.ones([9, 9]), np.ones([9, 9]))
    f(np.ones([9, 9]), np.ones([8, 9]))
    const miss = jit.explain(f).misses.at(-1)!
    expect(miss.closest).toBe(2)
    expect(miss.changes.map((c) => c.path)).toEqual(['args[1]'])
  })

  test('variants that were dropped', () => {
    const f = jit((x: Tensor, n: number) => x.mul(n), { staticArgs: 1 })
    for (let n = 0; n <= 128; n++) f.lower(v, n)
    f.lower(v, 0)
    expect(latest(f)).toMatch(/the same as compilation 1, which was dropped: more than 128/)
    f.clearCache()
    f.lower(v, 5)
    expect(latest(f)).toMatch(/the same as compilation 6, which clearCache dropped/)
  })

  test('values of a transform around it that it is not handed', () => {
    const outer = grad((w: Tensor) => {
      const inner = jit((x: Tensor) => x.mul(w))
      const first = inner(v)
      const sum = first.add(inner(v)).sum()
      seen.push(String(jit.explain(inner)))
      return sum
    })
    const seen: string[] = []
    outer(tensor(2))
    expect(seen[0]).toMatch(/the same as compilation 1, which could not be kept/)
    expect(seen[0]).toMatch(/it reads a value of the transform around it .* pass it as an argument/)
  })

  test('keeps the latest only, and counts the others', () => {
    const f = jit((x: Tensor, n: number) => x.mul(n), { staticArgs: 1 })
    for (let n = 0; n < 40; n++) f.lower(v, n)
    const explanation = jit.explain(f)
    expect(explanation.compilations).toBe(40)
    expect(explanation.misses).toHaveLength(32)
    expect(explanation.misses[0]!.number).toBe(9)
    expect(String(explanation)).toContain('… 8 earlier compilations')
  })

  test('calls of what is compiled leave no trace', () => {
    const f = jit(double)
    f(v)
    const before = JSON.stringify(jit.explain(f))
    for (let i = 0; i < 100; i++) f(v)
    expect(JSON.stringify(jit.explain(f))).toBe(before)
  })

  test('many changes are cut short', () => {
    const f = jit((xs: readonly Tensor[]) => xs[0]!.mul(2))
    f(Array.from({ length: 20 }, () => np.ones([2])))
    f(Array.from({ length: 20 }, () => np.ones([3])))
    expect(latest(f)).toContain('and 12 leaves more')
    expect(jit.explain(f).misses[1]!.changes).toHaveLength(20)
  })

  test('is the same after a trip through JSON', () => {
    const f = jit(double)
    f(v)
    f(np.ones([4]))
    const explanation = jit.explain(f)
    expect(JSON.parse(JSON.stringify(explanation))).toEqual(explanation.toJSON())
  })

  test('functions that jit did not make are refused, with the fix', () => {
    expect(() => jit.explain(double)).toThrow(/not made by jit[\s\S]*keep what jit\(f\) returns/)
  })

  test('a body of a loop that is compiled within it is not the caller of anything', () => {
    const step = jit((c: Tensor, x: Tensor) => [c.add(x), c] as const)
    jit((xs: Tensor) => scan((c: Tensor, x: Tensor) => step(c, x), tensor(0), xs))(v)
    expect(jit.explain(step).compilations).toBe(1)
  })
})

import { foriLoop, jit, np, random, scan, type Tensor, tensor, vmap } from 'cotangent'
import { describe, expect, test } from 'vitest'
import { expectClose } from './support.ts'

const key = random.key(0)

describe('random', () => {
  test('keys are tensors, split and folded', () => {
    expect(random.key(0).toArray()).toEqual([0, 0])
    expect(random.key(42).toArray()).toEqual([0, 42])
    expect(random.split(key).shape).toEqual([2, 2])
    expect(random.split(key, 5).shape).toEqual([5, 2])
    const [a, b] = random.split(key)
    expect(a!.toArray()).not.toEqual(b!.toArray())
    expect(random.foldIn(key, 1).toArray()).not.toEqual(random.foldIn(key, 2).toArray())
  })

  test('gives JAX’s numbers', () => {
    // jax.random with threefry_partitionable, its default since 0.5.
    expect(random.split(random.key(0)).toArray()).toEqual([
      [1797259609, 2579123966],
      [928981903, 3453687069],
    ])
  })

  test('the same key gives the same numbers, in every transform', () => {
    const direct = random.normal(key, [3, 2])
    expect(random.normal(key, [3, 2]).toArray()).toEqual(direct.toArray())
    expectClose(jit((k: Tensor) => random.normal(k, [3, 2]))(key), direct.toArray())
    const keys = random.split(key, 4)
    const each = [...keys].map((k) => random.uniform(k, [3]).toArray())
    expect(vmap((k: Tensor) => random.uniform(k, [3]))(keys).toArray()).toEqual(each)
    expect(
      scan((c: Tensor, k: Tensor) => [c, random.uniform(k, [3])], tensor(0), keys)[1].toArray(),
    ).toEqual(each)
    const folded = foriLoop(0, 3, (i, k: Tensor) => random.foldIn(k, i), key)
    expect(folded.toArray()).toEqual(
      [0, 1, 2].reduce((k: Tensor, i) => random.foldIn(k, i), key).toArray(),
    )
  })

  test('shapes, dtypes and ranges', () => {
    const u = random.uniform(key, [1000], { minval: -2, maxval: 3 })
    expect(u.dtype).toBe('float32')
    expect(Number(u.min().item())).toBeGreaterThanOrEqual(-2)
    expect(Number(u.max().item())).toBeLessThan(3)
    expect(random.uniform(key).shape).toEqual([])
    expect(random.uniform(key, [2], { dtype: 'float16' }).dtype).toBe('float16')
    expect(random.bits(key, [3]).dtype).toBe('uint32')
    const i = random.randint(key, [1000], { minval: -3, maxval: 4 })
    expect(i.dtype).toBe('int32')
    expect([i.min().item(), i.max().item()]).toEqual([-3, 3])
    expect(random.randint(key, [1000], -3, 4).toArray()).toEqual(i.toArray())
    const b = random.bernoulli(key, 0.3, [10000])
    expect(b.dtype).toBe('bool')
    expect(Number(b.mean().item())).toBeCloseTo(0.3, 1)
    const n = random.normal(key, [20000])
    expect(Number(n.mean().item())).toBeCloseTo(0, 1)
    expect(Number(n.std().item())).toBeCloseTo(1, 1)
    const t = random.truncatedNormal(key, -1, 2, [1000])
    expect(Number(t.min().item())).toBeGreaterThanOrEqual(-1)
    expect(Number(t.max().item())).toBeLessThanOrEqual(2)
  })

  test('permutations of a number and of an array', () => {
    expect([...random.permutation(key, 10).data()].sort((a, b) => Number(a) - Number(b))).toEqual([
      0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
    ])
    const rows = random.permutation(key, np.arange(6).reshape([3, 2]))
    expect(rows.shape).toEqual([3, 2])
    expect(rows.sum().item()).toBe(15)
  })

  test('categorical draws by logits', () => {
    const draws = random.categorical(key, np.log(tensor([0.1, 0, 0.9])), { shape: [2000] })
    expect(draws.shape).toEqual([2000])
    expect(draws.equal(1).sum().item()).toBe(0)
    expect(Number(draws.equal(2).mean().item())).toBeCloseTo(0.9, 1)
    expect(random.categorical(key, np.zeros([4, 3])).shape).toEqual([4])
  })

  test('refuses what is no key', () => {
    // @ts-expect-error: a number is a seed, not a key
    expect(() => random.uniform(0, [2])).toThrow(/key/)
    expect(() => random.uniform(tensor([1, 2, 3]), [2])).toThrow(/key/)
    expect(() => random.uniform(np.zeros([2]), [2])).toThrow(/key|uint32/)
    expect(() => random.uniform(key, [-1])).toThrow(/-1/)
  })
})

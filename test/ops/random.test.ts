/** Random numbers under the transforms, and what is refused. */
import { type Tensor, grad, tensor, vmap } from '@cotangent/core'
import { jit } from '@cotangent/jit'
import { np, random, scan } from '@cotangent/ops'
import { describe, expect, test } from 'vitest'
import { expectClose } from './laws.ts'

const key = random.key(7)

const samplers: Readonly<Record<string, (key: Tensor) => Tensor>> = {
  bits: (k) => random.bits(k, [5]),
  bytes: (k) => random.bits(k, { shape: [5], width: 8 }),
  uniform: (k) => random.uniform(k, [3, 4]),
  'uniform between': (k) => random.uniform(k, { shape: [3], minval: -2, maxval: 5 }),
  'uniform float64': (k) => random.uniform(k, { shape: [3], dtype: 'float64' }),
  'uniform float16': (k) => random.uniform(k, { shape: [9], dtype: 'float16' }),
  'uniform bfloat16': (k) => random.uniform(k, { shape: [9], dtype: 'bfloat16' }),
  normal: (k) => random.normal(k, [6]),
  'truncated normal': (k) => random.truncatedNormal(k, -1, 2, [6]),
  bernoulli: (k) => random.bernoulli(k, { p: 0.3, shape: [10] }),
  'bernoulli, high': (k) => random.bernoulli(k, 0.3, { shape: [10], mode: 'high' }),
  randint: (k) => random.randint(k, { shape: [10], minval: -3, maxval: 40 }),
  'randint int8': (k) =>
    random.randint(k, { shape: [10], minval: -128, maxval: 128, dtype: 'int8' }),
  permutation: (k) => random.permutation(k, 12),
  choice: (k) => random.choice(k, 9, { shape: [4], replace: false }),
  'weighted choice': (k) => random.choice(k, 3, { shape: [8], p: tensor([0.2, 0.5, 0.3]) }),
  categorical: (k) =>
    random.categorical(
      k,
      tensor([
        [0, 1, 2],
        [3, 1, 0],
      ]),
    ),
  gumbel: (k) => random.gumbel(k, { shape: [4], mode: 'high' }),
  exponential: (k) => random.exponential(k, [4]),
  laplace: (k) => random.laplace(k, [4]),
  logistic: (k) => random.logistic(k, [4]),
  cauchy: (k) => random.cauchy(k, [4]),
  rademacher: (k) => random.rademacher(k, [4]),
  gamma: (k) => random.gamma(k, tensor([0.4, 3])),
  beta: (k) => random.beta(k, 2, 3, [3]),
  dirichlet: (k) => random.dirichlet(k, tensor([1, 2, 3]), [2]),
  poisson: (k) => random.poisson(k, tensor([0, 3, 40])),
  binomial: (k) => random.binomial(k, 30, tensor([0.1, 0.6])),
  geometric: (k) => random.geometric(k, 0.2, [4]),
  ball: (k) => random.ball(k, 3, [2]),
}

describe.each(Object.entries(samplers))('%s', (_, draw) => {
  test('is the same compiled, batched, and on any day', () => {
    const one = draw(key)
    expectClose(draw(random.key(7)), one, 0, 'again')
    expectClose(jit(draw)(key), one, 2e-7, 'compiled')
    const keys = random.split(key, 3)
    const batch = vmap(draw)(keys)
    const looped = [0, 1, 2].map((i) => draw(keys.at(i)))
    // Small programs and large ones have logarithms that differ in the last bit.
    expectClose(batch, np.stack(looped), 2e-7, 'batched')
  })
})

describe('keys', () => {
  test('the seed is taken modulo 2^32, whatever its sign', () => {
    expect(random.key(-1).toArray()).toEqual([0, 4294967295])
    expect(random.key(2 ** 32 + 5).toArray()).toEqual([0, 5])
    expect(random.key(true).toArray()).toEqual([0, 1])
    expect(random.key(tensor(-7, { dtype: 'int32' })).toArray()).toEqual([0, 4294967289])
  })

  test('splitting in a scan gives what splitting by hand gives', () => {
    const [, drawn] = scan(
      (k: Tensor) => {
        const keys = random.split(k)
        return [keys.at(0), random.normal(keys.at(1), [2])] as const
      },
      key,
      null,
      { length: 3 },
    )
    let k = key
    const rows = [0, 1, 2].map(() => {
      const keys = random.split(k)
      k = keys.at(0)
      return random.normal(keys.at(1), [2])
    })
    expectClose(drawn, np.stack(rows), 0, 'scanned')
  })

  test('folding in distinct numbers gives distinct keys', () => {
    const folded = vmap((i: Tensor) => random.foldIn(key, i))(np.arange(100).astype('uint32'))
    expect(
      new Set(
        folded
          .toArray()!
          .toString()
          .match(/\d+,\d+/g),
      ).size,
    ).toBe(100)
  })

  test('refuses what is no key or no seed', () => {
    expect(() => random.key(1.5)).toThrow(/must be an integer/)
    expect(() => random.key(2 ** 60)).toThrow(/must be an integer/)
    expect(() => random.normal(tensor([1, 2]), [3])).toThrow(/not one key/)
    expect(() => random.uniform(random.split(key), [3])).toThrow(
      /draw with several keys under vmap/,
    )
    expect(() => random.foldIn(key, -1)).toThrow(/does not fit in 32 bits/)
    expect(() => random.split(key, -1)).toThrow(/natural number/)
  })
})

test('bounds and scales are differentiated', () => {
  const f = (b: Tensor): Tensor => random.uniform(key, { shape: [4], minval: 0, maxval: b }).sum()
  const u = random.uniform(key, [4])
  expectClose(grad(f)(tensor(3)), u.sum(), 1e-6, 'upper bound')
  const g = (s: Tensor): Tensor => random.lognormal(key, s, [3]).sum()
  const h = 1e-3
  const difference = (g(tensor(0.5 + h)).item() - g(tensor(0.5 - h)).item()) / (2 * h)
  expect(grad(g)(tensor(0.5)).item()).toBeCloseTo(difference, 2)
})

/** The distribution function of the gamma distribution, by its power series. */
const gammaCdf = (a: number, x: number): number => {
  let [term, sum] = [1, 1]
  for (let n = 1; n < 400; n++) {
    term *= x / (a + n)
    sum += term
  }
  return Math.exp(a * Math.log(x) - x - logGamma(a + 1)) * sum
}

const logGamma = (a: number): number => {
  let shift = 0
  let z = a
  for (; z < 20; z++) shift += Math.log(z)
  return (
    (z - 0.5) * Math.log(z) -
    z +
    0.5 * Math.log(2 * Math.PI) +
    1 / (12 * z) -
    1 / (360 * z ** 3) -
    shift
  )
}

test('a gamma sample moves with its parameter as its quantile does', () => {
  const a = tensor([0.3, 1, 2.5, 40], { dtype: 'float64' })
  const draw = (p: Tensor): Tensor => random.gamma(key, p, { dtype: 'float64' })
  const sample = draw(a).data()
  const got = grad((p: Tensor) => draw(p).sum())(a).data()
  const gotLog = grad((p: Tensor) => random.loggamma(key, p, { dtype: 'float64' }).sum())(a).data()
  const h = 1e-5
  a.data().forEach((p, i) => {
    const x = sample[i]!
    const byA = (gammaCdf(p + h, x) - gammaCdf(p - h, x)) / (2 * h)
    const byX = (gammaCdf(p, x + h * x) - gammaCdf(p, x - h * x)) / (2 * h * x)
    expect(got[i]! / (-byA / byX), `gamma ${p}`).toBeCloseTo(1, 5)
    expect(gotLog[i]! / (-byA / byX / x), `loggamma ${p}`).toBeCloseTo(1, 5)
  })
})

test('refuses dtypes, shapes and parameters that do not fit', () => {
  expect(() => random.uniform(key, { dtype: 'int32' })).toThrow(/samples are floats/)
  expect(() => random.randint(key, { maxval: 3, dtype: 'float32' })).toThrow(/samples are integers/)
  expect(() => random.randint(key, { maxval: 2 ** 40 })).toThrow(/not an int32/)
  expect(() => random.truncatedNormal(key, { lower: tensor([0, 1, 2]), shape: [2] })).toThrow(
    /broadcast/,
  )
  expect(() => random.choice(key, 3, { shape: [4], replace: false })).toThrow(/not enough entries/)
  expect(() => random.choice(key, 3, { p: tensor([1, 2]) })).toThrow(/one float probability/)
  expect(() => random.gamma(key)).toThrow(/parameter a is missing/)
  expect(() => random.normal(key, [2.5])).toThrow(/natural numbers/)
})

test('moments of large samples', () => {
  const mean = (x: Tensor): number => x.mean().item()
  const n = [20000]
  expect(mean(random.uniform(key, n))).toBeCloseTo(0.5, 1)
  expect(mean(random.normal(key, n))).toBeCloseTo(0, 1)
  expect(random.normal(key, n).std().item()).toBeCloseTo(1, 1)
  expect(mean(random.exponential(key, n))).toBeCloseTo(1, 1)
  expect(mean(random.bernoulli(key, 0.25, { shape: n }).astype('float32'))).toBeCloseTo(0.25, 1)
  expect(mean(random.randint(key, { shape: n, maxval: 11 }).astype('float32'))).toBeCloseTo(5, 0)
})

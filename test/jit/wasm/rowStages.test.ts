/** Kernels over rows: few passes over each row, in memory of results, and extremes that are exact. */
import { type Tensor, interpret, vjp } from '@cotangent/core'
import { jit } from '@cotangent/jit'
import { nn } from '@cotangent/nn'
import { np, prims } from '@cotangent/ops'
import { describe, expect, test } from 'vitest'

const options = { backend: 'wasm' } as const

const wave = (shape: readonly number[]): Tensor => {
  const count = shape.reduce((a, b) => a * b, 1)
  const values = Float32Array.from({ length: count }, (_, i) => 3 * Math.sin(i * 1.7))
  return np.reshape(np.array(values), [...shape])
}

const expectClose = (x: ArrayLike<number>, y: ArrayLike<number>, bound: number): void => {
  let off = 0
  for (let i = 0; i < y.length; i++) off = Math.max(off, Math.abs(x[i]! - y[i]!))
  expect(off).toBeLessThan(bound)
}

const loopsOver = (source: string): number => source.match(/for \w+ < \d+ in [24] lanes/g)!.length

const softmax = (x: Tensor): Tensor => nn.softmax(x, { axis: -1 })

describe('softmax', () => {
  for (const width of [96, 100, 63, 257]) {
    test(`rows of ${width}`, () => {
      const x = wave([50, width])
      const f = jit(softmax, options)
      expectClose(f(x).data(), interpret(softmax)(x).data(), 1e-6)
    })
  }

  test('exponentials are added up in the loop that makes them, where the results will be', () => {
    const { kernels } = jit(softmax, options).lower(wave([64, 96]))
    expect(kernels).toHaveLength(1)
    const { source } = kernels[0]!
    // The largest, quick and exact, the exponentials, the quotients.
    expect(loopsOver(source)).toBe(4)
    // One array is read and one written.
    expect(source.match(/\w+: float32\[6144\]/g)).toHaveLength(2)
  })

  test('exponentials that are asked for have memory of their own', () => {
    const both = (x: Tensor): readonly Tensor[] => {
      const e = np.exp(np.subtract(x, np.max(x, { axis: 1, keepdims: true })))
      return [e, np.divide(e, np.sum(e, { axis: 1, keepdims: true }))]
    }
    const x = wave([40, 100])
    const got = jit(both, options)(x)
    interpret(both)(x).forEach((y, n) => expectClose(got[n]!.data(), y.data(), 1e-6))
  })

  test('what is read after the exponentials is not overwritten by them', () => {
    const shifted = (x: Tensor): Tensor => {
      const e = np.exp(x)
      return np.add(np.divide(e, np.sum(e, { axis: 1, keepdims: true })), x)
    }
    const want = interpret(shifted)(wave([64, 100])).data()
    const donating = jit(shifted, { ...options, donate: [0] })
    expectClose(donating(wave([64, 100])).data(), want, 1e-6)
  })

  test('with its gradient', () => {
    const pair = (cotangent: Tensor, x: Tensor) => {
      const [y, pullback] = vjp(softmax, x)
      return [y, ...pullback(cotangent)] as const
    }
    const args = [wave([70, 100]), wave([70, 100])] as const
    const got = jit(pair, options)(...args)
    interpret(pair)(...args).forEach((y, n) => expectClose(got[n]!.data(), y.data(), 2e-6))
  })
})

describe('exponentials below the largest', () => {
  const fallen = /< -132\.4/
  const shifted = (x: Tensor): Tensor => np.exp(x.sub(x.max({ axis: 1, keepdims: true })))
  const rows: Readonly<Record<string, (i: number) => number>> = {
    'plain numbers': (i) => Math.sin(i),
    'far apart': (i) => 40 * Math.sin(i * i),
    'down to denormals and beyond': (i) => -i,
    masked: (i) => (i % 3 === 0 ? -Infinity : -1e9 * (i % 2)),
    'masked altogether': () => -Infinity,
    'one infinity': (i) => (i === 7 ? Infinity : i),
    'one NaN': (i) => (i === 70 ? NaN : i),
    'large numbers': (i) => (i % 2 === 0 ? 3e38 : -3e38),
    'all equal': () => 2.5,
  }
  const width = 171
  const x = np
    .array(
      Float32Array.from({ length: 9 * width }, (_, n) => {
        return Object.values(rows)[Math.floor(n / width)]!(n % width)
      }),
    )
    .reshape([9, width])

  test('are right', () => {
    const got = jit(shifted, options)(x).data()
    const want = interpret(shifted)(x).data()
    for (let i = 0; i < want.length; i++) {
      const unit = 2 ** Math.max(-149, Math.floor(Math.log2(want[i]!)) - 23)
      if (Number.isNaN(want[i]) || want[i] === 0) expect(got[i]).toBe(want[i])
      else expect(Math.abs(got[i]! - want[i]!)).toBeLessThanOrEqual(2.5 * unit)
    }
  })

  test('are known to be no larger than 1', () => {
    const sourceOf = (f: (x: Tensor) => Tensor): string => {
      const { kernels } = jit(f, options).lower(x)
      return kernels.map((k) => k.source).join()
    }
    expect(sourceOf(shifted)).toMatch(fallen)
    expect(sourceOf(softmax)).toMatch(fallen)
    const others: readonly ((x: Tensor) => Tensor)[] = [
      (y) => np.exp(y.sub(y.min({ axis: 1, keepdims: true }))),
      (y) => np.exp(y.max({ axis: 1, keepdims: true }).sub(y)),
      (y) => np.exp(y.sub(y.mul(2).max({ axis: 1, keepdims: true }))),
      (y) => np.exp(y.sub(y.at(':', '0:100').max({ axis: 1, keepdims: true }))),
    ]
    for (const f of others) {
      expect(sourceOf(f)).not.toMatch(fallen)
      const small = wave([5, width])
      const want = interpret(f)(small).data()
      expectClose(jit(f, options)(small).data(), want, 1e-6 * Math.max(...want))
    }
  })
})

describe('the term at a label', () => {
  const labels = (count: number, classes: number): Tensor =>
    np.array(Int32Array.from({ length: count }, (_, i) => ((i * 7) % (classes + 6)) - 3))

  // The sum of all and the sum of those where the mask is: labels may be beyond the row.
  const sums = (x: Tensor, at: Tensor): readonly Tensor[] => {
    const mask = prims.iota('int32', x.shape, 1).equal(at.expandDims(1))
    return [x.exp().sum({ axis: 1 }), np.where(mask, x, 0).sum({ axis: 1 }), x.sum({ axis: 1 })]
  }

  for (const width of [10, 63, 100, 1000]) {
    test(`rows of ${width}`, () => {
      const args = [wave([37, width]), labels(37, width)] as const
      const got = jit(sums, options)(...args)
      const [all, picked, total] = interpret(sums)(...args)
      expectClose(got[0]!.data(), all!.data(), 1e-6 * Math.max(...all!.data()))
      expect([...got[1]!.data()]).toEqual([...picked!.data()])
      expectClose(got[2]!.data(), total!.data(), 1e-3)
    })
  }

  test('is read once, when the other sums are done', () => {
    const { kernels } = jit(sums, options).lower(wave([64, 100]), labels(64, 100))
    const { source } = kernels[0]!
    expect(source).not.toMatch(/int32\(a\d+k/)
    expect(source).toMatch(/in\d\[100 \* i0 \+ [a-z]/)
  })

  test('may be anything, and is zero of the sign that sums have', () => {
    const special = [NaN, Infinity, -Infinity, -0, 2 ** -149, 1]
    const x = np.array(Float32Array.from({ length: 12 * 36 }, (_, i) => special[i % 6]!))
    const at = np.array(Int32Array.from({ length: 12 }, (_, i) => i))
    const args = [x.reshape([12, 36]), at] as const
    const picked = interpret(sums)(...args)[1]!.data()
    expect([...jit(sums, options)(...args)[1]!.data()]).toEqual([...picked])
  })

  test('of an array that its kernel overwrites', () => {
    const loss = (x: Tensor, at: Tensor): Tensor =>
      nn.losses.softmaxCrossEntropy(x, at, { reduction: 'none' })
    const pair = (cotangent: Tensor, x: Tensor, at: Tensor): readonly Tensor[] => {
      const [y, pullback] = vjp((logits: Tensor) => loss(logits, at), x)
      return [y, ...pullback(cotangent)]
    }
    const make = () => [wave([50]), wave([50, 100]), labels(50, 100)] as const
    const want = interpret(pair)(...make())
    const got = jit(pair, { ...options, donate: [1] })(...make())
    want.forEach((y, n) =>
      expect([...got[n]!.data()].map(Number.isNaN)).toEqual([...y.data()].map(Number.isNaN)),
    )
    want.forEach((y, n) =>
      expectClose(
        got[n]!.data().map((v) => (Number.isNaN(v) ? 0 : v)),
        y.data().map((v) => (Number.isNaN(v) ? 0 : v)),
        2e-6,
      ),
    )
  })
})

describe('extremes of rows', () => {
  const width = 203
  const special: Readonly<Record<string, (i: number) => number>> = {
    'plain numbers': (i) => Math.sin(i),
    'one NaN': (i) => (i === 77 ? NaN : Math.sin(i)),
    'a NaN at the end': (i) => (i === width - 1 ? NaN : Math.sin(i)),
    'nothing but NaN': () => NaN,
    'both infinities': (i) => (i === 5 ? Infinity : i === 9 ? -Infinity : i),
    'minus infinity only': () => -Infinity,
    'large numbers': (i) => (i % 2 === 0 ? 3e38 : 2e38),
    'both zeros, the negative one first': (i) => (i === 0 ? -0 : 0),
    'both zeros, the positive one first': (i) => (i === 0 ? 0 : -0),
    'negative zeros': () => -0,
    'zeros above': (i) => (i % 3 === 0 ? 0 : i % 3 === 1 ? -0 : -i),
    'zeros below': (i) => (i % 3 === 0 ? 0 : i % 3 === 1 ? -0 : i),
  }
  const rows = Object.values(special)
  const x = np.reshape(
    np.array(
      Float32Array.from({ length: rows.length * width }, (_, n) => {
        return rows[Math.floor(n / width)]!(n % width)
      }),
    ),
    [rows.length, width],
  )
  test.each([
    ['max', (a: Tensor): Tensor => np.max(a, 1)],
    ['min', (a: Tensor): Tensor => np.min(a, 1)],
  ] as const)('%s', (_, f) => {
    const got = jit(f, options)(x).data()
    const want = interpret(f)(x).data()
    Object.keys(special).forEach((row, n) => expect(got[n], row).toBe(want[n]))
  })
})

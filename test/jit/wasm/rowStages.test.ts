/** Kernels over rows: few passes over each row, in memory of results, and extremes that are exact. */
import { type Tensor, interpret, vjp } from '@cotangent/core'
import { jit } from '@cotangent/jit'
import { nn } from '@cotangent/nn'
import { np } from '@cotangent/ops'
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

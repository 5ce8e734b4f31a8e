/** Maxima and minima in lanes: NaN, infinities, and zeros of both signs, as the interpreter has them. */
import { type Tensor, interpret } from '@cotangent/core'
import { jit } from '@cotangent/jit'
import { nn } from '@cotangent/nn'
import { np } from '@cotangent/ops'
import { describe, expect, test } from 'vitest'

const special = [Number.NaN, Infinity, -Infinity, 0, -0, 1, -1, 1.5, 2 ** -149, -(2 ** -149), 3e38]

/** Every pair, and what is left of a vector. */
const firsts = special.flatMap((x) => special.map(() => x))
const seconds = special.flatMap(() => special)

const arrays = { float32: Float32Array, float64: Float64Array } as const

const expectSameBits = (
  f: (...xs: readonly Tensor[]) => Tensor,
  ...xs: readonly Tensor[]
): void => {
  const want = interpret(f)(...xs).data()
  const got = jit(f, { backend: 'wasm' })(...xs).data()
  const differs = [...want].findIndex((value, i) => !Object.is(value, got[i]))
  expect([differs, got[differs]]).toEqual([differs, want[differs]])
  expect(differs).toBe(-1)
}

describe.each(['float32', 'float64'] as const)('%s', (dtype) => {
  const tensorOf = (values: readonly number[]): Tensor => np.array(arrays[dtype].from(values))
  const [x, y] = [tensorOf(firsts), tensorOf(seconds)]

  test('of two arrays', () => {
    expectSameBits((a, b) => a!.maximum(b!), x, y)
    expectSameBits((a, b) => a!.minimum(b!), x, y)
  })

  test('of an array and a number', () => {
    for (const bound of special) {
      const constant = np.reshape(tensorOf([bound]), [])
      expectSameBits((a) => a!.maximum(constant), y)
      expectSameBits((a) => a!.minimum(constant), y)
      expectSameBits((a) => constant.maximum(a!), y)
      expectSameBits((a) => constant.minimum(a!), y)
    }
    expectSameBits((a) => nn.relu(a!), y)
  })

  test('of all numbers at once, in any order', () => {
    for (const values of [special.slice(1), special.slice(3), [-0, 0, -1], [0, -0], [-0, -0]]) {
      for (const order of [values, values.toReversed()]) {
        const rows = tensorOf(Array.from({ length: 9 }, () => order).flat()).reshape([9, -1])
        expectSameBits((a) => a!.max({ axis: 1 }), rows)
        expectSameBits((a) => a!.min({ axis: 1 }), rows)
      }
    }
  })
})

describe('choices between a number and zero', () => {
  const cases: Readonly<Record<string, (x: Tensor, y: Tensor) => Tensor>> = {
    'zero elsewhere': (x, y) => np.where(x.less(y), x, 0),
    'zero there': (x, y) => np.where(x.less(y), 0, x),
    'the negative zero': (x, y) => np.where(x.less(y), x, -0),
    'the negative zero there': (x, y) => np.where(x.less(y), -0, x),
    'of zeros': (x, y) => np.where(x.less(y), 0, np.where(y.less(x), x, 0)),
  }
  for (const dtype of ['float32', 'float64', 'int32'] as const) {
    test.each(Object.keys(cases))(`${dtype}: %s`, (name) => {
      const [x, y] = [firsts, seconds].map((values) =>
        dtype === 'int32'
          ? np.array(Int32Array.from(values))
          : np.array(arrays[dtype].from(values)),
      )
      expectSameBits((a, b) => cases[name]!(a!, b!), x!, y!)
    })
  }
})

describe('windows', () => {
  const image = (width: number): Tensor =>
    np
      .array(
        Float32Array.from(
          { length: 4 * 12 * width },
          (_, i) => special[(i * i + 3 * i) % 23] ?? i % 7,
        ),
      )
      .reshape([2, 2, 12, width])

  for (const width of [12, 21, 40]) {
    for (const options of [
      { window: 2 },
      { window: 3, stride: 2 },
      { window: 3, stride: 2, padding: 1 },
      { window: 3, stride: 1, padding: 1 },
    ] as const) {
      test(`${width} wide ${JSON.stringify(options)}`, () => {
        expectSameBits((x) => nn.functional.maxPool(x!, options), image(width))
        expectSameBits((x) => nn.functional.maxPool(x!.neg(), options).neg(), image(width))
        expectSameBits((x) => nn.functional.maxPool(nn.relu(x!), options), image(width))
        expectSameBits(
          (x, y) => nn.functional.maxPool(x!.mul(y!), options),
          image(width),
          image(width),
        )
      })
    }
  }
})

/** Reductions over any axes of any shape: sums within their bound, all else to the bit. */
import { type DType, type Tensor, range } from '@cotangent/core'
import { jit } from '@cotangent/jit'
import { lax, np } from '@cotangent/ops'
import { describe, expect, test } from 'vitest'
import { type Draws, drawsFrom } from '../programs.ts'
import { expectSame } from '../random/compare.ts'
import { expectSums, noise, sizeOf } from './contractionSupport.ts'

type Axes = readonly number[]

const both = (
  f: (x: Tensor) => readonly Tensor[],
  x: Tensor,
): readonly (readonly [got: Tensor, want: Tensor])[] => {
  const want = jit(f, { backend: 'interpret' })(x)
  return jit(f, { backend: 'wasm' })(x).map((got, i) => [got, want[i]!] as const)
}

const extents = [1, 1, 2, 3, 4, 5, 7, 8, 13, 16, 17, 31]

const shapeFrom = (draws: Draws): readonly number[] => {
  const shape = Array.from({ length: 1 + draws.below(4) }, () => draws.pick(extents))
  return sizeOf(shape) > 6000 ? shape.slice(0, 3) : shape
}

const axesFrom = (draws: Draws, rank: number): Axes => {
  const axes = range(rank).filter(() => draws.chance(0.5))
  return axes.length === 0 ? [draws.below(rank)] : axes
}

/** The array itself, or a view of a larger one whose elements lie elsewhere. */
const viewed = (x: Tensor, n: number): Tensor => {
  const axes = range(x.ndim)
  if (n === 1) return x.transpose(axes.toReversed()).transpose(axes.toReversed())
  if (n === 2) return np.flip(x, 0)
  if (n === 3) return np.concatenate([x, x]).at(`${x.shape[0]}:`)
  return x
}

/** Sums over axes in float64: of the elements, and of their magnitudes. */
const sums = (
  values: ArrayLike<number>,
  shape: readonly number[],
  axes: Axes,
): readonly [sums: Float64Array, magnitudes: Float64Array] => {
  const kept = range(shape.length).filter((d) => !axes.includes(d))
  const count = sizeOf(kept.map((d) => shape[d]!))
  const [totals, magnitudes] = [new Float64Array(count), new Float64Array(count)]
  for (let at = 0; at < values.length; at++) {
    let [rest, stride, out] = [at, 1, 0]
    for (const d of range(shape.length).toReversed()) {
      const position = rest % shape[d]!
      rest = Math.floor(rest / shape[d]!)
      if (axes.includes(d)) continue
      out += position * stride
      stride *= shape[d]!
    }
    totals[out]! += values[at]!
    magnitudes[out]! += Math.abs(values[at]!)
  }
  return [totals, magnitudes]
}

const checkSums = (shape: readonly number[], axes: Axes, seed: number): void => {
  const values = noise(sizeOf(shape), seed)
  const x = np.array(values).reshape([...shape])
  const [wanted, magnitudes] = sums(values, shape, axes)
  const [total, mean] = jit((y: Tensor) => [y.sum({ axis: axes }), y.mean({ axis: axes })], {
    backend: 'wasm',
  })(viewed(x, seed % 4))
  const terms = sizeOf(axes.map((d) => shape[d]!))
  const name = `${shape.join('×')} over ${axes.join()}`
  // A view that is flipped along a reduced axis has the same sums; along a kept one it is undone.
  const undone = seed % 4 === 2 && !axes.includes(0)
  const back = (y: Tensor): Tensor => (undone ? np.flip(y, 0) : y)
  expectSums(back(total!), wanted, magnitudes, terms, `sum of ${name}`)
  const part = (y: Float64Array): Float64Array => y.map((v) => v / terms)
  expectSums(back(mean!), part(wanted), part(magnitudes), terms + 1, `mean of ${name}`)
}

describe('sums and means', () => {
  test('of random shapes over random axes', () => {
    for (let seed = 0; seed < 60; seed++) {
      const draws = drawsFrom(seed)
      const shape = shapeFrom(draws)
      checkSums(shape, axesFrom(draws, shape.length), seed)
    }
  })
  test('of long and thin, short and wide arrays', () => {
    let seed = 1000
    for (const [shape, axes] of [
      [[1, 70_001], [1]],
      [[70_001, 1], [0]],
      [[3, 20_011], [1]],
      [[20_011, 3], [0]],
      [[20_011, 3], [1]],
      [[2, 1, 30_011], [0]],
      [
        [5, 1003, 7],
        [0, 2],
      ],
      [[5, 1003, 7], [1]],
      [
        [9, 9, 9, 9, 3],
        [1, 3],
      ],
      [[262_147], [0]],
    ] as const) {
      checkSums(shape, axes, 4 * seed++)
    }
  })
})

test('ten million tenths do not drift, whatever the axes', () => {
  const tenths = np.full([10_000_000], 0.1)
  const off = (values: ArrayLike<number>, want: number): number =>
    Math.max(...Array.from(values, (v) => Math.abs(v / want - 1)))
  for (const [shape, axes] of [
    [[10_000_000], [0]],
    [[2, 5_000_000], [1]],
    [[5_000_000, 2], [0]],
    [
      [1000, 10, 1000],
      [0, 2],
    ],
    [
      [10, 1_000_000],
      [0, 1],
    ],
  ] as const) {
    const total = jit((y: Tensor) => y.sum({ axis: axes }), { backend: 'wasm' })
    const sum = total(tenths.reshape([...shape])).data()
    expect(off(sum, Math.fround(0.1) * (10_000_000 / sum.length))).toBeLessThan(1e-6)
  }
})

const dtypes: readonly DType[] = ['float32', 'int32', 'uint8', 'float64', 'int16', 'uint32']

const specials = [0, -0, NaN, Infinity, -Infinity, 1e-45, -1e-45, 3, 3, -3, 1, 1, 2]

const sample = (dtype: DType, size: number, draws: Draws, special: boolean): Tensor => {
  const values = Array.from({ length: size }, () =>
    special && draws.chance(0.3) ? draws.pick(specials) : draws.below(7) - 3,
  )
  const numbers = dtype.startsWith('u') ? values.map((v) => Math.abs(v)) : values
  return np.array(Float64Array.from(numbers)).astype(dtype)
}

describe('to the bit', () => {
  test.each(dtypes)('extremes and their positions, with ties, NaN and zeros: %s', (dtype) => {
    const special = dtype.startsWith('float')
    for (let seed = 0; seed < 20; seed++) {
      const draws = drawsFrom(7919 * seed + 3)
      const shape = shapeFrom(draws)
      const axes = axesFrom(draws, shape.length)
      const axis = draws.below(shape.length)
      const x = sample(dtype, sizeOf(shape), draws, special && seed % 2 === 1).reshape([...shape])
      const results = both(
        (y) => [
          y.max({ axis: axes }),
          y.min({ axis: axes }),
          y.argmax({ axis }),
          y.argmin({ axis }),
        ],
        x,
      )
      results.forEach(([got, want], i) =>
        expectSame(got, want, 0, 1, `${i} of ${shape.join('×')} over ${axes.join()}, ${axis}`),
      )
    }
  })

  test.each(['int32', 'uint8', 'int16', 'uint32', 'bool'] as const)('%s', (dtype) => {
    for (let seed = 0; seed < 12; seed++) {
      const draws = drawsFrom(104_729 * seed + 1)
      const shape = shapeFrom(draws)
      const axis = axesFrom(draws, shape.length)
      const x = sample(dtype, sizeOf(shape), draws, false).reshape([...shape])
      const results = both(
        (y) => [y.sum({ axis }), y.prod({ axis }), y.any({ axis }), y.all({ axis })],
        x,
      )
      results.forEach(([got, want], i) =>
        expectSame(got, want, 0, 1, `${i} of ${shape.join('×')} over ${axis.join()}`),
      )
    }
  })
})

test('products, running sums and log-sum-exp, within their bounds', () => {
  for (let seed = 0; seed < 20; seed++) {
    const draws = drawsFrom(31 * seed + 5)
    const shape = shapeFrom(draws)
    const axis = draws.below(shape.length)
    const n = shape[axis]!
    const x = np
      .array(noise(sizeOf(shape), seed))
      .reshape([...shape])
      .mul(0.5)
      .add(1)
    const results = both((y) => [y.prod({ axis }), y.cumsum({ axis }), lax.cumprod(y, axis)], x)
    results.forEach(([got, want], i) => {
      const [a, b] = [got.data(), want.data()]
      // Factors and terms are positive: (n + 2) roundings, each of half a unit, on either side.
      for (let k = 0; k < b.length; k++)
        if (!(Math.abs(a[k]! - b[k]!) <= 2 * (n + 2) * 2 ** -24 * Math.abs(b[k]!)))
          throw new Error(
            `${i} of ${shape.join('×')} along ${axis}, element ${k}: ${a[k]}, ${b[k]}`,
          )
    })
  }
})

test('of nothing', () => {
  for (const shape of [[0], [0, 5], [5, 0], [3, 0, 4]] as const) {
    for (const axis of range(shape.length)) {
      const results = both(
        (y) => [y.sum({ axis }), y.prod({ axis }), y.any({ axis }), y.all({ axis }), y.sum()],
        np.ones([...shape]),
      )
      results.forEach(([got, want], i) => expectSame(got, want, 0, 1, `${i} of ${shape.join('×')}`))
    }
  }
})

test('infinities and NaN in long columns stay what they are', () => {
  const x = np.ones([5000, 6]).set([17, 1], Infinity).set([4000, 2], -Infinity).set([9, 3], NaN)
  const y = x.set([1, 4], Infinity).set([4999, 4], -Infinity).set([3, 5], 3e38).set([4, 5], 3e38)
  const total = jit((z: Tensor) => z.sum({ axis: 0 }), { backend: 'wasm' })
  expect([...total(y).data()]).toEqual([5000, Infinity, -Infinity, NaN, NaN, Infinity])
})

/** Tables looked up by integers: padding, bags, norms. */
import { DTypeError, ShapeError, type Tensor, grad, tensor } from '@cotangent/core'
import { jit } from '@cotangent/jit'
import { nn } from '@cotangent/nn'
import { checkGrads, np, random } from '@cotangent/ops'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

const f = nn.functional
const key = random.key(8)
const table = random.normal(key, [6, 3], { dtype: 'float64' })
const integers = (values: readonly number[] | readonly (readonly number[])[]): Tensor =>
  tensor(values, { dtype: 'int32' })
const close = (a: Tensor, b: Tensor): void =>
  expect(np.allclose(a, b, { atol: 1e-6 }).item()).toBeTruthy()

const byHand = { sum: np.sum, mean: np.mean, max: np.max } as const

describe('embed', () => {
  test('the padding row is looked up, but not learned', () => {
    const ids = integers([2, 0, -4, 2])
    const total = (t: Tensor): Tensor => f.embed(t, ids, { paddingIndex: 2 }).sum()
    close(f.embed(table, ids, { paddingIndex: 2 }), f.embed(table, ids))
    const slope = grad(total)(table).sum({ axis: 1 })
    expect(slope.toArray()).toEqual([3, 0, 0, 0, 0, 0])
    close(jit(grad(total))(table), grad(total)(table))
    close(
      grad((t: Tensor) => f.embed(t, ids, { paddingIndex: -4 }).sum())(table),
      grad(total)(table),
    )
  })

  test('long rows are cut to the norm, others stay', () => {
    const rows = f.embed(
      tensor([
        [3, 4],
        [0.3, 0.4],
      ]),
      integers([0, 1]),
      { maxNorm: 1 },
    )
    close(
      rows,
      tensor([
        [0.6, 0.8],
        [0.3, 0.4],
      ]),
    )
    const ones = f.embed(tensor([[3, -5]]), integers([0]), { maxNorm: 4, normDegree: 1 })
    close(ones, tensor([[1.5, -2.5]]))
    const slope = grad((t: Tensor) => f.embed(t, integers([0]), { maxNorm: 1 }).sum())
    expect(slope(tensor([[3, 4]])).toArray()).toEqual([[1, 1]])
    expect(slope(tensor([[0, 0]])).toArray()).toEqual([[1, 1]])
  })

  test('only integers', () => {
    expect(() => f.embed(table, tensor([0.5]))).toThrow(DTypeError)
    expect(
      f
        .embed(table, integers([9]))
        .at(0, 0)
        .item(),
    ).toBeNaN()
  })
})

describe('embeddingBag', () => {
  const bags = fc.array(fc.array(fc.nat(5), { maxLength: 4 }), { minLength: 1, maxLength: 4 })

  test('bags by offsets are bags by hand', () => {
    fc.assert(
      fc.property(bags, fc.constantFrom('sum', 'mean', 'max'), (all, mode) => {
        const ids = tensor(all.flat(), { dtype: 'int32', shape: [all.flat().length] })
        const offsets = integers(all.map((_, i) => all.slice(0, i).flat().length))
        const got = f.embeddingBag(table, ids, { mode, offsets })
        all.forEach((bag, i) => {
          const rows = bag.length === 0 ? np.zeros([1, 3]) : f.embed(table, integers(bag))
          close(got.at(i), byHand[mode](rows, { axis: 0 }))
        })
      }),
      { numRuns: 20 },
    )
  })

  test('padded bags leave the padding out', () => {
    const padded = integers([
      [1, 2, 0],
      [3, 0, 0],
      [0, 0, 0],
    ])
    for (const mode of ['sum', 'mean', 'max'] as const) {
      const got = f.embeddingBag(table, padded, { mode, paddingIndex: 0 })
      close(got.at(0), byHand[mode](f.embed(table, integers([1, 2])), { axis: 0 }))
      close(got.at(1), table.at(3))
      close(got.at(2), np.zeros([3]))
      checkGrads((t: Tensor) => f.embeddingBag(t, padded, { mode, paddingIndex: 0 }), [table], {
        order: 1,
      })
    }
  })

  test('weights, a last offset, and what does not fit', () => {
    const ids = integers([1, 2, 3])
    const weights = tensor([2, 0.5, 1], { dtype: 'float64' })
    const options = {
      mode: 'sum',
      weights,
      offsets: integers([0, 2, 3]),
      includeLastOffset: true,
    } as const
    const got = f.embeddingBag(table, ids, options)
    expect(got.shape).toEqual([2, 3])
    close(got.at(0), table.at(1).mul(2).add(table.at(2).mul(0.5)))
    const compiled = jit((t: Tensor) => f.embeddingBag(t, ids, options))
    close(compiled(table), got)
    expect(() => f.embeddingBag(table, ids)).toThrow(ShapeError)
    expect(() => f.embeddingBag(table, ids, { ...options, mode: 'mean' })).toThrow('weights')
    expect(() => f.embeddingBag(table, ids, { ...options, weights: weights.at(':2') })).toThrow(
      ShapeError,
    )
  })
})

describe('layers', () => {
  test('embedding and embeddingBag', () => {
    const layer = nn.embedding(6, 3, { paddingIndex: 5, maxNorm: 0.5 })
    const { params, state, outputShape } = layer.init(key, [2, 4])
    expect(outputShape).toEqual([2, 4, 3])
    expect(params.table.at(5).toArray()).toEqual([0, 0, 0])
    const [y] = layer.apply({ params, state }, integers([[0, 5]]))
    expect(y.square().sum({ axis: -1 }).max().item()).toBeLessThan(0.2501)
    const bag = nn.embeddingBag(6, 3, { mode: 'sum', paddingIndex: 0 })
    const made = bag.init(key, [2, 4])
    expect(made.outputShape).toEqual([2, 3])
    close(bag.apply(made, integers([[1, 0]]))[0].at(0), made.params.table.at(1))
    expect(() => bag.init(key, [4])).toThrow('embeddingBag')
    expect(() => nn.embedding(0, 3)).toThrow('rows')
    expect(() => nn.embedding(4, 3, { paddingIndex: 4 }).init(key, [1])).toThrow('paddingIndex')
  })

  test('a bilinear form', () => {
    const [x, z, w] = [np.ones([2, 3]), np.ones([2, 4]), random.normal(key, [5, 3, 4])]
    close(f.bilinear(x, z, w, np.ones([5])).at(0), w.sum({ axis: [1, 2] }).add(1))
  })
})

/** Laws of the NumPy-like functions, and one table of them under every transform. */
import {
  type DType,
  ShapeError,
  type Tensor,
  broadcastShapes,
  dtypes,
  tensor,
  vmap,
} from '@cotangent/core'
import { jit } from '@cotangent/jit'
import { checkGrads, lax, nnFunctions as nn, np, special } from '@cotangent/ops'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

const numbers = (x: Tensor): readonly number[] => [...x.data()]
const close = (got: Tensor, want: Tensor, tolerance = 1e-5): void => {
  expect([got.shape, got.dtype]).toEqual([want.shape, want.dtype])
  const expected = numbers(want)
  numbers(got).forEach((g, i) => {
    const e = expected[i]!
    if (Object.is(g, e) || g === e) return
    expect(Math.abs(g - e), `element ${i}: ${g}, expected ${e}`).toBeLessThanOrEqual(
      tolerance * (1 + Math.abs(e)),
    )
  })
}

const shapes = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 })
const filled = (shape: readonly number[], seed = 1): Tensor => {
  const size = shape.reduce((n, extent) => n * extent, 1)
  return tensor(
    Float32Array.from({ length: size }, (_, i) => Math.sin(seed + 1.7 * i) * 2),
    { shape },
  )
}
const tensors = shapes.chain((shape) =>
  fc.integer({ min: 0, max: 99 }).map((seed) => filled(shape, seed)),
)
const withAxis = fc
  .array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 })
  .chain((shape) =>
    fc.tuple(
      fc.constant(filled(shape, shape.length)),
      fc.integer({ min: -shape.length, max: shape.length - 1 }),
    ),
  )

const real: readonly DType[] = dtypes.filter((d) => d !== 'complex64')

describe('promotion and broadcasting', () => {
  test('promotion is commutative, idempotent and never narrower than either', () => {
    for (const a of real) {
      expect(np.promoteTypes(a, a)).toBe(a)
      for (const b of real) {
        expect(np.promoteTypes(a, b)).toBe(np.promoteTypes(b, a))
        expect(np.promoteTypes(np.promoteTypes(a, b), a)).toBe(np.promoteTypes(a, b))
      }
    }
  })

  test('numbers give way to tensors', () => {
    expect(np.ones([2], 'float16').add(1.5).dtype).toBe('float16')
    expect(np.ones([2], 'int8').mul(3).dtype).toBe('int8')
    expect(np.ones([2], 'int8').add(0.5).dtype).toBe('float32')
    expect(np.ones([2], 'int32').div(2).dtype).toBe('float32')
    expect(np.mean(np.ones([2], 'int32')).dtype).toBe('float32')
    expect(np.sum(np.ones([3], 'bool')).item()).toBe(3)
  })

  test('broadcasting repeats, or names the operation and both shapes', () => {
    fc.assert(
      fc.property(tensors, tensors, (x, y) => {
        const shape = broadcastShapes(x.shape, y.shape)
        if (shape === null) {
          expect(() => np.add(x, y)).toThrow(ShapeError)
          expect(() => np.add(x, y)).toThrow(/np\.add/)
          return
        }
        close(np.add(x, y), np.broadcastTo(x, shape).add(np.broadcastTo(y, shape)), 0)
      }),
    )
  })
})

describe('reductions', () => {
  test('over an axis equal the loop over its slices', () => {
    fc.assert(
      fc.property(withAxis, ([x, axis]) => {
        const slices = np.unstack(x, axis)
        close(
          np.sum(x, { axis }),
          slices.reduce((a, b) => a.add(b)),
        )
        close(
          np.max(x, { axis }),
          slices.reduce((a, b) => a.maximum(b)),
          0,
        )
        close(
          np.min(x, { axis }),
          slices.reduce((a, b) => a.minimum(b)),
          0,
        )
        close(
          np.prod(x, { axis }),
          slices.reduce((a, b) => a.mul(b)),
        )
        close(np.mean(x, { axis }), np.sum(x, { axis }).div(slices.length))
        close(
          np.var(x, { axis }),
          x
            .sub(np.mean(x, { axis, keepdims: true }))
            .square()
            .mean({ axis }),
        )
        expect(np.sum(x, { axis, keepdims: true }).ndim).toBe(x.ndim)
      }),
    )
  })

  test('sums of many floats do not drift', () => {
    expect(Math.abs(np.full([1_000_000], 0.1, 'float32').sum().item() / 100_000 - 1)).toBeLessThan(
      1e-6,
    )
    expect(np.mean(np.full([70_000], 3, 'float16')).item()).toBe(3)
  })

  test('axes out of range and repeated ones are refused by name', () => {
    expect(() => np.sum(np.ones([2]), { axis: 1 })).toThrow(/np\.sum: the axis is out of range/)
    expect(() => np.mean(np.ones([2, 2]), { axis: [0, -2] })).toThrow(
      /np\.mean: an axis is given twice/,
    )
    expect(() => np.max(np.zeros([0]))).toThrow(/np\.max/)
    expect(np.max(np.zeros([0]), { initial: -1 }).item()).toBe(-1)
  })

  test('cumulative sums end in the sum, and differences undo them', () => {
    fc.assert(
      fc.property(withAxis, ([x, axis]) => {
        const running = np.cumsum(x, axis)
        close(np.take(running, [-1], { axis }), np.sum(x, { axis, keepdims: true }))
        close(np.diff(running, { axis, prepend: 0 }), x, 1e-4)
      }),
    )
  })
})

describe('order', () => {
  test('sorting is what takeAlongAxis makes of argsort; quantiles lie in between', () => {
    fc.assert(
      fc.property(withAxis, ([x, axis]) => {
        const sorted = np.sort(x, { axis })
        close(np.takeAlongAxis(x, np.argsort(x, { axis }), { axis }), sorted, 0)
        close(np.sort(x, { axis, descending: true }), np.flip(sorted, axis), 0)
        close(np.quantile(x, 0, { axis }), np.min(x, { axis }), 0)
        close(np.quantile(x, 1, { axis }), np.max(x, { axis }), 0)
        close(np.median(x, { axis }), np.quantile(x, 0.5, { axis }))
        const [best, where] = lax.topK(x, 1, { axis })
        close(best.squeeze(axis), np.max(x, { axis }), 0)
        close(where.squeeze(axis), np.argmax(x, { axis }), 0)
      }),
    )
  })

  test('searchsorted keeps a vector sorted, on both sides', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -5, max: 5 }), { minLength: 1 }),
        fc.integer({ min: -6, max: 6 }),
        (list, v) => {
          const sorted = [...list].sort((a, b) => a - b)
          expect(np.searchsorted(sorted, v).item()).toBe(sorted.filter((x) => x < v).length)
          expect(np.searchsorted(sorted, v, { side: 'right' }).item()).toBe(
            sorted.filter((x) => x <= v).length,
          )
        },
      ),
    )
  })

  test('what depends on values refuses to be traced, unless a size is given', () => {
    expect(() => jit((x: Tensor) => np.unique(x))(np.ones([3]))).toThrow(/traces|traced|known/)
    expect(() => jit((x: Tensor) => np.nonzero(x)[0]!)(np.ones([3]))).toThrow(/known/)
    expect(jit((x: Tensor) => np.nonzero(x, { size: 2 })[0]!)(tensor([0, 4, 5])).toArray()).toEqual(
      [1, 2],
    )
  })
})

describe('shapes', () => {
  test('moving axes, splitting, rolling and padding are undone by their inverses', () => {
    fc.assert(
      fc.property(withAxis, fc.integer({ min: -9, max: 9 }), ([x, axis], shift) => {
        close(np.moveaxis(np.moveaxis(x, axis, 0), 0, axis), x, 0)
        close(np.roll(np.roll(x, shift, axis), -shift, axis), x, 0)
        close(np.concatenate(np.arraySplit(x, 2, axis), axis), x, 0)
        close(np.stack(np.unstack(x, axis), axis), x, 0)
        close(np.flip(np.flip(x, axis), axis), x, 0)
        close(np.rot90(np.rot90(np.atleast2d(x), 1), 3), np.atleast2d(x), 0)
        const inner = x.shape.map((n) => `2:${n + 2}`)
        for (const mode of [
          'constant',
          'edge',
          'reflect',
          'symmetric',
          'wrap',
          'mean',
          'linearRamp',
        ] as const) {
          close(np.pad(x, 2, { mode }).at(...inner), x, 0)
        }
      }),
    )
  })

  test('reshape works out one extent, and says what does not fit', () => {
    expect(np.reshape(np.zeros([4, 6]), [-1, 8]).shape).toEqual([3, 8])
    expect(() => np.reshape(np.zeros([4, 6]), [5, -1])).toThrow(/np\.reshape.*\n.*f32\[4,6\]/)
    expect(() => np.concatenate([np.ones([2, 2]), np.ones([3])])).toThrow(/np\.concatenate/)
  })

  test('linspace and geomspace hit their ends', () => {
    fc.assert(
      fc.property(
        fc.float({ noNaN: true, noDefaultInfinity: true, min: Math.fround(0.1), max: 1e6 }),
        fc.integer({ min: 2, max: 9 }),
        (end, n) => {
          const line = numbers(np.linspace(-1, end, n))
          expect([line[0], line.at(-1)]).toEqual([-1, Math.fround(end)])
          const ratio = numbers(np.geomspace(2, end, n))
          expect([ratio[0], ratio.at(-1)]).toEqual([2, Math.fround(end)])
        },
      ),
    )
  })
})

// Sums over all assignments of extents to letters.
const einsumByLoop = (
  spec: string,
  operands: readonly Tensor[],
  extents: Readonly<Record<string, number>>,
): Tensor => {
  const [inputs, output] = spec.split('->') as [string, string]
  const terms = inputs.split(',')
  const letters = [...new Set(inputs.replaceAll(',', '').split(''))]
  const shape = output.split('').map((c) => extents[c]!)
  const out = new Float64Array(shape.reduce((n, e) => n * e, 1))
  const data = operands.map(numbers)
  const walk = (k: number, at: Readonly<Record<string, number>>): void => {
    if (k < letters.length) {
      for (let i = 0; i < extents[letters[k]!]!; i++) walk(k + 1, { ...at, [letters[k]!]: i })
      return
    }
    const flat = (term: string): number =>
      term.split('').reduce((p, c) => p * extents[c]! + at[c]!, 0)
    out[flat(output)]! += terms.reduce((product, term, i) => product * data[i]![flat(term)]!, 1)
  }
  walk(0, {})
  return tensor(out, { shape, dtype: 'float32' })
}

describe('products', () => {
  const term = fc
    .array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 3 })
    .map((l) => l.join(''))
  test('einsum is the sum over all indices', () => {
    fc.assert(
      fc.property(fc.array(term, { minLength: 1, maxLength: 3 }), fc.nat(), (terms, salt) => {
        const extents = { a: 2, b: 3, c: 1, d: 4 }
        const letters = [...new Set(terms.join(''))]
        const output = letters.filter((_, i) => ((salt >> i) & 1) === 1).join('')
        const spec = `${terms.join(',')}->${output}`
        const operands = terms.map((t, i) =>
          filled(
            t.split('').map((c) => extents[c as 'a']),
            i,
          ),
        )
        close(np.einsum(spec, ...operands), einsumByLoop(spec, operands, extents), 1e-4)
      }),
      { numRuns: 150 },
    )
  })

  test('implicit outputs, ellipses and broadcasting', () => {
    const [a, b] = [filled([2, 3, 4]), filled([4, 5], 2)]
    close(np.einsum('...j,jk', a, b), np.matmul(a, b))
    close(np.einsum('ba', filled([2, 3])), filled([2, 3]).T, 0)
    close(
      np.einsum('i...,i...->...', filled([2, 1, 3]), filled([2, 4, 3])),
      np.sum(filled([2, 1, 3]).mul(filled([2, 4, 3])), 0),
    )
    expect(() => np.einsum('ij,jk->ik', filled([2, 3]), filled([2, 3]))).toThrow(
      /label j has extents 3 and 2/,
    )
    expect(() => np.einsum('ij->iz', filled([2, 3]))).toThrow(/occurs in no operand/)
  })

  test('matmul broadcasts leading axes and names both shapes when it cannot', () => {
    const [a, b] = [filled([2, 1, 3, 4]), filled([5, 4, 2], 3)]
    close(np.matmul(a, b), np.einsum('...ij,...jk->...ik', a, b))
    close(
      np.kron(filled([2, 2]), filled([1, 3])),
      np.einsum('ab,cd->acbd', filled([2, 2]), filled([1, 3])).reshape(2, 6),
    )
    expect(() => np.matmul(filled([2, 3]), filled([2, 3]))).toThrow(
      /np\.matmul[^]*f32\[2,3\] and f32\[2,3\]/,
    )
  })
})

describe('extremes', () => {
  const finite = (x: Tensor): boolean => np.all(np.isfinite(x)).item() === 1
  test('no overflow where the result is finite', () => {
    const big = tensor([-1e30, -1000, 0, 1000, 1e30])
    for (const f of [
      nn.softplus,
      nn.sigmoid,
      nn.logSigmoid,
      nn.silu,
      nn.gelu,
      nn.mish,
      nn.softSign,
      nn.tanh,
      nn.elu,
    ]) {
      expect(finite(f(big)), f.name).toBe(true)
    }
    expect(np.logaddexp(1000, 1000).item()).toBeCloseTo(1000 + Math.LN2, 3)
    expect(np.hypot(3e30, 4e30).item()).toBeCloseTo(5e30, -25)
    expect(nn.logsumexp([1000, 1000]).item()).toBeCloseTo(1000 + Math.LN2, 3)
    expect(nn.softmax([1e30, -1e30]).toArray()).toEqual([1, 0])
    expect(np.floatPower(2, -3).item()).toBe(0.125)
  })
})

type Unary = (x: Tensor) => Tensor
// Functions of one [3, 4] tensor of positive numbers, differentiable where they are tested.
const table: Readonly<Record<string, Unary>> = {
  add: (x) => np.add(x, x.T.at(':3').reshape(3, 3).sum({ axis: 1 }).expandDims(1)),
  divide: (x) => np.divide(x, x.add(1)),
  power: (x) => np.power(x, x),
  'power of 3': (x) => np.power(x, 3),
  remainder: (x) => np.remainder(x, 0.7),
  hypot: (x) => np.hypot(x, 2),
  logaddexp: (x) => np.logaddexp(x, 0.3),
  sinc: (x) => np.sinc(x.sub(0.5)),
  arctan2: (x) => np.arctan2(x, 0.4),
  log2: (x) => np.log2(x),
  cbrt: (x) => np.cbrt(x),
  clip: (x) => np.clip(x, 0.4, 1.3),
  nanToNum: (x) => np.nanToNum(x),
  mean: (x) => np.mean(x, 0),
  std: (x) => np.std(x, { axis: 1, ddof: 1 }),
  prod: (x) => np.prod(x, 1),
  max: (x) => np.max(x, 0),
  ptp: (x) => np.ptp(x, 1),
  average: (x) => np.average(x, { axis: 1, weights: [1, 2, 3, 4] }),
  nanmean: (x) => np.nanmean(x, 1),
  cumsum: (x) => np.cumsum(x, 1),
  cumprod: (x) => np.cumprod(x, 0),
  diff: (x) => np.diff(x, { axis: 1, n: 2 }),
  trapezoid: (x) => np.trapezoid(x),
  gradient: (x) => np.gradients(x)[1]!,
  sort: (x) => np.sort(x, 1),
  median: (x) => np.median(x, 1),
  quantile: (x) => np.quantile(x, [0.2, 0.7], { axis: 1 }),
  topK: (x) => lax.topK(x, 2)[0],
  roll: (x) => np.roll(x, [1, -1], [0, 1]),
  repeat: (x) => np.repeat(x, [1, 0, 2], 0),
  tile: (x) => np.tile(x, [2, 1]),
  tril: (x) => np.tril(x, -1),
  diagonal: (x) => np.diagonal(x, 1),
  rot90: (x) => np.rot90(x),
  'pad reflect': (x) => np.pad(x, 2, { mode: 'reflect' }),
  'pad wrap': (x) =>
    np.pad(
      x,
      [
        [1, 5],
        [0, 3],
      ],
      'wrap',
    ),
  'pad ramp': (x) => np.pad(x, 1, 'linearRamp'),
  take: (x) => np.take(x, [2, 0, -1], { axis: 0 }),
  takeAlongAxis: (x) =>
    np.takeAlongAxis(
      x,
      [
        [0, 3],
        [1, 1],
        [2, 0],
      ],
      { axis: 1 },
    ),
  at: (x) => x.at([2, 0, 0], '::-2'),
  set: (x) => x.set([1, '1:3'], x.at(0, ':2').mul(3)),
  addAt: (x) => x.addAt([[0, 0, 2]], x),
  where: (x) => np.where(x.greater(1), x.square(), x.neg()),
  matmul: (x) => np.matmul(x, x.T),
  einsum: (x) => np.einsum('ij,kj,kl->il', x, x, x),
  kron: (x) => np.kron(x, x.at(':1')),
  outer: (x) => np.outer(x.at(0), x.at(':', 1)),
  cross: (x) => np.cross(x.at(':', ':3'), x.at(':', '1:')),
  convolve: (x) => np.convolve(x.at(0), x.at(1, ':2')),
  interp: (x) => np.interp(x, [0, 1, 2], [3, 5, 4]),
  histogram: (x) => np.histogram([0.1, 0.5, 0.7], { bins: 2, weights: x.at(':', 0) })[0],
  cov: (x) => np.cov(x),
  polyval: (x) => np.polyval(x.at(0), x),
  softmax: (x) => nn.softmax(x),
  logSoftmax: (x) => nn.logSoftmax(x, 0),
  logsumexp: (x) => nn.logsumexp(x, { axis: 1, b: [1, 2, 3, 4] }),
  gelu: (x) => nn.gelu(x),
  mish: (x) => nn.mish(x),
  glu: (x) => nn.glu(x),
  standardize: (x) => nn.standardize(x),
  xlogy: (x) => special.xlogy(x, x.add(1)),
  logNdtr: (x) => special.logNdtr(x.mul(-3)),
  clamp: (x) => lax.clamp(0.3, x, 1.4),
  reduceWindow: (x) => lax.reduceWindow(x, -Infinity, lax.max, [2, 2], [1, 2], 'SAME'),
  'reduceWindow by hand': (x) => lax.reduceWindow(x, 1, lax.mul, [2, 2], [1, 1], 'VALID'),
  reduce: (x) => lax.reduce(x, 0, (a, b) => a.add(b).add(a.mul(b)), [1]),
  conv: (x) =>
    lax.convGeneralDilated(x.reshape(1, 3, 4, 1), x.reshape(2, 2, 1, 3), [1, 2], 'SAME', {
      dimensionNumbers: ['NHWC', 'HWIO', 'NHWC'],
    }),
  convTranspose: (x) =>
    lax.convTranspose(x.reshape(1, 3, 4, 1), x.reshape(2, 2, 1, 3), [2, 1], 'SAME'),
  dynamicSlice: (x) => lax.dynamicSlice(x, [1, 1], [2, 3]),
}

const sample = tensor(
  Float32Array.from({ length: 12 }, (_, i) => 0.25 + ((i * 5) % 12) * 0.13 + 0.011 * i),
  { shape: [3, 4] },
)

describe.each(Object.entries(table))('%s', (_, f) => {
  test('compiled and mapped as it is called', () => {
    const plain = f(sample)
    close(jit(f)(sample), plain)
    const batch = np.stack([sample, sample.mul(1.5)])
    close(vmap(f)(batch), np.stack([plain, f(sample.mul(1.5))]))
  })

  test('derivatives agree with differences, forwards and backwards', () => {
    checkGrads(f, [sample], { order: 1 })
  })
})

/** Initialisers: variances, shapes, and the matrices that keep lengths. */
import { ShapeError, type Tensor } from '@cotangent/core'
import { jit } from '@cotangent/jit'
import { nn } from '@cotangent/nn'
import { np, random } from '@cotangent/ops'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

const init = nn.initializers
const key = random.key(21)

const close = (a: Tensor, b: Tensor, atol = 1e-5): void =>
  expect(np.allclose(a, b, { atol }).item()).toBeTruthy()

describe('variance scaling', () => {
  const fans = [
    ['lecunNormal', init.lecunNormal(), 1 / 200],
    ['lecunUniform', init.lecunUniform(), 1 / 200],
    ['heNormal', init.heNormal(), 2 / 200],
    ['heUniform', init.heUniform(), 2 / 200],
    ['glorotNormal', init.glorotNormal(), 2 / 500],
    ['glorotUniform', init.glorotUniform(), 2 / 500],
    ['fan-out', init.heNormal({ mode: 'fanOut' }), 2 / 300],
    [
      'gain of tanh',
      init.xavierUniform({ gain: init.calculateGain('tanh') }),
      (25 / 9) * (2 / 500),
    ],
  ] as const
  test.each(fans)('%s has the variance it is for', (_, initializer, variance) => {
    const w = initializer(key, [200, 300])
    expect(w.var().item() / variance).toBeCloseTo(1, 1)
    expect(Math.abs(w.mean().item())).toBeLessThan(3e-3)
  })

  test('kernels of convolutions, with their axes said', () => {
    const w = init.heNormal(init.convAxes)(key, [64, 32, 3, 3])
    expect(w.var().item() / (2 / (32 * 9))).toBeCloseTo(1, 1)
    const independent = init.lecunNormal({ batchAxis: 0 })(key, [50, 20, 30])
    expect(independent.var().item() * 20).toBeCloseTo(1, 1)
    expect(() => init.glorotNormal()(key, [3])).toThrow(ShapeError)
  })

  test('PyTorch’s default is uniform within 1/√fanIn, and its gains', () => {
    const gain = init.calculateGain('leakyRelu', Math.sqrt(5))
    const w = init.kaimingUniform({ gain })(key, [400, 100])
    expect(w.abs().max().item()).toBeLessThanOrEqual(1 / 20)
    expect(w.abs().max().item()).toBeGreaterThan(0.049)
    expect((['linear', 'sigmoid', 'conv'] as const).map((n) => init.calculateGain(n))).toEqual([
      1, 1, 1,
    ])
    expect(init.calculateGain('relu')).toBe(Math.SQRT2)
    expect(init.calculateGain('selu')).toBe(0.75)
    expect(init.calculateGain('leakyRelu')).toBeCloseTo(1.41414, 5)
  })
})

describe('orthogonal', () => {
  const extent = fc.integer({ min: 1, max: 7 })

  test('is the Q of a QR decomposition with positive diagonal', () => {
    fc.assert(
      fc.property(extent, extent, fc.nat(1000), (rows, columns, seed) => {
        const k = random.key(seed)
        const [long, short] = [Math.max(rows, columns), Math.min(rows, columns)]
        const w = init.orthogonal()(k, [rows, columns])
        const q = rows < columns ? w.T : w
        close(q.T.matmul(q), np.eye(short))
        const r = q.T.matmul(random.normal(k, [long, short]))
        close(np.tril(r, -1), np.zeros([short, short]), 1e-4)
        expect(np.diagonal(r).min().item()).toBeGreaterThan(0)
      }),
      { numRuns: 15 },
    )
  })

  test('any axis may hold the columns, and the scale counts', () => {
    const w = init.orthogonal({ columnAxis: 0, scale: 3 })(key, [4, 3, 2])
    const columns = w.reshape([4, 6])
    close(columns.matmul(columns.T), np.eye(4).mul(9), 1e-4)
    expect(() => init.orthogonal()(key, [3])).toThrow('rows and columns')
  })

  test('at the centre of a window, for either order of axes', () => {
    const w = init.deltaOrthogonal()(key, [3, 2, 4])
    const centre = w.at(1)
    close(centre.matmul(centre.T), np.eye(2))
    expect(w.abs().sum().item()).toBeCloseTo(centre.abs().sum().item(), 5)
    const oihw = init.deltaOrthogonal({ inAxis: 1, outAxis: 0 })(key, [4, 2, 3, 5])
    const hwio = init.deltaOrthogonal()(key, [3, 5, 2, 4])
    close(oihw, hwio.transpose([3, 2, 0, 1]), 0)
    const between = init.deltaOrthogonal({ inAxis: 0, outAxis: 2 })(key, [2, 3, 4])
    close(between, w.transpose([1, 0, 2]), 0)
    expect(() => init.deltaOrthogonal()(key, [3, 4, 2])).toThrow(ShapeError)
    expect(() => init.deltaOrthogonal()(key, [2, 2])).toThrow(ShapeError)
  })
})

describe('others', () => {
  test('pass their input through', () => {
    expect(init.identity(2)(key, [2, 3]).toArray()).toEqual([
      [2, 0, 0],
      [0, 2, 0],
    ])
    expect(() => init.identity()(key, [2])).toThrow('initializers.identity')
    const x = random.normal(key, [1, 4, 5, 5])
    const { conv } = {
      conv: nn.conv2d(4, 3, { padding: 'same', kernelInit: init.dirac(), useBias: false }),
    }
    const variables = conv.init(key, x.shape)
    close(conv.apply(variables, x)[0], x, 0)
    const grouped = nn.conv2d(4, 3, {
      padding: 'same',
      kernelInit: init.dirac(2),
      useBias: false,
      groups: 2,
    })
    close(grouped.apply(grouped.init(key, x.shape), x)[0], x, 0)
    expect(() => init.dirac(3)(key, [4, 4, 3])).toThrow('groups')
    expect(() => init.dirac()(key, [4, 4])).toThrow(ShapeError)
  })

  test('compile, and give the dtype that is asked for', () => {
    for (const f of [
      init.zeros,
      init.ones,
      init.constant(2),
      init.uniform(),
      init.normal(),
      init.truncatedNormal(),
      init.uniformAround(1),
      init.heNormal(),
      init.orthogonal(),
      init.identity(),
    ]) {
      const eager = f(key, [4, 3], 'float32')
      close(jit((k: Tensor) => f(k, [4, 3], 'float32'))(key), eager, 1e-6)
      expect(f(key, [4, 3], 'float16').dtype).toBe('float16')
    }
    const cut = init.truncatedNormal({ standardDeviation: 2, mean: 5, lower: -1, upper: 1 })(
      key,
      [500],
    )
    expect([cut.min().item() >= 3, cut.max().item() <= 7]).toEqual([true, true])
  })
})

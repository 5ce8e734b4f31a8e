/** Muon over kernels that are no matrices: as Optax has it, and as reshaping by hand would. */
import { IndexError, ShapeError, type Tensor, TreeError, tensor, tree } from '@cotangent/core'
import { jit } from '@cotangent/jit'
import { optim } from '@cotangent/nn'
import { np, random } from '@cotangent/ops'
import { describe, expect, test } from 'vitest'

/** sin(a (i + 1)) / (1 + (i mod 5) / 10), row-major. */
const wave = (shape: readonly number[], a: number): Tensor => {
  const size = shape.reduce((n, extent) => n * extent, 1)
  const at = (i: number): number => Math.sin(a * (i + 1)) / (1 + 0.1 * (i % 5))
  return tensor(Float32Array.from({ length: size }, (_, i) => at(i))).reshape(shape)
}

const params = {
  kernel: wave([3, 2, 4], 0.7),
  conv: wave([4, 2, 3], 1.3),
  matrix: wave([3, 2], 0.9),
  bias: wave([3], 0.4),
}
const dimensions = {
  kernel: { reductionAxis: 0, outputAxis: [1, 2] },
  // The last axis is of the batch.
  conv: { reductionAxis: [1], outputAxis: 0 },
  matrix: null,
  bias: null,
}

/** Parameters after some steps along cos(parameter · step). */
const run = <S>(
  optimizer: optim.GradientTransformation<S>,
  start: typeof params,
  steps = 3,
): typeof params => {
  const step = jit((p: typeof params, state: S, n: Tensor) => {
    const grads = tree.map((x: Tensor) => x.mul(n).cos(), p)
    const [updates, next] = optimizer.update(grads, state, p)
    return [optim.applyUpdates(p, updates), next] as const
  })
  let [p, state] = [start, optimizer.init(start)]
  for (let n = 1; n <= steps; n++) [p, state] = step(p, state, tensor(n))
  return p
}

// Optax 0.2.8: contrib.muon(0.1, adam_learning_rate=0.01, muon_weight_dimension_numbers=…, …), the
// first three elements of every parameter and the last.
const known: Readonly<
  Record<
    string,
    readonly [optim.MuonOptions, Readonly<Record<keyof typeof params, readonly number[]>>]
  >
> = {
  plain: [
    {},
    {
      bias: [0.354815, 0.628473, 0.761342, 0.761342],
      conv: [1.199043, 0.393999, -0.694763, -0.399404],
      kernel: [0.596017, 0.975773, 0.594053, -0.737609],
      matrix: [0.768405, 0.876821, 0.320979, -0.786482],
    },
  ],
  adaptive: [
    { adaptive: true, consistentRms: 0.2, weightDecay: 0.05 },
    {
      bias: [0.354815, 0.628473, 0.761342, 0.761342],
      conv: [1.277259, 0.353736, -0.768494, -0.594718],
      kernel: [0.498527, 1.077268, 0.448803, -0.740742],
      matrix: [0.768405, 0.876821, 0.320979, -0.786482],
    },
  ],
  aol: [
    { preconditioning: 'aol' },
    {
      bias: [0.354815, 0.628473, 0.761342, 0.761342],
      conv: [1.197601, 0.404788, -0.685282, -0.380384],
      kernel: [0.594596, 0.939849, 0.616412, -0.750349],
      matrix: [0.768405, 0.876821, 0.320979, -0.786482],
    },
  ],
  schatten: [
    { preconditioning: 'schatten', nesterov: false },
    {
      bias: [0.360157, 0.629267, 0.759876, 0.759876],
      conv: [1.158958, 0.403862, -0.768095, -0.416317],
      kernel: [0.593265, 0.988436, 0.615795, -0.758698],
      matrix: [0.766837, 0.873904, 0.326671, -0.788692],
    },
  ],
}

describe('dimension numbers', () => {
  test.each(Object.entries(known))("Optax's trajectory, %s", (_, [options, want]) => {
    const optimizer = optim.muon(0.1, {
      adamRate: 0.01,
      weightDimensionNumbers: dimensions,
      ...options,
    })
    const got = run(optimizer, params)
    for (const name of ['kernel', 'conv', 'matrix', 'bias'] as const) {
      const flat = [...got[name].data()]
      const shown = [...flat.slice(0, 3), flat.at(-1)!]
      shown.forEach((x, i) => expect(x).toBeCloseTo(want[name][i]!, 4))
    }
  })

  test('a kernel by head is the matrix that it reshapes to', () => {
    const flat = { ...params, kernel: params.kernel.reshape([3, 8]) }
    const rest = { conv: null, matrix: {}, bias: null }
    const weights = { kernel: { outputAxis: [1, 2] }, ...rest }
    const byHead = run(optim.muon(0.1, { weightDimensionNumbers: weights }), params)
    const byHand = run(optim.muon(0.1, { weightDimensionNumbers: { kernel: {}, ...rest } }), flat)
    expect(tree.allClose({ ...byHead, kernel: byHead.kernel.reshape([3, 8]) }, byHand)).toBe(true)
    // Without dimension numbers a matrix is what has two axes.
    const usual = run(optim.muon(0.1), flat)
    expect(tree.allClose(usual, byHand)).toBe(true)
  })

  test('each matrix of a batch is turned on its own', () => {
    const x = random.normal(random.key(1), [2, 5, 3, 4])
    const scale = optim.scaleByMuon({
      nesterov: false,
      weightDimensionNumbers: { reductionAxis: -1, outputAxis: 1 },
    })
    const [y] = scale.update(x, scale.init(x))
    const one = optim.scaleByMuon({ nesterov: false })
    for (const [i, j] of [
      [0, 0],
      [1, 2],
    ]) {
      // Rows are the last axis, columns the second.
      const matrix = x.at(i!, ':', j!).T
      const [turned] = one.update(matrix, one.init(matrix))
      expect(np.allclose(y.at(i!, ':', j!).T, turned, { atol: 1e-5 }).item()).toBe(1)
    }
    const shape = optim.scaleByShape({
      weightDimensionNumbers: { reductionAxis: [2, 3], outputAxis: [0, 1] },
      consistentRms: 0.2,
    })
    const [scaled] = shape.update(x, shape.init(x))
    const factor = 0.2 * Math.sqrt(12)
    expect(np.allclose(scaled, x.mul(factor)).item()).toBe(1)
  })

  test('a branch at a time, or by a function of the parameters', () => {
    const nested = { block: { a: params.matrix, b: params.matrix.mul(2) }, bias: params.bias }
    const first = <S>(optimizer: optim.GradientTransformation<S>): typeof nested =>
      optimizer.update(nested, optimizer.init(nested), nested)[0]
    const usual = first(optim.muon(0.1))
    const byBranch = { block: {}, bias: null }
    expect(tree.allClose(first(optim.muon(0.1, { weightDimensionNumbers: byBranch })), usual)).toBe(
      true,
    )
    const byRank = (p: unknown): unknown => tree.map((x: Tensor) => (x.ndim === 2 ? {} : null), p)
    const options = { weightDimensionNumbers: byRank }
    expect(tree.allClose(first(optim.muon(0.1, options)), usual)).toBe(true)
  })

  test('what does not fit is said', () => {
    const of = (weightDimensionNumbers: object) => () => {
      const optimizer = optim.muon(0.1, { weightDimensionNumbers })
      optimizer.update(params, optimizer.init(params), params)
    }
    const rest = { conv: null, matrix: null, bias: null }
    expect(of({ kernel: { reductionAxis: 1 }, ...rest })).toThrow(ShapeError)
    expect(of({ kernel: { reductionAxis: 1 }, ...rest })).toThrow(
      /an axis is named twice[^]*\[3,2,4\]/,
    )
    expect(of({ kernel: { outputAxis: 3 }, ...rest })).toThrow(IndexError)
    expect(of({ kernel: {} })).toThrow(TreeError)
    const alone = optim.scaleByMuon({ weightDimensionNumbers: { kernel: {}, ...rest } })
    expect(() => alone.update(params, alone.init(params))).toThrow(/some leaves have no dimension/)
  })
})

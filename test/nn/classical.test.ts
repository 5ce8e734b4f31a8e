/** Networks of one layer: what they can learn, and that descent goes where the formula says. */
import { type Tensor, grad, hessian, tensor } from '@cotangent/core'
import { jit } from '@cotangent/jit'
import { models, nn, optim } from '@cotangent/nn'
import { np, random } from '@cotangent/ops'
import { describe, expect, test } from 'vitest'

/** So many steps of plain descent, compiled. */
const descend = <P>(loss: (params: P) => Tensor, start: P, rate: number, steps: number): P => {
  const optimizer = optim.sgd(rate)
  const step = jit((params: P) => {
    const [updates] = optimizer.update(grad(loss)(params), optimizer.init(params), params)
    return optim.applyUpdates(params, updates)
  })
  let params = start
  for (let i = 0; i < steps; i++) params = step(params)
  return params
}

/** Solves a x = b for square a, in double precision; a row of b for every unknown. */
const solve = (a: Tensor, b: Tensor): Tensor => {
  const rows = Array.from({ length: a.shape[0]! }, (_, i) => [
    ...Array.from(a.at(i).data(), Number),
    ...Array.from(b.at(i).data(), Number),
  ])
  for (let i = 0; i < rows.length; i++) {
    const size = (r: number): number => Math.abs(rows[r]![i]!)
    let pivot = i
    for (let r = i + 1; r < rows.length; r++) if (size(r) > size(pivot)) pivot = r
    const top = rows[pivot]!
    rows[pivot] = rows[i]!
    rows[i] = top.map((v) => v / top[i]!)
    for (let r = 0; r < rows.length; r++) {
      const factor = r === i ? 0 : rows[r]![i]!
      rows[r] = rows[r]!.map((v, c) => v - factor * rows[i]![c]!)
    }
  }
  return tensor(rows.map((row) => row.slice(rows.length)))
}

describe('the perceptron and XOR', () => {
  const points = tensor([
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
  ])
  const tables = {
    and: [-1, -1, -1, 1],
    or: [-1, 1, 1, 1],
    nand: [1, 1, 1, -1],
    xor: [-1, 1, 1, -1],
  }

  /** Points on the right side of what descent finds from this key. */
  const right = <P>(
    network: nn.Layer<P, nn.None>,
    loss: typeof nn.losses.hinge,
    wanted: readonly number[],
    seed: number,
  ): number => {
    const targets = tensor(wanted).reshape(4, 1)
    const scores = (params: P): Tensor => network.apply({ params, state: nn.none }, points)[0]
    const { params: start } = network.init(random.key(seed), [4, 2])
    const found = descend((p: P) => loss(scores(p), targets), start, 1, 400)
    return scores(found).mul(targets).greater(0).sum().item()
  }

  test.each(['and', 'or', 'nand'] as const)('one layer learns %s', (name) => {
    expect(right(models.perceptron(), nn.losses.hinge, tables[name], 0)).toBe(4)
  })

  test('no line separates XOR: of all signs of w and b, none gives more than three', () => {
    const line = (a: number, b: number, c: number): readonly number[] =>
      [0, 1, 2, 3].map((i) => Math.sign(a * (i >> 1) + b * (i & 1) + c))
    const grid = Array.from({ length: 21 }, (_, i) => (i - 10) / 4 + 0.01)
    const best = Math.max(
      ...grid.flatMap((a) =>
        grid.flatMap((b) =>
          grid.map((c) => line(a, b, c).filter((s, i) => s === tables.xor[i]).length),
        ),
      ),
    )
    expect(best).toBe(3)
    for (const seed of [0, 1, 2]) {
      for (const loss of [nn.losses.hinge, nn.losses.softMargin]) {
        expect(right(models.linearRegression(), loss, tables.xor, seed)).toBeLessThan(4)
      }
    }
  })

  test.each([0, 1, 2])('two layers learn it (key %i)', (seed) => {
    const network = models.mlp({ units: [8, 1], activation: np.tanh })
    expect(right(network, nn.losses.softMargin, tables.xor, seed)).toBe(4)
  })
})

describe('linear regression', () => {
  const [xKey, truthKey, noiseKey] = random.split(random.key(1), 3)
  const x = random.normal(xKey!, [200, 5])
  const truth = random.normal(truthKey!, [5, 2])
  const y = x
    .matmul(truth)
    .add([3, -1])
    .add(random.normal(noiseKey!, [200, 2]).mul(0.1))
  const withOne = np.concatenate([x, np.ones([200, 1])], { axis: 1 })
  const network = models.linearRegression({ outputs: 2 })
  type Params = nn.ParamsOf<typeof network>
  const { params: start, state } = network.init(random.key(2), x.shape)
  const asMatrix = ({ dense1 }: Params): Tensor =>
    np.concatenate([dense1.kernel, dense1.bias.reshape(1, 2)])

  const closed = (penalty: number): Tensor => {
    // The offset is not held small.
    const ridge = np.diag(tensor([1, 1, 1, 1, 1, 0])).mul(penalty)
    return solve(withOne.T.matmul(withOne).add(ridge), withOne.T.matmul(y))
  }

  test.each([0, 20])(
    'descent finds the solution of the normal equations (penalty %i)',
    (penalty) => {
      // The mean of 200 × 2 squares, and so the penalty over as many.
      const loss = (params: Params): Tensor =>
        nn.losses.meanSquaredError(network.apply({ params, state }, x)[0], y).add(
          params.dense1.kernel
            .square()
            .sum()
            .mul(penalty / 400),
        )
      const found = asMatrix(descend(loss, start, 0.3, 300))
      expect(np.allclose(found, closed(penalty), { rtol: 1e-4, atol: 1e-4 }).item()).toBe(1)
      expect(np.allclose(closed(penalty).at(':5'), truth, { atol: 0.05 }).item()).toBe(
        penalty === 0 ? 1 : 0,
      )
    },
  )

  test('at the solution the residuals are orthogonal to the inputs', () => {
    const residuals = withOne.matmul(closed(0)).sub(y)
    expect(withOne.T.matmul(residuals).abs().max().item()).toBeLessThan(1e-3)
  })

  test('one step of Newton is the closed form', () => {
    const loss = (w: Tensor): Tensor => withOne.matmul(w.reshape(6, 2)).sub(y).square().mean()
    const w = random.normal(random.key(4), [12])
    const step = solve(hessian(loss)(w), grad(loss)(w).reshape(12, 1)).ravel()
    const arrived = w.sub(step).reshape(6, 2)
    expect(np.allclose(arrived, closed(0), { rtol: 1e-4, atol: 1e-4 }).item()).toBe(1)
  })
})

describe('softmax regression', () => {
  const [classes, features, count] = [3, 2, 150]
  const label = np.arange(count).mod(classes).astype('int32')
  const centres = tensor([
    [0, 1.5],
    [1, -0.5],
    [-1, -0.5],
  ])
  const x = np
    .take(centres, label, { axis: 0 })
    .add(random.normal(random.key(5), [count, features]))
  const network = models.softmaxRegression({ classes })
  type Params = nn.ParamsOf<typeof network>
  const { params: start, state } = network.init(random.key(6), x.shape)
  // The penalty makes the optimum unique: logits may else be shifted.
  const loss = (params: Params): Tensor =>
    nn.losses
      .softmaxCrossEntropy(network.apply({ params, state }, x)[0], label)
      .add(nn.regularizers.l2(0.02)(params))
  const size = features * classes
  const unpack = (w: Tensor): Params => ({
    dense1: { kernel: w.at(`:${size}`).reshape(features, classes), bias: w.at(`${size}:`) },
  })
  const pack = ({ dense1 }: Params): Tensor => np.concatenate([dense1.kernel.ravel(), dense1.bias])

  const flat = (w: Tensor): Tensor => loss(unpack(w))
  const newton = (w: Tensor): Tensor =>
    w.sub(solve(hessian(flat)(w), grad(flat)(w).reshape(-1, 1)).ravel())
  const iterates = [pack(start)]
  for (let i = 0; i < 7; i++) iterates.push(newton(iterates[i]!))
  const optimum = iterates.at(-1)!

  test("Newton's method arrives in a few steps", () => {
    const norms = iterates.map((w) => Math.sqrt(grad(flat)(w).square().sum().item()))
    expect(norms[0]).toBeGreaterThan(0.1)
    expect(norms.at(-1)).toBeLessThan(1e-6)
  })

  test('descent goes to the same optimum, from anywhere', () => {
    for (const seed of [6, 7]) {
      const { params } = network.init(random.key(seed), x.shape)
      const found = pack(descend(loss, params, 1, 600))
      expect(np.allclose(found, optimum, { rtol: 1e-3, atol: 1e-3 }).item()).toBe(1)
    }
  })

  test('the gradient is Xᵀ (p − onehot) / n + 2 λ W', () => {
    const { dense1 } = start
    const p = nn.softmax(x.matmul(dense1.kernel).add(dense1.bias))
    const error = p.sub(nn.oneHot(label, classes)).div(count)
    const slope = grad(loss)(start).dense1
    const byFormula = x.T.matmul(error).add(dense1.kernel.mul(2 * 0.02))
    expect(np.allclose(slope.kernel, byFormula, { rtol: 1e-4, atol: 1e-6 }).item()).toBe(1)
    expect(np.allclose(slope.bias, error.sum({ axis: 0 }), { atol: 1e-6 }).item()).toBe(1)
  })
})

/** L-BFGS and line searches on functions with known minima. */
import { type Tensor, tensor, tree, valueAndGrad } from '@cotangent/core'
import { jit } from '@cotangent/jit'
import { optim } from '@cotangent/nn'
import { np, random } from '@cotangent/ops'
import { describe, expect, test } from 'vitest'

const minimise = <P, S>(
  loss: (params: P) => Tensor,
  optimizer: optim.GradientTransformation<S>,
  start: P,
  steps: number,
): { readonly params: P; readonly state: S; readonly values: readonly number[] } => {
  const step = jit((params: P, state: S) => {
    const [value, grad] = valueAndGrad(loss)(params)
    const [updates, next] = optimizer.update(grad, state, params, { value, grad, valueFn: loss })
    return { params: optim.applyUpdates(params, updates), state: next, value }
  })
  let [params, state] = [start, optimizer.init(start)]
  const values: number[] = []
  for (let i = 0; i < steps; i++) {
    const taken = step(params, state)
    values.push(taken.value.item())
    params = taken.params
    state = taken.state
  }
  return { params, state, values }
}

const rosenbrock = ({ x, y }: { readonly x: Tensor; readonly y: Tensor }): Tensor =>
  y.sub(x.square()).square().mul(100).add(x.neg().add(1).square()).sum()

const falls = (values: readonly number[]): boolean =>
  values.every((v, i) => i === 0 || v <= values[i - 1]! + 1e-5 * Math.abs(values[i - 1]!) + 1e-6)

describe('L-BFGS', () => {
  test('finds the minimum of the Rosenbrock function', () => {
    const start = { x: tensor(-1.2), y: tensor(1) }
    const { params, values } = minimise(rosenbrock, optim.lbfgs(), start, 40)
    expect(falls(values)).toBe(true)
    // What the same rules give in double precision, before the rounding of single precision tells.
    const known = [24.2, 11.2981, 4.40046, 4.11393, 4.1048, 4.10062, 4.06015, 3.96269]
    expect(values.slice(0, 8)).toEqual(known.map((v) => expect.closeTo(v, 3)))
    expect([params.x.item(), params.y.item()]).toEqual([expect.closeTo(1, 3), expect.closeTo(1, 3)])
  })

  test('solves a quadratic of eight unknowns in about as many steps', () => {
    const a = random.normal(random.key(2), [8, 8])
    const matrix = a.matmul(a.T).div(8).add(np.eye(8))
    const b = random.normal(random.key(3), [8])
    const loss = (x: Tensor): Tensor => x.dot(matrix.matmul(x)).mul(0.5).sub(x.dot(b))
    const { params, values } = minimise(loss, optim.lbfgs(), np.zeros([8]), 16)
    expect(falls(values)).toBe(true)
    expect(matrix.matmul(params).sub(b).abs().max().item()).toBeLessThan(2e-3)
    const fixed = minimise(loss, optim.lbfgs(0.5, { linesearch: null }), np.zeros([8]), 30)
    expect(matrix.matmul(fixed.params).sub(b).abs().max().item()).toBeLessThan(2e-2)
  })

  test('one step with a memory of one is a scaled gradient', () => {
    const loss = (x: Tensor): Tensor => x.square().sum()
    const optimizer = optim.scaleByLbfgs({ memorySize: 1 })
    const x = tensor([3, 4])
    const [, g] = valueAndGrad(loss)(x)
    const [direction] = optimizer.update(g, optimizer.init(x), x)
    // The first step is not longer than one.
    expect([...direction.data()]).toEqual([expect.closeTo(0.6, 5), expect.closeTo(0.8, 5)])
  })
})

describe('line searches', () => {
  test('zoom: the step has the strong Wolfe conditions', () => {
    const loss = (x: Tensor): Tensor => x.pow(4).sum().add(x.square().sum())
    const x = tensor([2, -1])
    const [value, grad] = valueAndGrad(loss)(x)
    const search = optim.chain(
      optim.scale(-1),
      optim.scaleByZoomLinesearch({ maxLinesearchSteps: 20, curvRtol: 0.1 }),
    )
    const [updates, [, state]] = search.update(grad, search.init(x), x, {
      value,
      grad,
      valueFn: loss,
    })
    const slope = -grad.square().sum().item()
    const [after, there] = valueAndGrad(loss)(x.add(updates))
    const rate = state.learningRate.item()
    expect(after.item()).toBeLessThanOrEqual(value.item() + 1e-4 * rate * slope + 1e-4)
    expect(Math.abs(there.dot(grad).item())).toBeLessThanOrEqual(0.1 * Math.abs(slope) + 1e-3)
    expect(state.value.item()).toBeCloseTo(after.item(), 3)
    const [kept, keptGrad] = optim.valueAndGradFromState(loss)(x.add(updates), state)
    expect(kept.item()).toBe(state.value.item())
    expect(tree.allClose(keptGrad, there, { rtol: 1e-4 })).toBe(true)
  })

  test('zoom: not beyond the largest rate, and zero where the function is not finite', () => {
    const line = (x: Tensor): Tensor => x.neg().sum()
    const x = tensor([0])
    const bounded = optim.scaleByZoomLinesearch({ maxLinesearchSteps: 20, maxLearningRate: 3 })
    const extra = { value: tensor(0), grad: tensor([-1]) }
    const [u] = bounded.update(tensor([1]), bounded.init(x), x, { ...extra, valueFn: line })
    expect(u.item()).toBeCloseTo(3, 5)
    const wall = (p: Tensor): Tensor => np.where(p.greater(0), NaN, p.neg()).sum()
    const [none] = bounded.update(tensor([1]), bounded.init(x), x, { ...extra, valueFn: wall })
    expect(none.item()).toBe(0)
  })

  test('backtracking: shortens until the function falls enough', () => {
    const loss = (x: Tensor): Tensor => x.square().sum().mul(50)
    const search = optim.chain(
      optim.scale(-1),
      optim.scaleByBacktrackingLinesearch({ maxBacktrackingSteps: 40, storeGrad: true }),
    )
    const { params, state, values } = minimise(loss, search, tensor([1, -2]), 40)
    expect(falls(values)).toBe(true)
    expect(loss(params).item()).toBeLessThan(1e-2)
    expect(state[1].info.decreaseError.item()).toBe(0)
    const [value, g] = optim.valueAndGradFromState(loss)(params, {
      value: state[1].value,
      grad: state[1].grad,
    })
    expect(value.item()).toBeCloseTo(loss(params).item(), 4)
    expect(tree.allClose(g, params.mul(100), { rtol: 1e-3, atol: 1e-4 })).toBe(true)
  })
})

/** What tests of whole networks have in common. */
import { type Tensor, evalShape, leafTensor, sizeOf, tree, valueAndGrad } from '@cotangent/core'
import { jit } from '@cotangent/jit'
import { type nn, optim } from '@cotangent/nn'
import { random } from '@cotangent/ops'
import { expect } from 'vitest'

const key = random.key(0)

/** Counts without making anything. */
export const parametersOf = (net: nn.AnyLayer, shape: nn.Shapes): number => {
  const sizes: number[] = []
  evalShape((k: Tensor) => {
    tree.map((leaf) => sizes.push(sizeOf(leafTensor(leaf).shape)), net.init(k, shape).params)
    return k
  }, key)
  return sizes.reduce((a, b) => a + b, 0)
}

/** Losses of compiled steps on one batch, and the parameters after them; nothing is left to the interpreter. */
export const learn = <P, X, Y>(
  net: nn.Layer<P, nn.None, string, Y, X>,
  shape: nn.Shapes,
  x: X,
  loss: (y: Y) => Tensor,
  steps: number,
): { readonly params: P; readonly losses: readonly number[] } => {
  const optimizer = optim.adam(1e-2)
  const { params: initial, state } = net.init(key, shape)
  const step = jit((params: P, old: ReturnType<typeof optimizer.init>, k: Tensor) => {
    const objective = (p: P): Tensor =>
      loss(net.apply({ params: p, state }, x, { train: true, key: k })[0])
    const [value, grads] = valueAndGrad(objective)(params)
    const [updates, next] = optimizer.update(grads, old, params)
    return [optim.applyUpdates(params, updates), next, value] as const
  })
  let [params, old] = [initial, optimizer.init(initial)]
  expect(step.lower(params, old, key).clusters).not.toMatch(/^\s*host\b/m)
  const losses: number[] = []
  for (let i = 0; i < steps; i++) {
    const [nextParams, nextOld, value] = step(params, old, random.foldIn(key, i))
    ;[params, old] = [nextParams, nextOld]
    losses.push(value.item())
  }
  expect(losses.every(Number.isFinite)).toBe(true)
  return { params, losses }
}

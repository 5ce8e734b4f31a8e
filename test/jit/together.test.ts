/** The update of a whole tree of parameters is one pass: one phase, which reads and writes each array once. */
import { type Tensor, tree, valueAndGrad } from '@cotangent/core'
import {
  type Executable,
  type KernelStep,
  getThreads,
  jit,
  setThreads,
  threads,
} from '@cotangent/jit'
import { models, nn, optim } from '@cotangent/nn'
import { random } from '@cotangent/ops'
import { afterAll, describe, expect, test } from 'vitest'

const key = random.key(11)
const normal = (seed: number, shape: readonly number[]): Tensor =>
  random.normal(random.foldIn(key, seed), [...shape])

/** LeNet-5's parameters. */
const shapes = [
  [6, 1, 5, 5],
  [6],
  [16, 6, 5, 5],
  [16],
  [400, 120],
  [120],
  [120, 84],
  [84],
  [84, 10],
  [10],
]

type Tree = readonly Tensor[]
const treeOf = (seed: number): Tree => shapes.map((shape, n) => normal(100 * seed + n, shape))

interface State {
  readonly params: Tree
  readonly optimizerState: unknown
}

const optimizers: Readonly<Record<string, optim.AnyTransformation>> = {
  sgd: optim.sgd(0.1),
  momentum: optim.sgd(0.1, { momentum: 0.9, nesterov: true }),
  adam: optim.adam(1e-2),
  adamw: optim.adamw(1e-2),
  lion: optim.lion(1e-3),
}

const stateOf = (optimizer: optim.AnyTransformation, params: Tree): State => ({
  params,
  optimizerState: optimizer.init(params),
})

const updateWith =
  (optimizer: optim.AnyTransformation) =>
  ({ params, optimizerState }: State, gradients: Tree): State => {
    const [updates, next] = optimizer.update(gradients, optimizerState, params)
    return { params: optim.applyUpdates(params, updates), optimizerState: next }
  }

/** The names of the steps that write results, numbers aside. */
const writersOf = (lowered: {
  readonly compile: () => Pick<Executable, 'program'>
}): readonly string[] => {
  const { program } = lowered.compile()
  const results = new Set<unknown>(program.outputs)
  const writes = ({ kernel, arguments: slots }: KernelStep): boolean =>
    slots.some((slot, n) => {
      const { access, size } = kernel.buffers[n]!
      return results.has(slot) && access !== 'read' && size > 1
    })
  return program.steps.flatMap((step) => {
    if (step.tag === 'together') return step.parts.some(writes) ? [step.name] : []
    return step.tag === 'kernel' && writes(step) ? [step.kernel.name] : []
  })
}

const threadsBefore = getThreads()
afterAll(() => {
  threads.setForksAlways(false)
  setThreads(threadsBefore)
})

describe.each(Object.keys(optimizers))('%s', (name) => {
  const optimizer = optimizers[name]!
  const update = updateWith(optimizer)
  const compiled = jit(update, { backend: 'wasm', donate: [0] })
  const lowered = compiled.lower(stateOf(optimizer, treeOf(1)), treeOf(2))

  test('is one pass over all parameters, where they are', () => {
    expect(writersOf(lowered)).toHaveLength(1)
    const arrays = tree.leaves(stateOf(optimizer, treeOf(1))).length
    // Both results of Lion are made of both states: one of them has to be elsewhere.
    expect(lowered.memory.donated).toBe(name === 'lion' ? arrays - shapes.length : arrays)
  })

  test('gives each parameter what it gets alone, to the bit, on any number of threads', () => {
    const alone = shapes.map((_, n) => {
      const [params, gradients] = [[treeOf(1)[n]!], [treeOf(2)[n]!]]
      const once = jit(update, { backend: 'wasm' })
      return once(once(stateOf(optimizer, params), gradients), gradients)
    })
    for (const count of [1, 2]) {
      setThreads(count)
      threads.setForksAlways(count > 1)
      const again = jit(update, { backend: 'wasm', donate: [0] })
      const gradients = treeOf(2)
      const together = again(again(stateOf(optimizer, treeOf(1)), gradients), gradients)
      alone.forEach((state, n) =>
        expect(together.params[n]!.data()).toEqual(state.params[0]!.data()),
      )
    }
  })
})

test("LeNet's step updates all parameters in the kernels of their gradients or in one pass", () => {
  const model = models.lenet5()
  const { params, state } = model.init(random.key(4), [8, 1, 28, 28])
  const loss = (p: typeof params, x: Tensor, y: Tensor): Tensor =>
    nn.losses.softmaxCrossEntropy(model.apply({ params: p, state }, x, {})[0], y)
  const optimizer = optim.adam(1e-3)
  const optimizerState = optimizer.init(params)
  type Training = readonly [p: typeof params, s: typeof optimizerState]
  const step = ([p, s]: Training, x: Tensor, y: Tensor): Training => {
    const [, gradients] = valueAndGrad(loss)(p, x, y)
    const [updates, next] = optimizer.update(gradients, s, p)
    return [optim.applyUpdates(p, updates), next]
  }
  const lowered = jit(step, { backend: 'wasm', donate: [0] }).lower(
    [params, optimizerState],
    normal(1, [8, 1, 28, 28]),
    random.randint(key, [8], 0, 10),
  )
  // Where nobody reads the old parameter any more, the kernel of its gradient updates it.
  const apart = writersOf(lowered).filter((name) => !/^(reduceSum|dotGeneral|conv)_/.test(name))
  expect(apart).toEqual([expect.stringMatching(/_arrays$/)])
  expect(lowered.memory.donated).toBe(tree.leaves([params, optimizerState]).length)
})

test('a profile shows the pass as one kernel', () => {
  const optimizer = optim.adam(1e-2)
  const update = jit(updateWith(optimizer), { backend: 'wasm' })
  const { rows } = jit.profile(update, { repeat: 2, warmup: 1 })(
    stateOf(optimizer, treeOf(1)),
    treeOf(2),
  )
  const pass = rows.find((row) => row.name.endsWith(`_${shapes.length}_arrays`))
  const elements = shapes.reduce((n, shape) => n + shape.reduce((a, b) => a * b, 1), 0)
  // Gradients, parameters and both moments are read, all but gradients written.
  expect(pass?.bytes).toBeGreaterThanOrEqual(7 * 4 * elements)
  expect(pass?.bytes).toBeLessThan(7.1 * 4 * elements)
  expect(pass?.operations).toContain('sqrt')
})

test('what reads a result of another kernel comes after it', () => {
  const chain = (x: Tensor): readonly Tensor[] => {
    const y = x.mul(2)
    const z = y.reshape([-1]).sort().mul(3)
    return [
      y,
      z,
      x
        .add(1)
        .reshape([64, 32])
        .transpose()
        .mul(y.reshape([32, 64])),
    ]
  }
  const x = normal(3, [64, 32])
  const [want, got] = [jit(chain, { backend: 'js' })(x), jit(chain, { backend: 'wasm' })(x)]
  got.forEach((y, n) => expect(y.data()).toEqual(want[n]!.data()))
})

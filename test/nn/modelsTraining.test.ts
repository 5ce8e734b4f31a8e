/** Every published network runs and learns, compiled, in a size that two cores can bear. */
import { type Leaf, type Tensor, leafTensor, tensor, tree, valueAndGrad } from '@cotangent/core'
import { type Lowered, jit } from '@cotangent/jit'
import { models, nn, optim } from '@cotangent/nn'
import { np, random } from '@cotangent/ops'
import { describe, expect, test } from 'vitest'

const key = random.key(0)
const { softmaxCrossEntropy } = nn.losses

const isFinite = (leaf: Leaf): boolean => leafTensor(leaf).data().every(Number.isFinite)

/** Nothing is left to the interpreter. */
const expectCompiled = <A extends readonly unknown[], R>(lowered: Lowered<A, R>): void => {
  expect(['wasm', 'js']).toContain(lowered.compile().code.tag)
  expect(lowered.clusters).not.toMatch(/^\s*host\b/m)
}

/** Steps on one batch, the forward pass in inference and its loss; all compiled. */
const study = <P, S, Y>(
  net: nn.Layer<P, S, string, Y>,
  shape: readonly number[],
  loss: (y: Y, target: Tensor) => Tensor,
  { rate = 0.02, steps = 6 }: { readonly rate?: number; readonly steps?: number } = {},
) => {
  const x = random.normal(random.key(1), shape)
  const target = np.arange(shape[0]!).astype('int32')
  const optimizer = optim.sgd(rate)
  const start = net.init(key, shape)
  const step = jit((params: P, state: S, k: Tensor) => {
    const objective = (p: P): readonly [Tensor, S] => {
      const [y, next] = net.apply({ params: p, state }, x, { train: true, key: k })
      return [loss(y, target), next]
    }
    const [[value, next], grads] = valueAndGrad(objective, { hasAux: true })(params)
    const [updates] = optimizer.update(grads, optimizer.init(params), params)
    return { params: optim.applyUpdates(params, updates), state: next, loss: value, grads }
  })
  const losses: number[] = []
  let { params, state }: { readonly params: P; readonly state: S } = start
  for (let i = 0; i < steps; i++) {
    const result = step(params, state, key)
    losses.push(result.loss.item())
    ;({ params, state } = result)
    if (i > 0) continue
    expect(tree.leaves(result.grads).every(isFinite)).toBe(true)
  }
  const infer = jit((p: P, s: S) => net.apply({ params: p, state: s }, x)[0])
  const output = infer(params, state)
  expectCompiled(step.lower(params, state, key))
  expectCompiled(infer.lower(params, state))
  return { start, state, losses, output }
}

const expectLearning = (losses: readonly number[]): void => {
  expect(losses.every(Number.isFinite)).toBe(true)
  expect(Math.min(...losses.slice(-2))).toBeLessThan(losses[0]!)
}

describe('a step of training and the network in inference, compiled', () => {
  const options = { classes: 4, width: 1 / 16 }
  const blocks = [1, 1, 1, 1] as const
  const image = [2, 3, 32, 32]
  const cases: readonly (readonly [
    string,
    nn.Layer<unknown, unknown, string, Tensor>,
    readonly number[],
  ])[] = [
    ['softmax regression', models.softmaxRegression({ classes: 4 }), [2, 1, 8, 8]],
    ['MLP', models.mlp({ units: [8, 4] }), [2, 1, 8, 8]],
    ['LeNet-5', models.lenet5({ classes: 4 }), [2, 1, 28, 28]],
    ['AlexNet', models.alexnet({ ...options, variant: 'twoGroups' }), [2, 3, 64, 64]],
    ['VGG-11', models.vgg(11, { ...options, batchNorm: true }), image],
    ['NiN', models.nin({ classes: 4, width: 1 / 8 }), [2, 3, 16, 16]],
    ['ResNet-8', models.resnet(8, { classes: 4, width: 1 / 2 }), [2, 3, 16, 16]],
    ['ResNet-18, shallow', models.resnet(18, { ...options, blocks }), image],
    ['ResNet-50, shallow', models.resnet(50, { ...options, blocks }), image],
    ['ResNeXt-50, shallow', models.resnext(50, { ...options, blocks, cardinality: 4 }), image],
    [
      'DenseNet-121, shallow',
      models.densenet(121, { ...options, width: 1 / 8, blocks: [2, 1, 1, 1] }),
      image,
    ],
    ['Inception v2', models.inceptionV2(options), image],
    ['Inception v3', models.inceptionV3(options), [2, 3, 75, 75]],
  ]
  test.each(cases)('%s', (_, net, shape) => {
    const { losses, output } = study(net, shape, softmaxCrossEntropy)
    expectLearning(losses)
    expect(output.shape).toEqual([2, 4])
    expect(isFinite(output)).toBe(true)
  })

  type Headed = nn.Layer<unknown, unknown, string, models.WithAuxiliary>
  const [with1, with2, with3] = [models.inceptionV1, models.inceptionV2, models.inceptionV3]
  const headed: readonly (readonly [
    string,
    Headed,
    nn.Layer<unknown, unknown, string, Tensor>,
    { readonly heads: readonly string[]; readonly extent: number; readonly steps: number },
  ])[] = [
    [
      'GoogLeNet',
      with1({ ...options, auxiliary: true }),
      with1(options),
      { heads: ['auxiliary1', 'auxiliary2'], extent: 79, steps: 6 },
    ],
    [
      'Inception v2',
      with2({ ...options, auxiliary: true }),
      with2(options),
      { heads: ['auxiliary1', 'auxiliary2'], extent: 79, steps: 6 },
    ],
    // The head looks at 17×17 positions, which only images of 299 pixels leave.
    [
      'Inception v3',
      with3({ ...options, auxiliary: true }),
      with3(options),
      { heads: ['auxiliary'], extent: 299, steps: 3 },
    ],
  ]
  test.each(headed)(
    '%s with its auxiliary heads, which inference leaves out',
    (_, net, bare, { heads, extent, steps }) => {
      const loss = models.auxiliaryLoss((y, target: Tensor) => softmaxCrossEntropy(y, target))
      const { losses, output, start, state } = study(net, [2, 3, extent, extent], loss, { steps })
      expectLearning(losses)
      expect([output.logits.shape, output.auxiliary]).toEqual([[2, 4], []])
      expect(start.outputShape).toEqual([2, 4])
      expect(Object.keys(Object(state))).toEqual(expect.arrayContaining([...heads]))
      // Without heads, the same parameters give the same logits.
      const isTrunk = ([name]: readonly [string, unknown]): boolean => !heads.includes(name)
      const params = Object.fromEntries(Object.entries(Object(start.params)).filter(isTrunk))
      const x = random.normal(random.key(2), [1, 3, extent, extent])
      const [alone] = bare.apply({ params, state: start.state }, x)
      const [both] = net.apply(start, x)
      expect(alone.toArray()).toEqual(both.logits.toArray())
      const [training] = net.apply(start, x, { train: true, key })
      expect(training.auxiliary.map((y) => y.shape)).toEqual(heads.map(() => [1, 4]))
    },
  )
})

describe('one layer of weights', () => {
  const points = tensor([
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
  ])

  /** Rosenblatt's rule, point after point; the mistakes left. */
  const mistakesAfter = (epochs: number, targets: readonly number[]): number => {
    const net = models.perceptron()
    const { params: initial, state } = net.init(key, [1, 2])
    const score = (p: typeof initial, i: number): Tensor =>
      net.apply({ params: p, state }, points.at([i]))[0].at(0, 0)
    const rule = (p: typeof initial, i: number): Tensor =>
      score(p, i).mul(-targets[i]!).add(1e-6).maximum(0)
    let params = initial
    for (let n = 0; n < 4 * epochs; n++) {
      const [, grads] = valueAndGrad((p: typeof initial) => rule(p, n % 4))(params)
      params = optim.applyUpdates(
        params,
        tree.map((g) => np.negative(g), grads),
      )
    }
    return targets.filter((t, i) => score(params, i).item() * t <= 0).length
  }

  test('the perceptron learns AND and OR, and never XOR', () => {
    expect(mistakesAfter(10, [-1, -1, -1, 1])).toBe(0)
    expect(mistakesAfter(10, [-1, 1, 1, 1])).toBe(0)
    expect(mistakesAfter(40, [-1, 1, 1, -1])).toBeGreaterThan(0)
  })

  test('a hidden layer learns XOR', () => {
    const net = models.mlp({ units: [8, 1], activation: np.tanh })
    const { params: initial, state } = net.init(key, [4, 2])
    const targets = tensor([[-1], [1], [1], [-1]])
    const step = jit((p: typeof initial) => {
      const [loss, grads] = valueAndGrad((q: typeof initial) =>
        nn.losses.softMargin(net.apply({ params: q, state }, points)[0], targets),
      )(p)
      return {
        loss,
        params: optim.applyUpdates(
          p,
          tree.map((g) => np.negative(g), grads),
        ),
      }
    })
    let params = initial
    for (let i = 0; i < 300; i++) ({ params } = step(params))
    const [scores] = net.apply({ params, state }, points)
    expect(scores.mul(targets).min().item()).toBeGreaterThan(0)
  })

  test('linear regression by gradient is least squares', () => {
    const x = random.normal(random.key(3), [40, 1])
    const y = x
      .mul(-2)
      .add(random.normal(random.key(4), [40, 1]))
      .add(0.5)
    const net = models.linearRegression()
    const { params: initial, state } = net.init(key, x.shape)
    const step = jit((p: typeof initial) => {
      const [, grads] = valueAndGrad((q: typeof initial) =>
        nn.losses.meanSquaredError(net.apply({ params: q, state }, x)[0], y),
      )(p)
      return optim.applyUpdates(
        p,
        tree.map((g) => np.multiply(g, -0.2), grads),
      )
    })
    let params = initial
    for (let i = 0; i < 100; i++) params = step(params)
    const centred = x.sub(x.mean())
    const slope = centred.mul(y).sum().div(centred.square().sum()).item()
    expect(params.dense1.kernel.item()).toBeCloseTo(slope, 5)
    expect(params.dense1.bias.item()).toBeCloseTo(y.mean().item() - slope * x.mean().item(), 5)
  })
})

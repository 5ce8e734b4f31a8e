import {
  grad,
  jit,
  models,
  nn,
  np,
  optim,
  random,
  type Tensor,
  tensor,
  train,
  tree,
  data,
} from 'cotangent'
import { describe, expect, test } from 'vitest'
import { expectClose } from './support.ts'

const key = random.key(0)

const works = <P, S>(
  layer: nn.Layer<P, S, string>,
  inputShape: readonly number[],
  outputShape: readonly number[],
): void => {
  expect(layer.name).toBeTypeOf('string')
  const { params, state, outputShape: said } = layer.init(key, inputShape)
  expect(said).toEqual(outputShape)
  expect(Object.isFrozen(params)).toBe(true)
  const [y] = layer.apply({ params, state }, np.ones(inputShape), { train: true, key })
  expect(y.shape).toEqual(outputShape)
  const [z] = layer.apply({ params, state }, np.ones(inputShape), { train: false })
  expect(z.shape).toEqual(outputShape)
}

describe('a layer is a value', () => {
  test('name, init, apply', () => {
    works(nn.dense(5), [2, 3], [2, 5])
    works(nn.conv2d(4, 3), [2, 3, 8, 8], [2, 4, 6, 6])
    works(nn.conv2d(4, 3, { padding: 'same' }), [2, 3, 8, 8], [2, 4, 8, 8])
    works(nn.conv2d(4, 3, { layout: 'NHWC' }), [2, 8, 8, 3], [2, 6, 6, 4])
    works(nn.maxPool2d(2), [2, 3, 8, 8], [2, 3, 4, 4])
    works(nn.avgPool2d(2), [2, 3, 8, 8], [2, 3, 4, 4])
    works(nn.batchNorm(), [4, 3, 8, 8], [4, 3, 8, 8])
    works(nn.dropout(0.5), [2, 3], [2, 3])
    works(nn.flatten(), [2, 3, 4], [2, 12])
    works(nn.relu(), [2, 3], [2, 3])
    works(nn.rnn(6), [2, 7, 3], [2, 7, 6])
    works(nn.lstm(6, { returnSequences: false }), [2, 7, 3], [2, 6])
    works(nn.gru(6), [2, 7, 3], [2, 7, 6])
    works(nn.serial(nn.dense(5), nn.relu, nn.dense(2)), [4, 3], [4, 2])
  })

  test('compiled, differentiated', () => {
    const net = nn.serial(nn.dense(4), nn.tanh, nn.dense(1))
    const { params, state } = net.init(key, [8, 3])
    const x = random.normal(key, [8, 3])
    const loss = (p: typeof params): Tensor =>
      net.apply({ params: p, state }, x, { train: false })[0].pow(2).mean()
    const g = grad(loss)(params)
    expect(tree.structure(g)).toEqual(tree.structure(params))
    expect(tree.allClose(jit(grad(loss))(params), g, { rtol: 1e-4, atol: 1e-6 })).toBe(true)
  })

  test('a wrong input is named by the layer', () => {
    expect(() => nn.conv2d(4, 3).init(key, [2, 3])).toThrow(/conv2d/)
    expect(() => nn.dense(0).init(key, [2, 3])).toThrow(/dense/)
    expect(() => nn.dropout(1.5)).toThrow(/dropout/)
    const net = nn.dense(4)
    const { params, state } = net.init(key, [2, 3])
    expect(() => net.apply({ params, state }, np.ones([2, 9]), { train: false })).toThrow(
      /dense|\[2,9\]/,
    )
    const drop = nn.dropout(0.5)
    const made = drop.init(key, [2, 3])
    expect(() => drop.apply(made, np.ones([2, 3]), { train: true })).toThrow(/key/)
  })

  test('losses and metrics', () => {
    const logits = tensor([
      [0, 0],
      [10, -10],
    ])
    expectClose(
      nn.losses.softmaxCrossEntropy(logits, tensor([0, 0], { dtype: 'int32' })).mean(),
      Math.LN2 / 2,
      1e-4,
    )
    expectClose(nn.losses.meanSquaredError(tensor([1, 2]), tensor([0, 0])).mean(), 2.5)
    const right = nn.metrics.readTotal(
      nn.metrics.accuracy(logits, tensor([1, 0], { dtype: 'int32' })),
    )
    expect(nn.metrics.meanOf(right)).toBe(0.5)
  })
})

describe('optim', () => {
  const params = { w: tensor([1, -2]), b: [tensor(3)] }
  const loss = (p: typeof params): Tensor => p.w.pow(2).sum().add(p.b[0]!.pow(2))
  const learns = <S>(optimiser: optim.GradientTransformation<S>): void => {
    let p = params
    let state = optimiser.init(p)
    for (let i = 0; i < 50; i++) {
      const [updates, next] = optimiser.update(grad(loss)(p), state, p)
      p = optim.applyUpdates(p, updates)
      state = next
    }
    expect(Number(loss(p).item())).toBeLessThan(0.5 * Number(loss(params).item()))
    const step = (q: typeof params, s: typeof state) => optimiser.update(grad(loss)(q), s, q)
    const close = { rtol: 1e-4, atol: 1e-6 }
    expect(tree.allClose(jit(step)(p, state)[0], step(p, state)[0], close)).toBe(true)
  }

  test('each lowers the loss, and compiles', () => {
    learns(optim.sgd(0.1))
    learns(optim.sgd(0.1, { momentum: 0.9 }))
    learns(optim.sgd(0.1, { momentum: 0.9, nesterov: true }))
    learns(optim.adam(0.1))
    learns(optim.adamw(0.1))
    learns(optim.chain(optim.clipByGlobalNorm(1), optim.adam(0.1)))
  })

  test('clipByGlobalNorm scales the whole tree to the norm', () => {
    const clip = optim.clipByGlobalNorm(1)
    const g = { a: tensor([3]), b: tensor([4]) }
    const [u] = clip.update(g, clip.init(g), g)
    expectClose(u.a, [0.6])
    expectClose(u.b, [0.8])
  })
})

describe('models and train', () => {
  test('lenet5 is a layer', () => {
    const net = models.lenet5()
    const { params, state, outputShape } = net.init(key, [2, 1, 28, 28])
    expect(outputShape).toEqual([2, 10])
    expect(tree.size(params)).toBe(61706)
    expect(
      net.apply({ params, state }, np.zeros([2, 1, 28, 28]), { train: false })[0].shape,
    ).toEqual([2, 10])
  })

  test('fit gives frozen snapshots', async () => {
    const x = random.normal(key, [64, 3])
    const y = x.matmul([[1], [-2], [0.5]])
    const steps: number[] = []
    let last = Infinity
    for await (const snapshot of train.fit({
      model: nn.dense(1),
      loss: nn.losses.meanSquaredError,
      optimizer: optim.adam(0.1),
      data: data.fromArrays({ x, y }).batch(16),
      epochs: 20,
      key,
    })) {
      expect(Object.isFrozen(snapshot)).toBe(true)
      steps.push(snapshot.step)
      last = snapshot.loss
    }
    expect(steps.at(-1)).toBe(80)
    expect(last).toBeLessThan(0.1)
  })
})

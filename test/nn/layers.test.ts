/** Layers: inferred shapes, parameter counts, typed trees, training and inference. */
import { CotangentError, type Tensor, flatten, grad, sizeOf, tensor, vmap } from '@cotangent/core'
import { jit } from '@cotangent/jit'
import { models, nn } from '@cotangent/nn'
import { np, random } from '@cotangent/ops'
import { describe, expect, expectTypeOf, test } from 'vitest'

const key = random.key(7)
const count = (tree: unknown): number =>
  flatten(tree).leaves.reduce<number>(
    (n, leaf) => n + (typeof leaf === 'object' ? sizeOf(leaf.shape) : 1),
    0,
  )
const messageOf = (f: () => unknown): string => {
  try {
    f()
  } catch (error) {
    if (error instanceof CotangentError) return error.message
    throw error
  }
  return 'nothing was thrown'
}

/** The output's shape is what `init` said it would be. */
const expectShape = (
  layer: nn.Layer<unknown, unknown>,
  input: readonly number[],
  output: readonly number[],
): void => {
  const { params, state, outputShape } = layer.init(key, input)
  expect(outputShape).toEqual(output)
  expect(layer.apply({ params, state }, np.ones(input))[0].shape).toEqual(output)
}

describe('shapes', () => {
  const cases: readonly (readonly [
    string,
    nn.Layer<unknown, unknown>,
    readonly number[],
    readonly number[],
  ])[] = [
    ['dense', nn.dense(5), [2, 3], [2, 5]],
    ['dense on sequences', nn.dense(5), [2, 7, 3], [2, 7, 5]],
    ['conv1d', nn.conv1d(4, 3), [2, 3, 9], [2, 4, 7]],
    ['conv2d', nn.conv2d(4, 3), [2, 3, 8, 9], [2, 4, 6, 7]],
    [
      'conv2d same, stride 2',
      nn.conv2d(4, 3, { stride: 2, padding: 'same' }),
      [1, 2, 7, 8],
      [1, 4, 4, 4],
    ],
    ['conv2d sides', nn.conv2d(4, [3, 2], { padding: [[1, 0], 2] }), [1, 2, 5, 5], [1, 4, 4, 8]],
    ['conv2d dilated', nn.conv2d(4, 3, { dilation: 2 }), [1, 2, 8, 8], [1, 4, 4, 4]],
    ['conv2d groups', nn.conv2d(6, 3, { groups: 3 }), [1, 3, 5, 5], [1, 6, 3, 3]],
    ['conv2d NHWC', nn.conv2d(4, 3, { layout: 'NHWC' }), [2, 8, 9, 3], [2, 6, 7, 4]],
    ['conv3d', nn.conv3d(2, 2), [1, 1, 3, 4, 5], [1, 2, 2, 3, 4]],
    ['maxPool2d', nn.maxPool2d(2), [2, 3, 7, 8], [2, 3, 3, 4]],
    ['maxPool2d ceil', nn.maxPool2d(2, { ceilMode: true }), [2, 3, 7, 8], [2, 3, 4, 4]],
    ['avgPool2d NHWC', nn.avgPool2d(2, { layout: 'NHWC' }), [2, 6, 6, 3], [2, 3, 3, 3]],
    ['maxPool1d', nn.maxPool1d(3, { stride: 1, padding: 'same' }), [1, 2, 7], [1, 2, 7]],
    ['globalAvgPool', nn.globalAvgPool(), [2, 3, 4, 5], [2, 3]],
    ['globalMaxPool NHWC', nn.globalMaxPool('NHWC'), [2, 4, 5, 3], [2, 3]],
    ['batchNorm', nn.batchNorm(), [4, 3, 2, 2], [4, 3, 2, 2]],
    ['layerNorm', nn.layerNorm(), [4, 3], [4, 3]],
    ['dropout', nn.dropout(0.5), [4, 3], [4, 3]],
    ['flatten', nn.flatten(), [4, 3, 2, 2], [4, 12]],
    ['reshape', nn.reshape([2, 6]), [4, 12], [4, 2, 6]],
    ['lambda', nn.lambda((x) => x.sum({ axis: 1 })), [4, 12], [4]],
    ['relu', nn.relu(), [4, 12], [4, 12]],
    ['rnn', nn.rnn(6), [2, 5, 3], [2, 5, 6]],
    ['lstm, last', nn.lstm(6, { returnSequences: false }), [2, 5, 3], [2, 6]],
    ['gru, reverse', nn.gru(6, { reverse: true }), [2, 5, 3], [2, 5, 6]],
    [
      'serial',
      nn.serial(nn.conv2d(4, 3), nn.relu, nn.flatten(), nn.dense(2)),
      [2, 1, 5, 5],
      [2, 2],
    ],
  ]
  test.each(cases)('%s', (_, layer, input, output) => expectShape(layer, input, output))

  test('embedding', () => {
    const layer = nn.embedding(10, 4)
    const { params, state, outputShape } = layer.init(key, [2, 3])
    expect(outputShape).toEqual([2, 3, 4])
    const ids = tensor(
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
      { dtype: 'int32' },
    )
    expect(layer.apply({ params, state }, ids)[0].at(1, 2).toArray()).toEqual(
      params.table.at(6).toArray(),
    )
  })
})

describe('parameter counts', () => {
  test.each([
    ['LeNet-5', models.lenet5(), [1, 1, 28, 28], 61_706],
    ['LeNet-5, 26 classes', models.lenet5({ classes: 26 }), [1, 1, 28, 28], 61_706 + 16 * 85],
    ["VGG's first convolution", nn.conv2d(64, 3, { useBias: false }), [1, 3, 8, 8], 1728],
    ['softmax regression', models.softmaxRegression(), [1, 1, 28, 28], 7850],
    ['mlp', models.mlp({ units: [128, 10] }), [1, 784], 785 * 128 + 129 * 10],
    ['depthwise', nn.conv2d(8, 3, { groups: 8 }), [1, 8, 8, 8], 8 * 9 + 8],
    ['lstm', nn.lstm(256), [1, 4, 128], 4 * (128 * 256 + 256 * 256 + 256)],
    ['gru', nn.gru(16), [1, 4, 8], 3 * (8 * 16 + 16 * 16 + 2 * 16)],
    ['batchNorm', nn.batchNorm(), [4, 3, 2, 2], 6],
  ] as const)('%s', (_, layer: nn.AnyLayer, input, parameters) => {
    expect(count(layer.init(key, input).params)).toBe(parameters)
  })
})

describe('serial', () => {
  const net = nn.serial(
    nn.conv2d(2, 3),
    nn.batchNorm(),
    nn.relu,
    nn.conv2d(3, 3, { useBias: false }),
    nn.named('head', nn.serial(nn.flatten(), nn.dense(4))),
  )

  test('names layers by kind and number, and leaves out what is empty', () => {
    const { params, state } = net.init(key, [2, 1, 6, 6])
    expect(Object.keys(params)).toEqual(['conv1', 'batchNorm1', 'conv2', 'head'])
    expect(Object.keys(state)).toEqual(['batchNorm1'])
    expect(params.head.dense1.kernel.shape).toEqual([12, 4])
    expect(Object.isFrozen(params) && Object.isFrozen(params.conv1)).toBe(true)
  })

  test('types parameters and state from the layers', () => {
    const { params, state } = net.init(key, [2, 1, 6, 6])
    expectTypeOf(params.conv1.kernel).toEqualTypeOf<Tensor>()
    expectTypeOf(params.conv1.bias).toEqualTypeOf<Tensor>()
    expectTypeOf(params.head.dense1.bias).toEqualTypeOf<Tensor>()
    expectTypeOf(state.batchNorm1.variance).toEqualTypeOf<Tensor>()
    expectTypeOf<keyof typeof params.conv2>().toEqualTypeOf<'kernel'>()
    expectTypeOf<keyof typeof params>().toEqualTypeOf<'conv1' | 'batchNorm1' | 'conv2' | 'head'>()
    expectTypeOf<keyof typeof state>().toEqualTypeOf<'batchNorm1'>()
    // @ts-expect-error -- relu has no parameters
    expect(params.relu1).toBeUndefined()
  })

  test('takes names from a record', () => {
    const named = nn.serial({ stem: nn.conv2d(2, 3), act: nn.relu, out: nn.flatten() })
    const { params } = named.init(key, [1, 1, 4, 4])
    expectTypeOf(params.stem.kernel).toEqualTypeOf<Tensor>()
    expect(Object.keys(params)).toEqual(['stem'])
  })

  test('refuses two layers of one name', () => {
    const twice = () => nn.serial(nn.named('a', nn.dense(1)), nn.named('a', nn.dense(1)))
    expect(messageOf(twice)).toContain('two layers have the name "a"')
  })

  test('passes structured outputs on: a recurrent layer with its state', () => {
    const layer = nn.lstm(3, { returnCarry: true })
    const variables = layer.init(key, [2, 4, 5])
    const x = random.normal(key, [2, 4, 5])
    const [whole] = layer.apply(variables, x)
    const [head] = layer.apply(variables, x.at(':', ':2'))
    const [tail] = layer.apply(variables, { inputs: x.at(':', '2:'), carry: head.carry })
    expectTypeOf(head.carry.c).toEqualTypeOf<Tensor>()
    expect(np.allclose(tail.outputs, whole.outputs.at(':', '2:'), { atol: 1e-6 }).item()).toBe(1)
    expect(np.allclose(tail.carry.c, whole.carry.c, { atol: 1e-6 }).item()).toBe(1)
  })

  test('gradients have the type and structure of the parameters', () => {
    const small = nn.serial(nn.dense(3), nn.tanh, nn.dense(1))
    const { params, state } = small.init(key, [1, 2])
    const loss = (p: typeof params): Tensor =>
      small
        .apply({ params: p, state }, np.ones([4, 2]))[0]
        .square()
        .mean()
    const g = grad(loss)(params)
    expectTypeOf(g.dense1.kernel).toEqualTypeOf<Tensor>()
    expect(flatten(g).structure.key).toBe(flatten(params).structure.key)
  })
})

describe('initialisation', () => {
  const net = nn.serial(nn.conv2d(2, 3), nn.relu, nn.flatten(), nn.dense(3))
  const init = (k: Tensor) => net.init(k, [1, 1, 5, 5]).params

  test('is a pure function of the key', () => {
    expect(init(key).conv1.kernel.toArray()).toEqual(init(key).conv1.kernel.toArray())
    expect(init(random.key(8)).conv1.kernel.toArray()).not.toEqual(init(key).conv1.kernel.toArray())
  })

  test('maps over keys, and compiles: an ensemble', () => {
    const keys = random.split(key, 3)
    const ensemble = vmap(init)(keys)
    expect(ensemble.dense1.kernel.shape).toEqual([3, 18, 3])
    const second = init(keys.at(1)).dense1.kernel
    expect(np.allclose(ensemble.dense1.kernel.at(1), second).item()).toBe(1)
    expect(np.allclose(jit(init)(keys.at(1)).dense1.kernel, second).item()).toBe(1)
  })

  test('orthogonal matrices are orthogonal', () => {
    const w = nn.initializers.orthogonal()(key, [12, 5])
    expect(np.allclose(w.T.matmul(w), np.eye(5), { atol: 1e-6 }).item()).toBe(1)
    expect(nn.initializers.deltaOrthogonal()(key, [3, 3, 2, 4]).at(1, 1).shape).toEqual([2, 4])
  })
})

describe('training and inference', () => {
  test('batchNorm uses and updates its statistics', () => {
    const layer = nn.batchNorm({ momentum: 0.5 })
    const { params, state } = layer.init(key, [4, 2])
    const x = tensor([
      [0, 1],
      [2, 1],
      [4, 1],
      [6, 1],
    ])
    const [y, next] = layer.apply({ params, state }, x, { train: true })
    expect(y.mean({ axis: 0 }).toArray()).toEqual([0, 0])
    // mean 3, biased variance 5, unbiased 20/3
    expect(next.mean.toArray()).toEqual([1.5, 0.5])
    expect(next.variance.at(0).item()).toBeCloseTo(0.5 + 10 / 3, 5)
    const [z, same] = layer.apply({ params, state: next }, x)
    expect(same).toBe(next)
    expect(z.at(0, 0).item()).toBeCloseTo(-1.5 / Math.sqrt(0.5 + 10 / 3 + 1e-5), 5)
  })

  test('dropout keeps the mean, drops its share, and needs a key only in training', () => {
    const layer = nn.dropout(0.25)
    const variables = layer.init(key, [100, 100])
    const x = np.ones([100, 100])
    const [y] = layer.apply(variables, x, { train: true, key })
    const kept = y.notEqual(0).astype('float32').mean().item()
    expect(Math.abs(kept - 0.75)).toBeLessThan(0.02)
    expect(y.max().item()).toBeCloseTo(4 / 3, 6)
    expect(layer.apply(variables, x)[0]).toBe(x)
    expect(messageOf(() => layer.apply(variables, x, { train: true }))).toContain('got no key')
    expect(messageOf(() => nn.dropout(1))).toContain('rate 1')
  })

  test('two dropouts of one network drop different elements, and the key decides', () => {
    const net = nn.serial(nn.dropout(0.5), nn.dropout(0.5))
    const variables = net.init(key, [1, 1000])
    const x = np.ones([1, 1000])
    const run = (k: Tensor) => net.apply(variables, x, { train: true, key: k })[0]
    const kept = run(key).notEqual(0).astype('float32').mean().item()
    expect(Math.abs(kept - 0.25)).toBeLessThan(0.05)
    expect(run(key).toArray()).toEqual(run(key).toArray())
    expect(run(random.key(8)).toArray()).not.toEqual(run(key).toArray())
  })

  test('activations are functions, layers, and layer factories', () => {
    expect(nn.relu(tensor([-1, 2])).toArray()).toEqual([0, 2])
    expect(nn.leakyRelu(-1, 0.5).item()).toBe(-0.5)
    const [y] = nn.relu().apply({ params: {}, state: {} }, tensor([-1, 2]))
    expect(y.toArray()).toEqual([0, 2])
    expectTypeOf(nn.gelu()).toEqualTypeOf<nn.Layer<nn.None, nn.None, 'gelu'>>()
  })

  test('compiled equals eager, batch statistics included', () => {
    const net = nn.serial(
      nn.conv2d(3, 3),
      nn.batchNorm(),
      nn.tanh,
      nn.maxPool2d(2),
      nn.flatten(),
      nn.dense(2),
    )
    const variables = net.init(key, [4, 1, 6, 6])
    const x = random.normal(key, [4, 1, 6, 6])
    const run = (v: typeof variables, input: Tensor) => net.apply(v, input, { train: true })
    const [y, state] = run(variables, x)
    const [z, compiledState] = jit(run)(variables, x)
    expect(np.allclose(y, z, { rtol: 1e-5, atol: 1e-6 }).item()).toBe(1)
    expect(
      np
        .allclose(state.batchNorm1.mean, compiledState.batchNorm1.mean, { rtol: 1e-5, atol: 1e-7 })
        .item(),
    ).toBe(1)
  })

  test('NHWC is NCHW with the axes moved', () => {
    const x = random.normal(key, [2, 3, 6, 7])
    const last = x.transpose(0, 2, 3, 1)
    const [a, b] = (['NCHW', 'NHWC'] as const).map((layout) =>
      nn.conv2d(4, 3, { layout, padding: 'same' }),
    )
    const { params, state } = a!.init(key, x.shape)
    const y = a!.apply({ params, state }, x)[0].transpose(0, 2, 3, 1)
    expect(np.allclose(y, b!.apply({ params, state }, last)[0], { atol: 1e-6 }).item()).toBe(1)
    const pooled = nn.functional.maxPool(x, { window: 2 }).transpose(0, 2, 3, 1)
    expect(pooled.toArray()).toEqual(
      nn.functional.maxPool(last, { window: 2, layout: 'NHWC' }).toArray(),
    )
  })
})

describe('errors', () => {
  const net = nn.serial(nn.conv2d(4, 3), nn.flatten(), nn.dense(2))
  test('name the layer, what it got and what would fit', () => {
    const { params, state } = net.init(key, [1, 1, 5, 5])
    const run = (x: Tensor) => () => net.apply({ params, state }, x)
    expect(messageOf(run(np.ones([1, 2, 5, 5])))).toMatch(
      /conv2d: axis 1 \(channels\)[\s\S]*got[\s\S]*extent 2[\s\S]*want +1 channels/,
    )
    expect(messageOf(run(np.ones([1, 1, 6, 6])))).toMatch(
      /dense: axis 1 \(features\)[\s\S]*want +36 features/,
    )
    expect(messageOf(run(np.ones([5, 5])))).toContain(
      'conv2d: the input has the wrong number of axes',
    )
  })
  test('of geometry', () => {
    const tooSmall = () => nn.conv2d(1, 7).init(key, [1, 1, 5, 5])
    expect(messageOf(tooSmall)).toContain(
      'the window is larger than the input along spatial axis 0',
    )
    expect(messageOf(() => nn.conv2d(4, [3, 3, 3]))).toContain(
      'want  one integer of at least 1, or 2 of them',
    )
    expect(messageOf(() => nn.conv2d(4, 3, { groups: 2 }).init(key, [1, 3, 5, 5]))).toContain(
      'do not divide into groups',
    )
    expect(messageOf(() => nn.lstm(4).init(key, [3, 5]))).toContain('[batch, time, features]')
  })
  test('of labels', () => {
    const wrong = () => nn.losses.softmaxCrossEntropy(np.ones([4, 10]), np.ones([4]))
    expect(messageOf(wrong)).toContain('give integers: labels.astype("int32")')
  })
})

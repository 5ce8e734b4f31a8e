/** Normalisation, dropout, activations and folding: what each does in training and in inference. */
import { type Tensor, TreeError, grad, hessian, tensor, tree, vmap } from '@cotangent/core'
import { jit } from '@cotangent/jit'
import { nn } from '@cotangent/nn'
import { np, random } from '@cotangent/ops'
import fc from 'fast-check'
import { describe, expect, expectTypeOf, test } from 'vitest'

const key = random.key(21)
const normal = (shape: readonly number[], seed = 1): Tensor =>
  random.normal(random.key(seed), shape)
const close = (a: Tensor, b: Tensor, atol = 1e-4): boolean =>
  np.allclose(a, b, { atol, rtol: 1e-4 }).item() === 1
const apply = <P, S>(layer: nn.Layer<P, S>, x: Tensor, mode?: nn.Mode): Tensor => {
  const { params, state } = layer.init(key, x.shape)
  return layer.apply({ params, state }, x, mode)[0]
}

describe('normalisation', () => {
  const x = normal([4, 6, 3, 5]).mul(3).add(2)
  const momentsOver = (y: Tensor, axis: readonly number[]): void => {
    expect(close(y.mean({ axis }), np.zerosLike(y.mean({ axis })), 1e-5)).toBe(true)
    expect(close(y.square().mean({ axis }), np.onesLike(y.mean({ axis })), 1e-3)).toBe(true)
  }

  test('makes mean 0 and variance 1 over its own axes', () => {
    momentsOver(apply(nn.batchNorm(), x, { train: true }), [0, 2, 3])
    momentsOver(apply(nn.layerNorm(), x), [3])
    momentsOver(apply(nn.layerNorm({ axis: [1, 2, 3] }), x), [1, 2, 3])
    momentsOver(apply(nn.instanceNorm(), x), [2, 3])
    momentsOver(apply(nn.groupNorm(2), x).reshape([4, 2, 3, 3, 5]), [2, 3, 4])
    for (const same of [nn.groupNorm({ groups: 2 }), nn.groupNorm({ groupSize: 3 })]) {
      expect(apply(same, x).toArray()).toEqual(apply(nn.groupNorm(2), x).toArray())
    }
    const rms = apply(nn.rmsNorm(), x).square().mean({ axis: -1 })
    expect(close(rms, np.onesLike(rms), 1e-3)).toBe(true)
  })

  test('has the parameters its options leave, and its types say so', () => {
    const { params: both } = nn.batchNorm().init(key, x.shape)
    const { params: scale } = nn.layerNorm({ useBias: false }).init(key, x.shape)
    const { params: bias } = nn.groupNorm(3, { useScale: false }).init(key, x.shape)
    const { params: neither } = nn
      .instanceNorm({ useScale: false, useBias: false })
      .init(key, x.shape)
    expectTypeOf(both).toEqualTypeOf<nn.ScaleAndBias>()
    expectTypeOf(scale).toEqualTypeOf<nn.Scale>()
    expectTypeOf(bias).toEqualTypeOf<nn.Bias>()
    expectTypeOf(neither).toEqualTypeOf<nn.None>()
    expect([both, scale, bias, neither].map((p) => Object.keys(p))).toEqual([
      ['scale', 'bias'],
      ['scale'],
      ['bias'],
      [],
    ])
    expect(scale.scale.shape).toEqual([5])
    expectTypeOf(nn.rmsNorm().init(key, x.shape).params).toEqualTypeOf<nn.Scale>()
    expect(() => nn.groupNorm(4).init(key, x.shape)).toThrow(/do not divide into groups/)
    expect(() => nn.groupNorm({ groupSize: 4 }).init(key, x.shape)).toThrow(/do not divide/)
    expect(() => nn.groupNorm({})).toThrow(/neither[^]*groups or groupSize/)
    expect(() => nn.groupNorm({ groups: 2, groupSize: 3 })).toThrow(/both/)
  })

  test('refuses other features than it was made for, and says which axis', () => {
    const layers: readonly nn.Layer<unknown, unknown>[] = [
      nn.layerNorm(),
      nn.rmsNorm({ axis: [1, 3] }),
      nn.layerNorm({ useScale: false }),
    ]
    for (const layer of layers) {
      const made = layer.init(key, x.shape)
      const wrong = () => layer.apply(made, normal([4, 6, 3, 4]))
      expect(wrong).toThrow(/Norm: axis 3 \(features\)[\s\S]*extent 4[\s\S]*want +5 features/)
    }
  })

  test('groups of one channel and of all are instance and layer normalisation', () => {
    expect(close(apply(nn.groupNorm(6), x), apply(nn.instanceNorm(), x))).toBe(true)
    const all = nn.layerNorm({ axis: [1, 2, 3], useScale: false, useBias: false })
    expect(close(apply(nn.groupNorm(1), x), apply(all, x))).toBe(true)
  })

  test('frozen batch statistics stay, biased ones follow Flax', () => {
    const frozen = nn.batchNorm({ frozen: true })
    const made = frozen.init(key, x.shape)
    const [y, next] = frozen.apply(made, x, { train: true })
    expect(next).toBe(made.state)
    expect(close(y, frozen.apply(made, x)[0])).toBe(true)
    const biased = nn.batchNorm({ biased: true, momentum: 1 })
    const [, after] = biased.apply(biased.init(key, x.shape), x, { train: true })
    expect(close(after.variance, x.var({ axis: [0, 2, 3] }))).toBe(true)
  })

  test('local response: AlexNet', () => {
    const layer = nn.localResponseNorm({ size: 5, alpha: 5e-4, beta: 0.75, k: 2 })
    const y = apply(layer, x)
    const sum = x.at(0, '0:3', 1, 2).square().sum().item()
    expect(y.at(0, 0, 1, 2).item()).toBeCloseTo(
      x.at(0, 0, 1, 2).item() / (2 + 1e-4 * sum) ** 0.75,
      5,
    )
  })
})

describe('reparametrised kernels', () => {
  test('weight normalisation starts as the layer and separates length from direction', () => {
    for (const layer of [nn.dense(3), nn.conv1d(3, 1), nn.convTranspose1d(3, 1)]) {
      const x = layer.name === 'dense' ? normal([2, 4]) : normal([2, 4, 5])
      const wrapped = nn.weightNorm(layer)
      const { params, state } = wrapped.init(key, x.shape)
      const [y] = wrapped.apply({ params, state }, x)
      expect(close(y, apply(layer, x))).toBe(true)
      const longer = { ...params, kernel: params.kernel.mul(7) }
      expect(close(wrapped.apply({ params: longer, state }, x)[0], y)).toBe(true)
      expect(params.scale.shape).toEqual([3])
    }
    expect(() => nn.weightNorm(nn.relu())).toThrow(TreeError)
  })

  test('spectral normalisation finds the largest singular value', () => {
    const layer = nn.spectralNorm(nn.dense(5, { useBias: false }), { steps: 30 })
    const { params, state } = layer.init(key, [1, 7])
    expectTypeOf(state.u).toEqualTypeOf<Tensor>()
    const x = np.eye(7)
    const [y, next] = layer.apply({ params, state }, x, { train: true })
    const { kernel } = params
    // W'W u = σ² u, and nothing is stretched by more.
    const image = next.u.matmul(kernel.T).matmul(kernel)
    expect(close(image, next.u.mul(next.sigma.square()), 1e-3)).toBe(true)
    const vectors = normal([200, 7])
    const lengths = (t: Tensor): Tensor => t.square().sum({ axis: 1 }).sqrt()
    const stretch = lengths(vectors.matmul(y)).div(lengths(vectors))
    expect(stretch.max().item()).toBeLessThan(1 + 1e-3)
    expect(stretch.max().item()).toBeGreaterThan(0.8)
    expect(layer.apply({ params, state }, x)[1]).toBe(state)
  })
})

describe('dropout', () => {
  const mode = { train: true, key } as const
  const x = np.ones([50, 40, 6])
  test('of elements, channels and examples, never in inference', () => {
    const shares = (y: Tensor, axis: readonly number[]): Tensor =>
      y.notEqual(0).astype('float32').mean({ axis })
    const byChannel = shares(apply(nn.spatialDropout1d(0.25), x, mode), [2])
    expect(new Set(byChannel.reshape([-1]).data())).toEqual(new Set([0, 1]))
    expect(Math.abs(byChannel.mean().item() - 0.75)).toBeLessThan(0.05)
    const byExample = shares(apply(nn.dropPath(0.5), x, mode), [1, 2])
    expect(new Set(byExample.data())).toEqual(new Set([0, 1]))
    for (const layer of [
      nn.dropout(),
      nn.spatialDropout1d(),
      nn.alphaDropout(),
      nn.featureAlphaDropout(),
      nn.dropPath(),
    ]) {
      expect(apply(layer, x)).toBe(x)
      expect(() => apply(layer, x, { train: true })).toThrow(/got no key/)
    }
    expect(() => nn.alphaDropout(1)).toThrow(/rate 1/)
    expect(() => nn.spatialDropout2d().init(key, [2, 3])).toThrow(/spatialDropout2d/)
  })

  test('keeps the mean; alpha dropout the variance too', () => {
    const z = normal([200, 200])
    fc.assert(
      fc.property(fc.double({ min: 0.05, max: 0.5, noNaN: true }), (rate) => {
        const y = apply(nn.alphaDropout(rate), z, mode)
        expect(Math.abs(y.mean().item())).toBeLessThan(0.05)
        expect(Math.abs(y.std().item() - 1)).toBeLessThan(0.05)
        expect(Math.abs(apply(nn.dropout(rate), z.add(1), mode).mean().item() - 1)).toBeLessThan(
          0.05,
        )
      }),
      { numRuns: 5 },
    )
  })
})

describe('activations', () => {
  test('as layers with options, and gates that halve an axis', () => {
    const x = tensor([[-2, -0.25, 0.25, 2]])
    const values = (layer: nn.Layer<nn.None>): unknown => apply(layer, x).toArray()
    expect(values(nn.leakyRelu.with(0.5))).toEqual([[-1, -0.125, 0.25, 2]])
    expect(values(nn.hardShrink())).toEqual([[-2, 0, 0, 2]])
    expect(values(nn.softShrink())).toEqual([[-1.5, 0, 0, 1.5]])
    expect(values(nn.threshold.with(0.1, 20))).toEqual([[20, 20, 0.25, 2]])
    expect(values(nn.hardTanh.with(-0.5, 0.125))).toEqual([[-0.5, -0.25, 0.125, 0.125]])
    expect(values(nn.step())).toEqual([[0, 0, 1, 1]])
    expect(values(nn.squaredRelu())).toEqual([[0, 0, 0.0625, 4]])
    expect(values(nn.reglu())).toEqual([[-0.5, -0.5]])
    expect(values(nn.crelu())).toEqual([[0, 0, 0.25, 2, 2, 0.25, 0, 0]])
    for (const gate of [nn.glu, nn.geglu, nn.swiglu]) {
      expect(nn.serial(nn.dense(6), gate).init(key, [2, 3]).outputShape).toEqual([2, 3])
    }
    expect(close(nn.softmin(x).sum(), tensor(1))).toBe(true)
    expect(close(nn.softmax.with(0).apply({ params: {}, state: {} }, x)[0], np.ones([1, 4]))).toBe(
      true,
    )
    expect(() => nn.reglu(np.ones([1, 3]))).toThrow(/no two halves/)
  })

  test('learned slopes, one or one a channel', () => {
    const x = normal([2, 3, 4])
    const one = nn.prelu()
    const each = nn.prelu({ perChannel: true, slope: 0.1 })
    expect(one.init(key, x.shape).params.slope.shape).toEqual([])
    const { params, state } = each.init(key, x.shape)
    expect(params.slope.shape).toEqual([3])
    const [y] = each.apply({ params, state }, x)
    expect(close(y, nn.leakyRelu(x, 0.1))).toBe(true)
    const g = grad((p: typeof params): Tensor => each.apply({ params: p, state }, x)[0].sum())(
      params,
    )
    expect(close(g.slope, np.minimum(x, 0).sum({ axis: [0, 2] }))).toBe(true)
    expect(() => each.apply({ params, state }, np.ones([2, 4, 4]))).toThrow(/axis 1 \(channels\)/)
  })

  test('maxout, random slopes', () => {
    const layer = nn.maxout(3, 4)
    const { params, state, outputShape } = layer.init(key, [2, 5])
    expect([params.kernel.shape, params.bias.shape, outputShape]).toEqual([[5, 12], [12], [2, 3]])
    const x = normal([2, 5])
    const whole = x.matmul(params.kernel).reshape([2, 3, 4]).max({ axis: -1 })
    expect(close(layer.apply({ params, state }, x)[0], whole)).toBe(true)
    const random1 = nn.rrelu(0.1, 0.3)
    const negative = np.full([20, 20], -1)
    expect(close(apply(random1, negative), np.full([20, 20], -0.2))).toBe(true)
    const y = apply(random1, negative, { train: true, key })
    expect(y.min().item()).toBeGreaterThanOrEqual(-0.3)
    expect(y.max().item()).toBeLessThanOrEqual(-0.1)
    expect(y.std().item()).toBeGreaterThan(0.03)
  })
})

describe('linear layers over several axes', () => {
  test('denseGeneral and einsum', () => {
    const layer = nn.denseGeneral([2, 3], { axis: [-2, -1] })
    const { params, outputShape } = layer.init(key, [8, 4, 5])
    expect([outputShape, params.kernel.shape]).toEqual([
      [8, 2, 3],
      [4, 5, 2, 3],
    ])
    const each = nn.denseGeneral(3, { axis: -1, batchAxis: 0 })
    const made = each.init(key, [2, 4, 5])
    expect([made.params.kernel.shape, made.params.bias?.shape, made.outputShape]).toEqual([
      [2, 5, 3],
      [2, 3],
      [2, 4, 3],
    ])
    const x = normal([2, 4, 5])
    const [y] = each.apply(made, x)
    expect(close(y.at(1), x.at(1).matmul(made.params.kernel.at(1)))).toBe(true)
    const heads = nn.einsum('bti,inh->btnh', [16, 4, 8], { biasShape: [4, 8] })
    expect(heads.init(key, [2, 3, 16]).outputShape).toEqual([2, 3, 4, 8])
    expect(() => nn.einsum('bti', [3])).toThrow(/input,kernel->output/)
  })
})

describe('foldBatchNorm', () => {
  const conv = (features: number, layout: nn.Layout = 'NCHW') =>
    nn.conv2d(features, 3, { padding: 1, useBias: false, layout })
  const net = nn.serial({
    stem: nn.serial(conv(4), nn.batchNorm(), nn.relu),
    block: nn.residual(
      nn.serial(nn.depthwiseConv2d(3, { padding: 1 }), nn.batchNorm({ useScale: false })),
      {
        shortcut: nn.serial(nn.conv2d(4, 1), nn.batchNorm()),
        activation: nn.relu,
      },
    ),
    up: nn.serial(nn.convTranspose2d(3, 2), nn.batchNorm({ useBias: false })),
    head: nn.serial(nn.flatten(), nn.dense(5), nn.batchNorm(), nn.tanh, nn.batchNorm()),
  })

  test('gives the same outputs without the layers it folds', () => {
    const { params, state } = net.init(key, [4, 2, 5, 5])
    const trained = [1, 2, 3].reduce(
      (s, seed) =>
        net.apply({ params, state: s }, normal([4, 2, 5, 5], seed).mul(2).add(1), {
          train: true,
        })[1],
      state,
    )
    const moved = tree.map((p: Tensor) => p.add(normal(p.shape, 9).mul(0.1)), params)
    const folded = nn.foldBatchNorm(net, { params: moved, state: trained })
    const x = normal([3, 2, 5, 5], 7)
    const [y] = net.apply({ params: moved, state: trained }, x)
    const run = (v: unknown, input: Tensor): unknown =>
      folded.layer.apply({ params: v, state: folded.state }, input)[0]
    expect(np.allclose(tree.leaves(run(folded.params, x))[0]!, y, { atol: 1e-4 }).item()).toBe(1)
    expect(np.allclose(tree.leaves(jit(run)(folded.params, x))[0]!, y, { atol: 1e-4 }).item()).toBe(
      1,
    )
    // Only the normalisation after tanh is left.
    expect(Object.keys(Object(folded.state))).toEqual(['head'])
    const kinds = nn.summary(folded.layer, [1, 2, 5, 5]).rows.map(({ kind }) => kind)
    expect(kinds.filter((kind) => kind === 'batchNorm')).toHaveLength(1)
  })

  /** The same outputs from a network of so many parts. */
  const expectFolded = (
    whole: nn.Layer<unknown, unknown>,
    shape: readonly number[],
    count: number,
  ): void => {
    const { params, state } = whole.init(key, shape)
    const [, trained] = whole.apply({ params, state }, normal(shape, 3).mul(2).add(1), {
      train: true,
    })
    const moved: unknown = tree.map((p: Tensor) => p.add(normal(p.shape, 9).mul(0.1)), params)
    const folded = nn.foldBatchNorm(whole, { params: moved, state: trained })
    const x = normal(shape, 7)
    const [y] = whole.apply({ params: moved, state: trained }, x)
    const [z] = folded.layer.apply(folded, x)
    expect(np.allclose(tree.leaves(z)[0]!, y, { atol: 1e-4, rtol: 1e-4 }).item()).toBe(1)
    expect(tree.leaves(folded.state)).toHaveLength(0)
    expect(folded.layer.traits?.parts).toHaveLength(count)
  }

  test('reaches the frames of a sequence, one layer or several at a time', () => {
    const inside = nn.timeDistributed(nn.serial(conv(3), nn.batchNorm(), nn.relu))
    expectFolded(nn.serial(inside, nn.relu), [2, 3, 2, 5, 5], 2)
    const beside = nn.serial(nn.timeDistributed(conv(3)), nn.timeDistributed(nn.batchNorm()))
    expectFolded(beside, [2, 3, 2, 5, 5], 1)
    const twice = nn.timeDistributed(nn.timeDistributed(nn.serial(nn.dense(4), nn.batchNorm())))
    expectFolded(nn.serial(twice, nn.relu), [2, 3, 2, 5], 2)
    // Its channels are counted from the batch, those of the frames from the frame.
    const mixed = nn.serial(nn.timeDistributed(conv(3)), nn.batchNorm({ axis: 1 }))
    const made = mixed.init(key, [2, 3, 2, 5, 5])
    expect(nn.foldBatchNorm(mixed, made).layer.traits?.parts).toHaveLength(2)
  })

  test.each([
    [1, 4, 6],
    [2, 4, 6],
    [3, 3, 6],
    [4, 4, 4],
  ])('transposed convolutions of %i groups, %i to %i channels', (groups, channels, features) => {
    const up = nn.convTranspose2d(features, 3, { stride: 2, groups })
    expectFolded(nn.serial(up, nn.batchNorm()), [2, channels, 4, 3], 1)
    const bare = nn.convTranspose1d(features, 2, { groups, useBias: false, layout: 'NHWC' })
    expectFolded(nn.serial(bare, nn.batchNorm({ axis: -1 })), [2, 4, channels], 1)
  })

  test('a shared layer stays as its other uses need it', () => {
    const step = nn.shared(nn.dense(4), 'step')
    const whole = nn.serial(step, nn.batchNorm(), nn.tanh, step)
    const { params, state } = whole.init(key, [3, 4])
    const [, trained] = whole.apply({ params, state }, normal([3, 4]).mul(3), { train: true })
    const folded = nn.foldBatchNorm(whole, { params, state: trained })
    const x = normal([3, 4], 2)
    const [y] = whole.apply({ params, state: trained }, x)
    expect(
      np.allclose(tree.leaves(folded.layer.apply(folded, x)[0])[0]!, y, { atol: 1e-4 }).item(),
    ).toBe(1)
  })

  test.each([
    ['as many steps as features', [2, 4, 3]],
    ['fewer', [2, 3, 3]],
  ])('a dense layer over a sequence, normalised over time: %s', (_, shape) => {
    const whole = nn.serial(nn.dense(4), nn.batchNorm())
    const { params, state } = whole.init(key, shape)
    const [, trained] = whole.apply({ params, state }, normal(shape).mul(3), { train: true })
    const folded = nn.foldBatchNorm(whole, { params, state: trained })
    const x = normal(shape, 2)
    const run = (): Tensor => np.asarray(tree.leaves(folded.layer.apply(folded, x)[0])[0]!)
    if (shape[1] === 4) expect(run).toThrow(/axis 1.*\n.*\n.*2 axes/)
    else {
      const [y] = whole.apply({ params, state: trained }, x)
      expect(np.allclose(run(), y, { atol: 1e-5 }).item()).toBe(1)
    }
    expectFolded(nn.serial(nn.dense(4), nn.batchNorm({ axis: -1 })), shape, 1)
    expectFolded(nn.serial(nn.dense(4), nn.batchNorm(), nn.relu), [5, 4], 2)
    const across = nn.serial(nn.dense(4), nn.batchNorm({ axis: -2 }))
    expect(nn.foldBatchNorm(across, across.init(key, [2, 4, 3])).layer.traits?.parts).toHaveLength(
      2,
    )
  })

  test('leaves alone what is normalised along another axis', () => {
    const odd = nn.serial(nn.conv2d(3, 1), nn.batchNorm({ axis: 2 }))
    const made = odd.init(key, [2, 2, 3, 4])
    expect(nn.foldBatchNorm(odd, made).layer.traits?.parts).toHaveLength(2)
    const last = nn.serial(nn.conv2d(3, 1, { layout: 'NHWC' }), nn.batchNorm({ axis: -1 }))
    const v = last.init(key, [2, 3, 3, 2])
    expect(nn.foldBatchNorm(last, v).layer.traits?.parts).toHaveLength(1)
  })
})

describe('derivatives of normalisation', () => {
  const { layerNorm, batchNormTraining } = nn.functional
  const weights = normal([3, 4], 31)
  // The chain rule through the mean's own part of the variance, which the library leaves out.
  const written = (x: Tensor, axis: number): Tensor => {
    const deviation = x.sub(x.mean({ axis, keepdims: true }))
    const variance = deviation.square().mean({ axis, keepdims: true })
    return deviation.div(variance.add(1e-5).sqrt())
  }
  const pairs = {
    layerNorm: [(x: Tensor) => layerNorm(x), (x: Tensor) => written(x, -1)],
    batchNorm: [(x: Tensor) => batchNormTraining(x).y, (x: Tensor) => written(x, 0)],
  } as const
  test.each(['layerNorm', 'batchNorm'] as const)('%s, of first and second order', (name) => {
    const [own, plain] = pairs[name].map(
      (f) =>
        (x: Tensor): Tensor =>
          f(x).tanh().mul(weights).sum(),
    )
    const x = normal([3, 4], 32).mul(2).add(1)
    expect(close(grad(own!)(x), grad(plain!)(x))).toBe(true)
    expect(close(hessian(own!)(x), hessian(plain!)(x), 1e-3)).toBe(true)
    expect(close(jit(hessian(own!))(x), hessian(plain!)(x), 1e-3)).toBe(true)
    const many = normal([5, 3, 4], 33)
    expect(close(vmap(grad(own!))(many), vmap(grad(plain!))(many))).toBe(true)
  })
})

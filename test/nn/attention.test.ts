/** Attention: masks, caches, positions, transformers, and what recurrent decoders read. */
import { CotangentError, type Tensor, grad, tensor, tree } from '@cotangent/core'
import { jit } from '@cotangent/jit'
import { nn } from '@cotangent/nn'
import { checkGrads, np, random } from '@cotangent/ops'
import { describe, expect, expectTypeOf, test } from 'vitest'

const f = nn.functional
const none = nn.none
const key = random.key(5)
const [batch, time, features, heads] = [2, 6, 8, 2] as const
const x = random.normal(random.key(1), [batch, time, features])
const memory = random.normal(random.key(2), [batch, 5, features])

const expectClose = (got: unknown, want: unknown, atol = 3e-6): void => {
  if (tree.allClose(got, want, { rtol: 1e-5, atol })) return
  expect(tree.map((t: Tensor) => t.toArray(), got)).toEqual(
    tree.map((t: Tensor) => t.toArray(), want),
  )
}
const messageOf = (run: () => unknown): string => {
  try {
    run()
  } catch (error) {
    if (error instanceof CotangentError) return error.message
    throw error
  }
  return 'nothing was thrown'
}

describe('dot products', () => {
  const [q, k, v] = [3, 4, 5].map((seed) =>
    random.normal(random.key(seed), [batch, time, heads, 4]),
  )

  test('the definition, head by head', () => {
    const { outputs, weights } = f.attend(q!, k!, v!, { scale: 0.3 })
    for (let b = 0; b < batch; b++) {
      for (let h = 0; h < heads; h++) {
        const products = q!
          .at(b, ':', h)
          .matmul(k!.at(b, ':', h).T)
          .mul(0.3)
        const own = nn.softmax(products)
        expectClose(weights.at(b, h), own)
        expectClose(outputs.at(b, ':', h), own.matmul(v!.at(b, ':', h)))
      }
    }
  })

  test('causal is its mask; a bias of −∞ is a mask', () => {
    const mask = f.causalMask(time)
    const causal = f.dotProductAttention(q!, k!, v!, { causal: true })
    expectClose(causal, f.dotProductAttention(q!, k!, v!, { mask }))
    const bias = np.zeros([time, time]).where(mask, Number.NEGATIVE_INFINITY)
    expectClose(causal, f.dotProductAttention(q!, k!, v!, { bias }))
    expectClose(causal.at(':', 0), v!.at(':', 0))
    const window = f.slidingWindowMask(time, time, 1)
    expectClose(f.dotProductAttention(q!, k!, v!, { mask: window }), v)
    const padding = f.paddingMask(tensor(Int32Array.of(6, 3)), time)
    const padded = f.dotProductAttention(q!, k!, v!, { mask: padding })
    const short = f.dotProductAttention(q!.at('1:'), k!.at('1:', ':3'), v!.at('1:', ':3'))
    expectClose(padded.at('1:'), short)
  })

  test('keys in another order give the same; queries in another order, theirs', () => {
    const order = tensor(Int32Array.of(3, 1, 5, 0, 2, 4))
    const mixed = (t: Tensor): Tensor => np.take(t, order, { axis: 1 })
    const plain = f.dotProductAttention(q!, k!, v!)
    expectClose(f.dotProductAttention(q!, mixed(k!), mixed(v!)), plain)
    expectClose(f.dotProductAttention(mixed(q!), k!, v!), mixed(plain))
  })

  test('grouped queries are queries with repeated keys', () => {
    const many = random.normal(key, [batch, time, 6, 4])
    const repeat = (t: Tensor): Tensor => np.repeat(t, 3, 2)
    expectClose(
      f.dotProductAttention(many, k!, v!),
      f.dotProductAttention(many, repeat(k!), repeat(v!)),
    )
    expect(messageOf(() => f.dotProductAttention(many.at('...', ':5', ':'), k!, v!))).toContain(
      'the heads of the keys divide',
    )
  })

  test('dropout drops weights, and keeps the expected value', () => {
    const weights = f.attentionWeights(q!, k!, { dropout: { rate: 0.5, key } })
    const plain = f.attentionWeights(q!, k!)
    const share = weights.equal(0).mean().item()
    expect(share).toBeGreaterThan(0.25)
    expect(share).toBeLessThan(0.75)
    expectClose(weights, plain.mul(2).where(weights.notEqual(0), 0))
  })

  test('derivatives agree with differences', () => {
    const run = (a: Tensor, b: Tensor, c: Tensor): Tensor =>
      f.dotProductAttention(a, b, c, { causal: true })
    const small = [q!, k!, v!].map((t) => t.at(':1', ':3'))
    checkGrads(run, [small[0]!, small[1]!, small[2]!], { order: 1, tolerance: 2e-2 })
  })
})

describe('multi-head attention', () => {
  test('parameters by name, in the editor too', () => {
    const layer = nn.multiHeadAttention(heads, {
      useBias: false,
      normalizeQk: true,
      qkvFeatures: 12,
    })
    const { params, outputShape } = layer.init(key, x.shape)
    expectTypeOf(params.query).toEqualTypeOf<nn.Kernel>()
    expect(params.query.kernel.shape).toEqual([features, heads, 6])
    expect(params.out.kernel.shape).toEqual([heads, 6, features])
    expect(params.keyNorm.scale.shape).toEqual([6])
    expect(outputShape).toEqual([batch, time, features])
    const net = nn.serial(nn.multiHeadAttention(4), nn.dense(3))
    expect(net.init(key, x.shape).params.attention1.value.bias.shape).toEqual([4, 2])
  })

  test('cross attention, with its own features', () => {
    const layer = nn.multiHeadAttention(heads, {
      keyFeatures: 3,
      valueFeatures: 5,
      outFeatures: 7,
      returnWeights: true,
    })
    const { params } = layer.init(key, x.shape)
    const [k, v] = [np.ones([batch, 4, 3]), random.normal(key, [batch, 4, 5])]
    const [{ outputs, weights }] = layer.apply(
      { params, state: none },
      { inputs: x, key: k, value: v },
    )
    expect(outputs.shape).toEqual([batch, time, 7])
    expectClose(weights, np.full([batch, heads, time, 4], 0.25))
  })

  test("PyTorch's weights, stacked or apart", () => {
    const stacked = random.normal(key, [3 * features, features])
    const outProjWeight = random.normal(random.key(8), [features, features])
    const apart = np.split(stacked, 3)
    const whole = f.fromTorchAttention({ inProjWeight: stacked, outProjWeight }, heads)
    const parts = f.fromTorchAttention(
      { inProjWeight: [apart[0]!, apart[1]!, apart[2]!], outProjWeight },
      heads,
    )
    expectClose(whole, parts, 0)
    expectClose(f.toHeads(x, whole.key).reshape(x.shape), x.matmul(apart[1]!.T), 1e-5)
  })

  const decoding = {
    plain: nn.multiHeadAttention(heads, { causal: true }),
    grouped: nn.multiHeadAttention(4, { causal: true, keyHeads: 2 }),
    rotary: nn.multiHeadAttention(heads, { causal: true, rotary: true, normalizeQk: true }),
    alibi: nn.multiHeadAttention(heads, { causal: true, alibi: true }),
  } as const
  test.each(Object.entries(decoding))('%s: step by step = the whole', (_, layer) => {
    const decoder: nn.MultiHeadAttention<unknown> = layer
    const { params } = decoder.init(key, x.shape)
    const [whole] = decoder.apply({ params, state: none }, x)
    const step = jit((cache: nn.AttentionCache, part: Tensor) =>
      decoder.decode(params, cache, part),
    )
    let cache = decoder.initCache(params, batch, time + 1)
    for (let t = 0; t < time; t++) {
      const [y, next] = step(cache, x.at(':', `${t}:${t + 1}`))
      cache = next
      expectClose(y, whole.at(':', `${t}:${t + 1}`))
    }
    expect(step.cacheSize).toBe(1)
    expect(cache.index.item()).toBe(time)
    const [chunk] = decoder.decode(params, decoder.initCache(params, batch, time), x.at(':', ':4'))
    expectClose(chunk, whole.at(':', ':4'))
  })

  test('past the end of the cache there is NaN', () => {
    const layer = nn.multiHeadAttention(heads)
    const { params } = layer.init(key, x.shape)
    const empty = layer.initCache(params, batch, 4)
    const [first, cache] = layer.decode(params, empty, x.at(':', ':3'))
    const [y] = layer.decode(params, cache, x.at(':', '3:'))
    expect(np.isnan(first).any().item()).toBe(0)
    expect(np.isnan(y).all().item()).toBe(1)
    expect(messageOf(() => layer.decode(params, empty, x))).toContain('[2,6,2,4]')
  })

  test('errors name the layer, the axis, what it got and what would fit', () => {
    const layer = nn.multiHeadAttention(heads)
    const { params } = layer.init(key, x.shape)
    const apply = (input: nn.AttentionInput): string =>
      messageOf(() => layer.apply({ params, state: none }, input))
    expect(apply(np.ones([2, 3, 4]))).toMatch(/attention: axis 2 \(features\)[^]*\[2,3,4\][^]*8/)
    expect(apply({ inputs: x, key: np.ones([2, 3, 4]) })).toContain('attention (key)')
    expect(messageOf(() => nn.multiHeadAttention(3).init(key, x.shape))).toContain('3 heads')
    expect(apply(np.ones([3, 8]))).toContain('[batch, time, 8]')
  })
})

describe('positions', () => {
  test('sinusoids', () => {
    const table = f.sinusoidalPositions(4, 5)
    for (const [t, i] of [
      [0, 0],
      [3, 1],
      [2, 4],
      [3, 3],
    ] as const) {
      const angle = t / 10_000 ** ((2 * Math.floor(i / 2)) / 6)
      expect(table.at(t, i).item()).toBeCloseTo(i % 2 === 0 ? Math.sin(angle) : Math.cos(angle), 5)
    }
  })

  test.each([false, true])(
    'rotary products depend on the distance alone, interleaved: %s',
    (interleaved) => {
      const [q, k] = [7, 8].map((seed) => random.normal(random.key(seed), [1, 1, 1, 8]))
      const product = (i: number, j: number): number => {
        const turn = (t: Tensor, p: number): Tensor =>
          f.rotary(t, { positions: tensor(Int32Array.of(p)), interleaved })
        return turn(q!, i).mul(turn(k!, j)).sum().item()
      }
      expect(product(5, 3)).toBeCloseTo(product(12, 10), 4)
      expect(product(0, 0)).toBeCloseTo(q!.mul(k!).sum().item(), 5)
      expect(Math.abs(product(5, 3) - product(5, 1))).toBeGreaterThan(1e-3)
    },
  )

  test('ALiBi: slopes of eight heads halve', () => {
    const bias = f.alibiBias(8, 3)
    expectClose(
      bias.at(0),
      tensor([
        [0, -0.5, -1],
        [-0.5, 0, -0.5],
        [-1, -0.5, 0],
      ]),
    )
    expect(bias.at(7, 0, 1).item()).toBeCloseTo(-(2 ** -8), 7)
    expect(f.alibiBias(6, 2).shape).toEqual([6, 2, 2])
  })

  test('relative buckets', () => {
    const buckets = f.relativeBuckets(300, 300)
    expect(buckets.at(10, 10).item()).toBe(0)
    expect(buckets.at(10, 13).item()).toBe(16 + 3)
    expect(buckets.at(10, 6).item()).toBe(4)
    expect(buckets.at(299, 0).item()).toBe(15)
    expect(buckets.at(0, 299).item()).toBe(31)
    expect(f.relativeBuckets(4, 4, { bidirectional: false }).at(0, 3).item()).toBe(0)
    const layer = nn.relativeBias(heads)
    const { params, outputShape } = layer.init(key, x.shape)
    const [bias] = layer.apply({ params, state: none }, x)
    expect(bias.shape).toEqual(outputShape)
    expectClose(bias.at(1, 0, 2), params.table.at(18, 1))
    expectClose(bias.at(0, 3, 3), bias.at(0, 5, 5))
  })

  test('learned and fixed encodings are added', () => {
    const learned = nn.learnedEncoding(9)
    const { params } = learned.init(key, x.shape)
    expect(params.table.shape).toEqual([9, features])
    expectClose(
      learned.apply({ params, state: none }, x)[0].sub(x).at(0),
      params.table.at(':6'),
      1e-6,
    )
    expect(messageOf(() => learned.init(key, [1, 10, features]))).toMatch(
      /axis 1 \(time\)[^]*10 steps[^]*at most 9/,
    )
    const [y] = nn.sinusoidalEncoding().apply({ params: none, state: none }, x)
    expectClose(y.sub(x).at(1), f.sinusoidalPositions(time, features), 1e-6)
    const [z] = nn.rotaryEncoding().apply({ params: none, state: none }, x)
    expectClose(z.square().sum(), x.square().sum(), 1e-4)
  })
})

describe('transformers', () => {
  test('an encoder without positions moves with its steps', () => {
    const encoder = nn.transformerEncoder(2, heads)
    const { params } = encoder.init(key, x.shape)
    expectTypeOf(params.layer2.attention.query.kernel).toEqualTypeOf<Tensor>()
    const order = tensor(Int32Array.of(3, 1, 5, 0, 2, 4))
    const run = (t: Tensor): Tensor => encoder.apply({ params, state: none }, t)[0]
    expectClose(run(np.take(x, order, { axis: 1 })), np.take(run(x), order, { axis: 1 }))
  })

  test('a padded batch is each sequence alone', () => {
    const encoder = nn.transformerEncoder(2, heads, { normFirst: true })
    const { params } = encoder.init(key, x.shape)
    expect(params.norm.scale.shape).toEqual([features])
    const lengths = tensor(Int32Array.of(6, 4))
    const [y] = encoder.apply({ params, state: none }, { inputs: x, lengths })
    const [alone] = encoder.apply({ params, state: none }, x.at('1:', ':4'))
    expectClose(y.at('1:', ':4'), alone)
  })

  test.each([false, true])('a causal stack step by step = the whole, pre-norm: %s', (normFirst) => {
    const body = nn.transformerEncoder(2, heads, { causal: true, normFirst, rotary: true })
    const { params } = body.init(key, x.shape)
    const [whole] = body.apply({ params, state: none }, x)
    const step = jit((cache: nn.StackCache<nn.AttentionCache, 2>, part: Tensor) =>
      body.decode(params, cache, part),
    )
    let cache = body.initCache(params, batch, time)
    for (let t = 0; t < time; t++) {
      const [y, next] = step(cache, x.at(':', `${t}:${t + 1}`))
      cache = next
      expectClose(y, whole.at(':', `${t}:${t + 1}`), 1e-5)
    }
    expect(step.cacheSize).toBe(1)
  })

  test('a decoder step by step = the whole', () => {
    const decoder = nn.transformerDecoder(2, heads)
    const { params } = decoder.init(key, x.shape)
    const memoryVisibility = { lengths: tensor(Int32Array.of(5, 2)) }
    const [whole] = decoder.apply({ params, state: none }, { inputs: x, memory, memoryVisibility })
    let cache = decoder.initCache(params, batch, time)
    for (let t = 0; t < time; t++) {
      const inputs = x.at(':', `${t}:${t + 1}`)
      const [y, next] = decoder.decode(params, cache, { inputs, memory, memoryVisibility })
      cache = next
      expectClose(y, whole.at(':', `${t}:${t + 1}`), 1e-5)
    }
    const short = decoder.apply(
      { params, state: none },
      { inputs: x.at('1:'), memory: memory.at('1:', ':2') },
    )[0]
    expectClose(whole.at('1:'), short, 1e-5)
  })

  test('encoder and decoder as one', () => {
    const [encoder, decoder] = [nn.transformerEncoder(1, heads), nn.transformerDecoder(1, heads)]
    const network = nn.transformer(encoder, decoder)
    const { params, state, outputShape } = network.init(key, x.shape)
    expect(outputShape).toEqual(x.shape)
    expect(params.decoder.layer1.crossAttention.query.kernel.shape).toEqual([features, heads, 4])
    const sourceVisibility = { lengths: tensor(Int32Array.of(5, 3)) }
    const [y] = network.apply({ params, state }, { source: memory, target: x, sourceVisibility })
    const [alone] = network.apply(
      { params, state },
      { source: memory.at('1:', ':3'), target: x.at('1:') },
    )
    expectClose(y.at('1:'), alone)
  })

  test('dropout: in training alone, other places by other keys', () => {
    const encoder = nn.transformerEncoder(1, heads, { dropout: 0.3 })
    const { params } = encoder.init(key, x.shape)
    const train = (seed: number): Tensor =>
      encoder.apply({ params, state: none }, x, { train: true, key: random.key(seed) })[0]
    const [still] = encoder.apply({ params, state: none }, x)
    expectClose(still, nn.transformerEncoder(1, heads).apply({ params, state: none }, x)[0])
    expectClose(train(1), train(1))
    expect(tree.allClose(train(1), train(2))).toBe(false)
    expect(messageOf(() => encoder.apply({ params, state: none }, x, { train: true }))).toContain(
      'key',
    )
  })

  test('compiled gradients = eager ones', () => {
    const decoder = nn.transformerDecoderLayer(heads, { normFirst: true, activation: nn.gelu })
    const { params } = decoder.init(key, x.shape)
    const loss = (p: typeof params, inputs: Tensor, read: Tensor): Tensor =>
      decoder.apply({ params: p, state: none }, { inputs, memory: read })[0].square().mean()
    expectClose(jit(grad(loss))(params, x, memory), grad(loss)(params, x, memory), 1e-5)
    const small = (inputs: Tensor): Tensor => loss(params, inputs, memory)
    checkGrads(small, [x], { order: 1, modes: ['rev'], tolerance: 2e-2 })
  })
})

describe('attention of recurrent decoders', () => {
  const query = random.normal(key, [batch, 3])
  const lengths = tensor(Int32Array.of(5, 2))
  const layers = {
    additive: nn.additiveAttention(7, { queryFeatures: 3 }),
    general: nn.generalAttention({ queryFeatures: 3 }),
    concat: nn.concatAttention(7, { queryFeatures: 3 }),
  } as const
  test.each(Object.entries(layers))(
    '%s: weights over what is there, and what they pick',
    (_, layer) => {
      const reader: nn.Layer<unknown, nn.None, string, nn.functional.Context, nn.MemoryQuery> =
        layer
      const { params, outputShape } = reader.init(key, memory.shape)
      const [{ context, weights }] = reader.apply(
        { params, state: none },
        { query, memory, lengths },
      )
      expect(context.shape).toEqual(outputShape)
      expectClose(weights.sum({ axis: 1 }), np.ones([batch]))
      expectClose(weights.at(1, '2:'), np.zeros([3]))
      expectClose(context.at(1), weights.at(1, ':2').matmul(memory.at(1, ':2')))
      expect(
        messageOf(() => reader.apply({ params, state: none }, { query: np.ones([2, 4]), memory })),
      ).toMatch(/\(query\): axis 1 \(features\)[^]*extent 4[^]*3 features/)
    },
  )

  test('additive scores by their formula', () => {
    const { params } = layers.additive.init(key, memory.shape)
    const scores = f.additiveScores(query, memory, params)
    const inner = memory.at(0, 1).matmul(params.memory).add(query.at(0).matmul(params.query))
    expectClose(scores.at(0, 1), inner.add(params.bias).tanh().mul(params.scale).sum())
    const concat = layers.concat.init(key, memory.shape).params
    const sides = np.concatenate([query.at(0), memory.at(0, 1)])
    expectClose(
      f.concatScores(query, memory, concat).at(0, 1),
      sides.matmul(concat.kernel).tanh().mul(concat.scale).sum(),
    )
    const [{ weights }] = nn
      .dotAttention()
      .apply({ params: none, state: none }, { query: memory.at(':', 0), memory })
    expectClose(weights.at(0), nn.softmax(memory.at(0).matmul(memory.at(0, 0))))
  })
})

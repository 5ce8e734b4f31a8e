/** Training: losses fall, snapshots last, runs repeat, stop and explain themselves. */
import { type Tensor, flatten, leafPaths, tensor } from '@cotangent/core'
import { models, nn, optim, train } from '@cotangent/nn'
import { np, random } from '@cotangent/ops'
import { describe, expect, expectTypeOf, test } from 'vitest'

const key = random.key(3)

// Two noisy classes that a line separates; the last batch is smaller.
const batches: readonly (readonly [Tensor, Tensor])[] = [40, 40, 16].map((size, i) => {
  const x = random.normal(random.foldIn(key, i), [size, 2])
  const y = x.at(':', 0).add(x.at(':', 1)).greater(0).astype('int32')
  return [x, y]
})
const model = nn.serial(nn.dense(8), nn.tanh, nn.dropout(0.1), nn.dense(2))
const options = {
  model,
  data: batches,
  key,
  loss: nn.losses.softmaxCrossEntropy,
  metrics: { accuracy: nn.metrics.accuracy },
}
const objective = { model, loss: options.loss, metrics: options.metrics }

const collect = async <T>(run: AsyncIterable<T>): Promise<readonly T[]> => {
  const all: T[] = []
  for await (const snapshot of run) all.push(snapshot)
  return all
}

describe('fit', () => {
  test('learns, reports, and its last snapshot evaluates', async () => {
    const run = await collect(train.fit({ ...options, epochs: 12, optimizer: optim.adam(0.02) }))
    const last = run.at(-1)!
    expect(run.length).toBe(36)
    expect(run.map((s) => s.step)).toEqual(Array.from({ length: 36 }, (_, i) => i + 1))
    expect(run.filter((s) => s.isEndOfEpoch).map((s) => s.batch)).toEqual(Array(12).fill(3))
    expect(last.epoch).toBe(12)
    expect(last.examples).toBe(16)
    expect(last.running.loss).toBeLessThan(run[2]!.running.loss * 0.6)
    expect(Object.isFrozen(last)).toBe(true)
    expectTypeOf(last.params.dense1.kernel).toEqualTypeOf<Tensor>()
    const { loss, metrics, examples } = await train.evaluate({
      ...objective,
      variables: last,
      data: batches,
    })
    expect(examples).toBe(96)
    expect(metrics['accuracy']).toBeGreaterThan(0.9)
    expect(loss).toBeLessThan(0.4)
  })

  test('the same key gives the same bits; another key others; interpreted nearly the same', async () => {
    const once = (k: Tensor, interpret = false) =>
      collect(
        train.fit({
          ...options,
          key: k,
          interpret,
          optimizer: optim.sgd(0.1, { momentum: 0.9, nesterov: true }),
        }),
      )
    const [a, b, c, d] = [
      await once(key),
      await once(key),
      await once(random.key(4)),
      await once(key, true),
    ]
    const losses = (run: readonly { readonly loss: number }[]): readonly number[] =>
      run.map((s) => s.loss)
    expect(losses(a!)).toEqual(losses(b!))
    expect(a!.at(-1)!.params.dense2.kernel.toArray()).toEqual(
      b!.at(-1)!.params.dense2.kernel.toArray(),
    )
    expect(losses(a!)).not.toEqual(losses(c!))
    losses(a!).forEach((loss, i) => expect(loss).toBeCloseTo(losses(d!)[i]!, 4))
  })

  test('what was read of a snapshot stays; what was not is refused after the next step', async () => {
    const kept: { readonly early: unknown; readonly late: readonly number[] }[] = []
    const snapshots: train.Snapshot<unknown, unknown, unknown>[] = []
    for await (const snapshot of train.fit({ ...options, epochs: 1, optimizer: optim.sgd(0.5) })) {
      snapshots.push(snapshot)
      const { kernel } = snapshot.params.dense1
      if (snapshot.step === 1) kept.push({ early: kernel.toArray(), late: [...kernel.data()] })
      else break
    }
    const first = snapshots[0]!
    expect(flatten(first.params).leaves.length).toBe(4)
    expect(kept[0]!.late.length).toBe(16)
    const run = train.fit({ ...options, optimizer: optim.sgd(0.5) })
    const unread = (await run.next()).value
    await run.next()
    expect(() => unread?.params).toThrow('the state after step 1 was overwritten')
    const undonated = train.fit({ ...options, donate: false, optimizer: optim.sgd(0.5) })
    const still = (await undonated.next()).value
    await undonated.next()
    expect(still?.params.dense1.kernel.shape).toEqual([2, 8])
  })

  test('does not overwrite the parameters it was given', async () => {
    const variables = model.init(key, [1, 2])
    const before = variables.params.dense1.kernel.toArray()
    const optimizer = optim.adamw(optim.warmupConstant(0, 0.1, 2), { weightDecay: 0.01 })
    await collect(train.fit({ ...options, variables, optimizer }))
    expect(variables.params.dense1.kernel.toArray()).toEqual(before)
  })

  test('goes on from a snapshot as if it had never stopped', async () => {
    const optimizer = optim.adam(0.05)
    const whole = await collect(train.fit({ ...options, epochs: 2, optimizer }))
    const half = (await collect(train.fit({ ...options, epochs: 1, optimizer }))).at(-1)!
    const rest = await collect(
      train.fit({
        ...options,
        epochs: 1,
        optimizer,
        variables: half,
        optimizerState: half.optimizerState,
        firstStep: half.step,
      }),
    )
    expect(rest.map((s) => s.loss)).toEqual(whole.slice(3).map((s) => s.loss))
    expect(rest.at(-1)!.step).toBe(6)
  })

  test('stops after the step in progress when told to', async () => {
    const controller = new AbortController()
    const run = train.fit({
      ...options,
      epochs: 100,
      optimizer: optim.sgd(0.1),
      signal: controller.signal,
    })
    const seen: number[] = []
    let last: Tensor | null = null
    for await (const snapshot of run) {
      seen.push(snapshot.step)
      if (snapshot.step === 5) controller.abort()
      last = snapshot.params.dense1.kernel
    }
    expect(seen).toEqual([1, 2, 3, 4, 5])
    expect(last?.shape).toEqual([2, 8])
  })

  test('gives timers their turn', async () => {
    let ticks = 0
    const timer = setInterval(() => ticks++, 5)
    const big = Array.from({ length: 400 }, () => batches[0]!)
    await collect(train.fit({ ...options, data: big, interpret: true, optimizer: optim.sgd(0.1) }))
    clearInterval(timer)
    expect(ticks).toBeGreaterThan(2)
  })

  test('a loss that is no number is explained', async () => {
    const x = np.full([4, 2], 1e30)
    const run = train.fit({
      ...options,
      data: [batches[0]!, [x, tensor([0, 1, 0, 1], { dtype: 'int32' })]],
      model: nn.serial(nn.dense(2)),
      loss: (y: Tensor, t: Tensor) => nn.losses.meanSquaredError(y, t.expandDims(1)),
      metrics: {},
      optimizer: optim.sgd(1),
    })
    await expect(collect(run)).rejects.toThrow(
      /training diverged: the loss is Infinity at step 2 of epoch 1[\s\S]*parameters that are not finite: dense1.kernel[\s\S]*lower the learning rate/,
    )
  })

  describe('initialises for what the model gets', () => {
    const first = async <P, S, X>(
      net: nn.Layer<P, S, string, Tensor, X>,
      x: X,
      output: readonly number[],
    ): Promise<P> => {
      const loss = (y: Tensor): Tensor => y.square().mean()
      const data: readonly (readonly [X, Tensor])[] = [[x, np.zeros(output)]]
      const [snapshot] = await collect(
        train.fit({ model: net, data, loss, key, optimizer: optim.sgd(0.1) }),
      )
      return snapshot!.params
    }
    const steps = random.normal(key, [2, 3, 5])
    const lengths = tensor([3, 1], { dtype: 'int32' })

    test('the sequence of a record, not the state that comes before it by name', async () => {
      const cell = nn.lstm(4)
      const { params } = cell.init(key, steps.shape)
      const carry = nn.lstmCell(4).initCarry(params, [2, 5])
      const learned = await first(cell, { inputs: steps, carry, lengths }, [2, 3, 4])
      expect(learned.kernel.shape).toEqual([5, 16])
    })

    test('a list, each of its own shape', async () => {
      const net = nn.serial(nn.parallel(nn.dense(4), nn.dense(4)), nn.add())
      const params = await first(net, [np.ones([2, 3]), np.ones([2, 7])], [2, 4])
      expect(params.parallel1.dense1.kernel.shape).toEqual([3, 4])
      expect(params.parallel1.dense2.kernel.shape).toEqual([7, 4])
    })

    test('the memory that a decoder asks, whatever the query', async () => {
      const reader = nn.additiveAttention(4, { queryFeatures: 2 })
      const net: nn.Layer<nn.functional.AdditiveWeights, nn.None, string, Tensor, nn.MemoryQuery> =
        {
          ...reader,
          apply: (variables, x) => [reader.apply(variables, x)[0].context, nn.none],
        }
      const params = await first(net, { query: np.ones([2, 2]), memory: steps, lengths }, [2, 5])
      expect([params.query.shape, params.memory.shape]).toEqual([
        [2, 4],
        [5, 4],
      ])
    })

    test('source and target, each on its side', async () => {
      const net = nn.encoderDecoder(nn.lstm(4, { returnCarry: true }), nn.lstm(4))
      const typed: nn.Layer<
        nn.ParamsOf<typeof net>,
        nn.StateOf<typeof net>,
        string,
        Tensor,
        nn.SourceAndTarget
      > = net
      const x = { source: { inputs: steps, lengths }, target: np.ones([2, 6, 2]) }
      const params = await first(typed, x, [2, 6, 4])
      expect(params.encoder.kernel.shape).toEqual([5, 16])
      expect(params.decoder.kernel.shape).toEqual([2, 16])
    })

    test('images and captions', async () => {
      const net = models.imageCaptioner({ vocabulary: 5, channels: [2], units: 3, embedding: 4 })
      const caption = np.zeros([2, 3], { dtype: 'int32' })
      const params = await first(net, { image: np.ones([2, 1, 4, 4]), caption }, [2, 3, 5])
      expect(params.encoder.dense1.kernel.shape).toEqual([8, 4])
      const made = net.init(key, { image: [2, 1, 4, 4], caption: [2, 3] })
      expect(made.outputShape).toEqual([2, 3, 5])
      expect(
        net.init(key, [
          [2, 1, 4, 4],
          [2, 3],
        ]).outputShape,
      ).toEqual([2, 3, 5])
    })

    test('a record without the name that the layer knows is refused', () => {
      expect(() => nn.lstm(4).init(key, { words: [2, 3, 5] })).toThrow(
        /the input has no tensor under the name inputs[^]*words[^]*under the same names/,
      )
    })
  })

  test('no data, and data that cannot be read again, are said so', async () => {
    await expect(
      collect(train.fit({ ...options, data: [], optimizer: optim.sgd(1) })),
    ).rejects.toThrow('no batch in epoch 1')
    const once = (function* () {
      yield batches[0]!
    })()
    const run = train.fit({ ...options, data: once, epochs: 2, optimizer: optim.sgd(0.1) })
    await expect(collect(run)).rejects.toThrow('iterated over again')
  })

  test('shuffled data by epoch, as records, from an async source', async () => {
    const epochs: number[] = []
    const data = async function* (epoch: number) {
      epochs.push(epoch)
      for (const [x, y] of batches) yield { x, y }
    }
    const run = await collect(train.fit({ ...options, data, epochs: 2, optimizer: optim.sgd(0.1) }))
    expect([epochs, run.length]).toEqual([[0, 1], 6])
  })

  test('batch statistics are trained along, and a regulariser counts', async () => {
    const normed = nn.serial(nn.dense(4), nn.batchNorm(), nn.relu, nn.dense(2))
    const regularizer = (p: nn.ParamsOf<typeof normed>): Tensor =>
      p.dense1.kernel.square().sum().mul(0.01)
    const run = train.fit({ ...options, model: normed, regularizer, optimizer: optim.sgd(0.1) })
    const last = (await collect(run)).at(-1)!
    expectTypeOf(last.state.batchNorm1.mean).toEqualTypeOf<Tensor>()
    expect(last.state.batchNorm1.mean.toArray()).not.toEqual([0, 0, 0, 0])
  })
})

describe('optim', () => {
  test("states are frozen records in the parameters' structure", () => {
    const { params } = models.mlp({ units: [3, 2] }).init(key, [1, 4])
    const [adam, decay] = optim.adamw(0.1).init(params)
    expect(leafPaths(flatten(adam.mu).structure)).toEqual(leafPaths(flatten(params).structure))
    expect(adam.count.dtype).toBe('int32')
    expectTypeOf(decay).toEqualTypeOf<optim.CountState>()
    expect(Object.isFrozen(adam) && Object.isFrozen(adam.mu)).toBe(true)
  })

  test('clipping bounds the common norm and leaves small gradients alone', () => {
    const clip = optim.clipByGlobalNorm(1)
    const big = { a: tensor([3, 0]), b: tensor([[4]]) }
    const [clipped] = clip.update(big, clip.init(big))
    expect(optim.globalNorm(clipped).item()).toBeCloseTo(1, 6)
    const small = { a: tensor([0.25, 0]), b: tensor([[0.5]]) }
    expect(clip.update(small, clip.init(small))[0].a.toArray()).toEqual([0.25, 0])
    const zero = { a: np.zeros([2]) }
    expect(clip.update(zero, clip.init(zero))[0].a.toArray()).toEqual([0, 0])
  })

  test('decay without parameters, and trees that differ, are refused', () => {
    const decay = optim.addDecayedWeights(0.1)
    const g = { a: tensor([1]) }
    expect(() => decay.update(g, decay.init(g))).toThrow('needs the parameters')
    expect(() => optim.applyUpdates({ a: tensor([1]), b: tensor([1]) }, g)).toThrow(
      'different structures',
    )
  })
})

describe('metrics', () => {
  test('accuracy adds up over batches of any size', () => {
    const logits = tensor([
      [2, 1],
      [0, 3],
      [1, 0],
    ])
    const labels = tensor([0, 0, 0], { dtype: 'int32' })
    const { accuracy, readTotal, totalMonoid, meanOf } = nn.metrics
    const parts = [
      [0, 2],
      [2, 3],
    ].map(([a, b]) => readTotal(accuracy(logits.at(`${a}:${b}`), labels.at(`${a}:${b}`))))
    const total = parts.reduce(totalMonoid.concat, totalMonoid.empty)
    expect(total).toEqual(readTotal(accuracy(logits, labels)))
    expect(meanOf(total)).toBeCloseTo(2 / 3, 12)
    expect(
      readTotal(
        accuracy(
          logits,
          tensor([
            [1, 0],
            [0, 1],
            [0, 1],
          ]),
        ),
      ).sum,
    ).toBe(2)
  })
})

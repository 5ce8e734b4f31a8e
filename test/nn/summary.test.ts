/** What networks are made of and cost, against the textbook's formulas. */
import { ShapeError, sizeOf } from '@cotangent/core'
import { models, nn } from '@cotangent/nn'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

const stage = (features: number, n: number) =>
  nn.serial(
    nn.repeat(n, nn.named('block', nn.serial(nn.conv2d(features, 3, { padding: 1 }), nn.relu))),
    nn.maxPool2d(2),
  )
const vgg16 = nn.serial({
  stage1: stage(64, 2),
  stage2: stage(128, 2),
  stage3: stage(256, 3),
  stage4: stage(512, 3),
  stage5: stage(512, 3),
  head: nn.serial(nn.flatten(), nn.dense(4096), nn.relu, nn.dense(4096), nn.relu, nn.dense(1000)),
})

describe('summary', () => {
  test('of VGG-16 has the published figures', () => {
    const s = nn.summary(vgg16, [1, 3, 224, 224])
    expect(s.totals.parameters).toBe(138_357_544)
    expect(s.rows[0]).toMatchObject({
      path: 'stage1.serial1.block1.conv1',
      kind: 'conv',
      parameters: 1792,
    })
    expect(s.rows[0]!.multiplyAdds).toBe(1728 * 224 * 224)
    const last = s.rows[s.rows.length - 1]!
    expect(last).toMatchObject({ kind: 'dense', parameters: 4_096_000 + 1000 })
    expect(last.multiplyAdds).toBe(4_096_000)
    expect(last.flops).toBe(2 * 4_096_000 + 1000)
    expect(s.totals.multiplyAdds).toBe(15_470_264_320)
    const convolutions = s.rows.filter(({ kind }) => kind === 'conv')
    for (const { flops, multiplyAdds, outputShape } of convolutions) {
      expect(flops).toBe(2 * multiplyAdds + sizeOf(nn.oneShape('conv', outputShape)))
    }
    const pools = s.rows.filter(({ kind }) => kind === 'maxPool')
    expect(pools.map(({ receptiveField }) => receptiveField![0])).toEqual([6, 16, 44, 100, 212])
    expect(s.outputShape).toEqual([1, 1000])
    expect(nn.summary(nn.conv2d(64, 3, { useBias: false }), [1, 3, 8, 8]).totals.parameters).toBe(
      1728,
    )
  })

  test('of ResNet-50 has the published figures', () => {
    const narrow = { useBias: false } as const
    const bottleneck = (
      mid: number,
      stride: number,
      isFirst: boolean,
    ): nn.Layer<unknown, unknown> => {
      const body = nn.serial(
        nn.conv2d(mid, 1, narrow),
        nn.batchNorm(),
        nn.relu,
        nn.conv2d(mid, 3, { stride, padding: 1, ...narrow }),
        nn.batchNorm(),
        nn.relu,
        nn.conv2d(4 * mid, 1, narrow),
        nn.batchNorm(),
      )
      const shortcut = nn.serial(nn.conv2d(4 * mid, 1, { stride, ...narrow }), nn.batchNorm())
      return isFirst
        ? nn.residual(body, { shortcut, activation: nn.relu })
        : nn.residual(body, { activation: nn.relu })
    }
    const stage = (mid: number, n: number, stride: number) =>
      nn.repeat(n, (i) => bottleneck(mid, i === 0 ? stride : 1, i === 0))
    const net = nn.serial(
      nn.conv2d(64, 7, { stride: 2, padding: 3, ...narrow }),
      nn.batchNorm(),
      nn.relu,
      nn.maxPool2d(3, { stride: 2, padding: 1 }),
      stage(64, 3, 1),
      stage(128, 4, 2),
      stage(256, 6, 2),
      stage(512, 3, 2),
      nn.globalAvgPool(),
      nn.dense(1000),
    )
    const { totals, rows } = nn.summary(net, [1, 3, 224, 224])
    expect(totals).toMatchObject({
      parameters: 25_557_032,
      multiplyAdds: 4_089_184_256,
      state: 53_120,
    })
    expect(totals.flops).toBeGreaterThan(2 * totals.multiplyAdds)
    expect(rows.find(({ path }) => path === 'serial4.residual3.add')?.receptiveField).toEqual([
      427, 427,
    ])
  })

  test('of a convolution, for random geometry', () => {
    const size = fc.integer({ min: 1, max: 4 })
    fc.assert(
      fc.property(
        fc.record({
          l: fc.integer({ min: 9, max: 14 }),
          k: size,
          p: fc.integer({ min: 0, max: 2 }),
          s: size,
          d: fc.integer({ min: 1, max: 2 }),
          groups: fc.constantFrom(1, 2),
          bias: fc.boolean(),
        }),
        ({ l, k, p, s, d, groups, bias }) => {
          const [channels, features, batch] = [4, 6, 2]
          const options = { padding: p, stride: s, dilation: d, groups }
          const layer = bias
            ? nn.conv2d(features, k, options)
            : nn.conv2d(features, k, { ...options, useBias: false })
          const out = Math.floor((l + 2 * p - d * (k - 1) - 1) / s) + 1
          const weights = (features * channels * k * k) / groups
          const [row] = nn.summary(layer, [batch, channels, l, l]).rows
          expect(row).toMatchObject({
            outputShape: [batch, features, out, out],
            parameters: weights + (bias ? features : 0),
            multiplyAdds: batch * weights * out * out,
            flops: batch * (2 * weights + (bias ? features : 0)) * out * out,
            receptiveField: [d * (k - 1) + 1, d * (k - 1) + 1],
          })
        },
      ),
      { numRuns: 25 },
    )
  })

  test('follows branches, strides and dilations to the largest receptive field', () => {
    const net = nn.serial({
      stem: nn.conv2d(4, 7, { stride: 2, padding: 3 }),
      mixed: nn.branches(nn.conv2d(4, 1), nn.conv2d(4, 3, { padding: 2, dilation: 2 })),
      concat: nn.concat(),
      block: nn.residual(nn.conv2d(8, 3, { padding: 1 })),
      pool: nn.globalAvgPool(),
    })
    const fields = Object.fromEntries(
      nn.summary(net, [1, 3, 16, 16]).rows.map((row) => [row.path, row.receptiveField?.[0]]),
    )
    expect(fields).toEqual({
      stem: 7,
      'mixed.branch1': 7,
      'mixed.branch2': 7 + 4 * 2,
      concat: 15,
      'block.body': 15 + 2 * 2,
      'block.add': 19,
      pool: 19 + 7 * 2,
    })
  })

  test('counts recurrent layers by their steps and shared ones once', () => {
    const s = nn.summary(nn.lstm(5, { returnSequences: false }), [2, 7, 3])
    expect(s.totals.multiplyAdds).toBe(2 * 7 * 4 * (3 * 5 + 5 * 5))
    const step = nn.shared(nn.dense(4))
    const twice = nn.summary(nn.serial(step, nn.tanh, step), [3, 4])
    expect(twice.totals.parameters).toBe(20)
    expect(twice.rows.map(({ path, kind }) => [path, kind])).toEqual([
      ['shared', 'dense'],
      ['tanh1', 'tanh'],
      ['shared', 'dense'],
    ])
    expect(twice.totals.multiplyAdds).toBe(2 * 3 * 16)
    const ids = nn.summary(nn.serial(nn.embedding(10, 4), nn.dense(2)), [2, 3], { dtype: 'int32' })
    expect(ids.rows.map(({ parameters }) => parameters)).toEqual([40, 10])
    const steps = nn.summary(nn.timeDistributed(nn.serial(nn.conv2d(2, 3))), [2, 5, 1, 4, 4])
    expect(steps.rows[0]).toMatchObject({ path: 'conv1', outputShape: [10, 2, 2, 2] })
  })

  test('prints a table and turns into JSON', () => {
    const s = nn.summary(models.lenet5(), [1, 1, 28, 28])
    expect(s.totals).toMatchObject({ parameters: 61_706, multiplyAdds: 416_520 })
    expect(JSON.parse(JSON.stringify(s)).rows).toHaveLength(12)
    expect(
      String(s)
        .split('\n')
        .map((line) => line.trim()),
    ).toMatchInlineSnapshot(`
      [
        "layer    kind     output           parameters  multiply-adds    FLOPs  receptive field",
        "──────────────────────────────────────────────────────────────────────────────────────",
        "conv1    conv     [1, 6, 28, 28]          156        117,600  239,904              5×5",
        "act1     tanh     [1, 6, 28, 28]            0              0    4,704              5×5",
        "pool1    avgPool  [1, 6, 14, 14]            0              0    5,880              6×6",
        "conv2    conv     [1, 16, 10, 10]       2,416        240,000  481,600            14×14",
        "act2     tanh     [1, 16, 10, 10]           0              0    1,600            14×14",
        "pool2    avgPool  [1, 16, 5, 5]             0              0    2,000            16×16",
        "flatten  flatten  [1, 400]                  0              0        0            32×32",
        "dense1   dense    [1, 120]             48,120         48,000   96,120            32×32",
        "act3     tanh     [1, 120]                  0              0      120            32×32",
        "dense2   dense    [1, 84]              10,164         10,080   20,244            32×32",
        "act4     tanh     [1, 84]                   0              0       84            32×32",
        "dense3   dense    [1, 10]                 850            840    1,690            32×32",
        "──────────────────────────────────────────────────────────────────────────────────────",
        "total                                  61,706        416,520  853,946",
      ]
    `)
    expect(nn.summary(nn.batchNorm(), [2, 3]).totals).toMatchObject({ parameters: 6, state: 6 })
  })

  test('refuses what does not fit, and says where', () => {
    const net = nn.serial({ a: nn.serial(nn.conv2d(4, 5)) })
    expect(() => nn.summary(net, [1, 1, 3, 3])).toThrow(ShapeError)
    expect(() => nn.summary(net, [1, 1, 3, 3])).toThrow(/conv1 \(in a\)/)
  })
})

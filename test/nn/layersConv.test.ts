/** Convolutions and pooling of every kind: sizes and counts by formula, and laws between them. */
import { CotangentError, ShapeError, type Tensor, grad, sizeOf, tree, vjp } from '@cotangent/core'
import { jit } from '@cotangent/jit'
import { nn } from '@cotangent/nn'
import { np, random } from '@cotangent/ops'
import fc from 'fast-check'
import { describe, expect, expectTypeOf, test } from 'vitest'

const key = random.key(11)
const none = nn.none
const normal = (shape: readonly number[], seed = 1): Tensor =>
  random.normal(random.key(seed), shape)
const close = (a: Tensor, b: Tensor): boolean =>
  np.allclose(a, b, { atol: 1e-4, rtol: 1e-4 }).item() === 1
const count = (params: unknown): number =>
  tree
    .leaves(params)
    .reduce<number>((n, leaf) => n + (typeof leaf === 'object' ? sizeOf(leaf.shape) : 1), 0)

const expectLayer = (
  layer: nn.Layer<unknown, unknown>,
  input: readonly number[],
  output: readonly number[],
  parameters: number,
): void => {
  const { params, state, outputShape } = layer.init(key, input)
  expect(outputShape).toEqual(output)
  expect(layer.apply({ params, state }, np.ones(input))[0].shape).toEqual(output)
  expect(count(params)).toBe(parameters)
}

const geometry = fc.record({
  l: fc.integer({ min: 5, max: 9 }),
  k: fc.integer({ min: 1, max: 3 }),
  p: fc.integer({ min: 0, max: 1 }),
  s: fc.integer({ min: 1, max: 3 }),
  d: fc.integer({ min: 1, max: 2 }),
})

describe('sizes and parameter counts for random geometry', () => {
  test('transposed convolutions', () => {
    fc.assert(
      fc.property(
        geometry,
        fc.integer({ min: 0, max: 1 }),
        fc.constantFrom(1, 2),
        (g, extra, groups) => {
          const { l, k, p, s, d } = g
          const removed = Math.min(p, d * (k - 1))
          const out = (l - 1) * s - 2 * removed + d * (k - 1) + extra + 1
          const options = { stride: s, padding: removed, dilation: d, outputPadding: extra, groups }
          expectLayer(
            nn.convTranspose1d(6, k, options),
            [2, 4, l],
            [2, 6, out],
            (4 * 6 * k) / groups + 6,
          )
          expectLayer(
            nn.convTranspose2d(6, k, options),
            [2, 4, l, l],
            [2, 6, out, out],
            (4 * 6 * k * k) / groups + 6,
          )
        },
      ),
      { numRuns: 20 },
    )
    expectLayer(
      nn.convTranspose3d(2, 2, { stride: 2 }),
      [1, 3, 2, 3, 4],
      [1, 2, 4, 6, 8],
      3 * 2 * 8 + 2,
    )
    expectLayer(
      nn.convTranspose2d(2, 3, { stride: 2, padding: 'same' }),
      [1, 3, 4, 5],
      [1, 2, 8, 10],
      56,
    )
    expectLayer(
      nn.convTranspose2d(2, 3, {
        stride: 2,
        paddingMode: 'circular',
        layout: 'NHWC',
        useBias: false,
      }),
      [1, 4, 5, 3],
      [1, 8, 10, 2],
      54,
    )
  })

  test('depthwise, separable and locally connected ones', () => {
    fc.assert(
      fc.property(geometry, fc.integer({ min: 1, max: 3 }), ({ l, k, p, s, d }, multiplier) => {
        const out = Math.floor((l + 2 * p - d * (k - 1) - 1) / s) + 1
        const options = { stride: s, padding: p, dilation: d }
        const wide = 3 * multiplier
        expectLayer(
          nn.depthwiseConv2d(k, { ...options, multiplier }),
          [2, 3, l, l],
          [2, wide, out, out],
          wide * k * k + wide,
        )
        expectLayer(
          nn.separableConv2d(5, k, { ...options, multiplier }),
          [2, 3, l, l],
          [2, 5, out, out],
          wide * k * k + 5 * wide + 5,
        )
        expectLayer(
          nn.locallyConnected2d(4, k, options),
          [2, 3, l, l],
          [2, 4, out, out],
          out * out * (4 * 3 * k * k + 4),
        )
        expectLayer(
          nn.locallyConnected1d(4, k, { ...options, layout: 'NHWC' }),
          [2, l, 3],
          [2, out, 4],
          out * (4 * 3 * k + 4),
        )
      }),
      { numRuns: 15 },
    )
    const { params } = nn.separableConv2d(4, 3).init(key, [1, 2, 5, 5])
    expectTypeOf(params.pointwise.bias).toEqualTypeOf<Tensor>()
    expectTypeOf<keyof typeof params.depthwise>().toEqualTypeOf<'kernel'>()
  })

  test('pooling', () => {
    fc.assert(
      fc.property(geometry, fc.boolean(), ({ l, k, p, s }, ceilMode) => {
        const pad = Math.min(p, k - 1)
        const rounded = ceilMode ? Math.ceil : Math.floor
        const steps = rounded((l + 2 * pad - k) / s)
        const out = (steps * s >= l + pad ? steps - 1 : steps) + 1
        const options = { stride: s, padding: pad, ceilMode }
        for (const make of [nn.maxPool2d, nn.avgPool2d, nn.minPool2d, nn.lpPool2d]) {
          expectLayer(make(k, options), [2, 3, l, l], [2, 3, out, out], 0)
        }
      }),
      { numRuns: 15 },
    )
    expectLayer(nn.adaptiveAvgPool2d([3, 2]), [1, 2, 7, 5], [1, 2, 3, 2], 0)
    expectLayer(nn.adaptiveMaxPool1d(4, 'NHWC'), [1, 9, 2], [1, 4, 2], 0)
    expectLayer(nn.adaptiveAvgPool3d(1), [1, 2, 3, 4, 5], [1, 2, 1, 1, 1], 0)
    expectLayer(nn.lpPool1d(3, { p: 3 }), [1, 2, 9], [1, 2, 3], 0)
  })

  test('causal, one-sided and circular padding', () => {
    expectLayer(nn.conv1d(4, 3, { padding: 'causal', dilation: 2 }), [1, 2, 9], [1, 4, 9], 28)
    const causal = nn.conv1d(2, 3, { padding: 'causal' })
    const made = causal.init(key, [1, 1, 6])
    const x = normal([1, 1, 6])
    const later = x.set([0, 0, 5], 99)
    const [y, z] = [x, later].map((input) => causal.apply(made, input)[0])
    expect(y!.at(':', ':', ':5').toArray()).toEqual(z!.at(':', ':', ':5').toArray())
    expect(() => nn.conv2d(2, 3, { padding: 'causal' }).init(key, [1, 1, 5, 5])).toThrow(
      /only one axis/,
    )
    const ring = nn.conv1d(2, 3, { padding: 1, paddingMode: 'circular', useBias: false })
    const around = ring.init(key, [1, 1, 6])
    const roll = (t: Tensor): Tensor => np.roll(t, 2, { axis: 2 })
    expect(close(ring.apply(around, roll(x))[0], roll(ring.apply(around, x)[0]))).toBe(true)
    for (const paddingMode of ['reflect', 'replicate'] as const) {
      const flat = nn.conv2d(2, 3, { padding: 1, paddingMode })
      const v = flat.init(key, [1, 1, 5, 5])
      const constant = flat.apply(v, np.ones([1, 1, 5, 5]))[0]
      expect(close(constant, constant.at(':', ':', '2:3', '2:3'))).toBe(true)
    }
  })
})

describe('laws', () => {
  test('the transposed convolution is the transpose of the convolution', () => {
    fc.assert(
      fc.property(geometry, fc.constantFrom(1, 2), ({ k, p, s, d }, groups) => {
        const pad = Math.min(p, d * (k - 1))
        const n = 4
        const long = (n - 1) * s - 2 * pad + d * (k - 1) + 1
        const options = { stride: s, padding: pad, dilation: d, groups }
        const kernel = normal([4, 6 / groups, k])
        const [x, y] = [normal([2, 6, long], 2), normal([2, 4, n], 3)]
        const [, pullback] = vjp((t: Tensor) => nn.functional.conv(t, kernel, options), x)
        return close(pullback(y)[0], nn.functional.convTranspose(y, kernel, options))
      }),
      { numRuns: 15 },
    )
  })

  test('equal weights at every place make a convolution', () => {
    const options = { stride: 2, padding: 1 } as const
    const kernel = normal([4, 3, 3, 2])
    const x = normal([2, 3, 7, 6], 5)
    const y = nn.functional.conv(x, kernel, options)
    const places = y.shape.slice(2)
    const everywhere = np.broadcastTo(kernel, [...places, 4, 3, 3, 2])
    expect(close(nn.functional.locallyConnected(x, everywhere, options), y)).toBe(true)
  })

  test('a depthwise convolution is one channel at a time; a separable one then mixes', () => {
    const x = normal([2, 3, 6, 6])
    const layer = nn.depthwiseConv2d(3, { multiplier: 2, useBias: false })
    const made = layer.init(key, x.shape)
    const y = layer.apply(made, x)[0]
    const one = nn.functional.conv(x.at(':', '1:2'), made.params.kernel.at('2:4'))
    expect(close(y.at(':', '2:4'), one)).toBe(true)
    const separable = nn.separableConv2d(4, 3)
    const parts = separable.init(key, x.shape)
    const depth = nn
      .depthwiseConv2d(3, { useBias: false })
      .apply({ params: parts.params.depthwise, state: none }, x)[0]
    const mixed = nn.conv2d(4, 1).apply({ params: parts.params.pointwise, state: none }, depth)[0]
    expect(close(separable.apply(parts, x)[0], mixed)).toBe(true)
  })

  test('layouts agree', () => {
    const x = normal([2, 4, 5, 6])
    const last = x.transpose(0, 2, 3, 1)
    const layers = (layout: nn.Layout): readonly nn.Layer<unknown, unknown>[] => [
      nn.convTranspose2d(3, 3, { layout, stride: 2, groups: 1 }),
      nn.depthwiseConv2d(3, { layout }),
      nn.separableConv2d(3, 2, { layout }),
      nn.locallyConnected2d(3, 2, { layout, useBias: false }),
      nn.adaptiveAvgPool2d([2, 3], layout),
      nn.lpPool2d(2, { layout }),
    ]
    const [first, other] = [layers('NCHW'), layers('NHWC')]
    first.forEach((layer, i) => {
      const { params, state } = layer.init(key, x.shape)
      const y = layer.apply({ params, state }, x)[0].transpose(0, 2, 3, 1)
      expect(close(y, other[i]!.apply({ params, state }, last)[0])).toBe(true)
    })
  })

  test('compiled equals eager, gradients included', () => {
    const net = nn.serial(
      nn.separableConv2d(4, 3),
      nn.locallyConnected2d(3, 2, { stride: 2 }),
      nn.convTranspose2d(2, 3, { stride: 2 }),
      nn.adaptiveMaxPool2d(2),
    )
    const { params, state } = net.init(key, [2, 2, 8, 8])
    const x = normal([2, 2, 8, 8])
    const loss = (p: typeof params): Tensor => net.apply({ params: p, state }, x)[0].square().sum()
    const g = grad(loss)(params)
    expect(tree.allClose(jit(grad(loss))(params), g, { rtol: 1e-4, atol: 1e-4 })).toBe(true)
    expect(
      tree.leaves(g).every((leaf) => typeof leaf === 'object' && leaf.abs().max().item() > 0),
    ).toBe(true)
  })
})

describe('errors', () => {
  test('say which axis, what it got and what would fit', () => {
    const messageOf = (f: () => unknown): string => {
      try {
        f()
      } catch (error) {
        if (error instanceof CotangentError) return error.message
        throw error
      }
      return ''
    }
    const local = nn.locallyConnected2d(4, 3)
    const made = local.init(key, [1, 2, 6, 6])
    expect(messageOf(() => local.apply(made, np.ones([1, 2, 7, 7])))).toContain(
      'not for these positions',
    )
    const up = nn.convTranspose2d(4, 3)
    const v = up.init(key, [1, 2, 6, 6])
    expect(messageOf(() => up.apply(v, np.ones([1, 3, 6, 6])))).toMatch(
      /axis 1 \(channels\)[\s\S]*want +2 channels/,
    )
    expect(() => nn.convTranspose2d(4, 1, { padding: 3 }).init(key, [1, 2, 4, 4])).toThrow(
      ShapeError,
    )
    expect(messageOf(() => nn.depthwiseConv2d(3, { multiplier: 0 }))).toContain(
      'a positive integer',
    )
    expect(messageOf(() => nn.adaptiveAvgPool2d(2).init(key, [1, 2, 3]))).toContain(
      'adaptiveAvgPool2d',
    )
  })
})

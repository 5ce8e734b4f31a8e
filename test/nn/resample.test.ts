/** Images of another size, against PyTorch's numbers and by their laws. */
import { ShapeError, type Tensor, UnsupportedError, grad, tensor } from '@cotangent/core'
import { jit } from '@cotangent/jit'
import { nn } from '@cotangent/nn'
import { checkGrads, np, random } from '@cotangent/ops'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

const key = random.key(0)
const apply = <P, S>(layer: nn.Layer<P, S>, x: Tensor): Tensor => {
  const { params, state, outputShape } = layer.init(key, x.shape)
  const [y] = layer.apply({ params, state }, x)
  expect(y.shape).toEqual(outputShape)
  return y
}
const close = (a: Tensor, b: Tensor): boolean =>
  a.shape.join() === b.shape.join() && np.allclose(a, b, { atol: 1e-5 }).item() === 1

// [1, 1, 2, 3]
const small = tensor([
  [
    [
      [1, 2, 4],
      [7, 11, 16],
    ],
  ],
])

describe("PyTorch's interpolate", () => {
  // torch.nn.functional.interpolate(x, size=…, mode=…, align_corners=…)
  const known: readonly (readonly [
    string,
    readonly number[],
    nn.functional.ResizeOptions,
    unknown,
  ])[] = [
    [
      'nearest to 4×6',
      [4, 6],
      { mode: 'nearest' },
      [
        [1.0, 1.0, 2.0, 2.0, 4.0, 4.0],
        [1.0, 1.0, 2.0, 2.0, 4.0, 4.0],
        [7.0, 7.0, 11.0, 11.0, 16.0, 16.0],
        [7.0, 7.0, 11.0, 11.0, 16.0, 16.0],
      ],
    ],
    [
      'nearest to 3×2',
      [3, 2],
      { mode: 'nearest' },
      [
        [1.0, 2.0],
        [1.0, 2.0],
        [7.0, 11.0],
      ],
    ],
    [
      'linear to 4×5',
      [4, 5],
      { mode: 'linear' },
      [
        [1.0, 1.4, 2.0, 3.2, 4.0],
        [2.5, 3.2, 4.25, 5.900001, 7.0],
        [5.5, 6.8, 8.75, 11.300001, 13.0],
        [7.0, 8.6, 11.0, 14.000001, 16.0],
      ],
    ],
    [
      'linear to 3×2',
      [3, 2],
      { mode: 'linear' },
      [
        [1.25, 3.5],
        [4.625, 9.125],
        [8.0, 14.75],
      ],
    ],
    [
      'linear to 4×5, corners aligned',
      [4, 5],
      { mode: 'linear', alignCorners: true },
      [
        [1.0, 1.5, 2.0, 3.0, 4.0],
        [3.0, 4.0, 5.0, 6.5, 8.0],
        [5.0, 6.5, 8.0, 10.0, 12.0],
        [7.0, 9.0, 11.0, 13.5, 16.0],
      ],
    ],
    [
      'linear to 1×2, corners aligned',
      [1, 2],
      { mode: 'linear', alignCorners: true },
      [[1.0, 4.0]],
    ],
  ]
  test.each(known)('%s', (_, size, options, want) => {
    const y = nn.functional.resize(small, size, options)
    expect(close(y.at(0, 0), tensor(want as number[][]))).toBe(true)
    expect(close(jit((x: Tensor) => nn.functional.resize(x, size, options))(small), y)).toBe(true)
  })
})

describe('resize', () => {
  const extents = fc.integer({ min: 1, max: 5 })

  test('corners aligned, what is linear stays linear; a constant stays in any mode', () => {
    fc.assert(
      fc.property(extents, extents, extents, (h, w, m) => {
        const plane = np
          .arange(h)
          .expandDims(1)
          .mul(3)
          .sub(np.arange(w).mul(2))
          .astype('float32')
          .reshape([1, 1, h, w])
        const y = nn.functional.resize(plane, [m, w], { mode: 'linear', alignCorners: true })
        const rows = np.linspace(0, m === 1 ? 0 : h - 1, m).reshape([m, 1])
        const want = rows.mul(3).sub(np.arange(w).mul(2))
        const same = nn.functional.resize(np.full([1, 1, h, w], 2), m, { mode: 'linear' })
        return close(y.at(0, 0), want) && close(same, np.full([1, 1, m, m], 2))
      }),
    )
  })

  test('nearest repeats, and picks the first of those that it leaves out', () => {
    expect(close(apply(nn.upsample(2), small), np.repeat(np.repeat(small, 2, 2), 2, 3))).toBe(true)
    const row = np.arange(6).reshape([1, 1, 6])
    expect(nn.functional.resize(row, 3).at(0, 0).toArray()).toEqual([0, 2, 4])
    expect(nn.functional.resize(row, 4).at(0, 0).toArray()).toEqual([0, 1, 3, 4])
  })

  test('channels last, any rank, derivatives', () => {
    const volume = random.normal(key, [2, 3, 4, 2, 3])
    const options = { size: [3, 4, 5], mode: 'linear' } as const
    const last = apply(nn.upsample({ ...options, layout: 'NHWC' }), np.moveaxis(volume, 1, -1))
    expect(close(np.moveaxis(last, -1, 1), apply(nn.upsample(options), volume))).toBe(true)
    for (const mode of ['nearest', 'linear'] as const) {
      const f = (x: Tensor): Tensor => nn.functional.resize(x, [3, 5], { mode }).square().sum()
      checkGrads(f, [random.normal(key, [1, 2, 2, 3])], { order: 1 })
    }
    expect(grad((x: Tensor) => nn.functional.resize(x, [4, 6]).sum())(small).toArray()).toEqual(
      np.full(small.shape, 4).toArray(),
    )
  })

  test('what it sees of the input', () => {
    const net = nn.serial(nn.conv2d(1, 3), nn.upsample(2), nn.conv2d(1, 3))
    const rows = nn.summary(net, [1, 1, 8, 8]).rows
    // Two of the three elements of a window are copies of one, or one of the three.
    expect(rows.at(-1)!.receptiveField).toEqual([4, 4])
  })

  test('a scale or a size, not both', () => {
    expect(() => nn.upsample({})).toThrow(UnsupportedError)
    expect(() => nn.upsample({ scale: 2, size: 4 })).toThrow(/both[^]*upsample\(2\)/)
    expect(() => apply(nn.upsample([2, 2, 2]), small)).toThrow(ShapeError)
    expect(() => nn.upsample(2).init(key, [3, 4])).toThrow(/\[batch, channels, …spatial\]/)
  })
})

describe('channels and positions', () => {
  test('pixelShuffle by its definition, and back', () => {
    const x = random.normal(key, [2, 12, 3, 2])
    const y = apply(nn.pixelShuffle(2), x)
    expect(y.shape).toEqual([2, 3, 6, 4])
    for (const [c, i, j] of [
      [0, 0, 0],
      [1, 5, 2],
      [2, 4, 3],
    ] as const) {
      const from = c * 4 + (i % 2) * 2 + (j % 2)
      expect(y.at(1, c, i, j).item()).toBe(
        x.at(1, from, Math.floor(i / 2), Math.floor(j / 2)).item(),
      )
    }
    expect(apply(nn.pixelUnshuffle(2), y).toArray()).toEqual(x.toArray())
    const uneven = apply(nn.pixelShuffle([3, 2]), x)
    expect(uneven.shape).toEqual([2, 2, 9, 4])
    expect(apply(nn.pixelUnshuffle([3, 2]), uneven).toArray()).toEqual(x.toArray())
    const last = apply(nn.pixelShuffle(2, { layout: 'NHWC' }), np.moveaxis(x, 1, -1))
    expect(np.moveaxis(last, -1, 1).toArray()).toEqual(y.toArray())
    expect(() => apply(nn.pixelShuffle(5), x)).toThrow(/a multiple of 25 channels/)
    expect(() => apply(nn.pixelUnshuffle(2), x)).toThrow(/do not divide/)
  })

  test('channelShuffle takes channels of all groups in turn', () => {
    const x = np.arange(6).reshape([1, 6, 1])
    expect(apply(nn.channelShuffle(2), x).ravel().toArray()).toEqual([0, 3, 1, 4, 2, 5])
    expect(apply(nn.channelShuffle(3), apply(nn.channelShuffle(2), x)).toArray()).toEqual(
      x.toArray(),
    )
    expect(() => apply(nn.channelShuffle(4), x)).toThrow(/4 equal groups/)
  })
})

test('pad: constants, reflections, edges, the other end', () => {
  const row = tensor([[[1, 2, 3]]])
  const of = (options: nn.PadLayerOptions): unknown =>
    apply(nn.pad([[2, 1]], options), row)
      .ravel()
      .toArray()
  expect(of({})).toEqual([0, 0, 1, 2, 3, 0])
  expect(of({ value: 9 })).toEqual([9, 9, 1, 2, 3, 9])
  expect(of({ mode: 'reflect' })).toEqual([3, 2, 1, 2, 3, 2])
  expect(of({ mode: 'replicate' })).toEqual([1, 1, 1, 2, 3, 3])
  expect(of({ mode: 'circular' })).toEqual([2, 3, 1, 2, 3, 1])
  expect(apply(nn.pad(1, { layout: 'NHWC' }), np.ones([2, 3, 4, 5])).shape).toEqual([2, 5, 6, 5])
  expect(apply(nn.pad([[1, 2], 0]), np.ones([1, 3, 8, 8])).shape).toEqual([1, 3, 11, 8])
})

describe('further layers', () => {
  test('bilinear is its formula, linear in each input', () => {
    const layer = nn.bilinear(2)
    const shapes = [
      [3, 4],
      [3, 5],
    ]
    const { params, state, outputShape } = layer.init(key, shapes)
    expect([params.kernel.shape, params.bias.shape, outputShape]).toEqual([[2, 4, 5], [2], [3, 2]])
    const [x, z] = [random.normal(key, [3, 4]), random.normal(random.key(1), [3, 5])]
    const bias = tensor([0.5, -1])
    const [y] = layer.apply({ params: { ...params, bias }, state }, [x, z])
    const want = x.at(1).matmul(params.kernel.at(1)).matmul(z.at(1)).add(-1)
    expect(y.at(1, 1).item()).toBeCloseTo(want.item(), 5)
    const net = nn.serial(nn.branches(nn.dense(4), nn.dense(5)), nn.bilinear(2, { useBias: false }))
    expect(net.init(key, [3, 7]).outputShape).toEqual([3, 2])
    expect(() => layer.init(key, [3, 4])).toThrow(/takes two tensors/)
    expect(() => layer.apply({ params, state }, [x, x])).toThrow(/second[^]*5 features/)
  })

  test('gaussianNoise: in training alone, of its own deviation', () => {
    const layer = nn.gaussianNoise(0.5)
    const { params, state } = layer.init(key, [40, 50])
    const x = np.full([40, 50], 3)
    expect(layer.apply({ params, state }, x)[0]).toBe(x)
    const [noisy] = layer.apply({ params, state }, x, { train: true, key })
    expect(noisy.mean().item()).toBeCloseTo(3, 1)
    expect(noisy.std().item()).toBeCloseTo(0.5, 1)
    expect(() => layer.apply({ params, state }, x, { train: true })).toThrow(/got no key/)
    expect(() => nn.gaussianNoise(-1)).toThrow(UnsupportedError)
  })
})

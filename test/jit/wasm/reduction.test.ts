import { scalars } from '@cotangent/core'
import fc from 'fast-check'
import { describe, test } from 'vitest'
import { add, agree, type Case, multiply, read, storing, sum, wide } from './reductionSupport.ts'

const { binaryOp, compareOp, convertTo, flatten, floorDivide, fromIndex, load, selectOp } = scalars

const zero = [{ dtype: 'float64', initial: 0 }] as const

interface Matmul {
  readonly m: number
  readonly n: number
  readonly k: number
  readonly transposed?: 'a' | 'b' | 'both'
  readonly batch?: number
}

const matmul = ({ m, n, k, transposed, batch }: Matmul): Case => {
  const atA = transposed === 'a' || transposed === 'both'
  const atB = transposed === 'b' || transposed === 'both'
  const lead = batch === undefined ? [] : [batch]
  const [a, b, out] = [
    [...lead, ...(atA ? [k, m] : [m, k])],
    [...lead, ...(atB ? [n, k] : [k, n])],
    [...lead, m, n],
  ]
  return {
    inputs: { a, b },
    output: out,
    spec: {
      name: 'a',
      outputs: out.map((extent, d) => ({ name: `i${d}`, extent })),
      extents: [k],
      accumulators: zero,
      step: ([acc], index, [r]) => {
        const [i, j] = index.slice(-2)
        const first = index.slice(0, -2)
        const x = read('a', a, [...first, ...(atA ? [r!, i!] : [i!, r!])])
        const y = read('b', b, [...first, ...(atB ? [j!, r!] : [r!, j!])])
        return [add(acc!, multiply(wide(x), wide(y)))]
      },
      finish: storing(out),
    },
  }
}

describe('matrix products', () => {
  for (const [m, n, k] of [
    [1, 1, 1],
    [4, 8, 8],
    [5, 13, 7],
    [1, 40, 9],
    [33, 3, 17],
    [17, 10, 33],
    [64, 64, 64],
    [3, 9, 1100],
  ] as const) {
    for (const transposed of [undefined, 'a', 'b', 'both'] as const) {
      test(`${m}×${n}×${k} ${transposed ?? ''}`, () => {
        agree(matmul({ m, n, k, ...(transposed === undefined ? {} : { transposed }) }))
      })
    }
  }
  test('many terms, in chunks', () => {
    agree(matmul({ m: 17, n: 35, k: 1031 }))
    agree(matmul({ m: 18, n: 17, k: 768, transposed: 'both' }))
  })

  test('batched', () => {
    agree(matmul({ m: 5, n: 9, k: 6, batch: 3 }))
    agree(matmul({ m: 12, n: 16, k: 6, batch: 20, transposed: 'b' }))
  })
})

interface Conv {
  readonly batch: number
  readonly channels: number
  readonly outputs: number
  readonly height: number
  readonly width: number
  readonly kernel: readonly [number, number]
  readonly stride?: number
  readonly dilation?: number
  readonly groups?: number
}

const conv = (c: Conv): Case => {
  const { batch, channels, outputs, kernel, stride = 1, dilation = 1, groups = 1 } = c
  const x = [batch, channels * groups, c.height, c.width]
  const w = [outputs, channels, ...kernel]
  const along = (extent: number, taps: number): number =>
    Math.floor((extent - (taps - 1) * dilation - 1) / stride) + 1
  const out = [batch, outputs, along(c.height, kernel[0]), along(c.width, kernel[1])]
  return {
    inputs: { x, w },
    output: out,
    spec: {
      name: 'a',
      outputs: out.map((extent, d) => ({ name: `i${d}`, extent })),
      extents: w.slice(1),
      accumulators: zero,
      step: ([acc], [n, o, y, z], [ch, ky, kx]) => {
        const channel =
          groups === 1 ? ch! : sum([channels, floorDivide(o!, outputs / groups)], [1, ch!])
        const at = [
          n!,
          channel,
          sum([stride, y!], [dilation, ky!]),
          sum([stride, z!], [dilation, kx!]),
        ]
        return [
          add(acc!, multiply(wide(read('x', x, at)), wide(read('w', w, [o!, ch!, ky!, kx!])))),
        ]
      },
      finish: storing(out),
    },
  }
}

describe('convolutions', () => {
  const cases: Readonly<Record<string, Conv>> = {
    plain: { batch: 2, channels: 3, outputs: 8, height: 6, width: 18, kernel: [3, 3] },
    'one channel': { batch: 2, channels: 1, outputs: 6, height: 12, width: 12, kernel: [5, 5] },
    'one by one': { batch: 2, channels: 5, outputs: 7, height: 5, width: 7, kernel: [1, 1] },
    strided: {
      batch: 1,
      channels: 3,
      outputs: 4,
      height: 15,
      width: 19,
      kernel: [7, 7],
      stride: 2,
    },
    'stride 4': {
      batch: 1,
      channels: 2,
      outputs: 5,
      height: 27,
      width: 31,
      kernel: [11, 11],
      stride: 4,
    },
    dilated: {
      batch: 1,
      channels: 2,
      outputs: 4,
      height: 12,
      width: 16,
      kernel: [3, 3],
      dilation: 2,
    },
    grouped: { batch: 2, channels: 2, outputs: 8, height: 6, width: 9, kernel: [3, 3], groups: 4 },
    depthwise: {
      batch: 2,
      channels: 1,
      outputs: 6,
      height: 6,
      width: 9,
      kernel: [3, 3],
      groups: 6,
    },
    narrow: { batch: 5, channels: 8, outputs: 16, height: 5, width: 5, kernel: [3, 3] },
  }
  for (const [name, c] of Object.entries(cases)) {
    test(name, () => {
      agree(conv(c))
    })
  }

  test('backwards in the kernel', () => {
    const [batch, channels, outputs, h, w] = [4, 3, 6, 5, 7]
    const [x, dy, out] = [
      [batch, channels, h + 2, w + 2],
      [batch, outputs, h, w],
      [channels, outputs, 3, 3],
    ]
    agree({
      inputs: { x, dy },
      output: out,
      spec: {
        name: 'a',
        outputs: out.map((extent, d) => ({ name: `i${d}`, extent })),
        extents: [batch, h, w],
        accumulators: zero,
        step: ([acc], [c, o, ky, kx], [n, p, q]) => [
          add(
            acc!,
            multiply(
              wide(read('x', x, [n!, c!, sum([1, p!], [1, ky!]), sum([1, q!], [1, kx!])])),
              wide(read('dy', dy, [n!, o!, p!, q!])),
            ),
          ),
        ],
        finish: storing(out),
      },
    })
  })
})

describe('any shape', () => {
  const extent = (most: number): fc.Arbitrary<number> => fc.integer({ min: 1, max: most })
  test('of a product', () => {
    const transposed = fc.constantFrom(undefined, 'a', 'b', 'both')
    fc.assert(
      fc.property(extent(40), extent(40), extent(70), transposed, (m, n, k, t) => {
        agree(matmul({ m, n, k, ...(t === undefined ? {} : { transposed: t }) }))
      }),
      { numRuns: 60 },
    )
  })

  test('of a convolution', () => {
    const layer = fc.record({
      batch: extent(3),
      channels: extent(4),
      perGroup: extent(5),
      groups: extent(3),
      kernel: fc.tuple(extent(4), extent(4)),
      height: extent(7),
      width: extent(17),
      stride: extent(3),
      dilation: extent(2),
    })
    fc.assert(
      fc.property(layer, ({ perGroup, height, width, ...rest }) => {
        const [ky, kx] = rest.kernel
        agree(
          conv({
            ...rest,
            outputs: perGroup * rest.groups,
            height: height + (ky - 1) * rest.dilation,
            width: width + (kx - 1) * rest.dilation,
          }),
        )
      }),
      { numRuns: 60 },
    )
  })
})

describe('sums', () => {
  const sums = (shape: readonly number[], axes: readonly number[], outermost = true): Case => {
    const kept = shape.map((_, d) => d).filter((d) => !axes.includes(d))
    const out = kept.map((d) => shape[d]!)
    return {
      inputs: { x: shape },
      output: out,
      outermost,
      spec: {
        name: 'a',
        outputs: out.map((extent, d) => ({ name: `i${d}`, extent })),
        extents: axes.map((d) => shape[d]!),
        accumulators: zero,
        step: ([acc], index, reduced) => {
          const at = shape.map((_, d) =>
            axes.includes(d) ? reduced[axes.indexOf(d)]! : index[kept.indexOf(d)]!,
          )
          return [add(acc!, wide(read('x', shape, at)))]
        },
        finish: storing(out),
      },
    }
  }
  for (const [shape, axes] of [
    [[7, 33], [1]],
    [[7, 33], [0]],
    [
      [3, 5, 6, 7],
      [0, 2, 3],
    ],
    [[1000], [0]],
    [[13], [0]],
    [[3], [0]],
    [[200_003], [0]],
    [[90_000, 3], [0]],
    [[4, 300, 5], [1]],
  ] as const) {
    test(`${shape.join('×')} over ${axes.join()}`, () => {
      agree(sums(shape, axes))
      if (axes.length === shape.length) agree(sums(shape, axes, false))
    })
  }

  test('several at once, one an extremum', () => {
    const [m, n] = [9, 37]
    agree({
      inputs: { x: [m, n] },
      output: [m, 2],
      spec: {
        name: 'a',
        outputs: [{ name: 'i0', extent: m }],
        extents: [n],
        accumulators: [
          { dtype: 'float64', initial: 0 },
          { dtype: 'float32', initial: -Infinity },
        ],
        step: ([total, most], [i], [k]) => {
          const x = read('x', [m, n], [i!, k!])
          return [add(total!, multiply(wide(x), wide(x))), binaryOp('maximum', most!, x)]
        },
        finish: ([total, most], [i]) => [
          {
            tag: 'let',
            name: 'mean',
            value: binaryOp('divide', total!, scalars.literal('float64', n)),
          },
          {
            tag: 'store',
            buffer: 'out',
            at: sum([2, i!]),
            value: convertTo('float32', scalars.local('float64', 'mean')),
          },
          { tag: 'store', buffer: 'out', at: scalars.affine([[2, i!]], 1), value: most! },
        ],
      },
    })
  })

  test('positions of extremes', () => {
    const [m, n] = [11, 17]
    for (const along of [0, 1]) {
      agree({
        inputs: { x: [m, n] },
        output: [along === 0 ? n : m],
        dtype: 'int32',
        inputType: 'float32',
        spec: {
          name: 'a',
          outputs: [{ name: 'i0', extent: along === 0 ? n : m }],
          extents: [along === 0 ? m : n],
          accumulators: [
            { dtype: 'float32', initial: -Infinity },
            { dtype: 'int32', initial: 0 },
          ],
          step: ([most, place], [i], [k]) => {
            const x = read('x', [m, n], along === 0 ? [k!, i!] : [i!, k!])
            const better = compareOp('greater', x, most!)
            return [selectOp(better, x, most!), selectOp(better, fromIndex('int32', k!), place!)]
          },
          finish: ([, place], [i]) => [{ tag: 'store', buffer: 'out', at: i!, value: place! }],
        },
      })
    }
  })

  test('integers and doubles', () => {
    for (const dtype of ['int32', 'float64'] as const) {
      for (const [m, n] of [
        [9, 21],
        [2, 5],
        [40, 3],
      ] as const) {
        agree({
          inputs: { x: [m, n] },
          output: [m],
          dtype,
          tolerance: 1e-12,
          spec: {
            name: 'a',
            outputs: [{ name: 'i0', extent: m }],
            extents: [n],
            accumulators: [{ dtype, initial: 0 }],
            step: ([acc], [i], [k]) => [add(acc!, load('x', dtype, flatten([m, n], [i!, k!])))],
            finish: storing([m], dtype),
          },
        })
      }
    }
  })
})

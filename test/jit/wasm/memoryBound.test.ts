/** Kernels that move memory: how many there are, that they run in lanes, and that they are right. */
import { type Tensor, interpret, valueAndGrad, vjp } from '@cotangent/core'
import { jit } from '@cotangent/jit'
import { nn } from '@cotangent/nn'
import { np, prims, random } from '@cotangent/ops'
import { describe, expect, test } from 'vitest'
import { expectClose } from '../support.ts'

const { avgPool, batchNormTraining, layerNorm, maxPool } = nn.functional

type Run = (...xs: readonly Tensor[]) => readonly Tensor[]

const key = random.key(5)
const normal = (seed: number, shape: readonly number[]): Tensor =>
  random.normal(random.foldIn(key, seed), [...shape])
const integers = (seed: number, shape: readonly number[], high: number): Tensor =>
  random.randint(random.foldIn(key, seed), [...shape], 0, high)

/** The value of `f`, and its cotangents for the first argument. */
const withCotangents =
  (f: (...xs: readonly Tensor[]) => Tensor): Run =>
  (ct, ...xs) => {
    const [y, pull] = vjp(f, ...xs)
    return [y, ...pull(ct!)]
  }

/** Loops of more than a few rounds without any inside, neither in lanes nor in a loop with lanes. */
const scalarLoops = (source: string): readonly string[] => {
  const found: string[] = []
  const open: { readonly line: string; hasInner: boolean }[] = []
  for (const line of source.split('\n').map((text) => text.trim())) {
    if (line.startsWith('for ')) {
      for (const outer of open) outer.hasInner = true
      open.push({ line, hasInner: false })
    } else if (line.endsWith('{') && !line.startsWith('}')) open.push({ line: '', hasInner: true })
    else if (line === '}') {
      const closed = open.pop()!
      const extent = Number(/^for \S+ < (\d+)/.exec(closed.line)?.[1] ?? 0)
      const inLanes = [closed, ...open].some((loop) => loop.line.includes('lanes'))
      if (extent >= 4 && !closed.hasInner && !inLanes) found.push(closed.line)
    }
  }
  return found
}

const same = (f: Run, args: readonly Tensor[], tolerance = 2e-5): void => {
  const want = interpret(f)(...args)
  for (const backend of ['js', 'wasm'] as const) {
    const got = jit(f, { backend })(...args)
    got.forEach((y, i) => expectClose(y, want[i]!, tolerance))
  }
}

/** Compiled, `f` has so many kernels, all in lanes, and gives what the interpreter gives. */
const expectKernels = (f: Run, args: readonly Tensor[], count: number): void => {
  const { kernels } = jit(f, { backend: 'wasm' }).lower(...args)
  expect(kernels.map((k) => k.name)).toHaveLength(count)
  for (const { source } of kernels) expect(scalarLoops(source)).toEqual([])
  same(f, args)
}

test('axes of extent 1 do not keep loops apart', () => {
  for (const backend of ['js', 'wasm'] as const) {
    const f = jit((x: Tensor, y: Tensor) => x.mul(2).add(y), { backend })
    const args = [normal(1, [6, 1, 5, 5]), normal(2, [6, 1, 5, 5])] as const
    const [kernel] = f.lower(...args).kernels
    expect(kernel!.source.match(/\bfor\b/g)).toHaveLength(1)
    expect(kernel!.source).toContain('150')
  }
})

const image = [2, 8, 20, 20] as const

describe('pooling', () => {
  const windows = [
    { window: 2 },
    { window: 3, stride: 2 },
    { window: 3, stride: 2, padding: 1 },
    { window: 3, stride: 1, padding: 1 },
    { window: 4, stride: 4 },
    { window: 5, stride: 3, padding: 2 },
  ] as const
  for (const options of windows) {
    const label = JSON.stringify(options)
    test(`forward is one kernel ${label}`, () => {
      expectKernels((x) => [maxPool(x!, options)], [normal(1, image)], 1)
      expectKernels((x) => [avgPool(x!, options)], [normal(2, image)], 1)
    })
    test(`gradients ${label}`, () => {
      const x = normal(3, image)
      for (const pool of [maxPool, avgPool]) {
        const f = (y: Tensor): Tensor => pool(y, options)
        const ct = normal(4, f(x).shape)
        const run = withCotangents((y) => f(y!))
        same(run, [ct, x])
        const { source } = jit(run, { backend: 'wasm' }).lower(ct, x)
        expect(source).toContain('lanes')
      }
    })
  }
  test('windows side by side read what they pool once', () => {
    const run = withCotangents((x) => maxPool(x!, { window: 2 }))
    expectKernels(run, [normal(5, [2, 8, 10, 10]), normal(6, image)], 2)
  })
  test('the first of equals has the cotangent, and NaN loses to what follows it', () => {
    const x = integers(7, image, 3).astype('float32')
    const holes = np.where(integers(8, image, 9).equal(0), NaN, x)
    for (const input of [x, holes]) {
      for (const options of windows) {
        const ct = normal(9, maxPool(input, options).shape)
        same(
          withCotangents((y) => maxPool(y!, options)),
          [ct, input],
        )
      }
    }
  })
  test('windows of windows: gaps, crops and odd sizes', () => {
    const x = normal(10, [3, 17, 23])
    const pooled = [
      { window: [1, 3, 3], strides: [1, 2, 2], windowDilation: [1, 2, 3] },
      {
        window: [1, 2, 2],
        padding: [
          [0, 0],
          [-1, 2],
          [3, -2],
        ],
      },
      {
        window: [1, 2, 3],
        inputDilation: [1, 2, 3],
        padding: [
          [0, 0],
          [1, 0],
          [0, 2],
        ],
      },
    ] as const
    for (const options of pooled) {
      for (const reduce of [prims.reduceWindowSum, prims.reduceWindowMax, prims.reduceWindowMin]) {
        const ct = normal(11, reduce(x, options).shape)
        same(
          withCotangents((y) => reduce(y!, options)),
          [ct, x],
        )
      }
    }
  })
})

describe('normalisation', () => {
  const batchNorm = (x: Tensor, scale: Tensor, bias: Tensor): Tensor =>
    nn.relu(batchNormTraining(x, { scale, bias }).y)
  const parameters = [normal(20, [8]), normal(21, [8])] as const

  test('batch norm and ReLU are one kernel, forward and with gradients', () => {
    expectKernels((x, s, b) => [batchNorm(x!, s!, b!)], [normal(22, image), ...parameters], 1)
    const run = withCotangents((x, s, b) => batchNorm(x!, s!, b!))
    expectKernels(run, [normal(23, image), normal(24, image), ...parameters], 1)
  })
  test('batch norm beside other shapes', () => {
    for (const shape of [
      [16, 8],
      [4, 8, 3, 5],
      [8, 8, 8, 8],
      [3, 8, 1, 7],
    ]) {
      const run = withCotangents((x, s, b) => batchNorm(x!, s!, b!).add(x!))
      same(run, [normal(25, shape), normal(26, shape), ...parameters])
    }
  })
  test('layer norm: rows are one kernel, sums over them another', () => {
    const run = withCotangents((x, scale, bias) => layerNorm(x!, { scale: scale!, bias: bias! }))
    const rows = [64, 48]
    expectKernels(run, [normal(27, rows), normal(28, rows), normal(29, [48]), normal(30, [48])], 2)
  })
  test('cross-entropy with gradients is one kernel of rows, and the mean', () => {
    const labels = integers(31, [32], 100)
    const loss = (x: Tensor): Tensor => nn.losses.softmaxCrossEntropy(x, labels)
    expectKernels((x) => [...valueAndGrad(loss)(x!)], [normal(32, [32, 100])], 2)
  })
})

describe('movement', () => {
  test('transposes go in blocks', () => {
    for (const shape of [
      [64, 64],
      [37, 53],
      [300, 257],
      [520, 24],
    ]) {
      expectKernels((x) => [x!.transpose().mul(2)], [normal(40, shape)], 1)
    }
    const { source } = jit((x: Tensor) => x.transpose().mul(2), { backend: 'wasm' }).lower(
      normal(41, [300, 257]),
    )
    expect(source).toMatch(/< 16 in parallel/)
    same((x) => [np.transpose(x!, [0, 2, 3, 1]).add(1)], [normal(42, [2, 24, 18, 18])])
    same((x) => [np.transpose(x!, [0, 3, 1, 2]).add(1)], [normal(43, [2, 18, 18, 24])])
  })
  test('repeated elements are read once for all copies', () => {
    const twice = (x: Tensor): Tensor => np.repeat(np.repeat(x, 2, { axis: 1 }), 2, { axis: 0 })
    expectKernels((x) => [twice(x!).mul(3)], [normal(44, [20, 28])], 1)
    same((x) => [np.repeat(x!, 3, { axis: 1 }).mul(3)], [normal(45, [20, 13])])
  })
  test('a padded border is chosen by lanes', () => {
    expectKernels(
      (x) => [
        np
          .pad(x!, [
            [0, 0],
            [1, 2],
            [3, 1],
          ])
          .add(1),
      ],
      [normal(46, [4, 20, 30])],
      1,
    )
  })
})

describe('rows', () => {
  test('running sums along any axis', () => {
    for (const axis of [0, 1, 2]) {
      for (const f of [np.cumsum, np.cumprod])
        same((x) => [f(x!, { axis })], [normal(50, [5, 6, 19])])
      same((x) => [prims.cummax(x!, axis, true)], [normal(51, [5, 6, 19])])
      same((x) => [prims.cumsum(x!, axis, true)], [integers(52, [5, 6, 19], 100)])
    }
  })
  test('positions of extrema: the first of equals, the first NaN', () => {
    const x = integers(53, [6, 40], 5).astype('float32')
    const holes = np.where(integers(54, [6, 40], 25).equal(0), NaN, x)
    for (const input of [x, holes, integers(55, [6, 40], 9)]) {
      for (const axis of [0, 1]) {
        same((y) => [np.argmax(y!, { axis }), np.argmin(y!, { axis })], [input])
      }
    }
  })
  test('slices are added where indices say, equal ones too', () => {
    const indices = integers(56, [50], 11)
    const run = withCotangents((t) => np.take(t!, indices, { axis: 0 }))
    same(run, [normal(57, [50, 24]), normal(58, [11, 24])])
  })
})

test('everything about one parameter is one kernel', () => {
  const update: Run = (p, m, v, g, count) => {
    const next = count!.add(1)
    const [first, second] = [m!.mul(0.9).add(g!.mul(0.1)), v!.mul(0.99).add(g!.mul(g!).mul(0.01))]
    const correction = np.subtract(1, np.power(0.9, next))
    const step = first.div(correction).div(second.sqrt().add(1e-8))
    return [p!.sub(step.mul(0.1)), first, second, next]
  }
  const many = [0, 1, 2].map((seed) => normal(60 + seed, [24, 32]))
  const inputs = [...many, normal(63, [24, 32]), np.array(3)]
  inputs[2] = inputs[2]!.mul(inputs[2]!)
  expectKernels(update, inputs, 2)
})

/** Statistics of what a convolution makes are taken in its own kernel, slab by slab. */
import { type Tensor, bind, flatten, interpret, leafTensor, valueAndGrad } from '@cotangent/core'
import { type Lowered, getThreads, jit, setThreads, threads } from '@cotangent/jit'
import { nn } from '@cotangent/nn'
import { np, random } from '@cotangent/ops'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  partMomentsP,
  partsOf,
  squaresOfPartsP,
  sumOfPartsP,
} from '../../../packages/jit/src/cluster/partMoments.ts'
import { expectClose } from '../support.ts'

const { batchNormTraining, conv } = nn.functional

const normal = (seed: number, shape: readonly number[]): Tensor =>
  random.normal(random.key(seed), [...shape])

const dataOf = (tree: unknown): readonly ArrayLike<number>[] =>
  flatten(tree).leaves.map((leaf) => leafTensor(leaf).data())

const threadsBefore = getThreads()
beforeAll(() => threads.setForksAlways(true))
afterAll(() => {
  threads.setForksAlways(false)
  setThreads(threadsBefore)
})

/** The same bits on one thread and on three; what one gives. */
const onThreads = <A extends readonly unknown[], R>(f: (...args: A) => R, ...args: A): R => {
  const compiled = jit(f, { backend: 'wasm' })
  setThreads(1)
  const one = compiled(...args)
  setThreads(3)
  const three = dataOf(compiled(...args))
  dataOf(one).forEach((values, n) => {
    let different = 0
    for (let i = 0; i < values.length; i++) {
      if (!Object.is(values[i], three[n]![i])) different++
    }
    expect(different).toBe(0)
  })
  return one
}

/** The kernels that compute a primitive. */
const kernelsOf = ({ clusters }: Lowered, operation: string): readonly string[] =>
  clusters
    .split('\n')
    .filter((line) => !line.startsWith('pack_'))
    .filter((line) => (line.split(': ')[1] ?? '').split(', ').includes(operation))

const divisorsOf = (n: number): readonly number[] =>
  Array.from({ length: n }, (_, i) => i + 1).filter((d) => n % d === 0)

describe('moments of parts', () => {
  const shapes = fc.record({
    images: fc.integer({ min: 1, max: 4 }),
    channels: fc.integer({ min: 1, max: 5 }),
    height: fc.integer({ min: 1, max: 12 }),
    rest: fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 2 }),
    choice: fc.nat(20),
    shift: fc.constantFrom(0, 1, -100),
  })

  test('are what the interpreter says, and add up', () => {
    fc.assert(
      fc.property(shapes, ({ images, channels, height, rest, choice, shift }) => {
        const shape = [images, channels, height, ...rest]
        const divisors = divisorsOf(height)
        const rows = divisors[choice % divisors.length]!
        const { terms } = partsOf(shape, rows)
        const x = normal(choice, shape).add(shift)
        const centre = normal(choice + 1, [channels]).add(shift)
        const run = (a: Tensor, c: Tensor): readonly Tensor[] => {
          const [means, deviations, squares] = bind(partMomentsP, [a], { rows })
          const [sum] = bind(sumOfPartsP, [means!, deviations!], { terms })
          const inputs = [means!, deviations!, squares!, c] as const
          const [square] = bind(squaresOfPartsP, inputs, { terms, op: 'subtract' })
          const negated = [means!, deviations!, squares!, c.neg()] as const
          const [again] = bind(squaresOfPartsP, negated, { terms, op: 'add' })
          return [means!, squares!, sum!, square!, again!]
        }
        const got = onThreads(run, x, centre)
        expectClose(got, interpret(run)(x, centre), 2e-5)
        const axes = [0, 2, ...rest.map((_, d) => d + 3)]
        const place = centre.reshape([channels, 1, ...rest.map(() => 1)])
        expectClose(got[2], np.sum(x, axes), 2e-6 * terms)
        const squares = np.sum(np.square(x.sub(place)), axes)
        expectClose([got[3], got[4]], [squares, squares], 2e-5)
      }),
      { numRuns: 60 },
    )
  })

  test('keep their digits where the mean is large', () => {
    const [channels, terms] = [3, 4096]
    const x = normal(5, [8, channels, 64, 64]).add(1000)
    const run = (a: Tensor): readonly Tensor[] => {
      const [means, deviations, squares] = bind(partMomentsP, [a], { rows: 64 })
      const [sum] = bind(sumOfPartsP, [means!, deviations!], { terms })
      const mean = sum!.div(8 * terms)
      const inputs = [means!, deviations!, squares!, mean] as const
      return bind(squaresOfPartsP, inputs, { terms, op: 'subtract' })
    }
    const [got] = onThreads(run, x)
    const data = x.data()
    for (let c = 0; c < channels; c++) {
      const own = Array.from({ length: 8 * terms }, (_, i) => {
        return data[(Math.floor(i / terms) * channels + c) * terms + (i % terms)]!
      })
      const mean = own.reduce((a, b) => a + b) / own.length
      const want = own.reduce((sum, a) => sum + (a - mean) ** 2, 0)
      expect(Math.abs(got!.data()[c]! / want - 1)).toBeLessThan(5e-7)
    }
  })
})

describe('in the kernel of a convolution', () => {
  const layers = fc.record({
    images: fc.integer({ min: 1, max: 5 }),
    inputs: fc.constantFrom(1, 3, 16, 20),
    outputs: fc.constantFrom(1, 3, 4, 16, 24),
    height: fc.integer({ min: 4, max: 30 }),
    width: fc.integer({ min: 4, max: 30 }),
    kernel: fc.constantFrom(1, 2, 3),
    stride: fc.constantFrom(1, 1, 2),
    padding: fc.constantFrom(0, 1),
    epilogue: fc.boolean(),
    choice: fc.nat(20),
  })

  test('of any kind, on any number of threads', () => {
    let inside = 0
    fc.assert(
      fc.property(layers, (layer) => {
        const { images, inputs, outputs, height, width, kernel, stride, padding } = layer
        const x = normal(layer.choice, [images, inputs, height, width])
        const w = normal(layer.choice + 1, [outputs, inputs, kernel, kernel])
        const b = normal(layer.choice + 2, [outputs, 1, 1])
        const made = (a: Tensor, k: Tensor, c: Tensor): Tensor => {
          const y = conv(a, k, { stride, padding })
          return layer.epilogue ? nn.relu(y.add(c)) : y
        }
        const rows = divisorsOf(made(x, w, b).shape[2]!)
        const run = (a: Tensor, k: Tensor, c: Tensor): readonly Tensor[] => {
          const y = made(a, k, c)
          const [means, , squares] = bind(partMomentsP, [y], {
            rows: rows[layer.choice % rows.length]!,
          })
          return [y, means!, squares!]
        }
        const lowered = jit(run, { backend: 'wasm' }).lower(x, w, b)
        if (kernelsOf(lowered, 'moments').some((k) => k.includes('conv'))) inside++
        expectClose(onThreads(run, x, w, b), interpret(run)(x, w, b), 1e-4)
      }),
      { numRuns: 60 },
    )
    expect(inside).toBeGreaterThan(20)
  })
})

describe('in the kernel of minimal filtering', () => {
  const layers = fc.record({
    images: fc.integer({ min: 2, max: 40 }),
    channels: fc.constantFrom(16, 17, 32),
    outputs: fc.constantFrom(16, 20, 32),
    height: fc.integer({ min: 4, max: 20 }),
    width: fc.integer({ min: 4, max: 20 }),
    seed: fc.nat(20),
  })

  test('slabs fill whole blocks, and each is finished', () => {
    let inside = 0
    fc.assert(
      fc.property(layers, ({ images, channels, outputs, height, width, seed }) => {
        const x = normal(seed, [images, channels, 2 * height, 2 * width])
        const w = normal(seed + 1, [outputs, channels, 3, 3])
        const runWith =
          (rows: number) =>
          (a: Tensor, k: Tensor): readonly Tensor[] => {
            const y = conv(a, k, { padding: 1 })
            const [means, , squares] = bind(partMomentsP, [y], { rows })
            return [y, means!, squares!]
          }
        // What is nobody's slab has a kernel of its own, and is as right.
        const fitting = divisorsOf(2 * height).filter((rows) => {
          const lowered = jit(runWith(rows), { backend: 'wasm' }).lower(x, w)
          return kernelsOf(lowered, 'moments')[0]!.includes('conv')
        })
        expect(fitting.length).toBeLessThanOrEqual(1)
        inside += fitting.length
        const run = runWith(fitting[0] ?? 1)
        const apart = (a: Tensor): readonly Tensor[] =>
          bind(partMomentsP, [a], { rows: fitting[0] ?? 1 })
        const [y, means, squares] = onThreads(run, x, w)
        expectClose(y, jit((a: Tensor, k: Tensor) => conv(a, k, { padding: 1 }))(x, w), 1e-6)
        const [m, , q] = interpret(apart)(y!)
        expectClose([means, squares], [m, q], 2e-5)
      }),
      { numRuns: 12 },
    )
    expect(inside).toBeGreaterThan(5)
  })
})

/** A convolution and its normalisation. */
const layer =
  (options: Parameters<typeof conv>[2]) =>
  (x: Tensor, w: Tensor, scale: Tensor, bias: Tensor): readonly Tensor[] => {
    const convolved = conv(x, w, options)
    const { y, mean, variance } = batchNormTraining(convolved, { scale, bias })
    return [convolved, nn.relu(y), mean, variance]
  }

const parametersOf = (outputs: number): readonly [Tensor, Tensor] => [
  normal(8, [outputs]).mul(0.2).add(1),
  normal(9, [outputs]),
]

/** Mean and variance in float64 of channel `c` of `x: [images, channels, …]`. */
const statisticsOf = (x: Tensor, c: number): readonly [number, number] => {
  const [images, channels] = [x.shape[0]!, x.shape[1]!]
  const plane = x.size / images / channels
  const data = x.data()
  const over = (f: (value: number) => number): number => {
    let sum = 0
    for (let n = 0; n < images; n++) {
      const start = (n * channels + c) * plane
      for (let k = 0; k < plane; k++) sum += f(data[start + k]!)
    }
    return sum / images / plane
  }
  const mean = over((value) => value)
  return [mean, over((value) => (value - mean) ** 2)]
}

describe('batch normalisation of arrays that outgrow a cache', () => {
  const layers = [
    { how: 'minimal filtering', x: [16, 16, 112, 112], w: [16, 16, 3, 3], options: { padding: 1 } },
    { how: 'direct', x: [5, 3, 200, 210], w: [8, 3, 3, 3], options: { padding: 1 } },
    { how: 'one by one', x: [4, 16, 224, 230], w: [6, 16, 1, 1], options: {} },
    { how: 'strided', x: [8, 3, 322, 322], w: [4, 3, 3, 3], options: { stride: 2 } },
    { how: 'along one axis', x: [3, 4, 70_000], w: [5, 4, 3], options: {} },
    { how: 'many channels', x: [8, 16, 66, 66], w: [64, 16, 3, 3], options: {} },
    { how: 'depthwise', x: [6, 8, 184, 186], w: [8, 1, 3, 3], options: { padding: 1, groups: 8 } },
  ] as const
  for (const { how, x: shape, w: kernel, options } of layers) {
    test(how, () => {
      const f = layer(options)
      const outputs = kernel[0]
      const w = normal(2, kernel).add(how === 'direct' ? 3 : 0)
      const x = normal(1, shape).add(how === 'direct' ? 30 : 0)
      const args = [x, w, ...parametersOf(outputs)] as const
      const lowered = jit(f, { backend: 'wasm' }).lower(...args)
      // In the kernel of the convolution, and nothing goes over its results for a sum again.
      expect(kernelsOf(lowered, 'moments')).toHaveLength(1)
      expect(kernelsOf(lowered, 'moments')[0]).toContain('conv')
      expect(kernelsOf(lowered, 'reduceSum')).toEqual([])
      const [convolved, y, mean, variance] = onThreads(f, ...args)
      for (let c = 0; c < outputs; c++) {
        const [average, spread] = statisticsOf(convolved!, c)
        expect(Math.abs(mean!.data()[c]! - average)).toBeLessThan(
          3e-7 * (Math.abs(average) + Math.sqrt(spread)),
        )
        expect(Math.abs(variance!.data()[c]! / spread - 1)).toBeLessThan(5e-7)
      }
      const after = (z: Tensor, scale: Tensor, bias: Tensor): Tensor =>
        nn.relu(batchNormTraining(z, { scale, bias }).y)
      expectClose(y, interpret(after)(convolved!, args[2], args[3]), 2e-5)
    })
  }

  test('with gradients, as interpreted', () => {
    const loss = (p: { readonly w: Tensor; readonly s: Tensor; readonly b: Tensor }, x: Tensor) => {
      const { y } = batchNormTraining(conv(x, p.w, { padding: 1 }), { scale: p.s, bias: p.b })
      return np.mean(np.square(nn.relu(y)))
    }
    const f = (p: Parameters<typeof loss>[0], x: Tensor) => valueAndGrad(loss)(p, x)
    const [s, b] = parametersOf(3)
    const args = [{ w: normal(2, [3, 2, 3, 3]), s, b }, normal(1, [2, 2, 320, 320])] as const
    const lowered = jit(f, { backend: 'wasm' }).lower(...args)
    expect(kernelsOf(lowered, 'moments')[0]).toContain('conv')
    expectClose(onThreads(f, ...args), interpret(f)(...args), 2e-5)
  })

  test('smaller ones are normalised by one kernel', () => {
    const f = layer({ padding: 1 })
    const args = [normal(1, [4, 3, 32, 32]), normal(2, [8, 3, 3, 3]), ...parametersOf(8)] as const
    const lowered = jit(f, { backend: 'wasm' }).lower(...args)
    expect(kernelsOf(lowered, 'moments')).toEqual([])
  })

  test('of constant channels is nothing, not less', () => {
    const f = layer({})
    const w = np.array([[[[0.1]]], [[[3]]]])
    const x = np.full([2, 1, 320, 320], 0.7)
    const [, y, , variance] = onThreads(f, x, w, ...parametersOf(2))
    for (const value of Array.from(variance!.data())) {
      expect(value).toBeGreaterThanOrEqual(0)
      expect(value).toBeLessThan(1e-10)
    }
    expect(Array.from(y!.data()).every(Number.isFinite)).toBe(true)
  })
})

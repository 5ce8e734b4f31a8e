/** What compiled programs are made of: small functions, few of them, in memory that is reused. */
import { lenetInputs, lenetState, lenetStep } from '@cotangent/bench/suites/lenet'
import { type Graph, type Tensor, check, grad, subgraphs } from '@cotangent/core'
import { type CodeBackend, type Lowered, jit } from '@cotangent/jit'
import { nn } from '@cotangent/nn'
import { np, random, scan, whileLoop } from '@cotangent/ops'
import { describe, expect, test } from 'vitest'
import { checkPlan } from './random/memory.ts'
import { runWatched } from './random/watch.ts'
import { runWatchedWasm } from './random/watchWasm.ts'
import { expectClose } from './support.ts'
import { functionSizes } from './wasm/moduleSizes.ts'

const normal = (seed: number, shape: readonly number[]): Tensor =>
  random.normal(random.key(seed), shape)

const layerNorm = (x: Tensor): Tensor => {
  const centred = x.sub(x.mean({ axis: -1, keepdims: true }))
  return centred.div(centred.mul(centred).mean({ axis: -1, keepdims: true }).add(1e-5).sqrt())
}

type Weights = readonly [x: Tensor, kernel: Tensor, recurrentKernel: Tensor, bias: Tensor]
const lstmWeights = (time: number): Weights => [
  normal(1, [time, 4, 12]),
  normal(2, [12, 64]),
  normal(3, [16, 64]),
  normal(4, [64]),
]
const lstmLoss = (x: Tensor, kernel: Tensor, recurrentKernel: Tensor, bias: Tensor): Tensor =>
  nn.functional.runCell(nn.functional.lstmCell, x, { kernel, recurrentKernel, bias }).outputs.sum()

const js = { backend: 'js' } as const
type Options = { readonly backend: CodeBackend }

const lenet = (batch: number, options: Options): Lowered => {
  const { images, targets, key } = lenetInputs(batch)
  const step = jit(lenetStep, { donate: [0], ...options })
  return step.lower(lenetState(batch), images, targets, key, 0)
}
const programs: Readonly<Record<string, (options: Options) => Lowered>> = {
  'a training step of LeNet-5': (options) => lenet(4, options),
  'layer normalisation and its gradient': (options) =>
    jit(
      grad((y: Tensor) => layerNorm(y).mul(y).sum()),
      options,
    ).lower(normal(0, [64, 96])),
  'an LSTM over time and its gradient': (options) =>
    jit(grad(lstmLoss, { argnums: [0, 1, 2, 3] }), options).lower(...lstmWeights(7)),
  'a thousand elementwise operations': (options) =>
    jit((x: Tensor) => {
      let y = x
      for (let i = 0; i < 200; i++) y = np.sin(y.mul(1.01).add(x)).sub(0.5).abs()
      return y
    }, options).lower(normal(0, [8, 8])),
  'attention and its gradient': (options) =>
    jit(
      grad((q: Tensor) => {
        const scores = q.matmul(np.matrixTranspose(q))
        const e = scores.sub(scores.max({ axis: -1, keepdims: true })).exp()
        return e
          .div(e.sum({ axis: -1, keepdims: true }))
          .matmul(q)
          .sum()
      }),
      options,
    ).lower(normal(0, [2, 10, 8])),
}

/** V8 stops optimising functions much beyond this. */
const longest = 10_000

describe.each(Object.entries(programs))('%s, in JavaScript', (_, program) => {
  const lowered = program(js)
  const executable = lowered.compile()
  test('is made of small functions', () => {
    const long = lowered.kernels.filter((k) => k.source.length > longest)
    expect(long.map((k) => `${k.name}: ${k.source.length}`)).toEqual([])
  })
  test('is valid after every pass', () => {
    for (const { graph, pass } of lowered.stages) check(graph, pass)
  })
  test('overwrites nothing that is still to be read, and reads nothing outside', () => {
    checkPlan(executable)
    const inputs = executable.program.inputs.map(({ aval: { shape, dtype } }) =>
      np.ones(shape).mul(0.3).astype(dtype).data(),
    )
    runWatched(executable, inputs)
  })
})

/** Bytes of a function beyond which the engine's best compiler takes its time. */
const mostBytes = 65_536

describe.each(Object.entries(programs))('%s, in WebAssembly', (_, program) => {
  const lowered = program({ backend: 'wasm' })
  const executable = lowered.compile()
  test('is made of small functions, and a driver', () => {
    const sizes = functionSizes(lowered.wasm!)
    expect(Math.max(...sizes.slice(0, -1))).toBeLessThan(mostBytes)
  })
  test('overwrites nothing that is still to be read, and kernels leave the rest alone', () => {
    checkPlan(executable)
    const inputs = executable.program.inputs.map(({ aval: { shape, dtype } }) =>
      np.ones(shape).mul(0.3).astype(dtype).data(),
    )
    runWatchedWasm(executable, inputs)
  })
})

test('a training step takes over the memory of every parameter and moment', () => {
  // Ten parameters with two moments each, and the count of steps.
  for (const backend of ['js', 'wasm'] as const)
    expect(lenet(4, { backend }).memory.donated).toBeGreaterThanOrEqual(30)
})

describe('loops', () => {
  const compileTime = (time: number): number => {
    const start = performance.now()
    jit(grad(lstmLoss)).lower(...lstmWeights(time))
    return performance.now() - start
  }
  test('neither source nor compile time grow with the number of steps', () => {
    const source = (time: number): number =>
      jit(grad(lstmLoss), js).lower(...lstmWeights(time)).source.length
    expect(Math.abs(source(5) - source(500))).toBeLessThan(600)
    // Sequences so short that other tiles pay are other programs.
    const bytes = (time: number): number =>
      jit(grad(lstmLoss), { backend: 'wasm' }).lower(...lstmWeights(time)).wasm!.length
    expect(bytes(500)).toBeLessThan(1.1 * bytes(60))
    compileTime(5)
    const short = Math.min(compileTime(6), compileTime(7), compileTime(8))
    const long = Math.min(compileTime(700), compileTime(800), compileTime(900))
    expect(long).toBeLessThan(3 * short + 50)
  })

  const count = (graph: Graph, name: string, inside = false): number =>
    graph.equations.reduce(
      (n, e) =>
        n +
        Number(inside && e.primitive.name === name) +
        subgraphs(e.params).reduce((m, [, inner]) => m + count(inner, name, true), 0),
      0,
    )
  const stage = (lowered: Lowered, pass: string): Graph =>
    lowered.stages.find((s) => s.pass === pass)!.graph
  const sines = (lowered: Lowered): readonly number[] => [
    count(stage(lowered, 'fold constants'), 'sin'),
    count(lowered.optimized.graph, 'sin'),
  ]

  test('what no step changes is computed before a scan, through calls and loops inside', () => {
    const w = normal(1, [6])
    const f = (x: Tensor): Tensor => {
      const body = jit((c: Tensor) => c.mul(w.mul(x).sin()).add(c.sin()))
      const outer = (c: Tensor): readonly [Tensor, null] => [
        scan((d: Tensor) => [body(d), null], c, null, { length: 3 })[0],
        null,
      ]
      return scan(outer, x, null, { length: 4 })[0]
    }
    const lowered = jit(f).lower(w)
    expect(sines(lowered)).toEqual([2, 1])
    expect(lowered.clusters.split('\n').filter((line) => line.startsWith('sin'))).toHaveLength(1)
    expectClose(jit(f)(w), f(w))
  })
  test('and before a while loop, its condition too', () => {
    const w = normal(1, [6])
    const f = (x: Tensor): Tensor =>
      whileLoop(
        (c: Tensor) => c.sum().less(x.sin().sum().abs().add(5)),
        (c: Tensor) => c.add(x.mul(2).sin().abs()).add(0.1),
        x,
      )
    const lowered = jit(f).lower(w)
    expect(sines(lowered)).toEqual([2, 0])
    expectClose(jit(f)(w), f(w))
  })
  test('but what is cheap and large is made where it is read', () => {
    const w = normal(1, [40])
    const f = (x: Tensor): Tensor =>
      whileLoop(
        (c: Tensor) => c.sum().less(50),
        (c: Tensor) => c.add(np.expandDims(x, 1).add(x).sum({ axis: 1 }).abs()).add(0.1),
        x,
      )
    expect(jit(f).lower(w).memory.arenaBytes).toBeLessThan(40 * 40 * 4)
    expectClose(jit(f)(w), f(w))
  })
})

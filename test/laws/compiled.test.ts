/** Every primitive, compiled: kernels give what the reference evaluation gives. */
import {
  type Graph,
  type NDArray,
  type Tensor,
  evaluateGraph,
  jvpOf,
  trace,
  vmap,
} from '@cotangent/core'
import { type CodeBackend, compileGraph, kernelsOf, runArrays } from '@cotangent/jit'
import { np } from '@cotangent/ops'
import { describe, expect, test } from 'vitest'
import { type Sample, seeded } from './sample.ts'
import { samples } from './samples.ts'

/** Units in the last place by which a fused float result may differ from the evaluated one. */
const tolerance = (dtype: string): number =>
  dtype === 'float64' ? 1e-12 : dtype === 'float32' ? 1e-6 : dtype === 'float16' ? 2e-3 : 1.6e-2

const expectSame = (got: readonly NDArray[], want: readonly NDArray[], where: string): void => {
  expect(got.length).toBe(want.length)
  want.forEach((w, o) => {
    const g = got[o]!
    expect([g.dtype, g.shape]).toEqual([w.dtype, w.shape])
    for (let i = 0; i < w.data.length; i++) {
      const [a, b] = [g.data[i]!, w.data[i]!]
      if (Object.is(a, b) || Math.abs(a - b) <= tolerance(w.dtype) * (1 + Math.abs(b))) continue
      throw new Error(`${where}, output ${o}, element ${i}: compiled ${a}, evaluated ${b}`)
    }
  })
}

const compare = (
  graph: Graph,
  inputs: readonly NDArray[],
  backend: CodeBackend,
  where: string,
): void => {
  const executable = compileGraph(graph, [], backend)
  const before = inputs.map(({ data }) => data.slice())
  expectSame(runArrays(executable, inputs), evaluateGraph(graph, inputs), where)
  inputs.forEach(({ data }, i) => expect(data).toEqual(before[i]))
  // A graph whose outputs hold anything is computed by kernels, never by the interpreter.
  const computes =
    graph.outputs.some((a) => a.aval.shape.every((n) => n > 0)) && graph.equations.length > 0
  if (computes && graph.outputs.every((a) => !graph.inputs.some((v) => v === a)))
    expect(kernelsOf(executable).length).toBeGreaterThan(0)
}

const arrays = (tensors: readonly Tensor[]): readonly NDArray[] =>
  tensors.map((x) => x.concrete('law').ndarray())

const compiledLaw = (sample: Sample, backend: CodeBackend): void => {
  const inputs = sample.inputs(seeded(11))
  const { graph } = trace(
    'law',
    sample.run,
    inputs.map((x) => x.aval),
  )
  compare(graph, arrays(inputs), backend, 'value')
  if (sample.derivatives !== 'smooth' && sample.derivatives !== 'forward') return
  const differentiable = inputs.map((x) => x.dtype === 'float64')
  const forward = jvpOf(graph, differentiable)
  const tangents = inputs.filter((_, i) => differentiable[i]!)
  compare(forward.graph, arrays([...inputs, ...tangents]), backend, 'derivative')
}

/** Wider than a vector, and no multiple of one. */
const batch = 7

// Most samples are of float64, which has two lanes: the same in float32, which has four, in a batch.
const narrowLaw = (sample: Sample): void => {
  const inputs = sample
    .inputs(seeded(12))
    .map((x) => (x.dtype === 'float64' ? x.astype('float32') : x))
  const many = inputs.map((x) => np.stack(Array.from({ length: batch }, () => x)))
  for (const [run, given] of [
    [sample.run, inputs],
    [vmap(sample.run), many],
  ] as const) {
    const { graph } = trace(
      'law',
      run,
      given.map((x) => x.aval),
    )
    compare(graph, arrays(given), 'wasm', 'value in float32')
  }
}

const forEach = (cases: readonly Sample[], law: (sample: Sample) => void): void => {
  for (const sample of cases) {
    try {
      law(sample)
    } catch (error) {
      throw new Error(`sample "${sample.label}"`, { cause: error })
    }
  }
}

describe.each<[string, readonly Sample[]]>(Object.entries(samples))('%s', (_, cases) => {
  test.each<CodeBackend>(['js', 'wasm'])('compiled to %s = evaluated', (backend) =>
    forEach(cases, (sample) => compiledLaw(sample, backend)),
  )
  // Samples that make a float64 themselves say so.
  const narrow = cases.filter(({ label }) => !label.includes('float64'))
  test('in float32 and in a batch', () => forEach(narrow, narrowLaw))
})

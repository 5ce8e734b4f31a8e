/** Every primitive, eagerly: kernels give what the reference gives, also where inputs are views. */
import {
  Concrete,
  type Layout,
  Storage,
  type Tensor,
  type TypedArray,
  evaluateGraphConcrete,
  isComplex,
  makeStore,
  trace,
} from '@cotangent/core'
import { compilingAtOnce } from '@cotangent/jit'
import { describe, expect, test } from 'vitest'
import { type Sample, seeded } from './sample.ts'
import { samples } from './samples.ts'

const tolerance = (dtype: string): number =>
  dtype === 'float64' ? 1e-12 : dtype === 'float32' ? 2e-6 : dtype === 'float16' ? 2e-3 : 1.6e-2

const expectSame = (got: readonly Tensor[], want: readonly Tensor[], where: string): void => {
  expect(got.length).toBe(want.length)
  want.forEach((w, o) => {
    const g = got[o]!
    expect([g.dtype, g.shape, g.aval.weak], where).toEqual([w.dtype, w.shape, w.aval.weak])
    const [xs, ys] = [g.data(), w.data()]
    for (let i = 0; i < ys.length; i++) {
      const [a, b] = [xs[i]!, ys[i]!]
      if (Object.is(a, b) || Math.abs(a - b) <= tolerance(w.dtype) * (1 + Math.abs(b))) continue
      throw new Error(`${where}, output ${o}, element ${i}: eager ${a}, reference ${b}`)
    }
  })
}

/** The same elements as every other row of a longer array, from the last to the first. */
const asView = (x: Tensor): Tensor => {
  const { aval, storage } = x.concrete('law')
  const { shape, dtype } = aval
  if (shape.length === 0 || x.size === 0 || isComplex(dtype)) return x
  const elements: TypedArray = storage.read()
  const rows = shape[0]!
  const row = elements.length / rows
  const wide = makeStore(dtype, 2 * elements.length + 3)
  for (let i = 0; i < rows; i++) {
    const from = rows - 1 - i
    wide.set(elements.subarray(from * row, (from + 1) * row), 3 + 2 * i * row)
  }
  const inner = (d: number): number => shape.slice(d + 1).reduce((n, extent) => n * extent, 1)
  const layout: Layout = {
    offset: 3 + 2 * (rows - 1) * row,
    strides: shape.map((_, d) => (d === 0 ? -2 * row : inner(d))),
  }
  return new Concrete(aval, new Storage(wide), layout)
}

const eagerLaw = (sample: Sample): void => {
  const inputs = sample.inputs(seeded(11))
  const types = inputs.map((x) => x.aval)
  const { graph } = trace('law', sample.run, types)
  const want = evaluateGraphConcrete(
    graph,
    inputs.map((x) => x.concrete('law')),
  )
  expectSame(sample.run(...inputs), want, 'first use')
  expectSame(sample.run(...inputs.map(asView)), want, 'first use, of views')
  compilingAtOnce(() => {
    expectSame(sample.run(...inputs), want, 'compiled')
    expectSame(sample.run(...inputs), want, 'compiled before')
    expectSame(sample.run(...inputs.map(asView)), want, 'compiled, on views')
  })
}

describe.each<[string, readonly Sample[]]>(Object.entries(samples))('%s', (_, cases) => {
  test.each(cases.map((sample) => [sample.label, sample] as const))('%s', (__, sample) =>
    eagerLaw(sample),
  )
})

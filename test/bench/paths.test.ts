/** What the benchmarks measure as compiled is compiled, and computes what the interpreter does. */
import type * as Core from '@cotangent/core'
import type { Benchmark, Contenders, Contest } from '@cotangent/bench/benchmark'
import { arraysOf, difference } from '@cotangent/bench/samples'
import { themes } from '@cotangent/bench/suites/index'
import { describe, expect, test, vi } from 'vitest'
import { expectKernels } from './kernels.ts'

const evaluations = vi.hoisted(() => ({ count: 0 }))

// Every way into the reference interpreter, counted.
vi.mock('../../packages/core/src/evaluate.ts', async (original) => {
  const actual = await original<typeof Core>()
  const counted =
    <A extends readonly unknown[], R>(f: (...args: A) => R) =>
    (...args: A): R => {
      evaluations.count++
      return f(...args)
    }
  return {
    ...actual,
    evaluateArrays: counted(actual.evaluateArrays),
    evaluateConcrete: counted(actual.evaluateConcrete),
    evaluateGraph: counted(actual.evaluateGraph),
    evaluateGraphConcrete: counted(actual.evaluateGraphConcrete),
  }
})

/** How often the interpreter is entered. */
const evaluationsIn = (run: () => unknown): number => {
  const before = evaluations.count
  run()
  return evaluations.count - before
}

const contender = (contenders: Contenders, name: string): (() => unknown) => {
  const run = contenders[name]
  if (run === undefined) throw new Error(`there is no contender ${name}`)
  return run
}

const numbersOf = (run: () => unknown): readonly Float64Array[] =>
  // Read at once: a training step overwrites the state that it is given.
  arraysOf(run()).map((values) => Float64Array.from(values))

const expectCompiledPaths = (
  { operations, sameResult }: Benchmark,
  { contenders, compiled }: Contest,
): void => {
  const interpreted = contender(contenders, 'interpreter')
  const want = numbersOf(interpreted)
  expect(evaluationsIn(interpreted)).toBeGreaterThan(0)
  expect(compiled!.length).toBeGreaterThan(0)
  for (const { name, lower } of compiled!) {
    const run = contender(contenders, name)
    expect(difference(numbersOf(run), want), name).toBeLessThanOrEqual(sameResult)
    expect(evaluationsIn(run), name).toBe(0)
    expectKernels(lower(), operations ?? [])
  }
}

for (const { title, benchmarks } of themes) {
  describe(title, () => {
    for (const benchmark of benchmarks) {
      const { name, prepare, operations } = benchmark
      if (operations !== undefined) {
        test(`${name}: every call runs compiled kernels alone`, () =>
          expectCompiledPaths(benchmark, prepare('small')))
        continue
      }
      test(`${name}: the contenders give the same`, () => {
        const results = Object.values(prepare('small').contenders).map((run) => arraysOf(run()))
        for (const result of results) expect(difference(results[0]!, result)).toBe(0)
      })
    }
  })
}

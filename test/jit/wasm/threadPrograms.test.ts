/** Large random programs: js = wasm = interpreter, and the same bits on any number of threads. */
import { type Tensor, interpret } from '@cotangent/core'
import { type Jitted, getThreads, jit, setThreads, threads } from '@cotangent/jit'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { expectSame, scaleOf } from '../random/compare.ts'
import { runWatchedWasm } from '../random/watchWasm.ts'
import { type Program, largeInputsOf, outputsOf, programs, valuesOf } from '../random/program.ts'

const options = { exactOnly: false, reversible: false, forward: false, sizeLimit: 20_000 }
const runs = Number(process.env['PROGRAM_RUNS'] ?? 40)

type Run = (...xs: readonly Tensor[]) => readonly Tensor[]

const threadsBefore = getThreads()
beforeAll(() => threads.setForksAlways(true))
afterAll(() => {
  threads.setForksAlways(false)
  setThreads(threadsBefore)
})

interface Known {
  readonly program: Program
  readonly inputs: readonly Tensor[]
  readonly compiled: Jitted<readonly Tensor[], readonly Tensor[]>
  /** What one thread gives. */
  readonly results: readonly Tensor[]
}

/** Compares both back ends with the interpreter; elementwise results and integers to the bit. */
const known = (program: Program): Known => {
  const inputs = largeInputsOf(program)
  const tolerances: number[] = []
  const all = interpret((...xs: readonly Tensor[]) => {
    const values = valuesOf(program, xs, options)
    const chosen = outputsOf(program, values)
    tolerances.splice(0, Infinity, ...chosen.map((v) => v.tolerance))
    return { values: values.map((v) => v.tensor), chosen: chosen.map((v) => v.tensor) }
  })(...inputs)
  const scale = scaleOf(all.values)
  const run: Run = (...xs) =>
    outputsOf(program, valuesOf(program, xs, options)).map((v) => v.tensor)
  const agree = (results: readonly Tensor[], name: string): void =>
    results.forEach((got, i) =>
      expectSame(got, all.chosen[i]!, tolerances[i]!, scale, `${name} ${i} of ${text(program)}`),
    )
  agree(jit(run, { backend: 'js' })(...inputs), 'js')
  const compiled = jit(run, { backend: 'wasm' })
  const results = compiled(...inputs)
  agree(results, 'wasm')
  runWatchedWasm(
    compiled.lower(...inputs).compile(),
    inputs.map((x) => x.storage.read()),
  )
  return { program, inputs, compiled, results }
}

const text = (program: Program): string => JSON.stringify(program)

test('back ends agree, and threads to the bit', () => {
  setThreads(1)
  const all = fc.sample(programs(8, 1), runs).map(known)
  for (const count of [2, 3]) {
    setThreads(count)
    // Workers come to the later ones at least, and find what earlier ones left.
    for (let again = 0; again < 2; again++) {
      for (const { program, inputs, compiled, results } of all) {
        compiled(...inputs).forEach((got, i) =>
          expectSame(got, results[i]!, 0, 1, `${count} threads, ${i} of ${text(program)}`),
        )
      }
    }
  }
  expect(all).toHaveLength(runs)
})

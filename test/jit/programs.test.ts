/** Random programs of everything: compiled = interpreted, with every transform and with donation. */
import { type Tensor, check, grad, interpret, jvp, tensor, vmap } from '@cotangent/core'
import { type CodeBackend, compilingAtOnce, jit } from '@cotangent/jit'
import { np } from '@cotangent/ops'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { expectSame, scaleOf } from './random/compare.ts'
import { checkPlan } from './random/memory.ts'
import { type Program, asViews, inputsOf, outputsOf, programs, valuesOf } from './random/program.ts'
import { runWatched } from './random/watch.ts'
import { runWatchedWasm } from './random/watchWasm.ts'

const any = { exactOnly: false, reversible: false, forward: false }
const runs = Number(process.env['PROGRAM_RUNS'] ?? 100)
// A counterexample is worth more than the smallest one.
const patience = { interruptAfterTimeLimit: 50_000 }

type Run = (...xs: readonly Tensor[]) => readonly Tensor[]

const returned =
  (program: Program): Run =>
  (...xs) =>
    outputsOf(program, valuesOf(program, xs, any)).map((v) => v.tensor)

const agree = (program: Program, backend: CodeBackend): void => {
  const inputs = inputsOf(program)
  const before = inputs.map((x) => x.data())
  const tolerances: number[] = []
  const all = interpret((...xs: readonly Tensor[]) => {
    const values = valuesOf(program, xs, any)
    const chosen = outputsOf(program, values)
    tolerances.splice(0, Infinity, ...chosen.map((v) => v.tolerance))
    return { values: values.map((v) => v.tensor), chosen: chosen.map((v) => v.tensor) }
  })(...inputs)
  const compiled = jit(returned(program), { backend })
  for (const stage of compiled.lower(...inputs).stages) check(stage.graph, stage.pass)
  const scale = scaleOf(all.values)
  const first = compiled(...inputs)
  first.forEach((got, i) => expectSame(got, all.chosen[i]!, tolerances[i]!, scale, `output ${i}`))
  // A second call finds the same memory, used; elements may lie anywhere.
  compiled(...inputs).forEach((got, i) => expectSame(got, first[i]!, 0, 1, `output ${i} again`))
  const views = asViews(inputs)
  compiled(...views).forEach((got, i) => expectSame(got, first[i]!, 0, 1, `output ${i} of views`))
  inputs.forEach((x, i) => expect(x.data()).toEqual(before[i]))
}

// Small programs would all be JavaScript.
const backends = ['js', 'wasm'] as const

test.each(backends)('compiled = interpreted: %s', (backend) => {
  fc.assert(
    fc.property(programs(), (program) => agree(program, backend)),
    { numRuns: runs, ...patience },
  )
})

const keepMemory = (program: Program, donated: readonly boolean[], backend: CodeBackend): void => {
  const donate = inputsOf(program).flatMap((_, i) => (donated[i] === true ? [i] : []))
  const want = jit(returned(program), { backend })(...inputsOf(program))
  const donating = jit(returned(program), { donate, backend })
  const executable = donating.lower(...inputsOf(program)).compile()
  checkPlan(executable)
  const watch = backend === 'js' ? runWatched : runWatchedWasm
  watch(
    executable,
    inputsOf(program).map((x) => x.storage.read()),
  )
  for (const inputs of [inputsOf(program), asViews(inputsOf(program))]) {
    donating(...inputs).forEach((got, i) =>
      expectSame(got, want[i]!, 0, 1, `output ${i} with arguments ${donate.join(', ')} donated`),
    )
  }
}

test.each(backends)(
  'memory holds what is still to be read, kernels stay inside it, donation changes no result: %s',
  (backend) => {
    const donated = fc.array(fc.boolean(), { minLength: 5, maxLength: 5 })
    const keep = fc.property(programs(), donated, (program, given) =>
      keepMemory(program, given, backend),
    )
    fc.assert(keep, { numRuns: Math.ceil(runs / 2), ...patience })
  },
)

const smooth = { exactOnly: false, reversible: true, forward: true }

/** The approximate float32 outputs, as one number: what there is to differentiate. */
const lossOf =
  (program: Program) =>
  (...xs: readonly Tensor[]): Tensor => {
    const values = valuesOf(program, xs, smooth)
    const floats = values.filter((v) => v.tensor.dtype === 'float32')
    const chosen = outputsOf(program, floats).map(({ tensor }) => np.tanh(np.nanToNum(tensor)))
    return chosen.reduce((sum, y) => sum.add(y.sum()), tensor(0))
  }

const derivatives: readonly (readonly [
  string,
  (f: (...xs: readonly Tensor[]) => Tensor) => (...xs: readonly Tensor[]) => readonly Tensor[],
])[] = [
  [
    'grad',
    (f) =>
      (...xs) =>
        grad((ys: readonly Tensor[]) => f(...ys))(xs),
  ],
  [
    'jvp',
    (f) =>
      (...xs) =>
        jvp(f, xs, xs),
  ],
  [
    'vmap',
    (f) =>
      (...xs) => [vmap((s: Tensor) => f(...xs.map((x) => x.mul(s))))(np.array([1, -0.5]))],
  ],
]

const eager = (program: Program): void => {
  const inputs = inputsOf(program, true)
  const f = lossOf(program)
  for (const [name, of] of derivatives) {
    const want = interpret(of(f))(...inputs)
    const scale = scaleOf([...want, ...inputs])
    const ways = { [name]: of(f)(...inputs), kernels: compilingAtOnce(() => of(f)(...inputs)) }
    for (const [which, results] of Object.entries(ways)) {
      results.forEach((got, i) => expectSame(got, want[i]!, 5e-3, scale, `eager ${which}, ${i}`))
    }
  }
}

test('eager operations, new and compiled, under every transform', () => {
  fc.assert(fc.property(programs(8, 1), eager), { numRuns: Math.ceil(runs / 5), ...patience })
})

const transform = (program: Program): void => {
  const inputs = inputsOf(program, true)
  const f = lossOf(program)
  for (const [name, of] of derivatives) {
    const want = interpret(of(f))(...inputs)
    const scale = scaleOf([...want, ...inputs])
    const compiled = {
      [`jit of ${name}`]: jit(of(f), { backend: 'wasm' }),
      [`jit of ${name} in JavaScript`]: jit(of(f), { backend: 'js' }),
      [`${name} of jit`]: of(jit(f)),
    }
    for (const [which, run] of Object.entries(compiled)) {
      run(...inputs).forEach((got, i) => expectSame(got, want[i]!, 5e-3, scale, `${which}, ${i}`))
    }
    for (const { pass, graph } of jit(of(f)).lower(...inputs).stages) check(graph, pass)
  }
}

test('transforms of compiled functions, compiled transforms of functions', () => {
  fc.assert(fc.property(programs(8, 1), transform), { numRuns: Math.ceil(runs / 5), ...patience })
})

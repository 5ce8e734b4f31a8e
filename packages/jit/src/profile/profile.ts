/** `jit.profile`: where the time of a compiled function goes. */
import {
  CotangentError,
  type Storage,
  UnsupportedError,
  leafTensor,
  requireFunction,
  requireOptions,
} from '@cotangent/core'
import { makeDriver } from '../driver/driver.ts'
import { type Executable, isAvailable } from '../executable.ts'
import { type Inside, insideOf } from '../inside.ts'
import type { KernelStep, Step } from '../program.ts'
import { runOn } from '../run.ts'
import { jsTarget, wasmTarget } from '../target.ts'
import { type Call, compileVariant } from '../variant.ts'
import { WasmProgram } from '../wasm/executable.ts'
import { getThreads } from '../wasm/threads/index.ts'
import type { CompileRow, ProfileSpan } from './data.ts'
import { factsOf } from './facts.ts'
import type { Observer } from './observer.ts'
import { Recorder, undisturbed } from './recorder.ts'
import { Profile } from './result.ts'
import { measuredRoofs } from './roofs.ts'
import { type Site, rowsOf, totalOf } from './rows.ts'
import { type StageTimes, compileStages, measureStages, stage } from './stopwatch.ts'

export interface ProfileOptions {
  /** How many calls are observed: 10 unless told. */
  readonly repeat?: number
  /** How many calls are made before, in which the engine improves its code: 5 unless told. */
  readonly warmup?: number
}

/** Makes a profile of a compiled function. */
export type ProfileFunction = <A extends readonly unknown[]>(
  f: (...args: A) => unknown,
  options?: ProfileOptions,
) => (...args: A) => Profile

/** `jit.profile`, given `jit`. */
export const profileWith =
  (jit: (f: (...args: never[]) => unknown) => object): ProfileFunction =>
  (f, options = {}) => {
    requireFunction('jit.profile', f)
    requireOptions('jit.profile', options, ['repeat', 'warmup'])
    const { repeat = 10, warmup = 5 } = options
    requireCount('repeat', repeat, 1)
    requireCount('warmup', warmup, 0)
    const inside = insideOf(f) ?? insideOf(jit(f))
    return (...args) => profileCall(inside!, args, repeat, warmup)
  }

const requireCount = (name: string, value: number, least: number): void => {
  if (Number.isInteger(value) && value >= least) return
  throw new CotangentError({
    operation: 'jit.profile',
    problem: `${name} counts calls`,
    got: String(value),
    want: `a whole number from ${least}`,
    fix: `leave ${name} out, or give a whole number`,
  })
}

const profileCall = (
  inside: Inside,
  args: readonly unknown[],
  repeat: number,
  warmup: number,
): Profile => {
  if (inside.isInterpreted || !isAvailable(undefined)) {
    throw new UnsupportedError({
      operation: 'jit.profile',
      problem: 'an interpreted function has no kernels',
      got: inside.name,
      fix: "leave out backend: 'interpret', and allow the page to generate code",
    })
  }
  const call = inside.prepare(args)
  const inputs = call.leaves.map((leaf) => leafTensor(leaf).concrete('jit.profile').storage)
  const [executable, stages] = measureStages(() => {
    const variant = stage('trace', () => inside.trace(args, call))
    return compileVariant(variant, call.donated)
  })
  requireAtOnce(executable, inside.name)
  const firstRun = timed(() => runOnce(executable, inputs, call))
  const recorder = new Recorder()
  const { sites, observed } = observe(executable, recorder)
  const plain: number[] = []
  for (let i = 0; i < warmup; i++) runOnce(executable, inputs, call)
  for (let i = 0; i < repeat; i++) plain.push(timed(() => runOnce(executable, inputs, call)))
  for (let i = 0; i < warmup; i++) runOnce(observed, inputs, call)
  for (let i = 0; i < repeat; i++) recorder.record(() => runOnce(observed, inputs, call))

  const calls = undisturbed(recorder.calls)
  const roofs = measuredRoofs()
  const numbered = rowsOf(sites, calls, roofs)
  const rows = numbered.map(([, row]) => row)
  const data = {
    name: inside.name === '' ? 'a nameless function' : inside.name,
    backend: executable.code.tag,
    threads: executable.code.tag === 'wasm' ? getThreads() : 1,
    repeat,
    roofs,
    rows,
    total: totalOf(rows, calls, fasterHalf(plain)),
    compile: compileRows(stages, firstRun),
  }
  return new Profile(data, timelineOf(recorder, new Map(numbered.map(([site], n) => [site, n]))))
}

// What stands in for a module until it is compiled has other kernels.
const requireAtOnce = ({ code }: Executable, name: string): void => {
  if (code.tag === 'js' || code.program.start()) return
  throw new UnsupportedError({
    operation: 'jit.profile',
    problem: 'this thread may not compile so long a module at once',
    got: `${code.program.module.bytes.length} bytes for ${name === '' ? 'a nameless function' : name}`,
    fix: 'profile it in a worker, or profile its parts',
  })
}

const timed = (use: () => unknown): number => {
  const start = performance.now()
  use()
  return performance.now() - start
}

const fasterHalf = (times: readonly number[]): number => {
  const best = times.toSorted((a, b) => a - b).slice(0, Math.ceil(times.length / 2))
  return best.reduce((a, b) => a + b, 0) / best.length
}

// What is donated is shared, so that the caller keeps it: the call works on a copy.
const runOnce = (executable: Executable, inputs: readonly Storage[], { donated }: Call): void => {
  const given = inputs.map((storage, i) => (donated[i] === true ? storage.share() : storage))
  runOn(executable, given, donated)
}

/** The same executable with clocks around its steps. */
const observe = (
  executable: Executable,
  { mark, forked }: Recorder,
): { readonly sites: readonly Site[]; readonly observed: Executable } => {
  const { program, plan, origins, code } = executable
  const facts = factsOf(program, code.tag === 'js' ? jsTarget : wasmTarget)
  const numbers = new Map<Step, number>([...facts.keys()].map((step, n) => [step, n]))
  const observer: Observer = { sites: numbers, mark, forked }
  const sitesWith = (sources: ReadonlyMap<KernelStep, string>): readonly Site[] =>
    [...facts].map(([step, known]) => ({
      facts: known,
      source: sourceOf(step, sources),
    }))
  if (code.tag === 'js') {
    const driver = makeDriver(program, plan, observer)
    return {
      sites: sitesWith(driver.sources),
      observed: { ...executable, code: { tag: 'js', driver }, run: driver.run },
    }
  }
  const observedProgram = new WasmProgram(program, plan, origins, 'jit.profile', observer)
  requireAtOnce({ ...executable, code: { tag: 'wasm', program: observedProgram } }, 'jit.profile')
  return {
    sites: sitesWith(observedProgram.sources),
    observed: { ...executable, code: { tag: 'wasm', program: observedProgram } },
  }
}

// Of kernels that run at once each different one.
const sourceOf = (step: Step, sources: ReadonlyMap<KernelStep, string>): string => {
  if (step.tag === 'kernel') return sources.get(step) ?? ''
  if (step.tag !== 'together') return ''
  return [...new Set(step.parts.map((part) => sources.get(part) ?? ''))].join('\n\n')
}

const compileRows = (times: StageTimes, firstRun: number): readonly CompileRow[] => [
  ...compileStages.flatMap((name): readonly CompileRow[] => {
    const time = times.get(name)
    return time === undefined ? [] : [{ stage: name, time }]
  }),
  { stage: 'first run', time: firstRun },
]

const timelineOf = (
  { calls, spans, dropped }: Recorder,
  rowOfSite: ReadonlyMap<number, number>,
): ConstructorParameters<typeof Profile>[1] => {
  const zero = calls[0]?.start ?? 0
  return {
    calls: calls.map(({ start, end }) => ({ start: start - zero, end: end - zero })),
    spans: spans.flatMap(({ site, start, end }): readonly ProfileSpan[] => {
      const row = rowOfSite.get(site)
      return row === undefined ? [] : [{ row, start: start - zero, end: end - zero }]
    }),
    dropped,
  }
}

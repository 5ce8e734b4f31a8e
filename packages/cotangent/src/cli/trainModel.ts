/** A whole run: training, testing after each epoch, and what there is to learn about the step. */
import { type Tensor, interpret, tree } from '@cotangent/core'
import { type Profile, jit } from '@cotangent/jit'
import { nn, optim, train } from '@cotangent/nn'
import { random } from '@cotangent/ops'
import type { CompileStage, GraphText, KernelTime, TestPoint } from '../report/data.ts'
import { testBatches, trainingBatches } from './batches.ts'
import { filterBanks, judge } from './findings.ts'
import type { Job } from './job.ts'
import { type Outcome, median } from './outcome.ts'

const testBatchSize = 500
/** Interpreted steps for the ratio, and profiled ones for the table of kernels. */
const interpretedSteps = 3
const profiledSteps = 10
const warmupSteps = 3

export const trainModel = async <P, S>(
  model: nn.Layer<P, S, string, Tensor, Tensor>,
  job: Job,
): Promise<Outcome> => {
  const { options, digits, progress, signal } = job
  const key = random.key(options.seed)
  const batches = trainingBatches(digits.train, options.batch, random.foldIn(key, 2))
  const stepsPerEpoch = Math.floor(digits.train.size / options.batch)
  const steps = stepsPerEpoch * options.epochs
  const objective = {
    model,
    loss: nn.losses.softmaxCrossEntropy,
    metrics: { accuracy: nn.metrics.accuracy },
    // Falling to zero along a cosine: the last steps polish instead of wandering.
    optimizer: optim.adam(optim.cosineDecay(options.learningRate, steps)),
  }
  const evaluate = train.evaluator(objective)
  const loss: number[] = []
  const accuracy: number[] = []
  const seconds: number[] = []
  const tests: TestPoint[] = []
  const started = performance.now()
  let final: { readonly params: P; readonly state: S } = model.init(
    random.foldIn(key, 0),
    [1, 1, 28, 28],
  )
  let trainSeconds = 0

  const run = train.fit({
    ...objective,
    data: batches,
    key,
    epochs: options.epochs,
    interpret: options.interpret,
    signal,
  })
  let epochStarted = started
  let last: { readonly step: number; readonly params: P; readonly state: S } | null = null
  const testNow = async (): Promise<TestPoint | undefined> => {
    if (last === null || tests.at(-1)?.step === last.step) return undefined
    final = { params: last.params, state: last.state }
    trainSeconds = (performance.now() - started) / 1000
    const test = await evaluate(final, testBatches(digits.test, testBatchSize))
    const point = {
      step: last.step,
      loss: test.loss,
      accuracy: test.metrics['accuracy'] ?? Number.NaN,
    }
    tests.push(point)
    return point
  }
  for await (const snapshot of run) {
    last = snapshot
    loss.push(snapshot.loss)
    accuracy.push(snapshot.metrics['accuracy'] ?? Number.NaN)
    seconds.push(snapshot.seconds)
    progress.step({
      epoch: snapshot.epoch,
      epochs: options.epochs,
      step: snapshot.batch,
      steps: stepsPerEpoch,
      examples: snapshot.examples,
      loss: snapshot.running.loss,
      accuracy: snapshot.running.metrics['accuracy'] ?? Number.NaN,
    })
    if (!snapshot.isEndOfEpoch) continue
    const test = await testNow()
    progress.epoch({
      epoch: snapshot.epoch,
      epochs: options.epochs,
      loss: snapshot.running.loss,
      accuracy: snapshot.running.metrics['accuracy'],
      testLoss: test?.loss,
      testAccuracy: test?.accuracy,
      seconds: (performance.now() - epochStarted) / 1000,
    })
    epochStarted = performance.now()
  }
  // After Ctrl-C the last state has not been tested yet.
  await testNow()
  progress.finish()

  const study = studyStep(objective, model, final, job, batches(0))
  const judged = judge(model, final.params, final.state, digits.test)
  const compiled = options.interpret ? study.compiledSeconds : median(seconds.slice(1))
  return {
    parameters: tree.size(final.params),
    steps: loss.length,
    stepsPerEpoch,
    loss,
    accuracy,
    tests,
    trainSeconds,
    examplesPerSecond: (loss.length * options.batch) / seconds.reduce((a, b) => a + b, 0),
    compileSeconds: study.compileSeconds,
    compiledStepSeconds: compiled,
    interpretedStepSeconds: options.interpret ? median(seconds) : study.interpretedSeconds,
    ...judged,
    filters: filterBanks(final.params),
    graphs: study.graphs,
    kernels: study.kernels,
    threads: study.threads,
    roofs: study.roofs,
    firstCall: study.firstCall,
    kernelRuns: profiledSteps,
    interrupted: signal.aborted,
  }
}

interface Study {
  readonly compileSeconds: number
  readonly compiledSeconds: number | undefined
  readonly interpretedSeconds: number | undefined
  readonly graphs: readonly GraphText[]
  readonly kernels: readonly KernelTime[]
  readonly threads: number
  readonly roofs: string
  readonly firstCall: readonly CompileStage[]
}

type Objective<P, S> = Parameters<typeof train.makeStep<P, S, Tensor, Tensor, Tensor, unknown>>[0]

/** The training step itself: compiled anew to be timed, profiled, and run interpreted. */
const studyStep = <P, S>(
  objective: Objective<P, S>,
  model: nn.Layer<P, S, string, Tensor, Tensor>,
  variables: { readonly params: P; readonly state: S },
  { options, say }: Job,
  batches: Iterable<{ readonly x: Tensor; readonly y: Tensor }>,
): Study => {
  const step = train.makeStep(objective)
  const [batch] = batches
  if (batch === undefined) throw new Error(`no batch of ${options.batch} examples`)
  const start = { ...variables, optimizerState: objective.optimizer.init(variables.params) }
  const args = [start, batch.x, batch.y, random.key(options.seed), 0] as const
  const compiled = jit(step)
  const before = performance.now()
  const lowered = compiled.lower(...args)
  const compileSeconds = (performance.now() - before) / 1000
  const profile = jit.profile(compiled, { repeat: profiledSteps, warmup: warmupSteps })(...args)
  say(
    `running ${interpretedSteps} steps of ${model.name === '' ? 'the model' : options.model} interpreted, for comparison`,
  )
  const interpreted = interpret(step)
  const interpretedSeconds = median(timed(() => interpreted(...args), interpretedSteps))
  return {
    compileSeconds,
    compiledSeconds: profile.total.unobserved / 1000,
    interpretedSeconds,
    graphs: [
      {
        label: 'As traced',
        equations: lowered.ir.graph.equations.length,
        text: String(lowered.ir),
      },
      {
        label: 'Which equations share a kernel',
        equations: lowered.kernels.length,
        text: lowered.clusters,
      },
      {
        label: 'After optimisation',
        equations: lowered.optimized.graph.equations.length,
        text: String(lowered.optimized),
      },
    ],
    kernels: kernelsOf(profile),
    threads: profile.threads,
    roofs: roofsOf(profile),
    firstCall: profile.compile.map(({ stage, time }) => ({ name: stage, seconds: time / 1000 })),
  }
}

const kernelsOf = ({ rows, total }: Profile): readonly KernelTime[] => [
  ...rows.map((row) => ({
    name: row.inside === '' ? row.name : `${row.name} (${row.inside})`,
    calls: row.calls,
    totalSeconds: row.time / 1000,
    flopsPerSecond: row.flopsPerSecond,
    bytesPerSecond: row.bytesPerSecond,
    roof: row.roof,
    bound: row.bound,
    threads: row.threads,
    why: [`Apart: ${row.apart}.`, ...row.stored.map((reason) => `In memory: ${reason}.`)],
    source: row.source,
  })),
  { name: 'arguments, results, loops', calls: 1, totalSeconds: total.other / 1000 },
]

const roofsOf = ({ roofs: { flopsPerSecond, memory } }: Profile): string => {
  const giga = (value: number): string => (value / 1e9).toFixed(0)
  const moved = memory.map(({ bytesPerSecond }) => giga(bytesPerSecond)).join(', ')
  return `One thread of this machine was measured to do ${giga(flopsPerSecond)} GFLOP/s and to move ${moved} GB/s (in the first cache, in the second, in memory). “Of roof” is the time that a kernel would take at these rates on its threads, as a part of the time it took.`
}

const timed = (f: () => unknown, runs: number): readonly number[] =>
  Array.from({ length: runs }, () => {
    const start = performance.now()
    f()
    return (performance.now() - start) / 1000
  })

/** What is paid around the arithmetic: calling, tracing, compiling. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Tensor } from '@cotangent/core'
import { jit } from '@cotangent/jit'
import { type Benchmark, type Reading, type Theme, compiledContest } from '../benchmark.ts'
import { normal } from '../inputs.ts'
import { lenetInputs, lenetState, lenetStep } from './lenet.ts'

const tiny = (x: Tensor): Tensor => x.mul(2).add(1).tanh()

/** So small that `jit` itself does not choose WebAssembly, which costs more to enter. */
const smallCall: Benchmark = {
  name: 'call of a compiled three-operation function, 10 elements',
  prepare: () => {
    const args: [Tensor] = [normal(1, [10])]
    const chosen = jit(tiny)
    const { contenders, ...rest } = compiledContest(tiny, args)
    return { contenders: { 'as chosen': () => chosen(...args), ...contenders }, ...rest }
  },
  sameResult: 1e-6,
  targets: [{ tag: 'time', below: 2e-6 }],
  operations: ['tanh'],
}

const eagerAdd: Benchmark = {
  name: 'eager addition, 10 elements',
  prepare: () => {
    const [x, y] = [normal(1, [10]), normal(2, [10])]
    return { contenders: { eager: () => x.add(y) } }
  },
  sameResult: 0,
  targets: [{ tag: 'time', below: 1e-6 }],
}

const compileLenet: Benchmark = {
  name: 'tracing and compiling the LeNet step, once warm',
  prepare: () => {
    const { images, targets, key } = lenetInputs(64)
    const state = lenetState(64)
    const compile = (): number =>
      jit(lenetStep, { donate: [0] }).lower(state, images, targets, key, 0).kernels.length
    return { contenders: { compiler: compile } }
  },
  sameResult: 0,
  targets: [{ tag: 'time', below: 0.12 }],
}

/** In processes of their own, where the compiler's own code has never run: what a user waits for. */
const coldCompile: Reading = {
  name: 'tracing and compiling the LeNet step, in a new process',
  read: (isQuick) => Array.from({ length: isQuick ? 1 : 5 }, readColdStart),
  targets: [{ tag: 'time', below: 0.12 }],
}

const readColdStart = (): number => {
  const program = fileURLToPath(new URL('../coldStart.js', import.meta.url))
  const { status, stdout, stderr } = spawnSync(process.execPath, [program], { encoding: 'utf8' })
  const milliseconds = Number(stdout)
  if (status === 0 && milliseconds > 0) return milliseconds / 1000
  throw new Error(`the process for a cold start failed: ${stderr}`)
}

export const overhead: Theme = {
  name: 'overhead',
  title: 'Overhead',
  benchmarks: [smallCall, eagerAdd, compileLenet],
  readings: [coldCompile],
}

/** Whole training steps: LeNet-5, ResNet-20, and a recurrent language model. */
import { jit } from '@cotangent/jit'
import {
  type Benchmark,
  type Size,
  type Theme,
  contestOfWays,
  overInterpreter,
} from '../benchmark.ts'
import { charLstmCase } from '../peers/cases/models.ts'
import { resnet20Case } from '../peers/cases/resnet20.ts'
import { type Case, type Context, contextFor } from '../peers/workload.ts'
import { type LenetState, lenetInputs, lenetState, lenetStep } from './lenet.ts'

type Stepper = (...args: Parameters<typeof lenetStep>) => ReturnType<typeof lenetStep>

/** Steps on from its own last state, as training does: every call does the same work. */
const stepping = (step: Stepper, batch: number): (() => unknown) => {
  const { images, targets, key } = lenetInputs(batch)
  let current: LenetState = lenetState(batch)
  let done = 0
  return () => {
    const result = step(current, images, targets, key, done)
    current = result.next
    done++
    return result
  }
}

const lenet: Benchmark = {
  name: 'LeNet-5, batch 64: forward, gradient, Adam, accuracy',
  prepare: (size) => {
    const batch = size === 'full' ? 64 : 2
    const { images, targets, key } = lenetInputs(batch)
    return contestOfWays((backend) => {
      const compiled = jit(lenetStep, { donate: [0], backend })
      return {
        run: stepping(compiled, batch),
        lower: () => compiled.lower(lenetState(batch), images, targets, key, 0),
      }
    })
  },
  sameResult: 1e-3,
  targets: overInterpreter(20),
  operations: ['conv', 'dotGeneral', 'reduceWindowSum', 'tanh', 'argmax'],
}

/** A step that is measured against other libraries as well. */
const shared = (
  name: string,
  caseFor: (context: Context, size: Size) => Case,
  operations: readonly string[],
  sameResult = 1e-3,
): Benchmark => ({
  name,
  prepare: (size) =>
    contestOfWays((backend) => {
      const { run, lower } = caseFor(contextFor(backend), size)
      return { run, lower: lower! }
    }),
  sameResult,
  targets: overInterpreter(20),
  operations,
})

export const trainingStep: Theme = {
  name: 'training',
  title: 'Training step',
  benchmarks: [
    lenet,
    shared(
      'ResNet-20, batch 32: forward, gradient, momentum',
      (context, size) => resnet20Case(context, size === 'full' ? 32 : 2),
      ['conv', 'dotGeneral', 'reduceSum'],
      // A ReLU whose input is within rounding of zero passes or stops its whole cotangent.
      0.05,
    ),
    shared(
      'character LSTM, 64 steps, batch 32: forward, gradient, Adam',
      (context, size) => (size === 'full' ? charLstmCase(context) : charLstmCase(context, 5, 2)),
      ['dotGeneral', 'tanh'],
    ),
  ],
}

/** Whole training steps: LeNet-5, ResNet-20, a recurrent language model, and three blocks of networks. */
import { tree } from '@cotangent/core'
import { jit } from '@cotangent/jit'
import {
  type Benchmark,
  type Size,
  type Theme,
  contestOfWays,
  overInterpreter,
} from '../benchmark.ts'
import { denseBlockCase } from '../peers/cases/denseBlock.ts'
import { inceptionCase } from '../peers/cases/inception.ts'
import { charLstmCase } from '../peers/cases/models.ts'
import { resnet20Case } from '../peers/cases/resnet20.ts'
import { transformerCase } from '../peers/cases/transformer.ts'
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

interface SharedOptions {
  /** 1e-3 by default. */
  readonly sameResult?: number
  /** Of the result, what has to be the same; all of it by default. */
  readonly compared?: (result: unknown) => unknown
}

/** A step that is measured against other libraries as well. */
const shared = (
  name: string,
  caseFor: (context: Context, size: Size) => Case,
  operations: readonly string[],
  { sameResult = 1e-3, compared = (result) => result }: SharedOptions = {},
): Benchmark => ({
  name,
  prepare: (size) =>
    contestOfWays((backend) => {
      const { run, lower } = caseFor(contextFor(backend), size)
      return { run: () => compared(run()), lower: lower! }
    }),
  sameResult,
  targets: overInterpreter(20),
  operations,
})

/**
 * A ReLU whose input is within rounding of zero passes or stops its whole cotangent, and so does an element
 * that is nearly the maximum of its window.
 */
const switched: SharedOptions = { sameResult: 0.05 }

/**
 * All but the bias of the keys: it adds the same to every product of a query, which softmax does not see. Its
 * gradient is rounding and nothing else, and Adam makes whole steps of that.
 */
const withoutKeyBias = (result: unknown): unknown =>
  tree.mapWithPath((path, leaf) => (path.endsWith('key.bias') ? 0 : leaf), result)

export const trainingStep: Theme = {
  name: 'training',
  title: 'Training step',
  benchmarks: [
    lenet,
    shared(
      'ResNet-20, batch 32: forward, gradient, momentum',
      (context, size) => resnet20Case(context, size === 'full' ? 32 : 2),
      ['conv', 'dotGeneral', 'reduceSum'],
      switched,
    ),
    shared(
      'character LSTM, 64 steps, batch 32: forward, gradient, Adam',
      (context, size) => (size === 'full' ? charLstmCase(context) : charLstmCase(context, 5, 2)),
      ['dotGeneral', 'tanh'],
    ),
    shared(
      'transformer block 16×64×128: forward, gradient, Adam',
      (context, size) =>
        size === 'full' ? transformerCase(context) : transformerCase(context, 2, 5),
      ['dotGeneral', 'reduceMax', 'exp', 'rsqrt'],
      { compared: withoutKeyBias },
    ),
    // A quarter of the batch that is compared with other libraries: the interpreter takes seconds.
    shared(
      'inception block 2×192×28×28: forward, gradient, momentum',
      (context, size) => inceptionCase(context, 2, size === 'full' ? 28 : 6),
      ['conv', 'reduceWindowMax'],
      switched,
    ),
    shared(
      'dense block of 6 layers, 2×64×28×28: forward, gradient, momentum',
      (context, size) => denseBlockCase(context, 2, size === 'full' ? 28 : 6),
      ['conv', 'reduceSum', 'rsqrt'],
      switched,
    ),
  ],
}

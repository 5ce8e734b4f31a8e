/** A whole training step of LeNet-5 at batch 64. */
import { jit } from '@cotangent/jit'
import { type Benchmark, type Theme, overInterpreter } from '../benchmark.ts'
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
    const compiled = jit(lenetStep, { donate: [0] })
    const interpreted = jit(lenetStep, { backend: 'interpret' })
    const { images, targets, key } = lenetInputs(batch)
    return {
      contenders: {
        compiled: stepping(compiled, batch),
        interpreter: stepping(interpreted, batch),
      },
      lower: () => compiled.lower(lenetState(batch), images, targets, key, 0),
    }
  },
  sameResult: 1e-3,
  targets: [overInterpreter],
  operations: ['conv', 'dotGeneral', 'reduceWindowSum', 'tanh', 'argmax'],
}

export const trainingStep: Theme = {
  name: 'training',
  title: 'Training step',
  benchmarks: [lenet],
}

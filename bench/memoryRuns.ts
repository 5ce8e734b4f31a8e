/** Long loops that nobody cleans up after, and the memory that the process takes meanwhile. */
import { jit } from '@cotangent/jit'
import { normal } from './inputs.ts'
import { lenetInputs, lenetState, lenetStep } from './suites/lenet.ts'

/** Resident memory of the process, in bytes. */
export interface MemoryUse {
  readonly start: number
  /** The most in the first quarter of the loop, while the heap finds its size. */
  readonly early: number
  /** The most after that. */
  readonly late: number
}

export const peakOf = ({ early, late }: MemoryUse): number => Math.max(early, late)

/** The most that any loop may take. */
export const memoryLimit = 1e9
/** How much more a loop may take after its first quarter than in it, where nothing is allocated. */
export const growthLimit = 64e6

/** Runs a synchronous loop, and looks at the memory every `every` turns. */
const watch = (steps: number, every: number, turn: (step: number) => void): MemoryUse => {
  const start = process.memoryUsage.rss()
  let [early, late] = [start, 0]
  for (let step = 1; step <= steps; step++) {
    turn(step)
    if (step % every !== 0 && step !== steps) continue
    const now = process.memoryUsage.rss()
    if (step <= steps / 4) early = Math.max(early, now)
    else late = Math.max(late, now)
  }
  return { start, early, late }
}

/**
 * Eager additions of `size` elements, one after the other in one synchronous loop: every result
 * is dropped at the next step, and the collector alone finds it.
 */
export const eagerAdditions = (steps: number, size = 1_000_000): MemoryUse => {
  const y = normal(2, [size])
  let x = normal(1, [size])
  return watch(steps, 16, () => {
    x = x.add(y)
  })
}

/** Compiled training steps of LeNet-5 that donate their state: they update it in place. */
export const trainingSteps = (steps: number, batch = 64): MemoryUse => {
  const { images, targets, key } = lenetInputs(batch)
  const step = jit(lenetStep, { donate: [0] })
  let state = lenetState(batch)
  return watch(steps, 4, (i) => {
    state = step(state, images, targets, key, i).next
  })
}

/** How all libraries are timed: warm up, then repeat until the median can be trusted. */
import { median } from '../samples.ts'

/** Milliseconds. */
export interface Timed {
  /** The median of one operation. */
  readonly ms: number
  /** Timed iterations. */
  readonly n: number
  readonly min: number
  /** The first iteration, with all that happens only once. */
  readonly first: number
}

const warmIterations = 3
const warmTime = 500
const longestWarmUp = 4000
/** A first iteration as slow as this is its own warm-up. */
const slowIteration = 3000
const leastIterations = 10
const leastTime = 1000
const mostTime = 6000

export const timeRuns = (run: () => unknown, operations = 1): Timed => {
  const once = (): number => {
    const start = performance.now()
    run()
    return performance.now() - start
  }
  const first = once()
  let spent = first
  const isWarm = (done: number): boolean =>
    spent > longestWarmUp || (spent >= warmTime && done >= warmIterations)
  for (let done = 1; first < slowIteration && !isWarm(done); done++) spent += once()
  const samples: number[] = []
  let total = 0
  while (total < mostTime && (samples.length < leastIterations || total < leastTime)) {
    const sample = once()
    samples.push(sample)
    total += sample
  }
  return {
    ms: median(samples) / operations,
    n: samples.length,
    min: Math.min(...samples) / operations,
    first,
  }
}

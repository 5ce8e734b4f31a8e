/** What a new process costs: the first step, and the memory after five hundred. */
import type { Context, Figures, MeasuredWorkload } from '../workload.ts'
import { lenetCase } from './models.ts'

const steps = 500
/** A library that takes longer is stopped, and says how far it came. */
const longest = 100_000

const firstCall = (context: Context): Figures => {
  const { run } = lenetCase(context)
  const start = performance.now()
  run()
  const ms = performance.now() - start
  const again = performance.now()
  run()
  return { ms, n: 1, second: performance.now() - again }
}

const peakMemory = (context: Context): Figures => {
  const { run } = lenetCase(context)
  const start = performance.now()
  let n = 0
  while (n < steps && performance.now() - start < longest) {
    run()
    n++
  }
  return { mb: process.resourceUsage().maxRSS / 1024, n, ms: (performance.now() - start) / n }
}

export const processes: readonly MeasuredWorkload[] = [
  {
    id: 'lenet_first_call',
    group: 'first',
    title: 'LeNet-5 step, first call: trace, compile, run',
    unit: 'ms',
    measure: firstCall,
  },
  {
    id: 'rss_lenet500',
    group: 'rss',
    title: 'peak memory of 500 LeNet-5 steps',
    unit: 'MB',
    measure: peakMemory,
  },
]

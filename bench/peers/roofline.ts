/**
 * The least time that the roofs of this machine allow each workload, kernel by kernel, in a process of
 * its own: prints one JSON line for each workload.
 *
 *     node bench/dist/peers/roofline.js --threads 2 --only lstm_fwd
 */
import { writeSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { Profile } from '@cotangent/jit'
import { useThreads } from '../backends.ts'
import { type RooflineLine, leastTime } from './leastTime.ts'
import { contextFor } from './workload.ts'
import { workloads } from './workloads.ts'

const usage = `node bench/dist/peers/roofline.js [options]

  --threads N      1 or 2
  --only A,B       these workloads`

const { values } = parseArgs({
  options: {
    threads: { type: 'string', default: '1' },
    only: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

const lineOf = (workload: string, threads: number, profile: Profile): RooflineLine => ({
  workload,
  threads,
  ms: profile.total.unobserved,
  least: leastTime(profile),
})

const main = (threads: number): void => {
  const only = values.only?.split(',')
  useThreads(threads)
  const context = contextFor()
  for (const workload of workloads) {
    // Microseconds are overhead, and what measures itself has no kernels of its own.
    const isMeant = only === undefined ? workload.unit === 'ms' : only.includes(workload.id)
    if (!isMeant || 'measure' in workload) continue
    const profile = workload.prepare(context).profile?.()
    if (profile === undefined) continue
    writeSync(1, `${JSON.stringify(lineOf(workload.id, threads, profile))}\n`)
  }
}

if (values.help) console.log(usage)
else main(Number(values.threads))

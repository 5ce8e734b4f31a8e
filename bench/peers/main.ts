/**
 * One column of the comparison with other libraries, in a process of its own: prints one JSON line for
 * each workload.
 *
 *     node bench/dist/peers/main.js --peer cotangent-wasm-2t --group matmul,conv
 */
import { writeSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { useThreads } from '../backends.ts'
import { ownColumns } from './columns.ts'
import type { Line } from './line.ts'
import { timeRuns } from './timing.ts'
import { type Context, type Workload, contextFor } from './workload.ts'
import { workloads } from './workloads.ts'

const usage = `node bench/dist/peers/main.js [options]

  --peer NAME      ${[...ownColumns.keys()].join(', ')}
  --group A,B      these groups of workloads
  --only A,B       these workloads
  --round N        written into every line`

/** Run only when they are asked for: they want a process of their own. */
const alone: ReadonlySet<string> = new Set(['first', 'rss', 'startup'])

const split = (text: string | undefined): readonly string[] | null => text?.split(',') ?? null

const { values } = parseArgs({
  options: {
    peer: { type: 'string', default: 'cotangent-js' },
    group: { type: 'string' },
    only: { type: 'string' },
    round: { type: 'string' },
    // Said by the name of the column too.
    threads: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

const isWanted = ({ id, group }: Workload): boolean => {
  const [only, chosen] = [split(values.only), split(values.group)]
  if (only !== null) return only.includes(id)
  return chosen === null ? !alone.has(group) : chosen.includes(group)
}

/** Seven digits are enough to tell whether two libraries compute the same. */
const shortened = (numbers: readonly number[]): readonly number[] =>
  numbers.map((x) => Number(x.toPrecision(7)))

const rates = ({ flops, bytes }: Workload, ms: number): Partial<Line> => ({
  ...(flops === undefined ? {} : { gflops: flops / ms / 1e6 }),
  ...(bytes === undefined ? {} : { gbs: bytes / ms / 1e6 }),
})

const lineOf = (peer: string, workload: Workload, context: Context): Line => {
  const base = { peer, workload: workload.id }
  try {
    if ('measure' in workload) return { ...base, ...workload.measure(context) }
    const { run, check, operations } = workload.prepare(context)
    const checked = shortened(check())
    const { ms, n, min } = timeRuns(run, operations)
    return { ...base, ms, n, min, ...rates(workload, ms), check: checked }
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error)
    return { ...base, ms: null, n: 0, reason: reason?.slice(0, 300) ?? 'unknown' }
  }
}

const emit = (line: Line): void => {
  const round = values.round === undefined ? {} : { round: Number(values.round) }
  writeSync(1, `${JSON.stringify({ ...line, ...round })}\n`)
}

const main = (peer: string): void => {
  const column = ownColumns.get(peer)
  if (column === undefined) throw new Error(`there is no column ${peer}`)
  const { backend, threads, isHere } = column
  const chosen = workloads.filter(isWanted)
  if (!isHere) {
    const reason = 'the engine does not allow this'
    for (const { id } of chosen) emit({ peer, workload: id, ms: null, n: 0, reason })
    return
  }
  useThreads(threads)
  const context = contextFor(backend)
  for (const workload of chosen) emit(lineOf(peer, workload, context))
}

if (values.help) console.log(usage)
else main(values.peer)

/** Fails where memory grows in loops that never return to the event loop. */
import { parseArgs } from 'node:util'
import {
  type MemoryUse,
  eagerAdditions,
  growthLimit,
  memoryLimit,
  peakOf,
  trainingSteps,
} from './memoryRuns.ts'

const usage = `npm run bench:memory -- [options]

  --steps N            eager additions of a million elements (100000)
  --training-steps N   LeNet training steps (10000, or a tenth of --steps where that is given)
  --help               this text`

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`

/** Prints one line; returns whether the memory stayed within its bounds. */
const report = (name: string, run: () => MemoryUse, growth: number): boolean => {
  const start = performance.now()
  const use = run()
  const seconds = ((performance.now() - start) / 1000).toFixed(0)
  const isBounded = peakOf(use) < memoryLimit && use.late - use.early < growth
  const { start: before, early, late } = use
  console.log(
    `${name}: ${isBounded ? 'bounded' : 'NOT BOUNDED'}, peak ${megabytes(peakOf(use))} ` +
      `(${megabytes(before)} before, ${megabytes(early)} in the first quarter, ` +
      `${megabytes(late)} after) in ${seconds} s`,
  )
  return isBounded
}

const stepCount = (name: string, text: string): number => {
  const steps = Number(text)
  if (Number.isInteger(steps) && steps >= 4) return steps
  throw new Error(`--${name} wants a whole number of at least 4, got ${text}`)
}

interface Steps {
  readonly additions: number
  readonly training: number
}

/** `null` where only help was asked for. */
const readSteps = (args: readonly string[]): Steps | null => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      steps: { type: 'string' },
      'training-steps': { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return null
  const additions = stepCount('steps', values.steps ?? '100000')
  const training = values['training-steps'] ?? String(Math.max(20, Math.ceil(additions / 10)))
  return { additions, training: stepCount('training-steps', training) }
}

const main = (): number => {
  let steps: Steps | null
  try {
    steps = readSteps(process.argv.slice(2))
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    return 2
  }
  if (steps === null) {
    console.log(usage)
    return 0
  }
  const { additions, training } = steps
  const bounded = [
    report(
      `${additions} eager additions of a million elements`,
      () => eagerAdditions(additions),
      Number.POSITIVE_INFINITY,
    ),
    report(`${training} LeNet training steps`, () => trainingSteps(training), growthLimit),
  ]
  return bounded.every(Boolean) ? 0 : 1
}

process.exitCode = main()

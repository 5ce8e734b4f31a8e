/** Runs the benchmarks, prints a table, and writes the figures and a page. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Theme } from './benchmark.ts'
import { compare } from './harness.ts'
import { describeMachine, thisMachine } from './machine.ts'
import { type Options, parseOptions, usage } from './options.ts'
import { page } from './page.ts'
import type { Line } from './peers/line.ts'
import { comparePeers } from './peers/short.ts'
import { comparisonText } from './peers/text.ts'
import { type Report, type Result, judge } from './results.ts'
import { median } from './samples.ts'
import { readReport } from './stored.ts'
import { themes } from './suites/index.ts'
import { summary, table } from './table.ts'

/** Compiled to bench/dist; the results lie beside it. */
const folder = fileURLToPath(new URL('../results', import.meta.url))

const runTheme = async (theme: Theme, quick: boolean): Promise<readonly Result[]> => {
  const found: Result[] = []
  for (const { name, prepare, sameResult, targets, flops } of theme.benchmarks) {
    const { contenders } = prepare('full')
    const { timings, difference } = await compare(name, contenders, { sameResult, quick })
    const result = {
      theme: theme.name,
      name,
      timings,
      difference,
      verdicts: judge(timings, targets),
    }
    found.push(flops === undefined ? result : { ...result, flops })
  }
  for (const { name, read, targets } of theme.readings ?? []) {
    const samples = read(quick)
    const timings = [{ contender: 'compiler', median: median(samples), samples }]
    found.push({ theme: theme.name, name, timings, verdicts: judge(timings, targets) })
  }
  return found
}

const write = (path: string, text: string): string => {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
  return relative(process.cwd(), path)
}

/** The other libraries that are installed, on some of the workloads. */
const runPeers = async (isQuick: boolean): Promise<readonly Line[]> => {
  const peers = process.env['COTANGENT_PEERS']
  if (peers === undefined) return []
  console.log('\nOther libraries')
  const lines = await comparePeers(peers, join(folder, 'peers-short.jsonl'), isQuick)
  console.log(comparisonText(lines))
  return lines
}

const run = async ({
  themes: wanted,
  isQuick,
  json,
  compare: old,
  withPeers,
}: Options): Promise<void> => {
  const before = old === undefined ? undefined : readReport(old)
  const machine = thisMachine()
  const chosen = themes.filter(({ name }) => wanted.length === 0 || wanted.includes(name))
  console.log(describeMachine(machine).join('\n'))
  const results: Result[] = []
  for (const theme of chosen) {
    console.log(`\n${theme.title}`)
    const found = await runTheme(theme, isQuick)
    results.push(...found)
    console.log(`\n${table(found, before)}`)
  }
  const peers = withPeers ? await runPeers(isQuick) : []
  const report: Report = { date: new Date().toISOString(), machine, isQuick, results, peers }
  const figures = `${JSON.stringify(report, null, 1)}\n`
  const written = [
    write(join(folder, 'latest.json'), figures),
    write(join(folder, 'latest.html'), page(report, themes, before)),
    ...(json === undefined ? [] : [write(resolve(json), figures)]),
  ]
  console.log(`\n${summary(results)}\nwritten: ${written.join(', ')}`)
}

const names = themes.map(({ name }) => name)

const readOptions = (args: readonly string[]): Options | null => {
  try {
    return parseOptions(args, names)
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    return null
  }
}

const options = readOptions(process.argv.slice(2))
if (options === null) process.exitCode = 2
else if (options.isHelp) console.log(usage(names))
else await run(options)

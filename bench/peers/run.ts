/** The comparison with other libraries: `npm run bench:peers`. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { describeMachine, thisMachine } from '../machine.ts'
import { type Column, columnsHere } from './columns.ts'
import { readLines } from './line.ts'
import { type Share, runRounds } from './rounds.ts'
import { comparisonText } from './text.ts'
import { groups, workloads } from './workloads.ts'

/** Compiled to bench/dist/peers; results lie beside that. */
const defaultFile = fileURLToPath(new URL('../../results/peers.jsonl', import.meta.url))

const usage = `npm run bench:peers -- [options]

  --rounds N       rounds of every column in turn (1)
  --columns A,B    these columns, or the beginnings of their names (all there are)
  --groups A,B     these groups: ${groups.join(', ')}
  --only A,B       these workloads
  --limit S        seconds for one process (235)
  --file FILE      where the lines go (bench/results/peers.jsonl)
  --table          show the table of FILE, and measure nothing
  --help           this text

COTANGENT_PEERS names the folder with the scripts of the other libraries; without it, only our own
columns run.`

const readOptions = (args: readonly string[]) =>
  parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string', default: '1' },
      columns: { type: 'string' },
      groups: { type: 'string' },
      only: { type: 'string' },
      limit: { type: 'string', default: '235' },
      file: { type: 'string', default: defaultFile },
      table: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  }).values

type Options = ReturnType<typeof readOptions>

const positive = (name: string, text: string): number => {
  const value = Number(text)
  if (Number.isInteger(value) && value > 0) return value
  throw new Error(`--${name} wants a whole number above zero, got ${text}`)
}

const chosenColumns = ({ columns }: Options, present: readonly Column[]): readonly Column[] => {
  const wanted = columns?.split(',')
  if (wanted === undefined) return present.filter(({ name }) => !name.endsWith('interpreter'))
  const missing = wanted.find((prefix) => !present.some(({ name }) => name.startsWith(prefix)))
  if (missing === undefined) {
    return present.filter(({ name }) => wanted.some((prefix) => name.startsWith(prefix)))
  }
  const names = present.map(({ name }) => name).join(', ')
  throw new Error(`there is no column ${missing} here; there are ${names}`)
}

const requireKnown = (names: readonly string[], known: readonly string[]): void => {
  const unknown = names.find((name) => !known.includes(name))
  if (unknown !== undefined)
    throw new Error(`there is no ${unknown}; there are ${known.join(', ')}`)
}

const sharesOf = ({ groups: chosen, only }: Options): readonly Share[] => {
  if (only !== undefined) {
    const ids = only.split(',')
    requireKnown(
      ids,
      workloads.map(({ id }) => id),
    )
    return [{ name: only, workloads: workloads.filter(({ id }) => ids.includes(id)) }]
  }
  const names = chosen?.split(',') ?? groups
  requireKnown(names, groups)
  return names.map((name) => ({
    name,
    workloads: workloads.filter(({ group }) => group === name),
  }))
}

const main = async (args: readonly string[]): Promise<void> => {
  const options = readOptions(args)
  if (options.help) return console.log(usage)
  const file = resolve(options.file)
  if (!options.table) {
    const columns = chosenColumns(options, columnsHere(process.env['COTANGENT_PEERS']))
    const shares = sharesOf(options)
    const [rounds, limit] = [positive('rounds', options.rounds), positive('limit', options.limit)]
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, '')
    console.error(describeMachine(thisMachine())[0])
    await runRounds({ columns, shares, rounds, file, limit }, console.error)
  }
  console.log(comparisonText(readLines(file)))
  console.log(`\nlines: ${relative(process.cwd(), file)}`)
}

try {
  await main(process.argv.slice(2))
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 2
}

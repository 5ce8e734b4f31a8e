/**
 * Measures everything and writes the figures into docs/performance.md: `npm run bench:performance`.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { figuresFor, replaceBlock } from './figures.ts'
import { readRooflines } from './peers/leastTime.ts'
import { readLines } from './peers/line.ts'
import { readReport } from './stored.ts'

/** Compiled to bench/dist. */
const here = fileURLToPath(new URL('.', import.meta.url))
const results = join(here, '..', 'results')
const docs = join(here, '..', '..', 'docs')
const document = join(docs, 'performance.md')

const usage = `npm run bench:performance -- [options]

  --write          measure nothing: write the figures of the last runs
  --no-suites      leave the suites out (about ten minutes)
  --rounds N       rounds of the comparison with other libraries (1; about twenty minutes each)
  --columns A,B    columns of that comparison, as npm run bench:peers takes them
  --help           this text

COTANGENT_PEERS names the folder with the scripts of the other libraries.`

const execute = (...args: readonly string[]): void => {
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' })
  if (status !== 0) throw new Error(`${args.join(' ')}: exit status ${status}`)
}

// What each workload would take at the roofs, on one thread and on two.
const measureRooflines = (): void => {
  const found = ['1', '2'].map((threads) => {
    const args = [join(here, 'peers', 'roofline.js'), '--threads', threads]
    const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' })
    if (status !== 0) throw new Error(`${args.join(' ')}: exit status ${status}`)
    return stdout
  })
  writeFileSync(join(results, 'roofline.jsonl'), found.join(''))
}

const writeDocument = (): void => {
  const report = readReport(join(results, 'latest.json'))
  const lines = readLines(join(results, 'peers.jsonl'))
  const rooflines = readRooflines(join(results, 'roofline.jsonl'))
  const { blocks, images } = figuresFor(report, lines, rooflines)
  const text = [...blocks].reduce(
    (whole, [name, content]) => replaceBlock(whole, name, content),
    readFileSync(document, 'utf8'),
  )
  writeFileSync(document, text)
  for (const [name, svg] of images) {
    const path = join(docs, 'images', name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, svg)
  }
}

const main = (args: readonly string[]): void => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      write: { type: 'boolean', default: false },
      'no-suites': { type: 'boolean', default: false },
      rounds: { type: 'string', default: '1' },
      columns: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return console.log(usage)
  if (!values.write) {
    if (!values['no-suites']) execute('--expose-gc', join(here, 'main.js'), '--no-peers')
    const columns = values.columns === undefined ? [] : ['--columns', values.columns]
    execute(join(here, 'peers', 'run.js'), '--rounds', values.rounds, ...columns)
    measureRooflines()
  }
  writeDocument()
  console.log('written: docs/performance.md, docs/images/performance-*.svg')
}

try {
  main(process.argv.slice(2))
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 2
}

/** The documentation is true: its programs run and print what it says, its excerpts are real. */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { CotangentError } from 'cotangent'
import { afterAll, describe, expect, test } from 'vitest'
import {
  blocksOf,
  excerptsOf,
  linksOf,
  programsOf,
  readText,
  root,
  updateOutput,
} from './markdown.ts'
import { oneSpace, run, typeErrors, writePrograms } from './program.ts'

const documents = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
  ...readdirSync(join(root, 'packages')).map((name) => `packages/${name}/README.md`),
]

/** Set to write the output of the programs into the documentation instead of comparing it. */
const updating = process.env['COTANGENT_UPDATE_DOCS'] !== undefined

const programs = documents.flatMap(programsOf)
const directory = mkdtempSync(join(tmpdir(), 'cotangent-docs-'))
const paths = writePrograms(directory, programs)
afterAll(() => rmSync(directory, { recursive: true, force: true }))

describe('the programs in the documentation', () => {
  test('there are some', () => {
    expect(programs.length).toBeGreaterThan(10)
  })

  test('pass the strict type checker', () => {
    expect(typeErrors(directory)).toEqual([])
  })

  test.each(
    programs.map(
      (program, i) => [`${program.document}: ${program.section}`, program, paths[i]!] as const,
    ),
  )('%s', async (_, program, path) => {
    const { commented, output, error } = await run(path)
    if (error !== null && program.error === null) throw error
    const printed = program.comments.map(({ line }) => commented.get(line))
    expect(printed).toEqual(program.comments.map(({ text }) => oneSpace(text)))
    if (program.output !== null && updating) updateOutput(program, output)
    else if (program.output !== null) expect(output.trim()).toBe(program.output.trim())
    if (program.error === null) return
    const message =
      error instanceof CotangentError ? `${error.name}: ${error.message}` : String(error)
    expect(message.replace(/\n {2}at .*$/s, '')).toBe(program.error)
  })
})

describe('the rest of the documentation', () => {
  test.each(documents)('%s: excerpts are copies, links lead somewhere', (document) => {
    for (const { path, text } of excerptsOf(document)) expect(readText(path)).toContain(text)
    const broken = linksOf(document).filter(
      (target) => !existsSync(join(root, dirname(document), target)),
    )
    expect(broken).toEqual([])
  })

  test('the files that the architecture names exist', () => {
    const text = readText('docs/architecture.md')
    const named = [...text.matchAll(/\b(?:core|ops|jit|nn|data|cotangent)\/src\/[\w./]*\w/g)]
    expect(named.length).toBeGreaterThan(20)
    const missing = named
      .map(([path]) => path)
      .filter((path) => !existsSync(join(root, 'packages', path)))
    expect(missing).toEqual([])
  })

  test('the commands exist', () => {
    const { scripts } = JSON.parse(readText('package.json'))
    const commands = documents.flatMap((document) =>
      blocksOf(readText(document))
        .filter((block) => block.info === 'sh')
        .flatMap((block) => [...block.text.matchAll(/\bnpm (?:run )?([a-z]+)/g)])
        .map((match) => match[1]!),
    )
    const known = [...Object.keys(scripts), 'ci', 'install']
    expect(commands.filter((name) => !known.includes(name))).toEqual([])
  })

  test('every example is mentioned in the README', () => {
    const readme = readText('README.md')
    const examples = readdirSync(join(root, 'examples')).filter((name) => name.endsWith('.ts'))
    expect(examples.filter((name) => !readme.includes(relative('.', `examples/${name}`)))).toEqual(
      [],
    )
  })
})

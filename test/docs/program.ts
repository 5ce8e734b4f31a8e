/** Runs the programs of the documentation, and type checks them as a user's own files. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { format } from 'node:util'
import { type Program, root } from './markdown.ts'

export interface Ran {
  /** What each commented `console.log` printed, by line. */
  readonly commented: ReadonlyMap<number, string>
  /** What the others printed. */
  readonly output: string
  readonly error: unknown
}

declare global {
  // oxlint-disable-next-line no-var -- only `var` declares a property of globalThis
  var documented: (line: number, ...values: readonly unknown[]) => void
}

const oneSpace = (text: string): string => text.replaceAll(/\s+/g, ' ').trim()

export const run = async (path: string): Promise<Ran> => {
  const commented = new Map<number, string>()
  const output: string[] = []
  const { log } = console
  let error: unknown = null
  globalThis.documented = (line, ...values) => {
    const before = commented.get(line)
    const text = oneSpace(format(...values))
    commented.set(line, before === undefined ? text : `${before}, ${text}`)
  }
  console.log = (...values: readonly unknown[]) => {
    output.push(format(...values))
  }
  try {
    await import(path)
  } catch (thrown) {
    error = thrown
  } finally {
    console.log = log
  }
  return { commented, output: output.join('\n'), error }
}

const tsconfig = {
  extends: join(root, 'tsconfig.base.json'),
  compilerOptions: {
    noEmit: true,
    rootDir: '/',
    composite: false,
    incremental: false,
    declaration: false,
    declarationMap: false,
    isolatedDeclarations: false,
    rewriteRelativeImportExtensions: false,
    allowImportingTsExtensions: true,
    typeRoots: [join(root, 'node_modules/@types')],
    paths: {
      cotangent: [join(root, 'packages/cotangent/src/index.ts')],
      '@cotangent/*': [join(root, 'packages/*/src/index.ts')],
    },
  },
  include: ['*.ts'],
}

/** Writes each program to a file of its own in `directory`; returns the paths, in order. */
export const writePrograms = (directory: string, programs: readonly Program[]): string[] => {
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, 'tsconfig.json'), JSON.stringify(tsconfig))
  writeFileSync(join(directory, 'package.json'), '{ "type": "module" }')
  writeFileSync(
    join(directory, 'documented.d.ts'),
    'declare global { var documented: (line: number, ...values: readonly unknown[]) => void }\nexport {}\n',
  )
  return programs.map(({ source }, i) => {
    const path = join(directory, `program${i}.ts`)
    writeFileSync(path, `${source}\nexport {}\n`)
    return path
  })
}

/** What the type checker says of the programs in `directory`; nothing where all is well. */
export const typeErrors = (directory: string): readonly string[] => {
  const tsc = join(root, 'node_modules/.bin/tsc')
  const { stdout, stderr, status } = spawnSync(tsc, ['--project', directory], { encoding: 'utf8' })
  if (status === null) return [stderr]
  // The library itself is checked by the build.
  return stdout.split('\n').filter((line) => /\bprogram\d+\.ts/.test(line))
}

export { oneSpace }

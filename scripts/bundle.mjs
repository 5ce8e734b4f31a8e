// Makes one file of each package, dist/bundle.js, which is what Node loads: it takes a while over each module, and
// there are seven hundred. Everybody else (bundlers, which want to leave out what is not used, and pages) gets the
// modules. Packages that are as they were keep theirs.
import { existsSync, readFileSync, readdirSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const packages = fileURLToPath(new URL('../packages/', import.meta.url))

/** When a file of those in a folder was last written. */
const newest = (folder) =>
  Math.max(
    ...readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => statSync(join(entry.parentPath ?? entry.path, entry.name)).mtimeMs),
  )

const written = (file) => statSync(file).mtimeMs

const isStale = (name) => {
  const folder = join(packages, name)
  const made = join(folder, 'dist', 'bundle.js')
  const from = [join(folder, 'package.json'), fileURLToPath(import.meta.url)].map(written)
  return !existsSync(made) || written(made) < Math.max(newest(join(folder, 'src')), ...from)
}

/** Names of packages and of Node's modules, and no paths. */
const isName = /^(?:@|[a-z][a-z\d-]+(?:[/:]|$))/
// A functional library is spread over many small modules that load each other; the functions that we use are few.
const isTakenIn = (id) => id.startsWith('fp-ts/')

/** The licences of what was taken in, for the head of the file. */
const licences = (modules) => {
  const folders = new Set(
    modules.flatMap((id) => /^.*[/\\]node_modules[/\\]fp-ts(?=[/\\])/.exec(id)?.[0] ?? []),
  )
  return [...folders].map((folder) => {
    const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    return `/*!\nParts of ${name} ${version}:\n\n${readFileSync(join(folder, 'LICENSE'), 'utf8').trim()}\n*/\n`
  })
}

const bundle = async (name) => {
  const { rolldown } = await import('rolldown')
  const build = await rolldown({
    input: join(packages, name, 'src', 'index.ts'),
    platform: 'node',
    tsconfig: false,
    external: (id) => isName.test(id) && !isTakenIn(id),
    // package.json names the modules with side effects as they are built; in ours, all are kept.
    treeshake: { moduleSideEffects: (id) => !/[/\\]fp-ts[/\\]/.test(id) },
    resolve: { alias: { 'fp-ts/lib': 'fp-ts/es6' } },
    onLog: (level, log) => {
      if (level !== 'debug') throw new Error(log.message)
    },
  })
  const { output } = await build.generate({
    format: 'esm',
    codeSplitting: false,
    sourcemap: true,
    // Messages and kernels are named after functions.
    keepNames: true,
    file: join(packages, name, 'dist', 'bundle.js'),
    banner: (chunk) => licences(chunk.moduleIds).join(''),
  })
  await build.close()
  const [{ code, map }] = output
  const made = join(packages, name, 'dist', 'bundle.js')
  // A program that starts meanwhile reads a whole file.
  if (map !== null) writeFileSync(`${made}.map`, map.toString())
  writeFileSync(`${made}.new`, code)
  renameSync(`${made}.new`, made)
}

const stale = readdirSync(packages).filter(
  (name) => existsSync(join(packages, name, 'src', 'index.ts')) && isStale(name),
)
await Promise.all(stale.map(bundle))

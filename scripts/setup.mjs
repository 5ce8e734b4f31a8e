// Makes a checkout ready to run: installs the dependencies and builds, each only where it is needed.
// Uses nothing but Node and npm, because it is the first thing that runs in a fresh clone.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))
const windows = process.platform === 'win32'

/** Runs a command in the root of the checkout, its output on stderr; returns its exit code. */
const execute = (command, args) => {
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: windows,
  })
  if (error) console.error(`${command}: ${error.message}`)
  return status ?? 1
}

/** Runs one of the installed development tools; returns its exit code. */
export const tool = (name, ...args) => execute(join('node_modules', '.bin', name), args)

/** Installs what the lock file says, unless the last installation was of this same lock file. */
export const install = () => {
  const { packageManager: pnpm } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const lock = readFileSync(join(root, 'pnpm-lock.yaml'))
  const wanted = createHash('sha256').update(pnpm).update(lock).digest('hex')
  const stamp = join(root, 'node_modules', '.cotangent-installed')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return 0
  console.error('== installing the dependencies (once)')
  // Without the last two flags, pnpm leaves the compiler out where NODE_ENV=production, and stops
  // to ask where node_modules was made by another package manager.
  const code = execute('npx', [
    '--yes',
    pnpm,
    'install',
    '--frozen-lockfile',
    '--prod=false',
    '--config.confirm-modules-purge=false',
  ])
  if (code === 0) writeFileSync(stamp, wanted)
  return code
}

/**
 * Compiles and type checks the projects in `paths` and those that they refer to, incrementally; then makes
 * of each package the one file that Node loads.
 */
export const build = (...paths) =>
  tool('tsc', '--build', ...paths) || execute(process.execPath, [join('scripts', 'bundle.mjs')])

/** Installs, then builds; returns the first exit code that is not zero. */
export const setup = (...paths) => install() || build(...paths)

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  process.exitCode = setup(...process.argv.slice(2))
}

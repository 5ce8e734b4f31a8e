// node scripts/nodes.mjs: makes Node 20, 22 and 24 available to the tests, from the npm registry, in a
// folder of their own, .cache/nodes. Where the registry cannot be reached, or has none for
// this machine, it says so and succeeds: the tests then leave these versions out and say so too.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const versions = [20, 22, 24]
const folder = join(root, '.cache', 'nodes')

// As the package `node` names them, which would run a script to install one of these.
const { platform, arch } = process
const prefix = platform === 'darwin' && arch === 'arm64' ? 'node-bin' : 'node'
const distribution = `${prefix}-${platform === 'win32' ? 'win' : platform}-${arch}`

const isInstalled = (version) =>
  existsSync(join(folder, 'node_modules', `node${version}`, 'package.json'))

/** Installs those that are missing; returns why that failed, or null. */
const installNodes = () => {
  const missing = versions.filter((version) => !isInstalled(version))
  if (missing.length === 0) return null
  console.error(`== installing Node ${missing.join(', ')} for the tests (once)`)
  const names = versions.map((version) => `node${version}@npm:${distribution}@${version}`)
  const { status, error } = spawnSync(
    'npm',
    [
      'install',
      '--prefix',
      folder,
      '--no-save',
      '--no-audit',
      '--no-fund',
      '--ignore-scripts',
    ].concat(names),
    { stdio: ['ignore', 2, 2], shell: platform === 'win32', timeout: 180_000 },
  )
  if (status === 0) return null
  return error?.message ?? `npm ended with code ${status}`
}

const failure = installNodes()
if (failure !== null) console.error(`== the tests run without other versions of Node: ${failure}`)

// node scripts/chromium.mjs: makes a Chromium available to the tests where that takes no question:
// from Debian's packages, for the superuser. Elsewhere, and where the packages cannot be had, it says so
// and succeeds: the tests of pages are then left out, and say so too.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
const folders = (process.env.PATH ?? '').split(delimiter)
const isInstalled = (names) =>
  folders.some((folder) => names.some((name) => existsSync(join(folder, name))))

const apt = (...args) =>
  spawnSync('apt-get', args, {
    stdio: ['ignore', 2, 2],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    timeout: 300_000,
  }).status === 0

const install = () => {
  if (process.env.COTANGENT_CHROMIUM || isInstalled(names)) return null
  if (!isInstalled(['apt-get'])) return 'there is no apt-get to install one with'
  if (process.getuid?.() !== 0) return 'only the superuser can install one'
  console.error('== installing Chromium for the tests (once)')
  const wanted = ['install', '-y', '-q', '--no-install-recommends', 'chromium']
  if (apt(...wanted) || (apt('update', '-q') && apt(...wanted))) return null
  return "Debian's packages cannot be had"
}

const failure = install()
if (failure !== null) console.error(`== the tests run without Chromium: ${failure}`)

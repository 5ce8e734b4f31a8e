// Everything that must hold before a change is accepted, one stage after another. Every stage runs even
// after a failure, so that one run shows all that is wrong. Ends with `N passed, N failed`, where a
// failed stage other than the tests counts as one failure. Arguments go to vitest, as in
// `npm test -- test/core`.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build, install, root, tool } from './setup.mjs'

const cache = join(root, 'node_modules', '.cache')
const results = join(cache, 'vitest.json')
const summary = join(cache, 'summary.txt')
mkdirSync(cache, { recursive: true })
rmSync(summary, { force: true })
rmSync(results, { force: true })

let passed = 0
let failed = 0
const failedStages = []

const stage = (title, run) => {
  console.error(`\n== ${title}`)
  const start = performance.now()
  const code = run()
  const seconds = ((performance.now() - start) / 1000).toFixed(1)
  console.error(`== ${title}: ${code === 0 ? 'ok' : 'FAILED'} in ${seconds} s`)
  if (code !== 0) failedStages.push(title)
  return code
}

const finish = () => {
  const line = `${passed} passed, ${failed} failed`
  writeFileSync(summary, `${line}\n`)
  if (failedStages.length > 0) console.error(`\nfailed: ${failedStages.join(' · ')}`)
  console.log(`\n${line}`)
  process.exit(failed === 0 ? 0 : 1)
}

const check = (title, run) => {
  if (stage(title, run) !== 0) failed += 1
}

if (install() !== 0) {
  failedStages.push('install')
  failed += 1
  mkdirSync(cache, { recursive: true })
  finish()
}

check('types and build (tsc)', () => build())
check('lint (oxlint)', () => tool('oxlint', '--type-aware', '--deny-warnings'))
check('format (biome)', () => tool('biome', 'format', '.'))
const code = stage('tests (vitest)', () =>
  tool(
    'vitest',
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${results}`,
    ...process.argv.slice(2),
  ),
)

if (existsSync(results)) {
  const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(results, 'utf8'))
  // A file that does not even load fails without having a failed test of its own.
  const broken = testResults.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && !assertionResults.some((one) => one.status === 'failed'),
  ).length
  passed += numPassedTests
  const here = numFailedTests + broken
  // Vitest also fails without a failed test: no test found, an error outside every test.
  failed += here === 0 && code !== 0 ? 1 : here
} else {
  failed += 1
}
finish()

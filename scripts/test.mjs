// Everything that must hold before a change is accepted, one stage after another. Every stage runs even
// after a failure, so that one run shows all that is wrong. Ends with `N passed, N failed`, where a
// failed stage other than the tests counts as one failure. Arguments go to vitest, as in
// `npm test -- test/core`.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build, install, tool } from './setup.mjs'

const scratch = mkdtempSync(join(tmpdir(), 'cotangent-test-'))
const results = join(scratch, 'vitest.json')

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
  rmSync(scratch, { recursive: true, force: true })
  if (failedStages.length > 0) console.error(`\nfailed: ${failedStages.join(' · ')}`)
  console.log(`\n${passed} passed, ${failed} failed`)
  process.exit(failed === 0 ? 0 : 1)
}

const check = (title, run) => {
  if (stage(title, run) !== 0) failed += 1
}

if (install() !== 0) {
  failedStages.push('install')
  failed += 1
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

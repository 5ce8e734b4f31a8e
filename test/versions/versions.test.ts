/** The same programs on other versions of Node, compared bit for bit with this one. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bundle } from '../smoke/bundle.ts'
import { differences } from '../smoke/compare.ts'
import { threadedModes } from '../smoke/modes.ts'
import type { Report } from '../smoke/run.ts'
import { nodeOf, versions } from './nodes.ts'

const programs = versions.map((version) => [version, nodeOf(version)] as const)
const missing = programs.flatMap(([version, path]) => (path === null ? [version] : []))
if (missing.length > 0)
  console.warn(`not tested: Node ${missing.join(', ')}; \`node scripts/nodes.mjs\` installs them`)

describe.skipIf(missing.length === versions.length)(
  'versions of Node',
  { timeout: 120_000 },
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'cotangent-versions-'))
    const script = join(folder, 'smoke.mjs')
    let here: Report = {}

    const runOn = (node: string): Report => {
      const target = join(folder, 'report.json')
      execFileSync(node, [script, target], { stdio: ['ignore', 'inherit', 'inherit'] })
      return JSON.parse(readFileSync(target, 'utf8'))
    }

    beforeAll(async () => {
      const { code, warnings } = await bundle(new URL('main.ts', import.meta.url), 'node')
      expect(warnings).toEqual([])
      writeFileSync(script, code)
      here = runOn(process.execPath)
    }, 180_000)

    afterAll(() => rmSync(folder, { recursive: true, force: true }))

    const present = programs.flatMap(([version, path]) =>
      path === null ? [] : [{ version, path }],
    )

    test.each(present)('Node $version computes the same', ({ version, path }) => {
      const name = execFileSync(path, ['--version'], { encoding: 'utf8' }).trim()
      expect(name.startsWith(`v${version}.`), name).toBe(true)
      console.log(`${name} against ${process.version}`)
      const there = runOn(path)
      expect(Object.keys(there)).toEqual(threadedModes.map((mode) => mode.name))
      for (const mode of Object.keys(here)) {
        expect(differences(there[mode], here[mode]), mode).toEqual([])
      }
    })
  },
)

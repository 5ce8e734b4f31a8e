/** The programs in pages of a headless Chromium, compared with what they give here. */
import { setThreads } from 'cotangent'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bundle } from '../smoke/bundle.ts'
import { differences } from '../smoke/compare.ts'
import { modes, threadedModes } from '../smoke/modes.ts'
import { type Report, runSmoke } from '../smoke/run.ts'
import { Chromium, findChromium } from './chromium.ts'
import type { LimitReport } from './limitPage.ts'
import { longModules } from './longModules.ts'
import type { PageReport } from './page.ts'
import { type Page, type Server, serve } from './server.ts'
import { unbundledPage } from './unbundled.ts'

const path = findChromium()
if (path === null)
  console.warn(
    'pages are not tested: no Chromium here; `node scripts/chromium.mjs` may install one',
  )

const isolation = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
}
const policy = (...directives: readonly string[]) => ({
  'content-security-policy': directives.join('; '),
})
const withWasm = "script-src 'self' 'wasm-unsafe-eval'"
const withoutCode = "script-src 'self'"

const page = (headers: Page['headers'], ...scripts: readonly string[]): Page => ({
  headers,
  html: `<!doctype html><title>cotangent</title>${scripts
    .map((name) => `<script type="module" src="/${name}.js"></script>`)
    .join('')}`,
})

const pages = {
  '/plain': page({}, 'page'),
  '/isolated': page(isolation, 'page'),
  '/wasm-only': page(policy(withWasm), 'page'),
  '/no-code': page(policy(withoutCode), 'page'),
  '/workers': page({ ...isolation, ...policy(withWasm, 'worker-src blob:') }, 'page'),
  '/no-workers': page({ ...isolation, ...policy(withWasm) }, 'page'),
  '/limit': page({}, 'longModules', 'limitPage'),
  '/limit-wasm-only': page(policy(withWasm), 'longModules', 'limitPage'),
  '/unbundled': unbundledPage,
}

const programs = 'elementwise|matmul|convolution|pooling|derivatives|donation|lenet'
// Sums of different orders.
const rounding = 2e-4

describe.skipIf(path === null)('pages', { timeout: 120_000 }, () => {
  let server: Server
  let chromium: Chromium
  let here: Report = {}

  beforeAll(async () => {
    const scripts = await Promise.all(
      ['page', 'limitPage'].map(async (name) => {
        const { code, warnings } = await bundle(new URL(`${name}.ts`, import.meta.url), 'browser')
        expect(warnings).toEqual([])
        return [`/${name}.js`, code] as const
      }),
    )
    server = await serve({
      pages,
      scripts: { ...Object.fromEntries(scripts), '/longModules.js': longModules },
      folders: { '/packages/': fileURLToPath(new URL('../../packages/', import.meta.url)) },
    })
    chromium = new Chromium(path!)
    here = runSmoke(threadedModes)
  }, 180_000)

  afterAll(async () => {
    setThreads(1)
    await chromium?.close()
    await server?.close()
  })

  const visit = async <T = PageReport>(
    address: string,
  ): Promise<{ readonly report: T; readonly warnings: readonly string[] }> => {
    const { report, lines } = await chromium.visit(`${server.origin}${address}`)
    const parsed: T = JSON.parse(report)
    return { report: parsed, warnings: lines.filter((line) => line.includes('cotangent')) }
  }

  const namesOf = (list: typeof modes): string => list.map((mode) => mode.name).join('|')

  test('without isolation: every back end on one thread', async () => {
    const { report, warnings } = await visit(`/plain?modes=${namesOf(modes)}`)
    const { isIsolated, threads, refusal, code, evictions, smoke } = report
    expect({ isIsolated, threads, code }).toEqual({ isIsolated: false, threads: 1, code: 'wasm' })
    expect(refusal).toMatch(/Cross-Origin-Opener-Policy/)
    expect(evictions).toBeGreaterThan(10)
    for (const mode of Object.keys(smoke)) {
      expect(differences(smoke[mode], here[mode]), mode).toEqual([])
    }
    expect(Object.keys(smoke)).toEqual(modes.map((mode) => mode.name))
    expect(warnings).toEqual([])
  })

  test('with isolation: threads, too', async () => {
    const { report, warnings } = await visit(`/isolated?modes=${namesOf(threadedModes)}`)
    const { isIsolated, refusal, seen, evictions, smoke } = report
    expect(evictions).toBeGreaterThan(10)
    expect({ isIsolated, refusal, seen }).toEqual({ isIsolated: true, refusal: null, seen: 2 })
    for (const mode of Object.keys(smoke)) {
      expect(differences(smoke[mode], here[mode]), mode).toEqual([])
    }
    expect(Object.keys(smoke)).toEqual(threadedModes.map((mode) => mode.name))
    expect(warnings).toEqual([])
  })

  test('a policy with wasm-unsafe-eval alone: all is WebAssembly', async () => {
    const { report, warnings } = await visit(`/wasm-only?modes=best|wasm`)
    expect(report.code).toBe('wasm')
    expect(differences(report.smoke['best'], here['interpreter'], rounding)).toEqual([])
    expect(differences(report.smoke['wasm'], here['interpreter'], rounding)).toEqual([])
    expect(warnings).toEqual([])
  })

  test('a policy without generated code: the interpreter, and one notice', async () => {
    const { report, warnings } = await visit(`/no-code?modes=best|wasm`)
    expect(report.code).toBe('none')
    expect(differences(report.smoke['best'], here['interpreter'], rounding)).toEqual([])
    expect(differences(report.smoke['wasm'], here['interpreter'], rounding)).toEqual([])
    expect(warnings).toEqual([expect.stringMatching(/^warning: cotangent: .*run interpreted$/)])
  })

  test('a policy that lets workers come from blobs: threads', async () => {
    const { report, warnings } = await visit(`/workers?modes=wasm, 2 threads&programs=${programs}`)
    expect(report.seen).toBe(2)
    const [mode] = Object.values(report.smoke)
    expect(differences(mode, here['interpreter'], rounding).filter(notAbsent)).toEqual([])
    expect(warnings).toEqual([])
  })

  test('a policy that does not: one thread, and one warning', async () => {
    const { report, warnings } = await visit(
      `/no-workers?alone&modes=wasm, 2 threads&programs=${programs}`,
    )
    expect(report.refusal).toBe(null)
    expect(report.seen).toBe(1)
    const [mode] = Object.values(report.smoke)
    expect(differences(mode, here['interpreter'], rounding).filter(notAbsent)).toEqual([])
    expect(warnings).toEqual([
      expect.stringMatching(/^warning: cotangent: worker threads do not start, one is used/),
    ])
  })

  test.each(['/limit', '/limit-wasm-only'])(
    '%s: a module that the browser will not compile at once is stood in for',
    async (address) => {
      const { report, warnings } = await visit<LimitReport>(address)
      expect(report.refused).toBe(1)
      expect(report.meanwhile).toBe(report.wanted)
      expect(report.afterwards).toBe(report.wanted)
      expect(warnings).toEqual([])
    },
  )

  test('without a bundler: what is built loads through an import map', async () => {
    const { report } = await visit<unknown>('/unbundled')
    expect(report).toEqual({
      product: [
        [7, 10],
        [15, 22],
      ],
      slope: [2, 4],
      code: 'wasm',
    })
  })
})

// Programs that a page was not asked for.
const notAbsent = (line: string): boolean => !line.endsWith('no tensors')

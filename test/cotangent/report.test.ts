import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inflateSync } from 'node:zlib'
import * as E from 'fp-ts/lib/Either.js'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ReportData } from '../../packages/cotangent/src/report/data.ts'
import { clock, elapsed, percent, significant } from '../../packages/cotangent/src/report/format.ts'
import { heatMap } from '../../packages/cotangent/src/report/heatMap.ts'
import { lineChart } from '../../packages/cotangent/src/report/lineChart.ts'
import { element, escapeText, styleSheet } from '../../packages/cotangent/src/report/markup.ts'
import { crc32, encodePng } from '../../packages/cotangent/src/report/png.ts'
import { renderReport } from '../../packages/cotangent/src/report/report.ts'
import { quantile, smooth, thin } from '../../packages/cotangent/src/report/series.ts'
import { kernelTable } from '../../packages/cotangent/src/report/tables.ts'
import { checkReportPath, writeReport } from '../../packages/cotangent/src/report/writeReport.ts'

/** A report that has every part; each text in it comes from `say`, each number from `measure`. */
const reportOf = (
  say: (text: string) => string,
  measure: (value: number) => number = (v) => v,
): ReportData => ({
  title: say('LeNet-5'),
  subtitle: say('3 epochs'),
  date: say('21 November'),
  interrupted: say('after step 3'),
  summary: {
    testAccuracy: measure(0.9887),
    testExamples: measure(10_000),
    testLoss: measure(0.0352),
    trainSeconds: measure(63.2),
    examplesPerSecond: measure(2847),
    compileSeconds: measure(0.212),
    compiledStepSeconds: measure(0.02),
    interpretedStepSeconds: measure(0.3),
    parameters: measure(61_706),
  },
  settings: [[say('model'), say('lenet5')]],
  environment: [[say('node'), say('v20')]],
  training: {
    loss: [2.3, 1, 0.5, 0.2].map(measure),
    accuracy: [0.1, 0.5, 0.8, 0.9].map(measure),
    stepsPerEpoch: 2,
  },
  tests: [
    { step: 2, loss: measure(0.9), accuracy: measure(0.7) },
    { step: 4, loss: measure(0.3), accuracy: measure(0.92) },
  ],
  confusion: {
    labels: [say('cat'), say('dog')],
    counts: [
      [measure(90), measure(10)],
      [measure(0), measure(50)],
    ],
  },
  filters: [
    { name: say('conv1'), shape: [2, 1, 2, 2], weights: [1, -1, 0, 2, 3, 4, 5, 6].map(measure) },
  ],
  mistakes: [
    {
      pixels: [0, 1, 0.5, 0.25].map(measure),
      width: 2,
      height: 2,
      truth: say('cat'),
      predicted: say('dog'),
      probability: measure(0.99),
      truthProbability: measure(0.01),
      index: measure(7),
    },
  ],
  graphs: [
    { label: say('Before'), equations: measure(12), text: say('a = add b c') },
    { label: say('After'), equations: measure(5), text: say('a = fused b c') },
  ],
  kernels: [
    {
      name: say('conv'),
      calls: measure(10),
      totalSeconds: measure(0.5),
      source: say('y[i] = x[i]'),
    },
    {
      name: say('matmul'),
      calls: measure(20),
      totalSeconds: measure(1.5),
      flopsPerSecond: measure(34.5e9),
      bytesPerSecond: measure(1.25e9),
      roof: measure(0.87),
      bound: say('compute'),
      threads: measure(2),
      why: [say('a tile reads conv')],
    },
  ],
  kernelsMeasuredOver: say('10 steps'),
  roofs: say('One thread does 40 GFLOP/s'),
  firstCall: [
    { name: say('trace'), seconds: measure(0.01) },
    { name: say('first run'), seconds: measure(0.03) },
  ],
  notes: [say('a remark')],
})

const plain = reportOf((text) => text)

/** The tags of a page with the names of their attributes, but without any value. */
const skeleton = (html: string): readonly string[] =>
  (html.replace(/<style>.*?<\/style>/s, '').match(/<[^>]*>/g) ?? []).map((tag) =>
    tag.replace(/="[^"]*"/g, ''),
  )

const withoutValue: ReadonlySet<string> = new Set(['meta', 'img'])

/** Throws unless every element is closed in order. */
const checkBalance = (html: string): void => {
  const open: string[] = []
  for (const tag of skeleton(html)) {
    const [, slash, name] = /^<(\/?)([\w!-]+)/.exec(tag)!
    if (name === '!doctype' || withoutValue.has(name!)) continue
    if (slash === '') open.push(name!)
    else expect(open.pop()).toBe(name)
  }
  expect(open).toEqual([])
}

const hostile = fc.oneof(
  fc.constantFrom(
    '</script><script>alert(1)</script>',
    '" onload="alert(1)',
    "'><img src=x onerror=alert(1)>",
    '</style>',
    '<!--',
    ']]>',
    '&lt;',
    '\u0000\u001b[2J\r\n',
    '\ud800',
    '\u202egnp.exe',
    '𝒙'.repeat(20),
  ),
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.string({ unit: fc.constantFrom('<', '>', '"', "'", '&', '/', '=', ' ', 'a'), maxLength: 30 }),
)

describe('the page', () => {
  test('is whole, names every part, and asks for nothing from elsewhere', () => {
    const html = renderReport(plain)
    checkBalance(html)
    for (const words of [
      '98.87 %',
      '9,887 of 10,000',
      '15.0×',
      'Stopped early',
      'cat taken for dog: 10 (10.0 %)',
      'conv1',
      '12 equations',
      'One thread does 40 GFLOP/s',
      '87 % compute',
      '34.5',
      'a tile reads conv',
      'The first call of the step',
      '40.0 ms in all',
      '75.0 %',
      'a = fused b c',
      '2 kernels, 2.00 s in all over 10 steps',
      'a remark',
    ]) {
      expect(html).toContain(words)
    }
    expect(html).not.toMatch(/<script|<link|@import|url\(|\son\w+=/)
    for (const [, address] of html.matchAll(/(?:src|href)="([^"]*)"/g)) {
      expect(address).toMatch(/^data:image\/png;base64,/)
    }
    expect(html.match(/https?:[^"]*/g)?.every((a) => a === 'http://www.w3.org/2000/svg')).toBe(true)
  })

  test('the same data gives the same bytes', () => {
    expect(renderReport(plain)).toBe(renderReport(reportOf((text) => text)))
  })

  test('every drawing and image has a name, and ids are unique', () => {
    const html = renderReport(plain)
    const ids = [...html.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id)
    expect(new Set(ids).size).toBe(ids.length)
    for (const [, id] of html.matchAll(/aria-(?:labelledby|describedby)="([^"]*)"/g)) {
      expect(ids).toContain(id)
    }
    expect(html.match(/<svg/g)?.length).toBe(3)
    for (const [image] of html.matchAll(/<img[^>]*>/g)) expect(image).toMatch(/ alt="[^"]+"/)
  })

  test('no text changes its structure: nothing is ever unescaped', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const html = renderReport(reportOf(() => text))
        // The same length, because long labels are drawn slanted.
        expect(skeleton(html)).toEqual(
          skeleton(renderReport(reportOf(() => 'x'.repeat(text.length)))),
        )
        expect(html.replace(/&(amp|lt|gt|quot|#39);/g, '').includes('&')).toBe(false)
        expect(/(?!\n|\t)\p{Cc}|\p{Cs}/u.test(html)).toBe(false)
      }),
      { numRuns: 200 },
    )
  })

  test('no number breaks it', () => {
    const number = fc.oneof(
      fc.double(),
      fc.constantFrom(0, -0, Number.NaN, Infinity, -Infinity, -3, 1e308),
    )
    fc.assert(
      fc.property(fc.array(number, { minLength: 1, maxLength: 60 }), (values) => {
        let i = 0
        const html = renderReport(
          reportOf(
            (text) => text,
            () => values[i++ % values.length]!,
          ),
        )
        checkBalance(html)
        const broken =
          / (x|y|x1|y1|x2|y2|cx|cy|d|width|height|viewBox|style)="[^"]*(NaN|Infinity|e[+])/
        expect(broken.exec(html)?.[0]).toBeUndefined()
      }),
      { numRuns: 300 },
    )
  })

  test('a run stopped before its first step still has a page', () => {
    const html = renderReport({
      title: 't',
      date: 'd',
      interrupted: 'before the first step',
      summary: {},
      settings: [],
      environment: [],
      training: { loss: [], accuracy: [], stepsPerEpoch: 10 },
      mistakes: [],
    })
    checkBalance(html)
    expect(html).toContain('No step was taken.')
  })

  test('a long run stays a small page', () => {
    const steps = 300_000
    const loss = Float32Array.from({ length: steps }, (_, i) => 1 / (1 + i / 100))
    const training = { loss, accuracy: loss.map((l) => 1 - l), stepsPerEpoch: 1000 }
    expect(renderReport({ ...plain, training }).length).toBeLessThan(120_000)
  })

  test('sizes that do not match are refused', () => {
    const filters = [{ name: 'c', shape: [2, 1, 5, 5] as const, weights: [1, 2, 3] }]
    expect(() => renderReport({ ...plain, filters })).toThrow(/3 weights for 2×1×5×5/)
  })
})

describe('parts', () => {
  test('markup escapes text and values, leaves out what is undefined, closes what must be closed', () => {
    expect(element('p', { title: '"<&', x: 0.125, y: undefined }, ["a<b>'"]).source).toBe(
      '<p title="&quot;&lt;&amp;" x="0.13">a&lt;b&gt;&#39;</p>',
    )
    expect(element('img', { alt: '' }).source).toBe('<img alt="">')
    expect(escapeText('a\r\nb\rc\td\u0007')).toBe('a\nb\nc\td\ufffd')
    expect(() => element('p', { x: Number.NaN })).toThrow(RangeError)
    expect(() => element('p', { 'a b': '1' })).toThrow(RangeError)
    expect(() => styleSheet('</style>')).toThrow(RangeError)
  })

  test('a chart refuses an empty range', () => {
    const chart = {
      id: 'c',
      title: '',
      description: '',
      xLabel: '',
      curves: [],
      marks: [],
      format: String,
      tick: String,
    }
    const draw = (
      x: readonly [number, number],
      y: readonly [number, number],
      logarithmic: boolean,
    ) => lineChart({ ...chart, xRange: x, yRange: y, logarithmic }).source
    expect(draw([0, 10], [0.001, 1], true)).toMatch(/>0\.001<.*>0\.01<.*>0\.1<.*>1</)
    expect(() => draw([0, 0], [0, 1], false)).toThrow(RangeError)
    expect(() => draw([0, 1], [0, 1], true)).toThrow(RangeError)
    expect(() => draw([0, 1], [1, Number.NaN], false)).toThrow(RangeError)
  })

  test('a gap in a curve is a gap in its path', () => {
    const points = { x: [0, 1, 2, 3, 4], y: [0, 1, Number.NaN, 1, 0] }
    const curves = [{ label: 'c', style: 'test', points, dots: true }] as const
    const frame = { id: 'c', title: 't', description: 'd', xLabel: 'x', marks: [] }
    const format = { format: String, tick: String }
    const chart = {
      ...frame,
      ...format,
      xRange: [0, 4],
      yRange: [0, 1],
      logarithmic: false,
    } as const
    const { source } = lineChart({ ...chart, curves })
    expect(source.match(/ d="([^"]*)"/)?.[1]?.match(/M/g)?.length).toBe(2)
    expect(source.match(/<circle/g)?.length).toBe(4)
  })

  test('a heat map has a cell for each pair and the recall of each row', () => {
    const labels = ['a', 'b', 'c']
    const counts = [
      [8, 2, 0],
      [0, 0, 0],
      [1, 0, 3],
    ]
    const { source } = heatMap({ labels, counts })
    expect(source.match(/<rect/g)?.length).toBe(9)
    for (const words of ['>80.0 %<', '>–<', '>75.0 %<', 'a taken for b: 2 (20.0 %)']) {
      expect(source).toContain(words)
    }
    expect(source).toContain('11 of 14 examples on the diagonal')
  })

  test('kernels come slowest first; beyond 24 the rest is folded away', () => {
    const kernels = Array.from({ length: 30 }, (_, i) => ({
      name: `k${i}_`,
      calls: 2,
      totalSeconds: i / 100,
    }))
    const { source } = kernelTable(kernels)
    const order = [...source.matchAll(/>(k\d+_)</g)].map(([, name]) => name)
    expect(order).toEqual(kernels.map((k) => k.name).toReversed())
    expect(source).toContain('<summary>6 more</summary>')
    expect(source).toContain('30 kernels, 4.35 s in all')
  })

  test('smoothing keeps a constant and is each value itself where there is no memory', () => {
    fc.assert(
      fc.property(fc.double({ min: -1e6, max: 1e6, noNaN: true }), fc.nat(50), (c, n) => {
        for (const v of smooth(new Array<number>(n).fill(c), 5)) expect(v).toBeCloseTo(c, 6)
      }),
    )
    expect(smooth([1, 2, 4], 0)).toEqual([1, 2, 4])
    expect(smooth([1, Number.NaN, 3], 1)[2]).toBeCloseTo((0.5 * 1 + 3) / 1.5)
  })

  test('thinning keeps the order, the extremes and the size it was given', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), {
          minLength: 1,
          maxLength: 500,
        }),
        fc.integer({ min: 2, max: 100 }),
        (y, most) => {
          const thinned = thin({ x: y.map((_, i) => i), y }, most)
          expect(thinned.x.length).toBeLessThanOrEqual(Math.max(2, most))
          expect(thinned.x).toEqual(thinned.x.toSorted((a, b) => a - b))
          expect(Math.max(...thinned.y) === Math.max(...y)).toBe(true)
          expect(Math.min(...thinned.y) === Math.min(...y)).toBe(true)
        },
      ),
    )
    expect(quantile([3, Number.NaN, 1, 2], 0.5)).toBe(2)
    expect(quantile([], 0.5)).toBeUndefined()
  })

  test('a PNG file, byte by byte', () => {
    expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf43926)
    const pixels = Uint8Array.of(0, 50, 100, 150, 200, 250)
    const file = Buffer.from(encodePng({ width: 3, height: 2, channels: 1, pixels }))
    expect(file.subarray(0, 8).toString('latin1')).toBe('\u0089PNG\r\n\u001a\n')
    const chunks: [string, Buffer][] = []
    for (let at = 8; at < file.length; ) {
      const length = file.readUInt32BE(at)
      const body = file.subarray(at + 8, at + 8 + length)
      expect(file.readUInt32BE(at + 8 + length)).toBe(crc32(file.subarray(at + 4, at + 8 + length)))
      chunks.push([file.toString('latin1', at + 4, at + 8), body])
      at += length + 12
    }
    expect(chunks.map(([name]) => name)).toEqual(['IHDR', 'IDAT', 'IEND'])
    expect([...chunks[0]![1]]).toEqual([0, 0, 0, 3, 0, 0, 0, 2, 8, 0, 0, 0, 0])
    expect([...inflateSync(chunks[1]![1])]).toEqual([0, 0, 50, 100, 0, 150, 200, 250])
    expect(() => encodePng({ width: 3, height: 3, channels: 1, pixels })).toThrow(RangeError)
  })

  test('numbers as people read them', () => {
    expect([0.0352, 0.1, 0.99999, 2, 12.345, 99.96, 1234.5, 1e-7, 0].map(significant)).toEqual([
      '0.0352',
      '0.100',
      '1.00',
      '2.00',
      '12.3',
      '100',
      '1,235',
      '1.00e-7',
      '0',
    ])
    expect([4e-6, 0.0123, 0.99999, 61.2, 125, 7640].map(elapsed)).toEqual([
      '4.00 µs',
      '12.3 ms',
      '1.00 s',
      '61.2 s',
      '2 min 5 s',
      '2 h 7 min',
    ])
    expect([0.2, 12, 725, 3723, Infinity, -3].map(clock)).toEqual([
      '0:01',
      '0:12',
      '12:05',
      '1:02:03',
      '--:--',
      '0:00',
    ])
    expect([percent(0.9887, 2), percent(Number.NaN)]).toEqual(['98.87 %', 'NaN'])
  })
})

describe('the file', () => {
  let directory = ''
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'cotangent-report-'))
  })
  afterAll(async () => rm(directory, { recursive: true, force: true }))

  test('is the page, with the directories made that were missing, and nothing beside it', async () => {
    const path = join(directory, 'new', 'deep', 'report.html')
    expect(await checkReportPath(path)()).toEqual(E.right(path))
    expect(await readdir(directory)).toEqual([])
    expect(await writeReport(path, plain)()).toEqual(E.right(path))
    expect(await readFile(path, 'utf8')).toBe(renderReport(plain))
    expect(await readdir(join(directory, 'new', 'deep'))).toEqual(['report.html'])
  })

  test('replaces an older one; a report that cannot be drawn leaves it as it was', async () => {
    const path = join(directory, 'old.html')
    await writeFile(path, 'old')
    const filters = [{ name: 'c', shape: [1, 1, 1, 1] as const, weights: [] }]
    const failed = await writeReport(path, { ...plain, filters })()
    expect(failed).toMatchObject(E.left({ tag: 'ReportError', path }))
    expect(await readFile(path, 'utf8')).toBe('old')
    expect(E.isRight(await writeReport(path, plain)())).toBe(true)
    expect(await readFile(path, 'utf8')).toBe(renderReport(plain))
    expect((await readdir(directory)).filter((name) => name.includes('.part'))).toEqual([])
  })

  test('says in one line why it cannot be written, before the work and at the end of it', async () => {
    const file = join(directory, 'file')
    await writeFile(file, '')
    const cases = [
      [directory, 'it is a directory; name a file'],
      [`${file}x/`, 'it is a directory; name a file'],
      [join(file, 'report.html'), 'a part of the path is a file, not a directory'],
      [join(directory, 'x'.repeat(300)), 'the name is too long'],
    ] as const
    for (const [path, reason] of cases) {
      const message = `--report: cannot write ${path}: ${reason}`
      const error = E.left({ tag: 'ReportError', path, message })
      expect(await checkReportPath(path)()).toEqual(error)
      expect(await writeReport(path, plain)()).toEqual(error)
    }
  })
})

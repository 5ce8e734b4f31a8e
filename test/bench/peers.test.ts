/** The workloads that other libraries share: their inputs, what is compiled for them, and how they compare. */
import { readFileSync } from 'node:fs'
import type { Shape, Tensor } from '@cotangent/core'
import { type CodeBackend, type Lowered, type ProfileRow, isAvailable } from '@cotangent/jit'
import { np } from 'cotangent'
import { figuresFor, replaceBlock } from '@cotangent/bench/figures'
import { goals } from '@cotangent/bench/peers/goals'
import { bitsAt, checksum, integersBelow, normalFloats } from '@cotangent/bench/peers/generator'
import { leastTime, parseRoofline } from '@cotangent/bench/peers/leastTime'
import { type Line, parseLine } from '@cotangent/bench/peers/line'
import { isRight, reference } from '@cotangent/bench/peers/reference'
import { judgeColumn, standingsOf } from '@cotangent/bench/peers/standings'
import { comparisonText } from '@cotangent/bench/peers/text'
import { type Context, contextFor } from '@cotangent/bench/peers/workload'
import { workloads } from '@cotangent/bench/peers/workloads'
import { describe, expect, test } from 'vitest'
import { expectKernels, expectVectors } from './kernels.ts'
import { type Filtering, paths } from './expected.ts'

describe('inputs', () => {
  test('bits are well mixed', () => {
    const ones = Array.from({ length: 1000 }, (_, i) => bitsAt(i, 3).toString(2).replace(/0/g, ''))
    const mean = ones.reduce((n, digits) => n + digits.length, 0) / ones.length
    expect(mean).toBeGreaterThan(15.5)
    expect(mean).toBeLessThan(16.5)
  })
  test('normal numbers have their mean and their deviation', () => {
    const values = normalFloats(10_000, 5, 2, 1)
    const mean = values.reduce((sum, x) => sum + x, 0) / values.length
    const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length
    expect(mean).toBeCloseTo(1, 1)
    expect(Math.sqrt(variance)).toBeCloseTo(2, 1)
  })
  test('integers stay below their bound', () => {
    expect(Math.max(...integersBelow(1000, 6, 10))).toBe(9)
    expect(Math.min(...integersBelow(1000, 6, 10))).toBe(0)
  })
  test('a checksum sees an exchange of two elements', () => {
    expect(checksum([[1, 2, 3, 4]])).not.toEqual(checksum([[4, 3, 2, 1]]))
  })
})

/** Small enough to run in a test; all others only compile here. */
const quick: ReadonlySet<string> = new Set([
  'matmul_256',
  'conv_lenet1_fwd',
  'conv_lenet2_fwd',
  'lenet_step',
  'eager_add10',
  'jit_tiny',
  'vg_mlp_tiny',
])

const backends: readonly CodeBackend[] = (['wasm', 'js'] as const).filter(isAvailable)

for (const backend of backends) {
  describe(`what ${backend} computes is what PyTorch does`, () => {
    for (const workload of workloads) {
      if (!quick.has(workload.id) || !('prepare' in workload)) continue
      test(workload.id, () => {
        const check = workload.prepare(contextFor(backend)).check()
        const both = `${check.join(', ')} against ${reference.get(workload.id)!.join(', ')}`
        expect(isRight(workload.id, check), both).toBe(true)
      })
    }
  })
}

/** Types are all that compiling needs. */
const zeros: Pick<Context, 'normal' | 'integers'> = {
  normal: (shape: Shape): Tensor => np.zeros(shape),
  integers: (shape: Shape): Tensor => np.zeros(shape, { dtype: 'int32' }),
}

/** In JavaScript minimal filtering leaves products where a convolution was, in vectors sixteen inside of one. */
const filteringOf = ({ kernels }: Lowered, backend: CodeBackend): Filtering => {
  const sources = kernels.filter((k) => k.name.startsWith('conv_')).map((k) => k.source)
  const isMinimal =
    backend === 'js' ? sources.length === 0 : sources.every((s) => s.includes('for t < 16'))
  return isMinimal ? 'minimal' : 'direct'
}

for (const backend of backends) {
  describe(`every workload is compiled kernels alone: ${backend}`, () => {
    for (const workload of workloads) {
      if (!('prepare' in workload)) continue
      test(workload.id, () => {
        const { lower } = workload.prepare({ ...contextFor(backend), ...zeros })
        if (lower === undefined) return expect(workload.id).toBe('eager_add10')
        const path = paths.get(workload.id)!
        const lowered = lower()
        expectKernels(lowered, path.computed)
        const all = new Set(lowered.kernels.map((kernel) => kernel.name))
        const names = [...all].filter((kernel) => !kernel.startsWith('pack_'))
        expect(names.length, names.join(', ')).toBeLessThanOrEqual(path.most)
        if (path.filtering !== undefined) {
          expect(filteringOf(lowered, backend)).toBe(path.filtering[backend])
        }
        if (backend === 'wasm') expectVectors(lowered, path.tile ?? 1)
      })
    }
  })
}

test('a block of the page is replaced, and nothing else', () => {
  const text = 'a\n<!-- measured: x -->\nold\n<!-- end -->\nb <!-- measured: y --><!-- end -->'
  expect(replaceBlock(text, 'x', 'new')).toBe(
    'a\n<!-- measured: x -->\n\nnew\n\n<!-- end -->\nb <!-- measured: y --><!-- end -->',
  )
  expect(() => replaceBlock(text, 'z', '')).toThrow('no block z')
})

const anyRow: ProfileRow = {
  name: 'a kernel',
  operations: [],
  calls: 1,
  time: 1,
  share: 1,
  flops: 0,
  bytes: 0,
  flopsPerSecond: 0,
  bytesPerSecond: 0,
  roof: 1,
  bound: 'compute',
  threads: 1,
  apart: '',
  stored: [],
  inside: '',
  at: null,
  source: '',
}

test('the page has a place for every figure, and says so where nothing was measured', () => {
  const machine = { cpu: 'a', cores: 2, node: 'v', v8: '1', platform: 'p', load: 0 }
  const report = { date: '2026-01-01', machine, isQuick: false, results: [] }
  const { blocks, images } = figuresFor(report, [])
  const page = readFileSync(new URL('../../docs/performance.md', import.meta.url), 'utf8')
  for (const [name, content] of blocks) {
    expect(replaceBlock(page, name, content)).toContain(content)
    if (name !== 'machine') expect(content).toBe('Not measured yet.')
  }
  expect(images.size).toBe(0)
})

describe('roofs', () => {
  const machine = { cpu: 'a', cores: 2, node: 'v', v8: '1', platform: 'p', load: 0 }
  const report = { date: '2026-01-01', machine, isQuick: false, results: [] }
  const line = (peer: string, ms: number): Line => ({ peer, workload: 'lstm_fwd', ms, n: 1 })
  const lines = [line('cotangent-wasm-1t', 40), line('jax-xla-1t', 20)]

  test('a kernel beyond its roof takes the time it takes', () => {
    const rows = [
      { time: 4, roof: 0.5 },
      { time: 3, roof: 1.2 },
    ] as const
    expect(leastTime({ rows: rows.map((row) => ({ ...anyRow, ...row })) })).toBe(5)
  })
  test.each([
    ['within reach', 20, '20.0 ms'],
    ['out of reach', 36, '36.0 ms †'],
    ['of unknown reach, where the roof was broken through', 41, ''],
  ])('a goal is %s', (_, least, shown) => {
    const rooflines = [{ workload: 'lstm_fwd', threads: 1, ms: 36, least }]
    const losses = figuresFor(report, lines, rooflines).blocks.get('losses')
    // 0.7 times as fast as 20 ms are 28.6 ms.
    expect(losses).toContain(`| 0.50× | 0.50× | ≥ 0.7× jax-xla | 40.0 ms | 28.6 ms | ${shown} |`)
  })
  test('lines of another kind are refused', () => {
    expect(() => parseRoofline('{"workload":"lstm_fwd","ms":3}')).toThrow('not a line')
  })
})

describe('comparing', () => {
  const line = (peer: string, workload: string, ms: number, check?: readonly number[]): Line => ({
    peer,
    workload,
    ms,
    n: 1,
    ...(check === undefined ? {} : { check }),
  })
  const right = reference.get('lenet_step')!
  const lines: readonly Line[] = [
    line('cotangent-wasm-1t', 'lenet_step', 4, right),
    line('cotangent-wasm-2t', 'lenet_step', 3, right),
    line('cotangent-wasm-2t', 'lenet_step', 2, right),
    line('cotangent-wasm-2t', 'lenet_step', 2.5, right),
    line('jax-xla-2t', 'lenet_step', 5, right),
    line('torch2.13.0-2t', 'lenet_step', 1, [0, 0, 0]),
    { peer: 'tfjs-wasm-2t', workload: 'lenet_step', ms: null, n: 0, reason: 'it cannot' },
  ]

  test('medians over rounds, threads against as many threads, and wrong results left out', () => {
    const verdicts = judgeColumn(workloads, standingsOf(workloads, lines), 'cotangent-wasm-2t')
    expect(verdicts).toMatchObject([
      { id: 'lenet_step', goal: { library: 'jax-xla' }, value: 2, isMet: true },
    ])
    expect(judgeColumn(workloads, standingsOf(workloads, lines), 'cotangent-wasm-1t')).toEqual([])
  })
  test('the fastest iteration of each column', () => {
    const fastest = standingsOf(
      workloads,
      lines.map((l) => (l.ms === 2.5 ? { ...l, min: 1.25 } : l)),
      'fastest',
    )
    expect(judgeColumn(workloads, fastest, 'cotangent-wasm-2t')).toMatchObject([
      { id: 'lenet_step', goal: { library: 'jax-xla' }, value: 4 },
    ])
  })
  test('the table says what is wrong and what cannot be done', () => {
    const text = comparisonText(lines)
    expect(text).toContain('5.00 ms (2.00×)')
    expect(text).toContain('1.00 ms ✗')
    expect(text).toContain('–')
    expect(text).toContain('1 of 1 goals met')
  })
  test('every goal and every check is of a workload', () => {
    const ids = workloads.map(({ id }) => id)
    for (const id of [...goals.keys(), ...reference.keys()]) expect(ids).toContain(id)
    expect(new Set(ids).size).toBe(ids.length)
  })
  test('a line that holds no figures is refused', () => {
    expect(() => parseLine('[1, 2]')).toThrow('not a line of figures')
  })
})

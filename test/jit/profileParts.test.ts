/** The parts of a profile: stopwatch, recorder, roofs, counts of work, reasons in words. */
import { type Scalar, type Stmt, type Tensor, scalars } from '@cotangent/core'
import { jit } from '@cotangent/jit'
import { np, random } from '@cotangent/ops'
import { describe, expect, test } from 'vitest'
import { type StepFacts, factsOf } from '../../packages/jit/src/profile/facts.ts'
import { Recorder, undisturbed } from '../../packages/jit/src/profile/recorder.ts'
import { bandwidthFor, measuredRoofs } from '../../packages/jit/src/profile/roofs.ts'
import { measureStages, stage } from '../../packages/jit/src/profile/stopwatch.ts'
import { binaryWork, unaryWork } from '../../packages/jit/src/profile/functionWork.ts'
import { operationsIn, operationsOf } from '../../packages/jit/src/profile/work.ts'
import { wasmTarget } from '../../packages/jit/src/target.ts'

const { binaryOp, constant, convertTo, literal, load, unaryOp } = scalars

const wait = (milliseconds: number): void => {
  const start = performance.now()
  while (performance.now() - start < milliseconds);
}

describe('the stopwatch', () => {
  test('gives each stage its own time, without that of stages inside it', () => {
    const [value, times] = measureStages(() =>
      stage('print', () => {
        stage('loop passes', () => wait(30))
        stage('loop passes', () => wait(10))
        wait(5)
        return 7
      }),
    )
    expect(value).toBe(7)
    expect(times.get('loop passes')).toBeGreaterThanOrEqual(40)
    expect(times.get('print')).toBeGreaterThanOrEqual(4.9)
    expect(times.get('print')).toBeLessThan(times.get('loop passes')!)
    expect(times.has('trace')).toBe(false)
  })

  test('is as it was after an error, and nothing to those who do not measure', () => {
    const [, times] = measureStages(() => {
      expect(() =>
        stage('lower', () => {
          throw new Error('mine')
        }),
      ).toThrow('mine')
      measureStages(() => stage('trace', () => wait(1)))
    })
    expect([...times.keys()]).toEqual(['lower'])
    expect(stage('plan', () => 3)).toBe(3)
  })
})

describe('the recorder', () => {
  test('adds up the runs of a step, and forgets what came before the call', () => {
    const recorder = new Recorder()
    recorder.mark(0)
    recorder.mark(1)
    recorder.record(() => {
      for (let run = 0; run < 3; run++) {
        recorder.mark(4)
        recorder.forked(2)
        recorder.forked(1)
        recorder.mark(5)
      }
    })
    const [call] = recorder.calls
    expect(recorder.calls).toHaveLength(1)
    expect(recorder.spans.map((s) => s.site)).toEqual([2, 2, 2])
    expect([call!.runs[0], call!.runs[2], call!.threads[2]]).toEqual([undefined, 3, 2])
    expect(call!.times[2]).toBeLessThanOrEqual(call!.end - call!.start)
  })

  test('the faster half of the calls counts, one at least', () => {
    const call = (length: number) => ({ start: 0, end: length, times: [], runs: [], threads: [] })
    expect(undisturbed([5, 1, 9].map(call)).map((c) => c.end)).toEqual([1, 5])
    expect(undisturbed([5].map(call))).toHaveLength(1)
  })
})

test('roofs are positive, measured once, and looked up by the bytes in use', () => {
  const roofs = measuredRoofs()
  expect(roofs.flopsPerSecond).toBeGreaterThan(1e8)
  for (const { bytesPerSecond } of roofs.memory) expect(bytesPerSecond).toBeGreaterThan(1e7)
  expect(measuredRoofs()).toBe(roofs)
  expect(bandwidthFor(roofs, 1)).toBe(roofs.memory[0]!.bytesPerSecond)
  expect(bandwidthFor(roofs, 1e12)).toBe(roofs.memory.at(-1)!.bytesPerSecond)
})

describe('counts of arithmetic', () => {
  const x = load('x', 'float32', constant(0))
  const square = binaryOp('multiply', x, x)

  test('what is shared counts once, conversions and loads not at all', () => {
    expect(operationsIn([binaryOp('add', square, square)])).toBe(2)
    expect(operationsIn([convertTo('float64', square), x])).toBe(1)
    expect(operationsIn([unaryOp('exp', square)])).toBe(1 + unaryWork('exp', 'float32'))
  })

  test('a function counts for what it is written as, without its rare cases', () => {
    // A reduced argument, a polynomial of degree five or six, a power of two.
    expect(unaryWork('exp', 'float32')).toBeGreaterThan(12)
    expect(unaryWork('exp', 'float32')).toBeLessThan(30)
    // Angles beyond a million are reduced otherwise, which takes several times as much.
    expect(unaryWork('sin', 'float32')).toBeLessThan(60)
    expect(unaryWork('exp', 'float64')).toBeGreaterThan(unaryWork('exp', 'float32'))
    expect(unaryWork('exp', 'bfloat16')).toBe(unaryWork('exp', 'float32'))
    expect(unaryWork('logistic', 'float32')).toBeGreaterThan(unaryWork('exp', 'float32'))
    expect(binaryWork('power', 'float32')).toBeGreaterThan(unaryWork('log', 'float32'))
  })

  test('loops multiply, the dearer branch counts', () => {
    const store = (value: Scalar): Stmt => ({ tag: 'store', buffer: 'y', at: constant(0), value })
    const one = literal('bool', 1)
    const branch = {
      tag: 'if',
      condition: one,
      // oxlint-disable-next-line unicorn/no-thenable -- the field's name in the loop IR
      then: [store(square), store(square)],
      otherwise: [store(x)],
    } as const
    const loop = { tag: 'for', counter: 'i', extent: 10, step: 2, body: [branch] } as const
    expect(operationsOf([loop, { tag: 'comment', text: 'c' }])).toBe(10)
  })
})

describe('reasons', () => {
  const normal = (seed: number, shape: readonly number[]): Tensor =>
    random.normal(random.key(seed), shape)
  const factsFor = <A extends readonly unknown[]>(
    f: (...args: A) => unknown,
    ...args: A
  ): readonly StepFacts[] => {
    const { program } = jit(f, { backend: 'wasm' })
      .lower(...args)
      .compile()
    return [...factsOf(program, wasmTarget).values()]
  }
  const apart = <A extends readonly unknown[]>(f: (...args: A) => unknown, ...args: A): string =>
    factsFor(f, ...args)
      .map((step) => step.apart)
      .join('\n')
  const square = normal(0, [40, 40])

  test('the first kernel has nothing to join', () => {
    expect(apart((x: Tensor) => x.mul(2), square)).toBe('the first kernel')
  })

  test('a fused chain is one kernel, and names what it computes', () => {
    const facts = factsFor((x: Tensor, w: Tensor) => np.tanh(x.matmul(w).add(1)), square, square)
    const kernels = facts.filter((step) => step.operations.length > 0)
    expect(kernels).toHaveLength(1)
    expect(kernels[0]!.operations).toEqual(['dotGeneral', 'add', 'tanh'])
    expect(kernels[0]!.stored).toEqual(['[40,40] a result of the function'])
  })

  test('a tile reads finished arrays', () => {
    expect(apart((x: Tensor) => np.exp(x).matmul(x), square)).toMatch(
      /a tile reads elements of exp_f32_40x40 again and again/,
    )
  })

  test('only point-wise epilogues join a tile', () => {
    expect(apart((x: Tensor) => x.matmul(x).sum({ axis: 1 }), square)).toMatch(
      /dotGeneral_f32_40x40 is a tile of sums: only point-wise epilogues|another iteration space/,
    )
  })

  test('other rows, other spaces', () => {
    const reasons = apart((x: Tensor) => {
      const rows = x.sum({ axis: 1 })
      return rows.add(np.flip(rows))
    }, square)
    expect(reasons).toMatch(/in other rows than its own|another iteration space: \[40\]/)
    expect(apart((x: Tensor, y: Tensor) => [x.mul(2), y.mul(3)], square, normal(1, [7]))).toMatch(
      /another iteration space: \[7\] beside \[40,40\] of mul_f32_40x40/,
    )
  })

  test('nothing in common', () => {
    expect(apart((x: Tensor, y: Tensor) => [x.mul(2), y.mul(3)], square, square.add(1))).toMatch(
      /it reads nothing that mul_f32_40x40 reads/,
    )
  })

  test('a kernel that would do too much, or read too many arrays', () => {
    const long = (x: Tensor): Tensor => {
      let y = x
      for (let i = 0; i < 60; i++) y = np.sin(y).mul(x)
      return y
    }
    expect(apart(long, square)).toMatch(/work limit: .* more than 160 operations per element/)
    const many = Array.from({ length: 30 }, (_, i) => normal(i, [40, 40]))
    const sums = (xs: readonly Tensor[]): readonly Tensor[] => {
      let total = xs[0]!
      return xs.map((x) => (total = total.add(x)))
    }
    expect(apart(sums, many)).toMatch(/read limit: .* more than 20 arrays/)
  })

  test('routines are steps of their own, and so are their readers', () => {
    const reasons = apart((x: Tensor) => np.sort(x).add(1), square)
    expect(reasons).toMatch(/a routine: its statements are its own/)
    expect(reasons).toMatch(/sort\S* is a step of its own/)
  })

  test('why results are in memory', () => {
    const stored = (f: (x: Tensor) => unknown): string =>
      factsFor(f, square)
        .flatMap((step) => step.stored)
        .join('\n')
    expect(stored((x) => np.exp(x).matmul(x))).toMatch(
      /each element is read several times by one kernel \(dotGeneral_f32_40x40\)/,
    )
    expect(stored((x) => np.sort(np.exp(x)))).toMatch(/read as a whole by one kernel \(sort/)
    expect(stored((x) => x.matmul(x).matmul(x))).toMatch(
      /a finished result, read by one kernel \(dotGeneral/,
    )
    expect(
      stored((x) => {
        const e = np.exp(np.sin(x))
        return [e.sum({ axis: 0 }), np.sort(x).add(e), e.matmul(x)]
      }),
    ).toMatch(/read by (two|three) kernels \(/)
  })

  test('kernels of loops know the loop', () => {
    const facts = factsFor((x: Tensor) => {
      const body = (c: Tensor): Tensor => c.matmul(x)
      let y = x
      for (let i = 0; i < 2; i++) y = body(y)
      return y
    }, square)
    expect(facts.every((step) => step.inside === '')).toBe(true)
    expect(facts.some((step) => step.at?.includes('profileParts.test.ts') === true)).toBe(true)
  })
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  createProgress,
  type Progress,
  type ProgressOptions,
} from '../../packages/cotangent/src/cli/progress.ts'
import {
  bar,
  type ProgressState,
  render,
  renderEpoch,
  renderPlain,
} from '../../packages/cotangent/src/cli/progressLine.ts'

const state: ProgressState = {
  epoch: 2,
  epochs: 5,
  step: 62,
  steps: 100,
  loss: 0.1234,
  accuracy: 0.961,
  examplesPerSecond: 2345.4,
  secondsLeft: 11.2,
}

describe('the line', () => {
  test('with room for everything', () => {
    expect(render(state, 79)).toBe(
      'epoch 2/5 ▕████████     ▏  62 %  loss 0.1234  acc 96.1 %  2,345 ex/s  0:12 left',
    )
  })

  test('gives up the bar, the rate, the time, the accuracy and the loss, in this order', () => {
    expect([66, 58, 47, 36, 28, 14, 9, 3, 0].map((width) => render(state, width))).toEqual([
      'epoch 2/5  62 %  loss 0.1234  acc 96.1 %  2,345 ex/s  0:12 left',
      'epoch 2/5  62 %  loss 0.1234  acc 96.1 %  0:12 left',
      'epoch 2/5  62 %  loss 0.1234  acc 96.1 %',
      'epoch 2/5  62 %  loss 0.1234',
      'epoch 2/5  62 %  loss 0.1234',
      '62 %',
      '62 %',
      '62 ',
      '',
    ])
  })

  test('says what is known, and no more', () => {
    const { loss: _, accuracy: __, examplesPerSecond: ___, secondsLeft: ____, ...early } = state
    expect(renderPlain(early)).toBe('epoch 2/5  62 %')
    expect(renderPlain({ ...early, loss: Number.NaN })).toBe('epoch 2/5  62 %  loss NaN')
  })

  test('reaches 100 % at the end only, and never jumps in width on the way', () => {
    const lines = Array.from({ length: 1000 }, (_, i) =>
      render({ ...state, step: i, steps: 999 }, 90),
    )
    expect(new Set(lines.map((l) => l.length))).toEqual(new Set([90]))
    expect(lines.filter((l) => l.includes('100 %'))).toEqual([lines.at(-1)])
  })

  test('is never wider than the width, and never holds a line end', () => {
    const number = fc.oneof(fc.double(), fc.integer())
    const maybe = fc.option(number, { nil: undefined })
    const any = fc.record({
      epoch: number,
      epochs: number,
      step: number,
      steps: number,
      loss: maybe,
      accuracy: maybe,
      examplesPerSecond: maybe,
      secondsLeft: maybe,
    })
    fc.assert(
      fc.property(any, fc.integer({ min: 0, max: 200 }), (s, width) => {
        const line = render(s, width)
        expect(line.length).toBeLessThanOrEqual(width)
        expect(line).not.toMatch(/\p{Cc}/u)
      }),
      { numRuns: 1000 },
    )
  })

  test('a bar is as long as asked for and grows by eighths', () => {
    expect(bar(0, 4)).toBe('▕    ▏')
    expect(bar(1 / 32, 4)).toBe('▕▏   ▏')
    expect(bar(0.6, 4)).toBe('▕██▍ ▏')
    expect(bar(1, 4)).toBe('▕████▏')
    expect(bar(7, 4)).toBe('▕████▏')
  })

  test('an epoch', () => {
    const summary = { epoch: 1, epochs: 5, loss: 0.2312, accuracy: 0.931, seconds: 12.34 }
    expect(renderEpoch({ ...summary, testLoss: 0.1, testAccuracy: 0.9689 })).toBe(
      'epoch 1/5  loss 0.2312  acc 93.1 %  test loss 0.1000  test acc 96.89 %  12.3 s',
    )
  })
})

interface Bench {
  readonly progress: Progress
  readonly written: readonly string[]
  readonly wait: (milliseconds: number) => void
}

const bench = (isTTY: boolean, more: Partial<ProgressOptions> = {}): Bench => {
  const written: string[] = []
  let time = 1000
  const stream = { isTTY, columns: 70, write: (text: string) => written.push(text) }
  return {
    progress: createProgress({ stream, now: () => time, live: isTTY, ...more }),
    written,
    wait: (milliseconds) => {
      time += milliseconds
    },
  }
}

/** `n` steps of 64 examples, `each` milliseconds apart. */
const run = ({ progress, wait }: Bench, n: number, each: number, epoch = 1): void => {
  for (let step = 1; step <= n; step++) {
    wait(each)
    progress.step({ epoch, epochs: 2, step, steps: n, examples: 64, loss: 1 / step })
  }
}

const summary = { epoch: 1, epochs: 2, loss: 0.5, seconds: 1 }

/** What a terminal shows after all that was written. */
const screen = (written: readonly string[]): readonly string[] =>
  written
    .join('')
    .split('\n')
    .map((line) => line.split('\r').at(-1)!.replace('\u001b[K', ''))

describe('on a terminal', () => {
  test('one line, rewritten at most ten times a second', () => {
    const b = bench(true)
    run(b, 1000, 4)
    expect(b.written.length).toBeGreaterThan(35)
    expect(b.written.length).toBeLessThanOrEqual(42)
    for (const text of b.written) expect(text).toMatch(/^\r[^\r\n]{1,69}\p{Cc}\[K$/u)
    expect(screen(b.written)).toEqual([
      expect.stringMatching(/^epoch 1\/2 ▕█.* 100 %  loss 0.0010/),
    ])
  })

  test('rate and time left are those of the clock', () => {
    const written: string[] = []
    let time = 0
    const wide = createProgress({
      stream: { columns: 200, write: (text: string) => written.push(text) },
      now: () => time,
      live: true,
    })
    // The first step takes ten seconds, as if it were compiling: the rate must not know of it.
    for (let step = 1; step <= 100; step++) {
      time += step === 1 ? 10_000 : 100
      wide.step({ epoch: 1, epochs: 2, step, steps: 100, examples: 32 })
    }
    expect(written.at(-1)).toContain('100 %  320 ex/s  0:10 left')
  })

  test('an evaluation between epochs does not slow the rate down', () => {
    const b = bench(true)
    run(b, 50, 100)
    b.progress.epoch(summary)
    b.wait(60_000)
    run(b, 50, 100, 2)
    expect(screen(b.written).at(-1)).toContain('640 ex/s')
  })

  test('what stays is written above the line, which is drawn again', () => {
    const b = bench(true)
    run(b, 3, 200)
    b.progress.note('saved')
    const [above, line] = screen(b.written)
    expect(above).toBe('saved')
    expect(line).toMatch(/^epoch 1\/2/)
    b.progress.epoch(summary)
    b.progress.finish()
    expect(screen(b.written)).toEqual(['saved', 'epoch 1/2  loss 0.5000  1.0 s', ''])
  })

  test('a terminal of unknown or tiny width does no harm', () => {
    for (const columns of [0, 1, 2, undefined]) {
      const written: string[] = []
      const stream = { columns, write: (text: string) => written.push(text) }
      const progress = createProgress({ stream, now: () => 0, live: true })
      progress.step({ epoch: 1, epochs: 1, step: 1, steps: 2, examples: 1 })
      progress.finish()
      const most = columns === undefined || columns === 0 ? 79 : columns - 1
      for (const line of screen(written)) expect(line.length).toBeLessThanOrEqual(most)
    }
  })
})

describe('in a log', () => {
  test('a plain line every five seconds, and one for each epoch', () => {
    const b = bench(false)
    run(b, 120, 100)
    b.progress.epoch(summary)
    run(b, 40, 100, 2)
    b.progress.finish()
    expect(b.written).toEqual([
      'epoch 1/2  41 %  loss 0.0200  640 ex/s  0:19 left\n',
      'epoch 1/2  83 %  loss 0.0100  640 ex/s  0:14 left\n',
      'epoch 1/2  loss 0.5000  1.0 s\n',
    ])
  })

  test('silent means nothing at all', () => {
    for (const isTTY of [true, false]) {
      const b = bench(isTTY, { silent: true })
      run(b, 100, 1000)
      b.progress.note('x')
      b.progress.epoch(summary)
      b.progress.finish()
      expect(b.written).toEqual([])
    }
  })
})

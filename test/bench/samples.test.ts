import { tensor } from '@cotangent/core'
import { compare } from '@cotangent/bench/harness'
import { judge, ratioTo } from '@cotangent/bench/results'
import { arraysOf, difference, median } from '@cotangent/bench/samples'
import { parseOptions } from '@cotangent/bench/options'
import { describe, expect, test, vi } from 'vitest'

test('the median of an even and an odd number of samples', () => {
  expect(median([3, 1, 2])).toBe(2)
  expect(median([4, 1, 3, 2])).toBe(2.5)
})

test('the numbers of a result are found in any tree, in a fixed order', () => {
  const numbers = arraysOf({ b: [tensor([3, 4]), 5], a: new Float32Array([1, 2]) })
  expect(numbers.map((values) => Array.from(values))).toEqual([[1, 2], [3, 4], [5]])
})

describe('the difference of results', () => {
  test('is relative to the greatest number of each array', () =>
    expect(difference([[1, 99]], [[0, 100]])).toBe(0.01))
  test('is none for equal numbers, infinite ones and NaN among them', () =>
    expect(difference([[Number.NaN, Infinity, 0]], [[Number.NaN, Infinity, -0]])).toBe(0))
  test('is infinite where NaN, lengths or structures differ', () => {
    expect(difference([[Number.NaN]], [[1]])).toBe(Infinity)
    expect(difference([[1]], [[1, 2]])).toBe(Infinity)
    expect(difference([[1]], [[1], [2]])).toBe(Infinity)
  })
  test('is infinite where all should be zero', () =>
    expect(difference([[1e-9]], [[0]])).toBeGreaterThan(1e-3))
})

test('ratios and targets are of medians, and the first contender is judged', () => {
  const timings = [
    { contender: 'compiled', median: 0.002, samples: [] },
    { contender: 'interpreter', median: 0.016, samples: [] },
  ]
  expect(ratioTo(timings, 'interpreter')).toBe(8)
  const verdicts = judge(timings, [
    { tag: 'ratio', against: 'interpreter', atLeast: 8 },
    { tag: 'time', below: 0.001 },
  ])
  expect(verdicts.map(({ isMet }) => isMet)).toEqual([true, false])
  expect(() => judge(timings, [{ tag: 'ratio', against: 'nobody', atLeast: 1 }])).toThrow('nobody')
})

test('the command line knows its themes', () => {
  expect(parseOptions(['pooling', '--quick'], ['pooling'])).toMatchObject({
    themes: ['pooling'],
    isQuick: true,
  })
  expect(() => parseOptions(['poling'], ['pooling'])).toThrow('there is no theme poling')
  expect(() => parseOptions(['--quik'], [])).toThrow('--quik')
})

test('contenders that take seconds have no turns, and the suite ends all the same', async () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  let calls = 0
  const slow = (): number => {
    calls++
    vi.advanceTimersByTime(2100)
    return 1
  }
  const { timings } = await compare('slow', { slow }, { sameResult: 0 })
  vi.useRealTimers()
  expect(calls).toBe(2)
  expect(timings).toEqual([{ contender: 'slow', median: 2.1, samples: [2.1] }])
})

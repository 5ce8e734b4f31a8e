import { threads } from '@cotangent/jit'
import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import {
  type Bench,
  bench,
  firstWord,
  newMemory,
  pause,
  phases,
  phasesOf,
  testModule,
  untilStarted,
} from './threadsSupport.ts'

const { Pool } = threads

let open: Bench[] = []
const fresh = (count: number, options?: threads.PoolOptions): Bench => {
  const made = bench(count, options)
  open.push(made)
  return made
}

afterEach(() => {
  for (const { pool } of open) pool.dispose()
  open = []
})

/** Expects `rounds` words of `value`, zeros around them, and clears them. */
const expectWords = (words: Int32Array, rounds: number, value: number): void => {
  const region = words.subarray(0, firstWord + rounds + 1)
  const wrong = region.findIndex(
    (x, i) => x !== (i >= firstWord && i < firstWord + rounds ? value : 0),
  )
  expect({ wrong, value: region[wrong] }).toEqual({ wrong: -1, value: undefined })
  region.fill(0)
}

describe('jobs', () => {
  test('every round is run exactly once, whatever the number of threads', async () => {
    for (const count of [1, 2, 3, 5]) {
      const { pool, words, run } = fresh(count)
      await untilStarted(pool)
      fc.assert(
        fc.property(fc.nat(3000), fc.integer({ min: 1, max: 400 }), (rounds, grain) => {
          run(phases.increment, rounds, grain)
          expectWords(words, rounds, 1)
        }),
        { numRuns: 200 },
      )
    }
  })

  test('a hundred thousand tiny jobs, with workers that spin, sleep, and wake in between', async () => {
    for (const spin of [0, 0.001, 0.08]) {
      const { pool, words, run } = fresh(3, { spin })
      await untilStarted(pool)
      const jobs = 34_000
      const jobsWith = (k: number): number =>
        Array.from({ length: 7 - k }, (_, j) => Math.ceil((jobs - k - j) / 7)).reduce(
          (a, b) => a + b,
        )
      for (let i = 0; i < jobs; i++) {
        // Round k is part of the jobs whose number is k modulo 7 or more.
        run(phases.increment, 1 + (i % 7), 1)
        // Pauses of many lengths, so that workers are met at every point of falling asleep.
        if (i % 50 === 0) expect(pause((i * 7919) % 20_000)).toBeGreaterThan(0)
      }
      for (let k = 0; k < 7; k++) expect(words[firstWord + k]).toBe(jobsWith(k))
      expect(words[firstWord + 7]).toBe(0)
    }
  })

  test('workers have a part in long jobs', async () => {
    const { pool, words, module } = fresh(2)
    await untilStarted(pool)
    const slow = phasesOf(testModule(), newMemory())[phases.slow]!
    let mine = 0
    let jobs = 0
    const theirs = (): number => words.reduce((sum, x) => sum + x, 0)
    // This thread's instance writes elsewhere: what reaches the words came from the worker.
    for (; jobs < 10_000 && theirs() === 0; jobs++)
      pool.run(
        module,
        phases.slow,
        (args, lo, hi) => {
          mine += hi - lo
          slow(args, lo, hi)
        },
        4 * firstWord,
        100,
        5,
      )
    expect(theirs()).toBeGreaterThan(0)
    expect(mine + theirs()).toBe(100 * jobs)
  })

  test('a phase may run a job, on its own thread', () => {
    const { pool, words, module, run } = fresh(2)
    pool.run(
      module,
      phases.increment,
      (_, lo, hi) => {
        for (let i = lo; i < hi; i++) run(phases.increment, 3, 1)
      },
      4 * (firstWord + 100),
      2,
      1,
    )
    const done = words[firstWord]! + words[firstWord + 100]! + words[firstWord + 101]!
    expect(done).toBe(2)
  })

  test('without shared memory this thread does it all', () => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 })
    const pool = new Pool(memory, 4)
    expect(pool.threads).toBe(1)
    const seen: number[] = []
    pool.run(pool.register(testModule()), 0, (_, lo, hi) => seen.push(lo, hi), 0, 10, 2)
    expect(seen).toEqual([0, 10])
  })
})

describe('modules', () => {
  test('take turns, are replaced, and need not fit where others were', async () => {
    const { pool, words, run } = fresh(2)
    await untilStarted(pool)
    const memory = newMemory()
    let ids: { readonly id: number; readonly amount: number }[] = []
    for (let round = 0; round < 40; round++) {
      const amount = 10 + round
      // Custom sections make modules of many sizes.
      const size = (round * 7919) % 9000
      const filler = Uint8Array.of(0, 0x80 | ((size + 2) & 0x7f), (size + 2) >> 7, 1, 65)
      const bytes = new Uint8Array([...testModule(amount), ...filler, ...new Uint8Array(size)])
      ids.push({ id: pool.register(bytes), amount })
      if (ids.length > 5) {
        const gone = ids[round % 5]!
        pool.unregister(gone.id)
        ids = ids.filter(({ id }) => id !== gone.id)
      }
      for (const { id, amount: add } of ids) {
        const main = phasesOf(testModule(add), memory)
        expect(main.length).toBe(4)
        for (let k = 0; k < 5; k++) {
          pool.run(id, 0, phasesAt(words, add), 4 * firstWord, 40, 1)
          expectWords(words, 40, add)
        }
      }
    }
    run(phases.increment, 10, 1)
    expectWords(words, 10, 1)
  })

  test('of many megabytes, more than the store begins with', async () => {
    const { pool, words } = fresh(2)
    await untilStarted(pool)
    for (let i = 0; i < 8; i++) {
      const size = 700_000
      const filler = Uint8Array.of(
        0,
        0x80 | ((size + 2) & 0x7f),
        0x80 | (((size + 2) >> 7) & 0x7f),
        (size + 2) >> 14,
        1,
        65,
      )
      const base = testModule(3)
      const bytes = new Uint8Array(base.length + filler.length + size)
      bytes.set(base)
      bytes.set(filler, base.length)
      expect(WebAssembly.validate(bytes)).toBe(true)
      const id = pool.register(bytes)
      for (let k = 0; k < 20; k++) {
        pool.run(id, phases.slow, phasesAt(words, 3), 4 * firstWord, 100, 10)
        expectWords(words, 100, 3)
      }
    }
  })

  test('that are not registered are an error', () => {
    const { pool, run, module } = fresh(2)
    expect(() => run(phases.increment, 10, 1, 99)).toThrow(/not registered/)
    pool.unregister(module)
    expect(() => run(phases.increment, 10, 1)).toThrow(/not registered/)
    expect(() => pool.unregister(module)).toThrow(/not registered/)
  })
})

/** This thread's part of a job, in JavaScript. */
const phasesAt =
  (words: Int32Array, amount: number): threads.Phase =>
  (args, lo, hi) => {
    for (let i = lo; i < hi; i++) words[args / 4 + i]! += amount
  }

describe('the number of threads', () => {
  test('can change between jobs', async () => {
    const { pool, words, run } = fresh(1)
    for (const count of [3, 1, 2, 4, 4]) {
      pool.resize(count)
      expect(pool.threads).toBe(count)
      await untilStarted(pool)
      expect(pool.started).toBe(count - 1)
      run(phases.increment, 1000, 3)
      expectWords(words, 1000, 1)
    }
    pool.dispose()
    expect(pool.started).toBe(0)
    expect(pool.awake).toBe(0)
    expect(pool.hot).toBe(false)
    run(phases.increment, 1000, 3)
    expectWords(words, 1000, 1)
  })

  test('is one where a job is short', async () => {
    const { pool } = fresh(2)
    expect(pool.pays(50_000)).toBe(false)
    expect(pool.pays(1e6)).toBe(true)
    await untilStarted(pool)
    expect(pool.pays(100)).toBe(false)
    expect(pool.pays(1e6)).toBe(true)
    expect(fresh(1).pool.pays(1e9)).toBe(false)
  })

  test('is a setting, checked', () => {
    const { getThreads, onThreads, setThreads } = threads
    const before = getThreads()
    expect(before).toBeGreaterThanOrEqual(1)
    const heard: number[] = []
    const stop = onThreads((n) => heard.push(n))
    setThreads(3)
    expect(getThreads()).toBe(3)
    stop()
    setThreads(before)
    expect(heard).toEqual([3])
    for (const wrong of [0, -1, 1.5, Number.NaN, 1000])
      expect(() => setThreads(wrong)).toThrow(/whole number from 1 to 256/)
    expect(getThreads()).toBe(before)
  })
})

import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { WorkerError, threads } from '@cotangent/jit'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { type Bench, bench, firstWord, pause, phases, untilStarted } from './threadsSupport.ts'

let open: Bench[] = []

/** A pool whose workers run some text before their own. */
const withPrefix = (prefix: () => string): Bench => {
  const made = bench(3, {
    start: (source, data, died) => threads.startThread(`${prefix()};${source}`, data, died),
  })
  open.push(made)
  return made
}

const healthy = (): string => ''

afterEach(() => {
  for (const { pool } of open) pool.dispose()
  open = []
  vi.restoreAllMocks()
})

const untilThrows = async (run: () => void): Promise<unknown> => {
  for (let attempt = 0; attempt < 2000; attempt++) {
    try {
      run()
    } catch (error) {
      return error
    }
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  return null
}

const expectHealthy = async ({ pool, words, run }: Bench): Promise<void> => {
  words.fill(0)
  await untilStarted(pool)
  for (let k = 1; k <= 20; k++) {
    run(phases.slow, 60, 1)
    expect(words.subarray(firstWord, firstWord + 60).every((x) => x === k)).toBe(true)
  }
}

describe('an error on a worker is an error of the job', () => {
  test('a trap, whichever thread meets it', async () => {
    const made = withPrefix(healthy)
    const { pool, words, run } = made
    await untilStarted(pool)
    for (const round of [0, 7, 33, 99]) {
      words[firstWord - 1] = round
      expect(() => run(phases.trapAt, 100, 1)).toThrow(/unreachable/)
      words[firstWord - 1] = -1
      await untilStarted(pool)
      words.fill(0, firstWord)
      run(phases.trapAt, 100, 1)
      expect(words.subarray(firstWord, firstWord + 100).every((x) => x === 1)).toBe(true)
    }
    await expectHealthy(made)
  })

  test('a call of what only the main thread has', async () => {
    const made = withPrefix(healthy)
    await untilStarted(made.pool)
    const error = await untilThrows(() => {
      made.run(phases.callHost, 3000, 1)
    })
    expect(error).toBeInstanceOf(WorkerError)
    expect(String(error)).toMatch(/onlyHere, which only the main thread has/)
    await expectHealthy(made)
  })

  test('a module that does not compile there', async () => {
    const made = withPrefix(healthy)
    const { pool } = made
    await untilStarted(pool)
    const module = pool.register(Uint8Array.of(1, 2, 3))
    const error = await untilThrows(() => {
      pool.run(module, 0, () => pause(1000), 0, 10, 1)
    })
    expect(error).toBeInstanceOf(WorkerError)
    expect(String(error)).toMatch(/CompileError/)
    await expectHealthy(made)
  })
})

describe('a worker that dies', () => {
  test('at work: the job that waits for it fails', async () => {
    let prefix = 'WebAssembly.Instance = class { exports = { p0: () => process.exit(7) } }'
    const made = withPrefix(() => prefix)
    const { pool, module } = made
    await untilStarted(pool)
    const error = await untilThrows(() => {
      pool.run(module, 0, () => pause(10_000), 4 * firstWord, 50, 1)
    })
    expect(error).toBeInstanceOf(WorkerError)
    expect(String(error)).toMatch(/died while it was at work|exited with code 7/)
    prefix = ''
    await expectHealthy(made)
  })

  test('while idle: the next job says so', async () => {
    let prefix = 'Atomics.wait = () => process.exit(3)'
    const made = withPrefix(() => prefix)
    const { run } = made
    const error = await untilThrows(() => run(phases.increment, 10, 1))
    expect(error).toBeInstanceOf(WorkerError)
    expect(String(error)).toMatch(/exited with code 3/)
    prefix = ''
    await expectHealthy(made)
  })
})

describe('workers that cannot start', () => {
  test('leave the work to this thread, with a word about it', async () => {
    const said = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
    const refused = bench(4, {
      start: () => {
        throw new Error('no workers here')
      },
    })
    refused.run(phases.increment, 100, 3)
    expect(refused.words[firstWord + 99]).toBe(1)
    expect(refused.pool.threads).toBe(1)
    expect(said).toHaveBeenCalledTimes(1)
    expect(said.mock.calls[0]?.[0]).toMatch(/do not start.*no workers here/)

    const broken = withPrefix(() => 'this is no program')
    for (let k = 0; broken.pool.threads > 1; k++) {
      broken.run(phases.increment, 100, 3)
      expect(broken.words[firstWord + 99]).toBe(k + 1)
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    expect(said).toHaveBeenCalledTimes(2)
    expect(said.mock.calls[1]?.[0]).toMatch(/SyntaxError/)
  })
})

describe('processes', () => {
  const built = fileURLToPath(new URL('../../../packages/jit/dist/index.js', import.meta.url))
  const program = (text: string, setting?: string): { status: number | null; out: string } => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `import { threads, getThreads } from ${JSON.stringify(built)}\n${text}`,
      ],
      {
        encoding: 'utf8',
        timeout: 30_000,
        env: { ...process.env, ...(setting === undefined ? {} : { COTANGENT_THREADS: setting }) },
      },
    )
    return { status, out: `${stdout}${stderr}` }
  }
  const job = `
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true })
    const pool = new threads.Pool(memory, 3)
    const empty = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)
    const module = pool.register(empty)
    let rounds = 0
    pool.run(module, 0, (_, lo, hi) => { rounds += hi - lo }, 0, 10, 1)
  `

  test('end by themselves while workers start', () => {
    expect(program(`${job}; console.log('rounds', rounds)`)).toEqual({
      status: 0,
      out: 'rounds 10\n',
    })
  })

  test('end by themselves while workers sleep', () => {
    const wait = 'while (pool.started < 2) await new Promise((done) => setTimeout(done, 5))'
    expect(program(`${job}; ${wait}; console.log('asleep')`)).toEqual({
      status: 0,
      out: 'asleep\n',
    })
  })

  test('are told the number of threads', () => {
    const print = 'console.log(getThreads())'
    expect(program(print, '3').out).toBe('3\n')
    expect(Number(program(print, '').out)).toBeGreaterThanOrEqual(1)
    for (const wrong of ['0', 'many', '2.5'])
      expect(program(print, wrong).out).toMatch(/COTANGENT_THREADS: .*whole number/)
  })
})

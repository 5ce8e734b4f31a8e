import { spawnSync } from 'node:child_process'
import { runInNewContext } from 'node:vm'
import type { Storage } from '@cotangent/core'
import { heap } from '@cotangent/jit'
import { describe, expect, test } from 'vitest'

const { Heap } = heap
type Heap = heap.Heap

const KiB = 1024
const MiB = 2 ** 20

/** A tensor's storage in the heap, all of whose elements are `value`. */
const filled = (owner: Heap, bytes: number, value: number): Storage => {
  const address = owner.allocate(bytes)
  owner.f32.fill(value, address >>> 2, (address + bytes) >>> 2)
  return owner.adopt(address, 'float32', bytes / 4)
}

const holds = (storage: Storage, value: number): boolean => storage.read().every((x) => x === value)

describe('a heap that asks the collector', () => {
  test('frees what a synchronous loop drops, and copies nothing', () => {
    const owner = Heap.create({ shared: true, budget: 4 * MiB })
    let last: Storage | null = null
    for (let i = 0; i < 2000; i++) last = filled(owner, 100 * KiB, i)
    expect(last === null ? null : holds(last, 1999)).toBe(true)
    const { evictions, copiesOut, finalized, collections, bytesTouched } = owner.stats()
    expect({ evictions, copiesOut }).toEqual({ evictions: 0, copiesOut: 1 })
    expect(finalized).toBeGreaterThan(1500)
    // One for every 4 MiB at most.
    expect(collections).toBeLessThan(60)
    expect(bytesTouched).toBeLessThan(40 * MiB)
  })

  test('keeps what lives, and asks less often the more lives', () => {
    const owner = Heap.create({ shared: false, budget: MiB })
    const live = Array.from({ length: 1000 }, (_, i) => filled(owner, 100 * KiB, i))
    const { evictions, finalized, collections, residents } = owner.stats()
    expect({ evictions, finalized, residents }).toEqual({
      evictions: 0,
      finalized: 0,
      residents: 1000,
    })
    expect(collections).toBeLessThan(50)
    expect(live.every((x, i) => holds(x, i))).toBe(true)
  })

  test('keeps what lives for a while, and finds some of it dead when it has grown old', () => {
    const owner = Heap.create({ shared: false, budget: MiB })
    const recent: Storage[] = []
    for (let i = 0; i < 1500; i++) {
      recent.push(filled(owner, 100 * KiB, i))
      if (recent.length > 100) recent.shift()
    }
    expect(recent.every((x, i) => holds(x, 1400 + i))).toBe(true)
    expect(owner.stats().evictions).toBe(0)
    expect(owner.stats().finalized).toBeGreaterThan(0)
  })

  test('leaves in place what running calls use, though nobody holds it', () => {
    const owner = Heap.create({ shared: false, budget: MiB })
    owner.beginCall('f')
    const [made, used] = [1, 2].map((value) => {
      const storage = filled(owner, 100 * KiB, value)
      return owner.pointer(storage)
    })
    owner.beginCall('g')
    for (let i = 0; i < 100; i++) {
      owner.beginCall('h')
      filled(owner, 100 * KiB, -1)
      owner.endCall()
    }
    owner.endCall()
    expect(owner.stats().finalized).toBeGreaterThan(50)
    expect([made, used].map((address) => owner.f32[(address ?? 0) >>> 2])).toEqual([1, 2])
    owner.endCall()
    for (let i = 0; i < 100; i++) filled(owner, 100 * KiB, -1)
    expect(owner.stats().residents).toBeLessThan(50)
  })

  test('keeps elements that are shared, donated, brought in or read', () => {
    const owner = Heap.create({ shared: false, budget: MiB })
    const flood = (): void => {
      for (let i = 0; i < 60; i++) filled(owner, 100 * KiB, -1)
    }
    const shared = filled(owner, 100 * KiB, 1).share()
    let state = filled(owner, 100 * KiB, 2)
    const read = filled(owner, 100 * KiB, 3)
    read.read()
    for (let i = 0; i < 5; i++) {
      flood()
      const address = owner.take(state)
      flood()
      state = owner.adopt(address, 'float32', 25 * KiB)
    }
    expect([shared, state, read].map((x) => owner.isResident(x))).toEqual([true, true, true])
    expect([holds(shared, 1), holds(state, 2), holds(read, 3)]).toEqual([true, true, true])
    expect(owner.f32[owner.pointer(read) >>> 2]).toBe(3)
  })

  test('evicts what lives when the memory is full', () => {
    const owner = Heap.create({ shared: false, maximum: 64, budget: MiB })
    const live = Array.from({ length: 100 }, (_, i) => filled(owner, 100 * KiB, i))
    expect(owner.stats().evictions).toBeGreaterThan(50)
    expect(live.every((x, i) => holds(x, i))).toBe(true)
  })

  test('frees nothing on the word of a collector that may have forgotten some', () => {
    const collector = { collect: (): void => undefined, tell: (): boolean => false }
    const owner = Heap.create({ shared: false, budget: MiB, collector })
    const live = Array.from({ length: 100 }, (_, i) => filled(owner, 100 * KiB, i))
    expect(owner.stats()).toMatchObject({ finalized: 0, residents: 100 })
    expect(live.every((x, i) => holds(x, i))).toBe(true)
  })

  test('gives the collector to nobody else', () => {
    const seen = (): unknown => ['gc' in globalThis, runInNewContext('typeof gc')]
    const before = seen()
    const owner = Heap.create({ shared: false, budget: MiB })
    for (let i = 0; i < 50; i++) filled(owner, 100 * KiB, i)
    expect(owner.stats().collections).toBeGreaterThan(0)
    expect(seen()).toEqual(before)
  })
})

const built = new URL('../../../packages/jit/dist/wasm/heap/index.js', import.meta.url)

/** What a program prints that has the heap's class. */
const runScript = (script: string, ...flags: readonly string[]): unknown => {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [...flags, '--input-type=module', '-e', `const { Heap } = await import('${built}')\n${script}`],
    { encoding: 'utf8' },
  )
  expect([status, stderr]).toEqual([0, ''])
  return JSON.parse(stdout)
}

describe('between tasks, the collector', () => {
  test('frees the blocks of dead tensors and the arenas of dead executables', () => {
    const stats = runScript(
      `
      const owner = Heap.create({ shared: true })
      const kept = []
      const make = () => {
        for (let i = 0; i < 200; i++) {
          const storage = owner.adopt(owner.allocate(40000), 'float32', 10000)
          if (i % 50 === 0) kept.push(storage.share())
          else owner.adopt(owner.take(storage), 'float32', 10000)
        }
        owner.arena(1e6, 'dead').address
      }
      make()
      for (let i = 0; i < 20 && (owner.stats().arenaBytes > 0 || owner.stats().residents > kept.length); i++) {
        globalThis.gc()
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
      const { residents, finalized, arenaBytes } = owner.stats()
      console.log(JSON.stringify({ residents, finalized, arenaBytes, kept: kept.length }))`,
      '--expose-gc',
    )
    expect(stats).toEqual({ residents: 4, finalized: 196, arenaBytes: 0, kept: 4 })
  })
})

const dropping = (options: string, turns: number): string => `
  const owner = Heap.create({ shared: true, ${options} })
  let peak = 0
  for (let i = 0; i < ${turns}; i++) {
    const address = owner.allocate(400000)
    owner.fill(address, i & 255, 400000)
    owner.adopt(address, 'float32', 100000)
    if (i % 100 === 0) peak = Math.max(peak, process.memoryUsage.rss())
  }
  const { evictions, collections } = owner.stats()
  console.log(JSON.stringify({ evicts: evictions > 0, asks: collections > 0, peak: peak / 2 ** 20 }))`

describe('1.6 GB of dropped results in a synchronous loop', () => {
  test.each([
    ['of a heap that asks the collector', '', [], false],
    ['where the program itself has the collector', '', ['--expose-gc'], false],
    ['where the young cannot be told', '', ['--semi-space-growth-factor=2', '--gc-global'], false],
    ['of a heap that evicts', 'collector: null', [], true],
  ])('take less than 256 MiB: %s', (_, options, flags, evicts) => {
    const use = runScript(dropping(options, 4000), ...flags)
    expect(use).toMatchObject({ evicts, asks: !evicts })
    expect(use).toHaveProperty('peak', expect.any(Number))
    expect(Reflect.get(Object(use), 'peak')).toBeLessThan(256)
  })

  test('are evicted where the platform does not let the collector be asked', () => {
    const hide = `
      const find = process.getBuiltinModule
      process.getBuiltinModule = (name) => name === 'node:v8' ? undefined : find.call(process, name)`
    expect(runScript(hide + dropping('', 400))).toMatchObject({ evicts: true, asks: false })
    const forbid = `
      const v8 = process.getBuiltinModule('node:v8')
      v8.setFlagsFromString = () => { throw new Error('forbidden') }`
    expect(runScript(forbid + dropping('', 400))).toMatchObject({ evicts: true, asks: false })
    const leaveOut = `
      const util = process.getBuiltinModule('node:util')
      const { inspect } = util
      util.inspect = (value, options) => inspect(value, { ...options, maxArrayLength: 100 })`
    expect(runScript(leaveOut + dropping('', 400))).toMatchObject({ evicts: true, asks: false })
  })
})

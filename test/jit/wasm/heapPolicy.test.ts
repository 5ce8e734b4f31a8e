import { Storage } from '@cotangent/core'
import { heap } from '@cotangent/jit'
import { describe, expect, test } from 'vitest'

const { Heap } = heap

const KiB = 1024
const MiB = 2 ** 20

describe('the budget of a heap that evicts', () => {
  test('bounds what a synchronous loop of dropped results touches', () => {
    const owner = Heap.create({ shared: false, budget: 8 * MiB, collector: null })
    for (let i = 0; i < 20_000; i++) owner.adopt(owner.allocate(40_000), 'float32', 10_000)
    const { bytesTouched, bytesReserved, budget } = owner.stats()
    expect(budget).toBe(8 * MiB)
    expect(bytesTouched).toBeLessThan(8.1 * MiB)
    expect(bytesReserved).toBeLessThan(32 * MiB)
  })

  test('grows until a working set that comes back again and again fits', () => {
    const owner = Heap.create({ shared: false, budget: MiB, collector: null })
    const set = Array.from({ length: 50 }, () => new Storage(new Float32Array(25_000)))
    const round = (): void => {
      for (const storage of set) owner.pointer(storage)
    }
    for (let i = 0; i < 20; i++) round()
    const { evictions, bytesIn, budget } = owner.stats()
    expect(budget).toBe(8 * MiB)
    // All 5 MB once, and no more than a budget of copies besides.
    expect(bytesIn).toBeLessThan(5e6 + 2 * 8 * MiB)
    for (let i = 0; i < 20; i++) round()
    expect(owner.stats().evictions).toBe(evictions)
  })

  test('lets one call use more than it', () => {
    const owner = Heap.create({ shared: false, budget: MiB, collector: null })
    owner.beginCall('f')
    const results = Array.from({ length: 40 }, () =>
      owner.adopt(owner.allocate(100_000), 'float32', 25_000),
    )
    expect(results.every((x) => owner.isResident(x))).toBe(true)
    owner.endCall()
  })

  test('gives way to the ceiling of the memory', () => {
    const owner = Heap.create({ shared: false, maximum: 32, budget: 64 * MiB, collector: null })
    const results = Array.from({ length: 10 }, (_, i) => {
      const address = owner.allocate(400_000)
      owner.f32[address >>> 2] = i
      return owner.adopt(address, 'float32', 100_000)
    })
    expect(results.map((x) => x.read()[0])).toEqual(results.map((_, i) => i))
    expect(owner.stats().evictions).toBeGreaterThan(4)
  })
})

describe('an arena', () => {
  test('stays where it is from call to call', () => {
    const owner = Heap.create({ shared: false })
    const arena = owner.arena(100_000, 'f')
    const addresses = Array.from({ length: 3 }, () => {
      owner.beginCall('f')
      const { address } = arena
      expect(arena.address).toBe(address)
      owner.endCall()
      return address
    })
    expect(new Set(addresses).size).toBe(1)
    expect(owner.stats().arenaBytes).toBeGreaterThanOrEqual(100_000)
  })

  test('has another stamp whenever others may have written to it', () => {
    const owner = Heap.create({ shared: false, maximum: 32 })
    const arena = owner.arena(900 * KiB, 'f')
    const { address, stamp } = arena
    owner.beginCall('f')
    expect(arena.stamp).toBe(stamp)
    owner.beginCall('f')
    expect(arena.stamp).not.toBe(stamp)
    owner.endCall()
    expect(arena.stamp).toBe(stamp)
    owner.endCall()
    owner.free(owner.allocate(1900 * KiB))
    expect(arena.address).toBe(address)
    expect(arena.stamp).not.toBe(stamp)
  })

  test('has other room in a call nested in another of its own', () => {
    const owner = Heap.create({ shared: false })
    const arena = owner.arena(4096, 'f')
    owner.beginCall('f')
    const outer = arena.address
    owner.beginCall('f')
    const inner = arena.address
    expect(Math.abs(inner - outer)).toBeGreaterThanOrEqual(4096)
    owner.endCall()
    expect(arena.address).toBe(outer)
    owner.endCall()
  })

  test('goes when the memory is short, but not under a running call', () => {
    const owner = Heap.create({ shared: false, maximum: 32 })
    const [used, other] = [owner.arena(600 * KiB, 'f'), owner.arena(600 * KiB, 'g')]
    owner.beginCall('f')
    const { address } = used
    owner.beginCall('g')
    expect(other.address).toBeGreaterThan(address)
    owner.endCall()
    owner.free(owner.allocate(900 * KiB))
    expect(owner.stats().arenaBytes).toBeLessThan(700 * KiB)
    expect(() => owner.allocate(1500 * KiB)).toThrow(/^f: the heap cannot hold/)
    expect(used.address).toBe(address)
    owner.endCall()
    owner.free(owner.allocate(1500 * KiB))
    expect(owner.stats().arenaBytes).toBe(0)
    expect(used.address).toBeGreaterThan(0)
  })

  test('long idle goes before fresh memory is touched', () => {
    const owner = Heap.create({ shared: false })
    const arena = owner.arena(MiB, 'f')
    expect(arena.address).toBeGreaterThan(0)
    for (let i = 0; i < 100; i++) {
      owner.beginCall('g')
      owner.endCall()
    }
    const { bytesTouched } = owner.stats()
    owner.allocate(MiB)
    expect(owner.stats()).toMatchObject({ arenaBytes: 0, bytesTouched })
  })
})

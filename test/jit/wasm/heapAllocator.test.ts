import { heap } from '@cotangent/jit'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

const { Allocator, blockBytes } = heap

const base = 1024
const KiB = 1024

interface Block {
  readonly address: number
  readonly size: number
}

/** Small and large sizes alike, many of them twice. */
const bytes = fc.oneof(
  fc.integer({ min: 0, max: 300 }),
  fc.integer({ min: 1, max: 200_000 }),
  fc.constantFrom(64, 4 * KiB, 16 * KiB, 64 * KiB, 40_000),
)

/** Allocate so many bytes, or free the block at this place among the live ones. */
const step = fc.oneof(
  fc.record({ tag: fc.constant('allocate' as const), bytes }),
  fc.record({ tag: fc.constant('free' as const), place: fc.nat() }),
)

const overlap = (a: Block, b: Block): boolean =>
  a.address < b.address + b.size && b.address < a.address + a.size

describe('blocks', () => {
  test('never overlap, are aligned and inside, and all join again', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 150 }), (steps) => {
        const limit = base + 4 * 2 ** 20
        const allocator = new Allocator(base, limit)
        const live: Block[] = []
        for (const one of steps) {
          if (one.tag === 'free') {
            if (live.length === 0) continue
            allocator.free(live.splice(one.place % live.length, 1)[0]!.address)
          } else {
            const address = allocator.allocate(blockBytes(one.bytes))
            if (address === 0) continue
            const block = { address, size: allocator.sizeOf(address) }
            expect(block.size).toBeGreaterThanOrEqual(one.bytes)
            expect(address % 64).toBe(0)
            expect(address).toBeGreaterThanOrEqual(base)
            expect(address + block.size).toBeLessThanOrEqual(limit)
            expect(live.filter((other) => overlap(block, other))).toEqual([])
            live.push(block)
          }
          const inUse = live.reduce((sum, { size }) => sum + size, 0)
          expect(allocator.bytesInUse).toBe(inUse)
          expect(allocator.blocks).toBe(live.length)
        }
        for (const { address } of live) allocator.free(address)
        const all = allocator.highWater - base
        if (all > 0) expect(allocator.reuse(all)).toBe(base)
      }),
    )
  })

  test('waste less than a quarter, from 1 KiB on', () => {
    for (let size = KiB; size < 300 * KiB; size += 60) {
      expect(blockBytes(size) / size).toBeLessThan(1.25)
      expect(blockBytes(size) % 64).toBe(0)
    }
    for (const size of [1e6, 3e6, 2 ** 20, 2 ** 24 + 64, 2 ** 30]) {
      expect(blockBytes(size) / size).toBeLessThan(1.01)
    }
  })

  test('of one size begin at different places modulo 4 KiB, neighbours far apart', () => {
    for (const size of [4, 8, 16, 20, 64, 256, 400, 1024].map((k) => k * KiB)) {
      const allocator = new Allocator(base, 2 ** 32)
      const colours = Array.from(
        { length: 64 },
        () => allocator.allocate(blockBytes(size)) % (4 * KiB),
      )
      expect(new Set(colours).size).toBeGreaterThanOrEqual(7)
      colours.slice(1).forEach((colour, i) => {
        const apart = Math.abs(colour - colours[i]!)
        expect(Math.min(apart, 4 * KiB - apart)).toBeGreaterThanOrEqual(512)
      })
    }
  })

  test('are found again: a repeated pattern touches no fresh memory', () => {
    const allocator = new Allocator(base, 2 ** 32)
    const sizes = [400_000, 64, 10_000, 400_000, 2_000_000, 4096, 90_000]
    const round = (): void => {
      const blocks = sizes.map((size) => allocator.allocate(blockBytes(size)))
      for (const i of [3, 0, 6, 1, 5, 2, 4]) allocator.free(blocks[i]!)
    }
    round()
    const { highWater } = allocator
    for (let i = 0; i < 100; i++) round()
    expect(allocator.highWater).toBe(highWater)
    expect(allocator.bytesInUse).toBe(0)
  })

  test('of mixed sizes leave few holes', () => {
    const allocator = new Allocator(base, 2 ** 32)
    let state = 12345
    const random = (): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      return state / 2 ** 32
    }
    const live: { readonly address: number; readonly bytes: number }[] = []
    let held = 0
    let peak = 0
    for (let i = 0; i < 40_000; i++) {
      const bytes = Math.floor(KiB * 2 ** (11 * random()))
      live.push({ address: allocator.allocate(blockBytes(bytes)), bytes })
      held += bytes
      while (held > 32 * 2 ** 20) {
        const [gone] = live.splice(Math.floor(random() * live.length), 1)
        allocator.free(gone!.address)
        held -= gone!.bytes
      }
      peak = Math.max(peak, held)
    }
    expect((allocator.highWater - base) / peak).toBeLessThan(1.6)
  })

  test('cannot be freed twice, nor where none begins', () => {
    const allocator = new Allocator(base, 2 ** 20)
    const address = allocator.allocate(128)
    expect(() => allocator.free(address + 64)).toThrow('no block in use begins at this address')
    allocator.free(address)
    expect(() => allocator.free(address)).toThrow('no block in use begins at this address')
  })
})

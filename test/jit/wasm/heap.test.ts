import { Storage, TracerError, dtypes, makeStore } from '@cotangent/core'
import { heap } from '@cotangent/jit'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

const { Heap, MemoryError, guardBytes } = heap
type Heap = heap.Heap

const KiB = 1024
const MiB = 2 ** 20

/** A tensor's storage in the heap, all of whose elements are `value`. */
const filled = (owner: Heap, bytes: number, value: number): Storage => {
  const address = owner.allocate(bytes)
  owner.f32.fill(value, address >>> 2, (address + bytes) >>> 2)
  return owner.adopt(address, 'float32', bytes / 4)
}

/** Drops so many results, which drives out what no call uses. */
const flood = (owner: Heap, bytes: number): void => {
  for (let gone = 0; gone < bytes; gone += 8 * KiB) filled(owner, 8 * KiB, -1)
}

const codes = (length: number): number[] => Array.from({ length }, (_, i) => (i * 37 + 11) % 251)

describe.each([
  ['private', false],
  ['shared', true],
])('a heap in %s memory', (_, shared) => {
  test('brings elements in and back, copying once each way', () => {
    const owner = Heap.create({ shared })
    expect(owner.isShared).toBe(shared)
    const storage = new Storage(Float32Array.from(codes(1000)))
    const address = owner.pointer(storage)
    expect(owner.pointer(storage)).toBe(address)
    const target = owner.allocate(4000)
    owner.copy(target, address, 4000)
    const copy = owner.adopt(target, 'float32', 1000)
    expect([...copy.read()]).toEqual(codes(1000))
    copy.read()
    expect(owner.stats()).toMatchObject({ copiesIn: 1, copiesOut: 1, residents: 2, bytesOut: 4000 })
  })

  test.each(dtypes)('elements of %s survive eviction and return', (dtype) => {
    const owner = Heap.create({ shared, budget: 256 * KiB, collector: null })
    const data = makeStore(dtype, 500)
    data.set(codes(data.length).map((code) => code % 100))
    const address = owner.allocate(data.byteLength)
    owner.write(address, data)
    const storage = owner.adopt(address, dtype, 500)
    flood(owner, MiB)
    expect(owner.isResident(storage)).toBe(false)
    const back = owner.pointer(storage)
    expect(owner.isResident(storage)).toBe(true)
    expect([...owner.view(back, dtype, 500)]).toEqual([...data])
    flood(owner, MiB)
    expect(owner.isResident(storage)).toBe(false)
    expect(storage.read().constructor).toBe(data.constructor)
    expect([...storage.read()]).toEqual([...data])
  })

  test('evicts what was used longest ago', () => {
    const owner = Heap.create({ shared, budget: 350 * KiB, collector: null })
    const [a, b, c] = [1, 2, 3].map((value) => filled(owner, 100 * KiB, value))
    owner.pointer(a!)
    filled(owner, 100 * KiB, 4)
    expect([a, b, c].map((x) => owner.isResident(x!))).toEqual([true, false, true])
    filled(owner, 100 * KiB, 5)
    expect([a, b, c].map((x) => owner.isResident(x!))).toEqual([true, false, false])
    expect([a, b, c].map((x) => x!.read()[25_599])).toEqual([1, 2, 3])
  })

  test('copies nothing out that its owner has on the host', () => {
    const owner = Heap.create({ shared, budget: 256 * KiB, collector: null })
    const data = new Float32Array(20 * KiB)
    const storage = new Storage(data)
    owner.pointer(storage)
    const before = owner.stats().copiesOut
    filled(owner, 200 * KiB, 1)
    expect(owner.isResident(storage)).toBe(false)
    expect(owner.stats().copiesOut).toBe(before)
    expect(storage.read()).toBe(data)
  })

  test('leaves in place what running calls use', () => {
    const owner = Heap.create({ shared, budget: 256 * KiB, collector: null })
    const [outer, inner] = [1, 2].map((value) => filled(owner, 64 * KiB, value))
    owner.beginCall('outer')
    const address = owner.pointer(outer!)
    owner.beginCall('inner')
    owner.pointer(outer!)
    owner.pointer(inner!)
    flood(owner, MiB)
    expect(owner.isResident(inner!)).toBe(true)
    owner.endCall()
    owner.beginCall('another')
    flood(owner, MiB)
    owner.endCall()
    expect(owner.isResident(inner!)).toBe(false)
    expect(owner.isResident(outer!)).toBe(true)
    expect(owner.pointer(outer!)).toBe(address)
    owner.endCall()
    flood(owner, 4 * MiB)
    expect(owner.isResident(outer!)).toBe(false)
    expect([outer!.read()[0], inner!.read()[0]]).toEqual([1, 2])
  })

  test('keeps the results of a running call until it ends', () => {
    const owner = Heap.create({ shared, budget: 64 * KiB, collector: null })
    owner.beginCall('f')
    const results = Array.from({ length: 20 }, (_, i) => filled(owner, 16 * KiB, i))
    expect(results.every((x) => owner.isResident(x))).toBe(true)
    owner.endCall()
    flood(owner, 512 * KiB)
    expect(results.map((x) => x.read()[7])).toEqual(results.map((_, i) => i))
  })

  test('has one block for all that share their elements', () => {
    const owner = Heap.create({ shared })
    const storage = new Storage(Float32Array.of(1, 2, 3))
    const other = storage.share()
    expect(owner.pointer(other)).toBe(owner.pointer(storage))
    const made = filled(owner, 400, 5)
    expect(owner.pointer(made.share())).toBe(owner.pointer(made))
    expect(owner.stats()).toMatchObject({ residents: 2, copiesIn: 1 })
  })

  test('donated elements are overwritten in place, without a copy', () => {
    const owner = Heap.create({ shared })
    let state = filled(owner, 4000, 1)
    state.read()
    const address = owner.pointer(state)
    const { copiesIn, copiesOut } = owner.stats()
    for (let i = 2; i < 10; i++) {
      owner.beginCall('step')
      const taken = owner.take(state)
      expect(taken).toBe(address)
      expect(() => state.read()).toThrow(TracerError)
      owner.f32.fill(i, taken >>> 2, (taken >>> 2) + 1000)
      state = owner.adopt(taken, 'float32', 1000)
      owner.endCall()
    }
    expect(owner.stats()).toMatchObject({ copiesIn, copiesOut, residents: 1 })
    expect([...new Set(state.read())]).toEqual([9])
  })

  test('donation copies what others own, and what is on the host', () => {
    const owner = Heap.create({ shared })
    const made = filled(owner, 4000, 1)
    const other = made.share()
    const taken = owner.take(made)
    expect(taken).not.toBe(owner.pointer(other))
    owner.f32.fill(8, taken >>> 2, (taken >>> 2) + 1000)
    expect([owner.adopt(taken, 'float32', 1000).read()[999], other.read()[999]]).toEqual([8, 1])
    expect(() => made.read()).toThrow(TracerError)

    const host = new Storage(Int32Array.from(codes(100)))
    const moved = owner.take(host)
    expect(host.isDonated).toBe(true)
    expect([...owner.adopt(moved, 'int32', 100).read()]).toEqual(codes(100))
  })

  test('what was taken may be freed, and a released block is free', () => {
    const owner = Heap.create({ shared })
    owner.free(owner.take(filled(owner, 4000, 1)))
    const storage = filled(owner, 4000, 2)
    expect(storage.donate()[0]).toBe(2)
    expect(owner.stats()).toMatchObject({ residents: 0, bytesInUse: 0 })
  })

  test('an evicted storage can be donated to the host and to the heap', () => {
    const owner = Heap.create({ shared, budget: 64 * KiB, collector: null })
    const [a, b] = [1, 2].map((value) => filled(owner, 8 * KiB, value))
    flood(owner, 256 * KiB)
    expect(a!.donate()[3]).toBe(1)
    const taken = owner.take(b!)
    expect(owner.f32[(taken >>> 2) + 3]).toBe(2)
  })

  test('views follow growth, and every block is readable past its end', () => {
    const owner = Heap.create({ shared, initial: 1, maximum: 1024 })
    const first = filled(owner, 4000, 3)
    for (const bytes of [60_000, 1_000_000, 5_000_000, 20_000_000]) {
      const address = owner.allocate(bytes)
      expect(address + bytes + guardBytes).toBeLessThanOrEqual(owner.memory.buffer.byteLength)
      owner.u8.fill(255, address, address + bytes)
    }
    for (const view of [owner.i8, owner.u8, owner.i16, owner.u16, owner.i32, owner.u32, owner.f64])
      expect(view.byteLength).toBe(owner.memory.buffer.byteLength)
    expect([...new Set(first.read())]).toEqual([3])
  })

  test('copies and fills within the memory', () => {
    const owner = Heap.create({ shared })
    const address = owner.allocate(256)
    owner.write(address, Uint8Array.from(codes(200)))
    owner.copy(address + 10, address, 100)
    owner.fill(address, 7, 5)
    const expected = codes(200)
    expected.splice(10, 100, ...codes(100))
    expected.splice(0, 5, 7, 7, 7, 7, 7)
    expect([...owner.read(address, 'uint8', 200)]).toEqual(expected)
  })

  test.each([
    ['evicts', { collector: null }],
    ['asks the collector', {}],
  ])('random use of a heap that %s never loses an element', (_, options) => {
    const use = fc.record({
      what: fc.constantFrom('make', 'make', 'host', 'pointer', 'read', 'take', 'share', 'drop'),
      which: fc.nat(),
      length: fc.integer({ min: 1, max: 20_000 }),
    })
    fc.assert(
      fc.property(fc.array(use, { maxLength: 120 }), (uses) => {
        const owner = Heap.create({ shared, maximum: 64, budget: 128 * KiB, ...options })
        const live: { storage: Storage; readonly value: number; readonly length: number }[] = []
        uses.forEach(({ what, which, length }, value) => {
          if (what === 'make') {
            live.push({ storage: filled(owner, 4 * length, value), value, length })
            return
          }
          if (what === 'host') {
            const storage = new Storage(new Float32Array(length).fill(value))
            live.push({ storage, value, length })
            return
          }
          const one = live[which % live.length]
          if (one === undefined) return
          if (what === 'pointer')
            expect(owner.f32[owner.pointer(one.storage) >>> 2]).toBe(one.value)
          else if (what === 'read') expect(one.storage.read()[0]).toBe(one.value)
          else if (what === 'share') live.push({ ...one, storage: one.storage.share() })
          else if (what === 'drop') live.splice(live.indexOf(one), 1)
          else {
            const taken = owner.take(one.storage)
            one.storage = owner.adopt(taken, 'float32', one.length)
          }
        })
        for (const { storage, value, length } of live) {
          expect(storage.read().length).toBe(length)
          expect(storage.read().every((x) => x === value)).toBe(true)
        }
      }),
      { numRuns: 60 },
    )
  })

  test('says who wanted how much when there is no room', () => {
    const owner = Heap.create({ shared, maximum: 64 })
    const kept = filled(owner, MiB, 1)
    owner.beginCall('resnet step')
    expect(() => owner.allocate(8 * MiB)).toThrow(MemoryError)
    expect(() => owner.allocate(8 * MiB)).toThrow(
      /^resnet step: the heap cannot hold 8\.0 MiB more\n.*1\.0 MiB in use.* 4\.0 MiB at most/,
    )
    // What can never fit drives nobody out.
    expect(owner.isResident(kept)).toBe(true)
    const large = new Storage(new Float32Array(2 * MiB))
    expect(() => owner.take(large)).toThrow(MemoryError)
    expect(large.isDonated).toBe(false)
    const outputs = [filled(owner, 1.5 * MiB, 2), filled(owner, MiB, 3)]
    expect(() => owner.allocate(2 * MiB, 'eager add')).toThrow(/^eager add: /)
    owner.endCall()
    const after = filled(owner, 3 * MiB, 4)
    expect([kept, ...outputs, after].map((x) => x.read()[5])).toEqual([1, 2, 3, 4])
  })
})

import { type Residence, Storage, TracerError, type TypedArray } from '@cotangent/core'
import { describe, expect, test } from 'vitest'

/** A place elsewhere that counts what is asked of it. */
const place = (data: readonly number[]) => {
  const asked = { copies: 0, releases: 0 }
  const residence: Residence = {
    isLive: true,
    copyOut: (): TypedArray => {
      asked.copies += 1
      return Float32Array.from(data)
    },
    view: (): TypedArray => Float32Array.from(data),
    release: () => {
      asked.releases += 1
    },
  }
  return { residence, asked }
}

describe('a storage on the host', () => {
  test('gives its array away once', () => {
    const data = Float32Array.of(1, 2)
    const storage = new Storage(data)
    expect(storage.donate()).toBe(data)
    expect(storage.isDonated).toBe(true)
    expect(() => storage.read()).toThrow(TracerError)
    expect(() => storage.donate()).toThrow('donated to a compiled function')
    expect(() => storage.share()).toThrow(TracerError)
  })

  test('gives a copy away while others own its elements', () => {
    const data = Float32Array.of(1, 2)
    const storage = new Storage(data)
    const other = storage.share()
    const given = storage.donate()
    expect(given).not.toBe(data)
    expect([...given]).toEqual([1, 2])
    expect(other.read()).toBe(data)
    expect(other.donate()).toBe(data)
  })

  test('is in both places once attached, and releases the other with its last owner', () => {
    const data = Float32Array.of(3)
    const { residence, asked } = place([3])
    const storage = new Storage(data)
    const other = storage.share()
    storage.attach(residence)
    expect(other.residence).toBe(residence)
    expect(storage.read()).toBe(data)
    storage.relinquish()
    expect(asked.releases).toBe(0)
    other.donate()
    expect(asked).toEqual({ copies: 0, releases: 1 })
  })
})

describe('a storage elsewhere', () => {
  test('is copied to the host once, for all its owners', () => {
    const { residence, asked } = place([4, 5])
    const storage = Storage.resident(residence)
    const other = storage.share()
    expect([...storage.read()]).toEqual([4, 5])
    expect(other.read()).toBe(storage.read())
    expect(asked.copies).toBe(1)
  })

  test('gives its place away without a copy', () => {
    const { residence, asked } = place([6])
    const storage = Storage.resident(residence)
    storage.read()
    const heir = storage.donateResidence()
    expect(() => storage.read()).toThrow(TracerError)
    expect(heir?.residence).toBe(residence)
    expect(asked).toEqual({ copies: 1, releases: 0 })
    heir?.read()
    expect(asked.copies).toBe(2)
  })

  test('keeps its place while others own its elements', () => {
    const { residence } = place([7])
    const storage = Storage.resident(residence)
    const other = storage.share()
    expect(storage.donateResidence()).toBeNull()
    expect([...storage.read(), ...other.read()]).toEqual([7, 7])
    other.relinquish()
    expect(storage.donateResidence()).not.toBeNull()
  })

  test('has no place to give on the host, or after an eviction', () => {
    const { residence } = place([8])
    const evicted = Storage.resident({ ...residence, isLive: false })
    expect(evicted.donateResidence()).toBeNull()
    expect([...evicted.read()]).toEqual([8])
    expect(new Storage(Float32Array.of(9)).donateResidence()).toBeNull()
  })

  test('leaves the place it had when it is attached to another', () => {
    const first = place([1])
    const second = place([1])
    const storage = Storage.resident(first.residence)
    storage.attach(second.residence)
    expect(first.asked).toEqual({ copies: 1, releases: 1 })
    expect(storage.residence).toBe(second.residence)
  })
})

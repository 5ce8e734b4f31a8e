/**
 * Where room is found. In this order: blocks that are free, fresh memory within the budget, the
 * place of dead tensors (or, where nobody can tell, of those used longest ago), that of arenas idle
 * for long, fresh memory, that of all arenas and tensors that no running call uses.
 */
import { Allocator } from './allocator.ts'
import { Arena, ArenaRoom } from './arena.ts'
import type { Budget } from './budget.ts'
import type { Calls } from './calls.ts'
import type { Collections } from './collections.ts'
import { heapFull } from './errors.ts'
import type { LinearMemory } from './memory.ts'
import { blockBytes, guardBytes } from './sizes.ts'

// Address 0 means "none", and nothing useful lies near it.
const base = 1024

export class Space {
  readonly #linear: LinearMemory
  readonly #budget: Budget
  readonly #calls: Calls
  readonly #collections: Collections
  readonly #evictOldest: () => boolean
  readonly #allocator: Allocator
  readonly #rooms = new Set<ArenaRoom>()
  #arenaBytes = 0
  readonly #ground = {
    allocate: (bytes: number, label: string): number => this.#allocateArena(bytes, label),
    free: (address: number): void => this.#freeArena(address),
  }
  readonly #deadArenas: FinalizationRegistry<ArenaRoom> = new FinalizationRegistry((room) => {
    room.drop(this.#calls, this.#ground, false)
    this.#rooms.delete(room)
  })

  /** `evictOldest` frees the block of one tensor, or says that there is none to free. */
  constructor(
    linear: LinearMemory,
    budget: Budget,
    calls: Calls,
    collections: Collections,
    evictOldest: () => boolean,
  ) {
    this.#linear = linear
    this.#budget = budget
    this.#calls = calls
    this.#collections = collections
    this.#evictOldest = evictOldest
    this.#allocator = new Allocator(base, linear.bytes - guardBytes)
  }

  get bytesInUse(): number {
    return this.#allocator.bytesInUse
  }

  get bytesTouched(): number {
    return this.#allocator.highWater
  }

  get arenaBytes(): number {
    return this.#arenaBytes
  }

  /** The address of a block. @throws MemoryError */
  allocate(bytes: number, label: string): number {
    const size = blockBytes(bytes)
    const address = this.#allocator.reuse(size) || this.#find(size)
    if (address !== 0) return address
    const { bytes: reserved, maximumBytes } = this.#linear
    throw heapFull(label, size, this.bytesInUse, reserved, maximumBytes)
  }

  free(address: number): void {
    this.#allocator.free(address)
  }

  /** The bytes of the block at an address. */
  sizeOf(address: number): number {
    return this.#allocator.sizeOf(address)
  }

  arena(bytes: number, label: string): Arena {
    const room = new ArenaRoom(bytes, label)
    this.#rooms.add(room)
    const arena = new Arena(room, () => room.slot(this.#calls, this.#ground))
    this.#deadArenas.register(arena, room)
    return arena
  }

  #find(size: number): number {
    // What can never fit evicts nothing.
    if (size > this.#linear.maximumBytes) return 0
    return (
      this.#withinBudget(size) ||
      (this.#dropArenas(true) ? this.#allocator.reuse(size) : 0) ||
      this.#grow(size) ||
      (this.#dropArenas(false) ? this.#grow(size) : 0) ||
      this.#evictUntilFits(size)
    )
  }

  #withinBudget(size: number): number {
    if (this.#tensorBytes + size <= this.#budget.limit) return 0
    const freed = this.#collections.relieve(this.#tensorBytes)
    if (freed === null) return this.#evictTheExcess(size)
    return freed > 0 ? this.#allocator.reuse(size) : 0
  }

  // Evicts as much as `size` exceeds the budget, in the hope that a fitting block becomes free.
  #evictTheExcess(size: number): number {
    while (this.#tensorBytes + size > this.#budget.limit && this.#evictOldest()) {
      const address = this.#allocator.reuse(size)
      if (address !== 0) return address
    }
    return 0
  }

  #evictUntilFits(size: number): number {
    if (this.#collections.relieveAll(this.#tensorBytes) > 0) {
      const address = this.#grow(size)
      if (address !== 0) return address
    }
    while (this.#evictOldest()) {
      const address = this.#grow(size)
      if (address !== 0) return address
    }
    return 0
  }

  #grow(size: number): number {
    const address = this.#allocator.allocate(size)
    if (address !== 0) return address
    if (!this.#linear.grow(this.#allocator.limitFor(size) + guardBytes)) return 0
    this.#allocator.extend(this.#linear.bytes - guardBytes)
    return this.#allocator.allocate(size)
  }

  // Arenas do not count against the budget: they cost nothing to drop, and are as large as they are.
  get #tensorBytes(): number {
    return this.#allocator.bytesInUse - this.#arenaBytes
  }

  #allocateArena(bytes: number, label: string): number {
    const address = this.allocate(bytes, label)
    this.#arenaBytes += this.#allocator.sizeOf(address)
    return address
  }

  #freeArena(address: number): void {
    this.#arenaBytes -= this.#allocator.sizeOf(address)
    this.#allocator.free(address)
  }

  #dropArenas(onlyIdle: boolean): boolean {
    let dropped = false
    for (const room of this.#rooms) {
      if (room.drop(this.#calls, this.#ground, onlyIdle)) dropped = true
    }
    return dropped
  }
}

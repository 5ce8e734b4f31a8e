/**
 * The heap: one WebAssembly memory as a cache of tensors' elements. Nobody frees anything by hand.
 * Short of room it takes, in this order: blocks that are free (the registry frees those of dead
 * tensors between tasks), fresh memory within the budget, the blocks used longest ago (copied out
 * unless their owner has a copy), arenas that no running call uses, more memory.
 */
import { type DType, Storage, type TypedArray, dtypeInfo, makeStore } from '@cotangent/core'
import { Allocator } from './allocator.ts'
import { Arena, ArenaRoom } from './arena.ts'
import { Block, type Keeper, Recency } from './block.ts'
import { Budget, initialBudget } from './budget.ts'
import { Calls } from './calls.ts'
import { heapFull } from './errors.ts'
import { LinearMemory } from './memory.ts'
import { blockBytes, guardBytes, maximumPages, pageBytes } from './sizes.ts'
import { Counters, type HeapStats } from './stats.ts'

export interface HeapOptions {
  /** Whether threads share the memory. */
  readonly shared: boolean
  /** Pages of 64 KiB at first (16), and at most (65536: 4 GiB). */
  readonly initial?: number
  readonly maximum?: number
  /** Bytes that tensors may fill at first before the least recently used are evicted (64 MiB). */
  readonly budget?: number
}

// Address 0 means "none", and nothing useful lies near it.
const base = 1024

export class Heap implements Keeper {
  readonly #linear: LinearMemory
  readonly #allocator: Allocator
  readonly #budget: Budget
  readonly #calls = new Calls()
  readonly #residents = new Recency()
  readonly #taken = new Map<number, Block>()
  readonly #rooms = new Set<ArenaRoom>()
  readonly #counters = new Counters()
  readonly #ground = {
    allocate: (bytes: number, label: string): number => this.#allocateArena(bytes, label),
    free: (address: number): void => this.#freeArena(address),
  }
  readonly #dead: FinalizationRegistry<Block> = new FinalizationRegistry((block) => {
    if (!block.isLive) return
    this.#counters.finalized += 1
    this.release(block)
  })
  readonly #deadArenas: FinalizationRegistry<ArenaRoom> = new FinalizationRegistry((room) => {
    room.drop(this.#calls, this.#ground, false)
    this.#rooms.delete(room)
  })

  private constructor({ shared, initial = 16, maximum = maximumPages, budget }: HeapOptions) {
    this.#linear = new LinearMemory(shared, initial, maximum)
    this.#allocator = new Allocator(base, this.#linear.bytes - guardBytes)
    this.#budget = new Budget(budget ?? initialBudget, this.#linear.maximumBytes)
  }

  /** @throws MemoryError where the machine gives no memory at all. */
  static create(options: HeapOptions): Heap {
    return new Heap(options)
  }

  get memory(): WebAssembly.Memory {
    return this.#linear.memory
  }
  get isShared(): boolean {
    return this.#linear.isShared
  }

  // Views of the whole memory. Fetch them anew after anything that may allocate.
  get i8(): Int8Array {
    return this.#linear.views.i8
  }
  get u8(): Uint8Array {
    return this.#linear.views.u8
  }
  get i16(): Int16Array {
    return this.#linear.views.i16
  }
  get u16(): Uint16Array {
    return this.#linear.views.u16
  }
  get i32(): Int32Array {
    return this.#linear.views.i32
  }
  get u32(): Uint32Array {
    return this.#linear.views.u32
  }
  get f32(): Float32Array {
    return this.#linear.views.f32
  }
  get f64(): Float64Array {
    return this.#linear.views.f64
  }

  /**
   * Begins a call, perhaps within another: what it uses is not evicted before its `endCall`, which
   * belongs in a `finally`. Errors name the label.
   */
  beginCall(label: string): void {
    this.#calls.begin(label)
  }

  endCall(): void {
    this.#calls.end()
  }

  /**
   * The address of a block for `bytes` bytes, a multiple of 64, whose 64 bytes past its end may be
   * read. What it holds is undefined. It stays until it is freed or adopted.
   * @throws MemoryError
   */
  allocate(bytes: number, label: string = this.#calls.label): number {
    const size = blockBytes(bytes)
    const address = this.#find(size)
    if (address !== 0) return address
    const { bytesInUse } = this.#allocator
    const { bytes: reserved, maximumBytes } = this.#linear
    throw heapFull(label, size, bytesInUse, reserved, maximumBytes)
  }

  /** Gives back what `allocate` or `take` gave. */
  free(address: number): void {
    const taken = this.#taken.get(address)
    if (taken !== undefined) {
      this.#taken.delete(address)
      this.#dead.unregister(taken)
      taken.heir = null
      taken.address = 0
    }
    this.#allocator.free(address)
  }

  /**
   * Where the elements of `storage` are, copied in unless they are there. They stay until the
   * current call ends (outside of calls: until the next allocation) and must not be written.
   * @throws MemoryError, and TracerError after donation
   */
  pointer(storage: Storage): number {
    const { residence } = storage
    if (!(residence instanceof Block) || residence.keeper !== this) return this.#copyIn(storage)
    if (!residence.isLive) {
      this.#budget.regret(residence.length * dtypeInfo[residence.dtype].bytes)
      return this.#copyIn(storage)
    }
    this.#residents.touch(residence)
    this.#use(residence)
    return residence.address
  }

  /** Whether `pointer` would copy nothing. */
  isResident(storage: Storage): boolean {
    const { residence } = storage
    return residence instanceof Block && residence.keeper === this && residence.isLive
  }

  /**
   * Donation: where the elements of `storage` are, to be overwritten; reading it throws from now
   * on. They are copied where others own them too, or where they are on the host. The block is the
   * caller's, to be adopted or freed.
   * @throws MemoryError (then nothing has been donated), and TracerError after donation
   */
  take(storage: Storage): number {
    const { residence } = storage
    const isHere = residence instanceof Block && residence.keeper === this && residence.isLive
    if (isHere) {
      const heir = storage.donateResidence()
      if (heir !== null) {
        this.#residents.remove(residence)
        residence.heir = heir
        this.#taken.set(residence.address, residence)
        return residence.address
      }
      this.#use(residence)
      const { byteLength } = this.#linear.view(residence.address, residence.dtype, residence.length)
      const address = this.allocate(byteLength)
      if (residence.isLive) this.#linear.copy(address, residence.address, byteLength)
      else this.write(address, storage.read())
      storage.relinquish()
      return address
    }
    const data = storage.read()
    const address = this.allocate(data.byteLength)
    this.write(address, data)
    storage.relinquish()
    return address
  }

  /** Wraps a block (from `allocate` or `take`) that a kernel has filled. The heap frees it. */
  adopt(address: number, dtype: DType, length: number): Storage {
    const taken = this.#taken.get(address)
    if (taken?.heir) {
      const storage = taken.heir
      this.#taken.delete(address)
      taken.heir = null
      taken.dtype = dtype
      taken.length = length
      taken.hasHostCopy = false
      this.#residents.add(taken)
      this.#use(taken)
      return storage
    }
    const block = new Block(this, address, dtype, length, false)
    const storage = Storage.resident(block)
    this.#settle(block, storage)
    return storage
  }

  /** Room for an executable's temporaries, kept between calls while there is enough memory. */
  arena(bytes: number, label: string): Arena {
    const room = new ArenaRoom(bytes, label)
    this.#rooms.add(room)
    const arena = new Arena(room, () => room.address(this.#calls, this.#ground))
    this.#deadArenas.register(arena, room)
    return arena
  }

  /** Copies a host array into a block. */
  write(address: number, data: TypedArray): void {
    this.#counters.copiedIn(data.byteLength)
    this.#linear.write(address, data)
  }

  /** A copy on the host of the elements at an address. */
  read(address: number, dtype: DType, length: number): TypedArray {
    const host = makeStore(dtype, length)
    host.set(this.#linear.view(address, dtype, length))
    this.#counters.copiedOut(host.byteLength)
    return host
  }

  /** The elements at an address, uncopied: valid until the next allocation. */
  view(address: number, dtype: DType, length: number): TypedArray {
    return this.#linear.view(address, dtype, length)
  }

  /** Copies bytes within the heap. */
  copy(target: number, source: number, bytes: number): void {
    this.#linear.copy(target, source, bytes)
  }

  fill(target: number, byte: number, bytes: number): void {
    this.#linear.fill(target, byte, bytes)
  }

  stats(): HeapStats {
    return this.#counters.stats({
      bytesInUse: this.#allocator.bytesInUse,
      bytesReserved: this.#linear.bytes,
      bytesTouched: this.#allocator.highWater,
      residents: this.#residents.count,
      budget: this.#budget.limit,
    })
  }

  /** For blocks: their elements on the host. */
  copyOut(block: Block): TypedArray {
    const { saved } = block
    block.saved = null
    block.hasHostCopy = true
    return saved ?? this.read(block.address, block.dtype, block.length)
  }

  /** For blocks: nobody needs them any more. */
  release(block: Block): void {
    block.saved = null
    if (!block.isLive) return
    this.#leave(block)
  }

  #use(block: Block): void {
    // A block that an outer call uses stays that call's.
    if (!this.#calls.isRunning(block.epoch)) block.epoch = this.#calls.current
  }

  #copyIn(storage: Storage): number {
    const data = storage.read()
    const address = this.allocate(data.byteLength)
    this.write(address, data)
    const block = new Block(this, address, dtypeOf(data), data.length, true)
    storage.attach(block)
    this.#settle(block, storage)
    return address
  }

  #settle(block: Block, storage: Storage): void {
    this.#residents.add(block)
    this.#use(block)
    this.#dead.register(storage.elements, block, block)
  }

  #leave(block: Block): void {
    this.#residents.remove(block)
    this.#dead.unregister(block)
    this.#allocator.free(block.address)
    block.address = 0
  }

  #evictOldest(): boolean {
    let block = this.#residents.oldest
    while (block !== null && this.#calls.isRunning(block.epoch)) block = block.newer
    if (block === null) return false
    if (!block.hasHostCopy) block.saved = this.read(block.address, block.dtype, block.length)
    this.#counters.evictions += 1
    this.#leave(block)
    return true
  }

  #find(size: number): number {
    return (
      this.#allocator.reuse(size) ||
      this.#withinBudget(size) ||
      (this.#dropArenas(true) ? this.#allocator.reuse(size) : 0) ||
      this.#grow(size) ||
      (this.#dropArenas(false) ? this.#grow(size) : 0) ||
      this.#evictUntilFits(size)
    )
  }

  // Evicts as much as `size` exceeds the budget, in the hope that a fitting block becomes free.
  #withinBudget(size: number): number {
    while (this.#tensorBytes + size > this.#budget.limit && this.#evictOldest()) {
      const address = this.#allocator.reuse(size)
      if (address !== 0) return address
    }
    return 0
  }

  #evictUntilFits(size: number): number {
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

  get #tensorBytes(): number {
    return this.#allocator.bytesInUse - this.#counters.arenaBytes
  }

  #allocateArena(bytes: number, label: string): number {
    const address = this.allocate(bytes, label)
    this.#counters.arenaBytes += this.#allocator.sizeOf(address)
    return address
  }

  #freeArena(address: number): void {
    this.#counters.arenaBytes -= this.#allocator.sizeOf(address)
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

// An owner that has a copy on the host is never asked what its elements are called.
const dtypeOf = (data: TypedArray): DType => {
  if (data instanceof Float32Array) return 'float32'
  if (data instanceof Float64Array) return 'float64'
  if (data instanceof Int32Array) return 'int32'
  if (data instanceof Uint32Array) return 'uint32'
  if (data instanceof Uint8Array) return 'uint8'
  if (data instanceof Int8Array) return 'int8'
  return data instanceof Int16Array ? 'int16' : 'uint16'
}

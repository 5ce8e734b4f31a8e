/**
 * The heap: one WebAssembly memory as a cache of tensors' elements. Nobody frees tensors by hand:
 * a registry frees the blocks of dead ones between tasks, and a heap that is short of room asks the
 * collector which are dead, or evicts those used longest ago, which go back to being host arrays.
 */
import type { DType, Storage, TypedArray } from '@cotangent/core'
import type { Arena } from './arena.ts'
import { Budget, initialBudget } from './budget.ts'
import { Calls } from './calls.ts'
import { Collections } from './collections.ts'
import { type Collector, findCollector } from './collector.ts'
import { LinearMemory } from './memory.ts'
import { Residents } from './residents.ts'
import { maximumPages } from './sizes.ts'
import { Space } from './space.ts'
import type { HeapStats } from './stats.ts'

export interface HeapOptions {
  /** Whether threads share the memory. */
  readonly shared: boolean
  /** Pages of 64 KiB at first (16), and at most (65536: 4 GiB). */
  readonly initial?: number
  readonly maximum?: number
  /** Bytes that tensors may fill at first before room is made for others (32 MiB). */
  readonly budget?: number
  /** How to learn which tensors are dead; null: only from a registry. */
  readonly collector?: Collector | null
}

/**
 * @example
 * const heap = Heap.create({ shared: false })
 * heap.beginCall('double')
 * try {
 *   const x = heap.pointer(tensor.storage)
 *   const y = heap.allocate(4 * n)
 *   double(x, y, n)
 *   return heap.adopt(y, 'float32', n)
 * } finally {
 *   heap.endCall()
 * }
 */
export class Heap {
  readonly #linear: LinearMemory
  readonly #budget: Budget
  readonly #calls = new Calls()
  readonly #collections: Collections
  readonly #space: Space
  readonly #residents: Residents

  private constructor(options: HeapOptions) {
    const { shared, initial = 16, maximum = maximumPages, budget = initialBudget } = options
    const { collector } = options
    const calls = this.#calls
    this.#linear = new LinearMemory(shared, initial, maximum)
    this.#budget = new Budget(budget, this.#linear.maximumBytes)
    this.#residents = new Residents(this.#linear, () => this.#space, this.#budget, calls)
    const find = collector === undefined ? findCollector : (): Collector | null => collector
    this.#collections = new Collections(find, this.#residents, this.#budget)
    this.#space = new Space(this.#linear, this.#budget, calls, this.#collections, () =>
      this.#residents.evictOldest(),
    )
  }

  /** @throws MemoryError where the machine gives no memory at all */
  static create(options: HeapOptions): Heap {
    return new Heap(options)
  }

  get memory(): WebAssembly.Memory {
    return this.#linear.memory
  }
  get isShared(): boolean {
    return this.#linear.isShared
  }

  // Views of the whole memory. Fetch them anew after anything that may allocate: growing replaces
  // them, and the old ones are empty (or too short, where the memory is shared).
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
   * Begins a call, perhaps within another: the tensors and arenas that it uses stay where they are
   * until its `endCall`, which belongs in a `finally` and in the same task. Errors name the label.
   */
  beginCall(label: string): void {
    this.#calls.begin(label)
  }

  endCall(): void {
    this.#calls.end()
  }

  /**
   * The address of a block for `bytes` bytes, a multiple of 64, whose 64 bytes past its end may be
   * read. What it holds is undefined. It stays until it is freed or adopted. Addresses are below
   * 2³²: kernels take them as i32, views as `heap.f32[address >>> 2]`.
   * @throws MemoryError
   */
  allocate(bytes: number, label: string = this.#calls.label): number {
    return this.#space.allocate(bytes, label)
  }

  /** Gives back what `allocate` or `take` gave. @throws InternalError for any other address */
  free(address: number): void {
    this.#residents.forget(address)
    this.#space.free(address)
  }

  /**
   * Where the elements of `storage` are, copied in unless they are there. They stay until the
   * current call ends (outside of calls: until the next allocation) and must not be written.
   * @throws MemoryError, and TracerError after donation
   */
  pointer(storage: Storage): number {
    return this.#residents.pointer(storage)
  }

  /** Whether `pointer` would copy nothing. @throws TracerError after donation */
  isResident(storage: Storage): boolean {
    return this.#residents.has(storage)
  }

  /**
   * Donation: where the elements of `storage` are, to be overwritten; reading it throws from now
   * on. They are copied where others own them too, and where they are on the host. The block is the
   * caller's, to be adopted or freed.
   * @throws MemoryError (then nothing has been donated), and TracerError after donation
   */
  take(storage: Storage): number {
    return this.#residents.take(storage)
  }

  /** Wraps a block (from `allocate` or `take`) that a kernel has filled; it is the heap's now. */
  adopt(address: number, dtype: DType, length: number): Storage {
    return this.#residents.adopt(address, dtype, length)
  }

  /** Room for an executable's temporaries, kept between calls while there is enough memory. */
  arena(bytes: number, label: string): Arena {
    return this.#space.arena(bytes, label)
  }

  /** Copies a host array into a block. */
  write(address: number, data: TypedArray): void {
    this.#linear.write(address, data)
  }

  /** A copy on the host of the elements at an address. */
  read(address: number, dtype: DType, length: number): TypedArray {
    return this.#linear.read(address, dtype, length)
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
    return {
      bytesInUse: this.#space.bytesInUse,
      arenaBytes: this.#space.arenaBytes,
      bytesReserved: this.#linear.bytes,
      bytesTouched: this.#space.bytesTouched,
      residents: this.#residents.count,
      budget: this.#budget.limit,
      evictions: this.#residents.evictions,
      finalized: this.#residents.finalized,
      collections: this.#collections.count,
      ...this.#linear.traffic,
    }
  }
}

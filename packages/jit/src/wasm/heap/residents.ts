/** Tensors whose elements are in the heap: found, brought in, given away, evicted, buried. */
import { type DType, Storage, type TypedArray, dtypeInfo } from '@cotangent/core'
import { Block, type Keeper, Recency, Tenancy } from './block.ts'
import type { Budget } from './budget.ts'
import type { Calls } from './calls.ts'
import type { Freed, Watched } from './collections.ts'
import type { LinearMemory } from './memory.ts'
import type { Space } from './space.ts'

export class Residents implements Keeper, Watched {
  /** The tenancies, as far as nobody knows them to be dead. */
  readonly witnesses: WeakSet<object> = new WeakSet()
  #areSwept = false
  readonly #linear: LinearMemory
  readonly #space: () => Space
  readonly #budget: Budget
  readonly #calls: Calls
  readonly #recency = new Recency()
  /** Blocks given away to be overwritten, by address. */
  readonly #taken = new Map<number, Block>()
  #evictions = 0
  #finalized = 0
  // Runs only between tasks, and only after a collection of all objects: those of the young spare
  // whatever a registry watches. So it watches nothing where there are sweeps.
  readonly #dead: FinalizationRegistry<Block> = new FinalizationRegistry((block) => {
    if (!block.isLive) return
    this.#finalized += 1
    this.release(block)
  })

  constructor(linear: LinearMemory, space: () => Space, budget: Budget, calls: Calls) {
    this.#linear = linear
    this.#space = space
    this.#budget = budget
    this.#calls = calls
  }

  get count(): number {
    return this.#recency.count
  }

  get evictions(): number {
    return this.#evictions
  }

  get finalized(): number {
    return this.#finalized
  }

  pointer(storage: Storage): number {
    const { residence } = storage
    if (!(residence instanceof Tenancy)) return this.#bringIn(storage)
    const { block } = residence
    if (block.keeper !== this) return this.#bringIn(storage)
    if (!block.isLive) {
      this.#budget.regret(block.length * dtypeInfo[block.dtype].bytes)
      return this.#bringIn(storage)
    }
    this.#recency.touch(block)
    this.#use(block)
    return block.address
  }

  has(storage: Storage): boolean {
    return this.#blockOf(storage) !== null
  }

  take(storage: Storage): number {
    const block = this.#blockOf(storage)
    if (block === null) return this.#takeCopy(storage, null)
    const heir = storage.donateResidence()
    if (heir === null) return this.#takeCopy(storage, block)
    this.#recency.remove(block)
    block.heir = heir
    this.#taken.set(block.address, block)
    return block.address
  }

  adopt(address: number, dtype: DType, length: number): Storage {
    const taken = this.#taken.get(address)
    const heir = taken?.heir
    if (taken === undefined || heir === undefined || heir === null) {
      const block = new Block(this, address, dtype, length, false)
      const tenancy = new Tenancy(block)
      this.#settle(tenancy)
      return Storage.resident(tenancy)
    }
    // Nothing but the contents changed: the tenancy goes on, and so does its registration.
    this.#taken.delete(address)
    taken.heir = null
    taken.dtype = dtype
    taken.length = length
    taken.hasHostCopy = false
    this.#recency.add(taken)
    this.#use(taken)
    return heir
  }

  /** A block that was taken is freed, not adopted. */
  forget(address: number): void {
    const taken = this.#taken.get(address)
    if (taken === undefined) return
    this.#taken.delete(address)
    this.#dead.unregister(taken)
    taken.heir = null
    taken.address = 0
  }

  /** Frees the block used longest ago by no running call; false where there is none. */
  evictOldest(): boolean {
    let block = this.#recency.oldest
    while (block !== null && this.#calls.isRunning(block.epoch)) block = block.newer
    if (block === null) return false
    if (!block.hasHostCopy)
      block.saved = this.#linear.read(block.address, block.dtype, block.length)
    this.#evictions += 1
    this.#leave(block)
    return true
  }

  sweep(): Freed {
    this.#areSwept = true
    let [blocks, bytes] = [0, 0]
    let block = this.#recency.oldest
    while (block !== null) {
      const { newer } = block
      // What a running call uses stays, though it may well be done with the tensor itself.
      if (!block.isTenanted && !this.#calls.isRunning(block.epoch)) {
        bytes += this.#space().sizeOf(block.address)
        blocks += 1
        this.release(block)
      }
      block.isTenanted = false
      block = newer
    }
    this.#finalized += blocks
    return { blocks, bytes }
  }

  view(address: number, dtype: DType, length: number): TypedArray {
    return this.#linear.view(address, dtype, length)
  }

  copyOut(block: Block): TypedArray {
    const { saved } = block
    block.saved = null
    block.hasHostCopy = true
    return saved ?? this.#linear.read(block.address, block.dtype, block.length)
  }

  release(block: Block): void {
    block.saved = null
    if (block.isLive) this.#leave(block)
  }

  #blockOf(storage: Storage): Block | null {
    const { residence } = storage
    if (!(residence instanceof Tenancy)) return null
    const { block } = residence
    return block.keeper === this && block.isLive ? block : null
  }

  #bringIn(storage: Storage): number {
    const data = storage.read()
    const address = this.#space().allocate(data.byteLength, this.#calls.label)
    this.#linear.write(address, data)
    const block = new Block(this, address, dtypeOf(data), data.length, true)
    const tenancy = new Tenancy(block)
    storage.attach(tenancy)
    this.#settle(tenancy)
    return address
  }

  #takeCopy(storage: Storage, block: Block | null): number {
    const bytes =
      block === null
        ? storage.read().byteLength
        : this.#linear.view(block.address, block.dtype, block.length).byteLength
    if (block !== null) this.#use(block)
    const address = this.#space().allocate(bytes, this.#calls.label)
    // Outside of calls, the allocation may have evicted the original.
    if (block?.isLive === true) this.#linear.copy(address, block.address, bytes)
    else this.#linear.write(address, storage.read())
    storage.relinquish()
    return address
  }

  #use(block: Block): void {
    // A block that an outer call uses stays that call's.
    if (!this.#calls.isRunning(block.epoch)) block.epoch = this.#calls.current
  }

  #settle(tenancy: Tenancy): void {
    const { block } = tenancy
    this.#recency.add(block)
    this.#use(block)
    if (!this.#areSwept) this.#dead.register(tenancy, block, block)
    this.witnesses.add(tenancy)
  }

  // Unregistered, lest the registry hold what was saved for tensors that are long gone.
  #leave(block: Block): void {
    this.#recency.remove(block)
    this.#dead.unregister(block)
    this.#space().free(block.address)
    block.address = 0
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

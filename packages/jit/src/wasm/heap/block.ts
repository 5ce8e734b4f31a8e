/** A block of the heap that holds a tensor's elements, and the order in which blocks were used. */
import type { DType, Residence, Storage, TypedArray } from '@cotangent/core'
import { makeWitnesses } from './collector.ts'

/** What a block asks of the heap that it lies in. */
export interface Keeper {
  readonly copyOut: (block: Block) => TypedArray
  readonly view: (address: number, dtype: DType, length: number) => TypedArray
  readonly release: (block: Block) => void
}

/**
 * The heap holds its blocks strongly and a block knows nothing of the tensors above it, so that the
 * collector may take these; but for `heir`, while their elements are being overwritten.
 */
export class Block {
  readonly keeper: Keeper
  /** 0 once evicted or released. */
  address: number
  dtype: DType
  length: number
  /** The call that used it last. */
  epoch = 0
  /** Whether whoever owns the elements has them on the host as well. */
  hasHostCopy: boolean
  /** What an eviction copied out, until its owner fetches it. */
  saved: TypedArray | null = null
  /** The owner to be of elements that were given away to be overwritten. */
  heir: Storage | null = null
  /** Whether its tenant was found alive since the last sweep. */
  isTenanted = false
  older: Block | null = null
  newer: Block | null = null

  constructor(keeper: Keeper, address: number, dtype: DType, length: number, hasHostCopy: boolean) {
    this.keeper = keeper
    this.address = address
    this.dtype = dtype
    this.length = length
    this.hasHostCopy = hasHostCopy
  }

  get isLive(): boolean {
    return this.address !== 0
  }
}

/**
 * What the elements themselves know of their block. Nothing else refers to it, so that it lives as
 * long as they do.
 */
export class Tenancy implements Residence {
  readonly block: Block

  constructor(block: Block) {
    this.block = block
  }

  get isLive(): boolean {
    return this.block.isLive
  }

  copyOut(): TypedArray {
    return this.block.keeper.copyOut(this.block)
  }

  view(): TypedArray {
    const { keeper, address, dtype, length } = this.block
    return keeper.view(address, dtype, length)
  }

  release(): void {
    this.block.keeper.release(this.block)
  }

  static {
    makeWitnesses(Tenancy.prototype, ({ block }) => {
      block.isTenanted = true
    })
  }
}

/** Blocks from the least to the most recently used: a linked list through the blocks. */
export class Recency {
  #oldest: Block | null = null
  #newest: Block | null = null
  #count = 0

  get oldest(): Block | null {
    return this.#oldest
  }

  get count(): number {
    return this.#count
  }

  add(block: Block): void {
    block.older = this.#newest
    if (this.#newest === null) this.#oldest = block
    else this.#newest.newer = block
    this.#newest = block
    this.#count += 1
  }

  remove(block: Block): void {
    const { older, newer } = block
    if (older === null) this.#oldest = newer
    else older.newer = newer
    if (newer === null) this.#newest = older
    else newer.older = older
    block.older = null
    block.newer = null
    this.#count -= 1
  }

  touch(block: Block): void {
    if (block === this.#newest) return
    this.remove(block)
    this.add(block)
  }
}

/**
 * Blocks of an address space: lists of free blocks by size, split on demand, joined with free
 * neighbours when given back (Masmano et al. 2004, "TLSF: a new dynamic memory allocator"). What is
 * known of a block is kept outside of it, so that kernels cannot spoil it.
 */
import { InternalError } from '@cotangent/core'
import { binCount, binOf, granule } from './sizes.ts'

interface Chunk {
  address: number
  size: number
  isFree: boolean
  /** Its neighbours in memory. */
  below: Chunk | null
  above: Chunk | null
  /** Its neighbours in a list of free chunks. */
  previous: Chunk | null
  next: Chunk | null
}

/** How many chunks of a list are looked at for the best fit. */
const looks = 8

export class Allocator {
  readonly #used = new Map<number, Chunk>()
  readonly #bins: (Chunk | null)[] = Array.from({ length: binCount }, () => null)
  readonly #filled = new Uint32Array(Math.ceil(binCount / 32))
  /** The chunk that ends at `#top`; above it nothing is in use. */
  #last: Chunk | null = null
  #top: number
  #limit: number
  #bytesInUse = 0
  #highWater: number

  /** Blocks between the addresses `base` and `limit`. */
  constructor(base: number, limit: number) {
    this.#top = base
    this.#highWater = base
    this.#limit = limit
  }

  get bytesInUse(): number {
    return this.#bytesInUse
  }

  get blocks(): number {
    return this.#used.size
  }

  /** The end of the highest block there ever was: what lies above has never been touched. */
  get highWater(): number {
    return this.#highWater
  }

  /** The limit that a block of `size` bytes needs when no free one serves. */
  limitFor(size: number): number {
    return this.#top + size
  }

  extend(limit: number): void {
    this.#limit = limit
  }

  /**
   * The address of a block of at least `size` bytes (a multiple of 64) out of memory that was in
   * use before, which costs no fresh pages; 0 where there is none.
   */
  reuse(size: number): number {
    return this.#issue(this.#takeFree(size) ?? this.#carve(size, this.#highWater))
  }

  /** The same, out of all there is below the limit. */
  allocate(size: number): number {
    return this.#issue(this.#takeFree(size) ?? this.#carve(size, this.#limit))
  }

  #issue(chunk: Chunk | null): number {
    if (chunk === null) return 0
    this.#used.set(chunk.address, chunk)
    this.#bytesInUse += chunk.size
    return chunk.address
  }

  /** The bytes of the block at an address in use. @throws InternalError elsewhere */
  sizeOf(address: number): number {
    return this.#chunkAt(address).size
  }

  /** Gives a block back. @throws InternalError where there is none in use */
  free(address: number): void {
    let chunk: Chunk = this.#chunkAt(address)
    this.#used.delete(address)
    this.#bytesInUse -= chunk.size
    const { above, below } = chunk
    if (above !== null && above.isFree) {
      this.#unlist(above)
      this.#join(chunk, above)
    }
    if (below !== null && below.isFree) {
      this.#unlist(below)
      this.#join(below, chunk)
      chunk = below
    }
    if (chunk === this.#last) {
      this.#top = chunk.address
      this.#last = chunk.below
      if (chunk.below !== null) chunk.below.above = null
    } else {
      this.#list(chunk)
    }
  }

  #chunkAt(address: number): Chunk {
    const chunk = this.#used.get(address)
    if (chunk !== undefined) return chunk
    throw new InternalError({
      operation: 'heap',
      problem: 'no block in use begins at this address',
      got: `0x${address.toString(16)}`,
    })
  }

  #takeFree(size: number): Chunk | null {
    const own = binOf(size)
    const chunk = this.#bestOf(own, size) ?? this.#bestAfter(own)
    if (chunk === null) return null
    this.#unlist(chunk)
    // A remainder under 1/16 would only be litter.
    if (chunk.size - size >= Math.max(granule, size / 16)) this.#split(chunk, size)
    return chunk
  }

  #bestOf(bin: number, size: number): Chunk | null {
    let best: Chunk | null = null
    let chunk = this.#bins[bin] ?? null
    for (let i = 0; i < looks && chunk !== null; i++) {
      if (chunk.size === size) return chunk
      if (chunk.size > size && (best === null || chunk.size < best.size)) best = chunk
      chunk = chunk.next
    }
    return best
  }

  // Any chunk of a later list is large enough.
  #bestAfter(bin: number): Chunk | null {
    const from = bin + 1
    let word = from >>> 5
    let bits = (this.#filled[word] ?? 0) & (-1 << (from & 31))
    while (bits === 0) {
      word += 1
      if (word >= this.#filled.length) return null
      bits = this.#filled[word]!
    }
    const lowest = 31 - Math.clz32(bits & -bits)
    return this.#bestOf(word * 32 + lowest, 0)
  }

  #carve(size: number, limit: number): Chunk | null {
    const address = this.#top
    if (address + size > limit) return null
    const below = this.#last
    const chunk = newChunk(address, size, below, null)
    if (below !== null) below.above = chunk
    this.#last = chunk
    this.#top = address + size
    this.#highWater = Math.max(this.#highWater, this.#top)
    return chunk
  }

  #split(chunk: Chunk, size: number): void {
    const rest = newChunk(chunk.address + size, chunk.size - size, chunk, chunk.above)
    if (chunk.above !== null) chunk.above.below = rest
    chunk.above = rest
    chunk.size = size
    this.#list(rest)
  }

  #join(chunk: Chunk, above: Chunk): void {
    chunk.size += above.size
    chunk.above = above.above
    if (above.above !== null) above.above.below = chunk
    if (above === this.#last) this.#last = chunk
  }

  // The latest free block comes first: its lines are the likeliest to be in a cache.
  #list(chunk: Chunk): void {
    const bin = binOf(chunk.size)
    const head = this.#bins[bin] ?? null
    chunk.isFree = true
    chunk.previous = null
    chunk.next = head
    if (head !== null) head.previous = chunk
    this.#bins[bin] = chunk
    this.#filled[bin >>> 5]! |= 1 << (bin & 31)
  }

  #unlist(chunk: Chunk): void {
    const bin = binOf(chunk.size)
    const { previous, next } = chunk
    if (next !== null) next.previous = previous
    if (previous !== null) previous.next = next
    else this.#bins[bin] = next
    if (this.#bins[bin] === null) this.#filled[bin >>> 5]! &= ~(1 << (bin & 31))
    chunk.isFree = false
    chunk.previous = null
    chunk.next = null
  }
}

const newChunk = (
  address: number,
  size: number,
  below: Chunk | null,
  above: Chunk | null,
): Chunk => ({ address, size, isFree: false, below, above, previous: null, next: null })

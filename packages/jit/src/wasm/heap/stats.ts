/** What the heap counts, for tests and profiles. */
export interface HeapStats {
  /** Bytes of all blocks that are not free. */
  readonly bytesInUse: number
  /** Of these, the bytes of arenas. */
  readonly arenaBytes: number
  /** The length of the memory. */
  readonly bytesReserved: number
  /** How much of the memory has ever been in use. */
  readonly bytesTouched: number
  /** Tensors' blocks. */
  readonly residents: number
  /** Bytes that tensors may fill before the least recently used are evicted. */
  readonly budget: number
  readonly evictions: number
  /** Blocks freed because the collector found their tensors dead. */
  readonly finalized: number
  readonly copiesIn: number
  readonly bytesIn: number
  readonly copiesOut: number
  readonly bytesOut: number
}

type Measured = Pick<
  HeapStats,
  'bytesInUse' | 'bytesReserved' | 'bytesTouched' | 'residents' | 'budget'
>

export class Counters {
  arenaBytes = 0
  evictions = 0
  finalized = 0
  #copiesIn = 0
  #bytesIn = 0
  #copiesOut = 0
  #bytesOut = 0

  copiedIn(bytes: number): void {
    this.#copiesIn += 1
    this.#bytesIn += bytes
  }

  copiedOut(bytes: number): void {
    this.#copiesOut += 1
    this.#bytesOut += bytes
  }

  stats(measured: Measured): HeapStats {
    return {
      ...measured,
      arenaBytes: this.arenaBytes,
      evictions: this.evictions,
      finalized: this.finalized,
      copiesIn: this.#copiesIn,
      bytesIn: this.#bytesIn,
      copiesOut: this.#copiesOut,
      bytesOut: this.#bytesOut,
    }
  }
}

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
  /** Bytes that tensors may fill before room is made for others. */
  readonly budget: number
  readonly evictions: number
  /** Blocks freed because the collector found their tensors dead. */
  readonly finalized: number
  /** How often the collector was asked which tensors are dead. */
  readonly collections: number
  /** Copies from the host and back to it. */
  readonly copiesIn: number
  readonly bytesIn: number
  readonly copiesOut: number
  readonly bytesOut: number
}

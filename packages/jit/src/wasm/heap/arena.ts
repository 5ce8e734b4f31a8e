/** Room for an executable's temporaries: kept between calls, but not what is in it. */
import type { Calls } from './calls.ts'

/** One stretch of memory for an arena; a call nested in another of the same arena has its own. */
interface Slot {
  readonly address: number
  readonly stamp: number
  /** The call that used it last. */
  epoch: number
}

/** What an arena asks of its heap. */
export interface Ground {
  readonly allocate: (bytes: number, label: string) => number
  readonly free: (address: number) => void
}

/** Slots idle for so many calls go before the memory grows. */
const idleCalls = 64

/** What the heap holds of an arena. */
export class ArenaRoom {
  readonly bytes: number
  readonly label: string
  readonly #slots: Slot[] = []
  #stamps = 0

  constructor(bytes: number, label: string) {
    this.bytes = bytes
    this.label = label
  }

  slot(calls: Calls, ground: Ground): Slot {
    const epoch = calls.current === 0 ? calls.latest : calls.current
    const first = this.#slots[0]
    // Nearly always. While the first is some outer call's, the current call cannot have it.
    if (first !== undefined && (first.epoch === epoch || !calls.isRunning(first.epoch))) {
      first.epoch = epoch
      return first
    }
    const slot =
      this.#slots.find((one) => one.epoch === epoch) ??
      this.#slots.find((one) => !calls.isRunning(one.epoch))
    if (slot !== undefined) {
      slot.epoch = epoch
      return slot
    }
    const address = ground.allocate(this.bytes, this.label)
    this.#stamps += 1
    const made = { address, stamp: this.#stamps, epoch }
    this.#slots.push(made)
    return made
  }

  /** Gives up slots that no running call uses: all, or the idle ones. True where any went. */
  drop(calls: Calls, ground: Ground, onlyIdle: boolean): boolean {
    const before = this.#slots.length
    for (let i = before - 1; i >= 0; i--) {
      const { address, epoch } = this.#slots[i]!
      if (calls.isRunning(epoch) || (onlyIdle && calls.latest - epoch < idleCalls)) continue
      ground.free(address)
      this.#slots.splice(i, 1)
    }
    return this.#slots.length < before
  }
}

/** Room for an executable's temporaries. The collector frees it with the executable. */
export class Arena {
  readonly bytes: number
  readonly #slot: () => Slot

  constructor(room: ArenaRoom, slot: () => Slot) {
    this.bytes = room.bytes
    this.#slot = slot
  }

  /**
   * Its address for the current call, the same until that ends. What an earlier call left there is
   * lost unless `stamp` is the same.
   * @throws MemoryError
   */
  get address(): number {
    return this.#slot().address
  }

  /**
   * Names the contents: as long as it does not change, what the executable wrote is still there.
   * The address does not say so, for others may have had the memory in between.
   * @throws MemoryError
   */
  get stamp(): number {
    return this.#slot().stamp
  }
}

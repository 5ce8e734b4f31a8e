/** Room for an executable's temporaries: kept between calls, but not what is in it. */
import type { Calls } from './calls.ts'

/** One stretch of memory for an arena; a call nested in another of the same arena has its own. */
interface Slot {
  address: number
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

  constructor(bytes: number, label: string) {
    this.bytes = bytes
    this.label = label
  }

  address(calls: Calls, ground: Ground): number {
    const epoch = calls.current === 0 ? calls.latest : calls.current
    const slot =
      this.#slots.find((one) => one.epoch === epoch) ??
      this.#slots.find((one) => !calls.isRunning(one.epoch))
    if (slot !== undefined) {
      slot.epoch = epoch
      return slot.address
    }
    const address = ground.allocate(this.bytes, this.label)
    this.#slots.push({ address, epoch })
    return address
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
  readonly #address: () => number

  constructor(room: ArenaRoom, address: () => number) {
    this.bytes = room.bytes
    this.#address = address
  }

  /**
   * Its address for the current call, the same until that ends; what was there before is lost.
   * @throws MemoryError
   */
  get address(): number {
    return this.#address()
  }
}

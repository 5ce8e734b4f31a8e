/**
 * When to ask the garbage collector which tensors are dead. Asking about young objects is cheap
 * (0.3 ms) and finds nearly all that a loop drops; asking about all costs what the program's own
 * objects make it cost. So the young are asked about once for every so many bytes of new tensors:
 * few at first, which keeps results within the caches and without fresh pages (2 to 9 µs each);
 * more where that frees little or takes much of the time. All are asked about when as many bytes
 * as were live the last time have outlived that.
 */
import type { Budget } from './budget.ts'
import type { Collector } from './collector.ts'

/** The blocks and bytes that dead tensors leave behind. */
export interface Freed {
  readonly blocks: number
  readonly bytes: number
}

/** The tensors asked about. */
export interface Watched {
  readonly witnesses: WeakSet<object>
  /** Frees the blocks of those that did not testify. */
  readonly sweep: () => Freed
}

const none: Freed = { blocks: 0, bytes: 0 }

/** Collections may take this share of all time, roughly. */
const share = 1 / 10
/** Milliseconds that any block takes that is freed: larger steps would not save these. */
const blockPrice = 0.002
/** So many dear collections one after the other are no chance. */
const proof = 4
/** By how much dear collections enlarge the smallest step. */
const patience = 2

export class Collections {
  readonly #find: () => Collector | null
  readonly #watched: Watched
  readonly #budget: Budget
  readonly #now: () => number
  #collector: Collector | null | undefined
  #count = 0
  /** Bytes of new tensors from one collection to the next. */
  readonly #smallestStep: number
  #step: number
  /** How many of the latest collections took more than their share, and when the last ended. */
  #dear = 0
  #end: number
  /** Of those that were thorough: how long the last took, when it ended, when the next is due. */
  #thoroughPrice = 0
  #thoroughEnd: number
  #thoroughLimit: number

  /** `find` is called when the budget is first exceeded; `now` tells milliseconds. */
  constructor(
    find: () => Collector | null,
    watched: Watched,
    budget: Budget,
    now: () => number = () => performance.now(),
  ) {
    this.#find = find
    this.#watched = watched
    this.#budget = budget
    this.#now = now
    this.#smallestStep = budget.limit
    this.#step = budget.limit
    this.#thoroughLimit = 2 * budget.limit
    this.#end = now()
    this.#thoroughEnd = this.#end
  }

  get count(): number {
    return this.#count
  }

  /**
   * Frees dead tensors among the `bytes` in use, and sets the budget for those that live: on the
   * host they would take as much memory. Returns the bytes freed; null where nobody can be asked.
   */
  relieve(bytes: number): number | null {
    if (this.#collector === undefined) this.#collector = this.#find()
    if (this.#collector === null) return null
    const start = this.#now()
    // The first time there are tensors that a registry watches, which no other collection finds.
    const isFirst = this.#count === 0
    const young = isFirst ? none : this.#ask(this.#collector, false)
    const left = bytes - young.bytes
    const old = isFirst || left > this.#thoroughLimit ? this.#askAll(this.#collector, left) : none
    const live = left - old.bytes
    this.#pace({ blocks: young.blocks + old.blocks, bytes: bytes - live }, live, start)
    this.#budget.allow(live + this.#step)
    return bytes - live
  }

  /** The same for when the memory is full: thoroughly, unless that is too early. */
  relieveAll(bytes: number): number {
    return this.#collector ? this.#askAll(this.#collector, bytes).bytes : 0
  }

  #ask(collector: Collector, all: boolean): Freed {
    this.#count += 1
    collector.collect(all)
    return collector.tell(this.#watched.witnesses) ? this.#watched.sweep() : none
  }

  #askAll(collector: Collector, bytes: number): Freed {
    const start = this.#now()
    if (start - this.#thoroughEnd < this.#thoroughPrice / share) return none
    const freed = this.#ask(collector, true)
    const live = bytes - freed.bytes
    this.#thoroughEnd = this.#now()
    this.#thoroughPrice = this.#thoroughEnd - start
    this.#thoroughLimit = live + Math.max(live, 2 * this.#smallestStep)
    return freed
  }

  #pace(freed: Freed, live: number, start: number): void {
    const end = this.#now()
    const price = end - start - freed.blocks * blockPrice
    this.#dear = price > share * (start - this.#end) ? this.#dear + 1 : 0
    this.#end = end
    const isDear = this.#dear >= proof
    const isPoor = freed.bytes < this.#step / 2
    const largest = Math.max(this.#smallestStep * (isDear ? patience : 1), live / 4)
    const step = isDear || isPoor ? 2 * this.#step : this.#step / 2
    this.#step = Math.max(this.#smallestStep, Math.min(step, largest))
  }
}

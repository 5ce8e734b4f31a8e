/**
 * How many bytes tensors may fill before room is made by other means than fresh memory; memory that
 * has been in use may be filled all the same. Where the collector can be asked which tensors are
 * dead, that is what happens, and the answer sets the budget. Else the least recently used make
 * room, as follows.
 *
 * In one synchronous loop such a collector tells nobody which tensors are gone, so dead results
 * look like live ones. A small budget turns them over quickly, within the caches and without fresh pages
 * (which cost 2 to 9 µs each); but a working set larger than the budget would be copied out and
 * back in again and again. Only copies *back in* say which of the two it is: dead results are never
 * asked for again. So the budget starts small and doubles when the bytes that came back since its
 * last growth exceed half of it. Reaching a budget of B bytes costs less than B bytes of such
 * copies in all.
 */
export const initialBudget: number = 32 * 2 ** 20

export class Budget {
  readonly #ceiling: number
  #limit: number
  #regret = 0

  constructor(limit: number, ceiling: number) {
    this.#ceiling = ceiling
    this.#limit = Math.min(limit, ceiling)
  }

  get limit(): number {
    return this.#limit
  }

  /** Makes the budget `bytes`, as far as there is so much memory. */
  allow(bytes: number): void {
    this.#limit = Math.min(bytes, this.#ceiling)
  }

  /** Notes that `bytes` were evicted too early. */
  regret(bytes: number): void {
    this.#regret += bytes
    if (this.#regret <= this.#limit / 2 || this.#limit === this.#ceiling) return
    this.#limit = Math.min(2 * this.#limit, this.#ceiling)
    this.#regret = 0
  }
}

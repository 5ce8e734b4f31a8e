/**
 * How many bytes tensors may fill before the least recently used make room for others, where that
 * would take fresh memory; memory that has been in use may be filled all the same.
 *
 * In one synchronous loop the collector tells nobody which tensors are gone, so dead results look
 * like live ones. A small budget turns them over quickly, within the caches and without fresh pages
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

  /** Notes that `bytes` were evicted too early. */
  regret(bytes: number): void {
    this.#regret += bytes
    if (this.#regret <= this.#limit / 2 || this.#limit === this.#ceiling) return
    this.#limit = Math.min(2 * this.#limit, this.#ceiling)
    this.#regret = 0
  }
}

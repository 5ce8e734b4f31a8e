/** Random numbers drawn one after the other from a key, by exact operations only. */
import type { Key } from './key.ts'
import { threefry } from './threefry.ts'

/**
 * A sequence of draws: the only mutable state is its own counter. Every result is made by integer
 * operations and one exact scaling, so it has the same bits on every machine.
 */
export class Draws {
  readonly #k0: number
  readonly #k1: number
  readonly #words = new Uint32Array(2)
  #counter = 0
  #second = false

  constructor(key: Key) {
    this.#k0 = key[0]
    this.#k1 = key[1]
  }

  /** 32 random bits. */
  word(): number {
    this.#second = !this.#second
    // The first counter word is 1, so that these bits are not those of random.bits(key).
    if (this.#second) threefry(this.#k0, this.#k1, 1, this.#counter++, this.#words)
    return this.#words[this.#second ? 0 : 1]!
  }

  /** In [0, 1), a multiple of 2^-32. */
  uniform(): number {
    return this.word() / 4294967296
  }

  /** In [low, high). */
  between(low: number, high: number): number {
    return low + (high - low) * this.uniform()
  }

  /**
   * Mean 0, variance 1, within ±3.46: the sum of twelve bytes, which needs no logarithm (libraries
   * differ in its last bit).
   */
  normal(): number {
    const total = sumOfBytes(this.word()) + sumOfBytes(this.word()) + sumOfBytes(this.word())
    return (total - 1530) / 255.998046867549
  }

  /** An integer in [0, count), without bias. `count` is from 1 to 2^32. */
  below(count: number): number {
    const limit = 4294967296 - (4294967296 % count)
    let drawn = this.word()
    while (drawn >= limit) drawn = this.word()
    return drawn % count
  }
}

/** The sum of the four bytes of a word: mean 510, variance 21845. */
export const sumOfBytes = (word: number): number =>
  (word & 255) + ((word >>> 8) & 255) + ((word >>> 16) & 255) + (word >>> 24)

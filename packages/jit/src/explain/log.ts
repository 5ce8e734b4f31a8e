/** The compilations of one function: noted when they happen, and never on a call that is cached. */
import type { Call, Variant } from '../variant.ts'
import { type Change, changesBetween, distance } from './compare.ts'
import { type Signature, sameSignature, showSignature, signatureOf } from './signature.ts'

/**
 * Why a call compiled: it was the first; it differs from all before; the variant had been dropped
 * because too many were there, or by `clearCache`; or the variant before it could not be kept.
 */
export type MissReason = 'first' | 'changed' | 'evicted' | 'cleared' | 'captured'

/** One compilation. */
export interface Miss {
  /** Which compilation of the function it was, from 1. */
  readonly number: number
  readonly reason: MissReason
  /** What it was compiled for. */
  readonly signature: string
  /** Which one it is compared with: the closest before. 0: none. */
  readonly closest: number
  readonly changes: readonly Change[]
  /** How many values of an enclosing transform the function reads without being handed them. */
  readonly captures: number
}

interface Seen {
  readonly number: number
  readonly signature: Signature
  readonly generation: number
  readonly kept: boolean
}

/** More compilations than this are compared with and described; older ones are only counted. */
const seenLimit = 192
const missLimit = 32

export class MissLog {
  readonly #seen: Seen[] = []
  readonly #misses: Miss[] = []
  readonly #signatures = new WeakMap<Variant, Signature>()
  #count = 0
  #generation = 0

  /** Notes a compilation. */
  missed(args: readonly unknown[], call: Call, variant: Variant): void {
    const signature = signatureOf(args, call)
    this.#signatures.set(variant, signature)
    this.#count += 1
    const captures = variant.captures.length
    const same = this.#seen.findLast((s) => sameSignature(s.signature, signature))
    const closest = same ?? this.#closest(signature)
    this.#misses.push({
      number: this.#count,
      reason: same === undefined ? (closest === null ? 'first' : 'changed') : this.#lost(same),
      signature: showSignature(signature),
      closest: closest?.number ?? 0,
      changes: closest === null ? [] : changesBetween(closest.signature, signature),
      captures,
    })
    if (this.#misses.length > missLimit) this.#misses.shift()
    if (same !== undefined) this.#seen.splice(this.#seen.indexOf(same), 1)
    const kept = captures === 0
    this.#seen.push({ number: this.#count, signature, generation: this.#generation, kept })
    if (this.#seen.length > seenLimit) this.#seen.shift()
  }

  /** Notes that the cache has been emptied. */
  cleared(): void {
    this.#generation += 1
  }

  /** How often the function was compiled. */
  get count(): number {
    return this.#count
  }

  /** The latest compilations, in order. */
  get misses(): readonly Miss[] {
    return [...this.#misses]
  }

  /** What a variant was compiled for. */
  describe(variant: Variant): string {
    const signature = this.#signatures.get(variant)
    return signature === undefined ? 'unknown' : showSignature(signature)
  }

  #lost({ kept, generation }: Seen): MissReason {
    if (!kept) return 'captured'
    return generation < this.#generation ? 'cleared' : 'evicted'
  }

  // The latest of those with the fewest differences.
  #closest(signature: Signature): Seen | null {
    let best: Seen | null = null
    let least = Number.POSITIVE_INFINITY
    for (const seen of this.#seen) {
      const between = distance(seen.signature, signature)
      if (between > least) continue
      least = between
      best = seen
    }
    return best
  }
}

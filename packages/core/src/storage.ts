/** Where a tensor's elements live: in a JavaScript array, in a block of some heap, or in both. */
import type { TypedArray } from './dtype.ts'
import { InternalError, TracerError } from './errors.ts'

/**
 * A place outside JavaScript's arrays that holds elements. Elements are immutable, so that a copy
 * on the host beside it stays valid.
 */
export interface Residence {
  /** Whether the elements are there; after an eviction only `copyOut` has them. */
  readonly isLive: boolean
  /** The elements in a host array, which the caller remembers: it is not asked for twice. */
  readonly copyOut: () => TypedArray
  /** The elements where they are, while `isLive`; good until memory is next allocated there. */
  readonly view: () => TypedArray
  /** Nobody needs the elements any more. */
  readonly release: () => void
}

/**
 * The elements themselves, which all storages that share them point to. What their life hangs on:
 * a FinalizationRegistry may watch this object.
 */
export class Elements {
  host: TypedArray | null
  residence: Residence | null
  /** Storages made with these elements, less those that gave them up. */
  owners = 1

  constructor(host: TypedArray | null, residence: Residence | null) {
    this.host = host
    this.residence = residence
  }

  read(): TypedArray {
    this.host ??= this.residence?.copyOut() ?? null
    if (this.host !== null) return this.host
    throw new InternalError({ operation: 'read', problem: 'these elements are nowhere' })
  }
}

/**
 * Owns the elements of one tensor; the garbage collector owns the storage. Tensors that only look
 * different (a reshaped one, a constant that a function returns) share their elements.
 */
export class Storage {
  #elements: Elements | null

  constructor(source: TypedArray | Elements) {
    this.#elements = source instanceof Elements ? source : new Elements(source, null)
  }

  /** Elements that are only in `residence` so far. */
  static resident(residence: Residence): Storage {
    return new Storage(new Elements(null, residence))
  }

  /** Another owner of the same elements. While both own them, only a copy can be given away. */
  share(): Storage {
    const elements = this.elements
    elements.owners += 1
    return new Storage(elements)
  }

  /**
   * The elements on the host, copied there once. Never written after construction.
   * @throws TracerError after donation.
   */
  read(): TypedArray {
    return this.elements.read()
  }

  /**
   * The elements wherever they are, for reading some of them now: what it gives may be overwritten
   * once anything else has run. @throws TracerError after donation.
   */
  peek(): TypedArray {
    const { host, residence } = this.elements
    return host === null && residence?.isLive === true ? residence.view() : this.read()
  }

  /** What all owners of these elements have in common. @throws TracerError after donation. */
  get elements(): Elements {
    if (this.#elements === null) throw donated()
    return this.#elements
  }

  /** Where else the elements are, or were before an eviction. @throws TracerError after donation. */
  get residence(): Residence | null {
    return this.elements.residence
  }

  /** Notes that elements of the host are in `residence` too, instead of in an earlier one. */
  attach(residence: Residence): void {
    const elements = this.elements
    elements.read()
    if (elements.residence !== residence) elements.residence?.release()
    elements.residence = residence
  }

  /**
   * Gives the elements away as a host array to be overwritten, copied where others own them too;
   * later reads throw.
   */
  donate(): TypedArray {
    const data = this.read()
    const isLast = this.elements.owners === 1
    this.relinquish()
    return isLast ? data : data.slice()
  }

  /**
   * Gives resident elements away, to be overwritten where they are; later reads throw. Returns
   * their new owner, which has no copy on the host. Null, and nothing is given, where they are not
   * resident or others own them too.
   */
  donateResidence(): Storage | null {
    const elements = this.elements
    if (elements.owners > 1 || elements.residence?.isLive !== true) return null
    elements.host = null
    this.#elements = null
    return new Storage(elements)
  }

  /** Gives the elements up: later reads throw. The last owner releases their residence. */
  relinquish(): void {
    const elements = this.elements
    elements.owners -= 1
    this.#elements = null
    if (elements.owners === 0) elements.residence?.release()
  }

  get isDonated(): boolean {
    return this.#elements === null
  }
}

const donated = (): TracerError =>
  new TracerError({
    operation: 'read',
    problem: 'this tensor was donated to a compiled function, which has overwritten it',
    fix: 'use the value that the function returned, or leave this argument out of `donate`',
  })

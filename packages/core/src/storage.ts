/** Where a tensor's elements live. Host buffers for now; a resident block of a heap fits here. */
import type { TypedArray } from './dtype.ts'
import { TracerError } from './errors.ts'

/**
 * Owns the elements of one tensor; the garbage collector owns the storage. Tensors that only look
 * different (a reshaped one, a constant that a function returns) share their elements.
 */
export class Storage {
  #data: TypedArray | null
  #isShared = false

  constructor(data: TypedArray) {
    this.#data = data
  }

  /** Another owner of the same elements. Neither can give them away any more, only a copy. */
  share(): Storage {
    const other = new Storage(this.read())
    other.#isShared = true
    this.#isShared = true
    return other
  }

  /** The elements. Never written after construction. @throws TracerError after donation. */
  read(): TypedArray {
    if (this.#data === null) throw donated()
    return this.#data
  }

  /** Gives elements away to be overwritten, copied where others own them too; later reads throw. */
  donate(): TypedArray {
    const data = this.read()
    this.#data = null
    return this.#isShared ? data.slice() : data
  }

  get isDonated(): boolean {
    return this.#data === null
  }
}

const donated = (): TracerError =>
  new TracerError({
    operation: 'read',
    problem: 'this tensor was donated to a compiled function, which has overwritten it',
    fix: 'use the value that the function returned, or leave this argument out of `donate`',
  })

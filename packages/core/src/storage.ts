/** Where a tensor's elements live. Host buffers for now; a resident block of a heap fits here. */
import type { TypedArray } from './dtype.ts'
import { TracerError } from './errors.ts'

/** Owns the elements of one tensor; the garbage collector owns the storage. */
export class Storage {
  #data: TypedArray | null

  constructor(data: TypedArray) {
    this.#data = data
  }

  /** The elements. Never written after construction. @throws TracerError after donation. */
  read(): TypedArray {
    if (this.#data === null) throw donated()
    return this.#data
  }

  /** Gives the buffer away to be overwritten; every later read throws. */
  donate(): TypedArray {
    const data = this.read()
    this.#data = null
    return data
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

/** The bytes of modules, in memory that workers can read even while they wait. */
import { InternalError } from '@cotangent/core'

const pageBytes = 65536
const maximumPages = 4096

/** A module that workers can compile. */
export interface Registration {
  /** Where workers keep the instance; given to another module later. */
  readonly slot: number
  /** Tells modules in the same slot apart. */
  readonly serial: number
  readonly offset: number
  readonly length: number
}

/** Modules' bytes by number. Their room is used again after they were removed. */
export class CodeStore {
  readonly memory: WebAssembly.Memory = new WebAssembly.Memory({
    initial: 1,
    maximum: maximumPages,
    shared: true,
  })
  private readonly entries: (Registration | null)[] = []
  private serial = 0

  /** Keeps a copy of the bytes and returns the module's number. @throws InternalError beyond 256 MiB */
  add(bytes: Uint8Array): number {
    const offset = this.findRoom(bytes.length)
    this.reserve(offset + bytes.length)
    new Uint8Array(this.memory.buffer).set(bytes, offset)
    const vacant = this.entries.indexOf(null)
    const slot = vacant === -1 ? this.entries.length : vacant
    this.entries[slot] = { slot, serial: ++this.serial, offset, length: bytes.length }
    return slot
  }

  remove(slot: number): void {
    this.get(slot)
    this.entries[slot] = null
  }

  get(slot: number): Registration {
    const entry = this.entries[slot]
    if (entry === null || entry === undefined)
      throw new InternalError({
        operation: 'threads',
        problem: 'a job of a module that is not registered',
        got: `module ${slot}`,
      })
    return entry
  }

  // The first gap that is long enough. There are as many modules as compiled functions: few.
  private findRoom(length: number): number {
    let end = 0
    const taken = this.entries.filter((entry) => entry !== null)
    for (const entry of taken.sort((a, b) => a.offset - b.offset)) {
      if (entry.offset - end >= length) return end
      end = entry.offset + entry.length
    }
    return end
  }

  private reserve(bytes: number): void {
    const missing = bytes - this.memory.buffer.byteLength
    if (missing <= 0) return
    if (bytes > maximumPages * pageBytes)
      throw new InternalError({
        operation: 'threads',
        problem: 'the code of compiled functions does not fit',
        got: `${bytes} bytes`,
      })
    this.memory.grow(Math.ceil(missing / pageBytes))
  }
}

/** A byte array that grows while it is written: what every part of a WebAssembly module is built in. */

const initialCapacity = 256
/** Bytes of the longest number of 32 bits. */
const longest = 5

// Floats are taken apart here: a DataView on the growing buffer would have to follow its growth.
const float = new Float64Array(1)
const single = new Float32Array(float.buffer)
const floatBytes = new Uint8Array(float.buffer)
const floatWords = new Uint32Array(float.buffer)

const utf8 = new TextEncoder()

/** Bytes that are appended to; integers in LEB128, floats little-endian, as WebAssembly wants them. */
export class Bytes {
  private data: Uint8Array
  private used = 0

  constructor(capacity: number = initialCapacity) {
    this.data = new Uint8Array(capacity)
  }

  /** The number of bytes written. */
  get length(): number {
    return this.used
  }

  private reserve(count: number): void {
    const needed = this.used + count
    if (needed <= this.data.length) return
    const grown = new Uint8Array(Math.max(needed, 2 * this.data.length))
    grown.set(this.data.subarray(0, this.used))
    this.data = grown
  }

  /** One byte; only the low 8 bits of `value` count. */
  u8(value: number): this {
    if (this.used === this.data.length) this.reserve(1)
    this.data[this.used++] = value
    return this
  }

  /** An unsigned LEB128 of 1 to 5 bytes: `value` modulo 2³². */
  u32(value: number): this {
    if (this.used + longest > this.data.length) this.reserve(longest)
    const { data } = this
    let rest = value >>> 0
    while (rest >= 0x80) {
      data[this.used++] = rest | 0x80
      rest >>>= 7
    }
    data[this.used++] = rest
    return this
  }

  /** One byte and an unsigned LEB128, as most instructions are. */
  pair(first: number, value: number): this {
    if (value >>> 0 >= 0x80 || this.used + 2 > this.data.length) return this.u8(first).u32(value)
    const { data } = this
    data[this.used] = first
    data[this.used + 1] = value
    this.used += 2
    return this
  }

  /** A signed LEB128 of 1 to 5 bytes: `value` modulo 2³², as a number from -2³¹ to 2³¹ - 1. */
  s32(value: number): this {
    let rest = value | 0
    while (rest < -0x40 || rest >= 0x40) {
      this.u8(rest | 0x80)
      rest >>= 7
    }
    return this.u8(rest & 0x7f)
  }

  /** A signed LEB128 of 1 to 10 bytes: `value` modulo 2⁶⁴. */
  s64(value: bigint): this {
    let rest = BigInt.asIntN(64, value)
    while (rest < -0x40n || rest >= 0x40n) {
      this.u8(Number(rest & 0x7fn) | 0x80)
      rest >>= 7n
    }
    return this.u8(Number(rest & 0x7fn))
  }

  /** Four bytes: `value` rounded to float32. Every NaN is written as the canonical one. */
  f32(value: number): this {
    single[0] = value
    if (value !== value) floatWords[0] = 0x7fc0_0000
    return this.raw(floatBytes, 4)
  }

  /** Eight bytes. Every NaN is written as the canonical one. */
  f64(value: number): this {
    float[0] = value
    if (value !== value) {
      floatWords[0] = 0
      floatWords[1] = 0x7ff8_0000
    }
    return this.raw(floatBytes, 8)
  }

  /** A string in UTF-8 after its length in bytes. */
  name(text: string): this {
    const encoded = utf8.encode(text)
    this.u32(encoded.length)
    return this.raw(encoded, encoded.length)
  }

  /** The first `count` of some bytes, as they are. */
  raw(bytes: Uint8Array, count: number = bytes.length): this {
    this.reserve(count)
    // A handful of bytes is copied faster one by one than by `set` and a view.
    if (count <= 16) for (let i = 0; i < count; i++) this.data[this.used + i] = bytes[i]!
    else this.data.set(count === bytes.length ? bytes : bytes.subarray(0, count), this.used)
    this.used += count
    return this
  }

  /** Whether the other holds the same bytes. */
  equals(other: Bytes): boolean {
    if (this.used !== other.used) return false
    for (let i = 0; i < this.used; i++) if (this.data[i] !== other.data[i]) return false
    return true
  }

  /** So many of the bytes from a position on, once more. */
  repeat(from: number, count: number): this {
    this.reserve(count)
    this.data.copyWithin(this.used, from, from + count)
    this.used += count
    return this
  }

  /** All that `other` holds, without its length. */
  append(other: Bytes): this {
    return this.raw(other.data, other.used)
  }

  /** A copy of what was written, of exactly its length. */
  toUint8Array(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.data.subarray(0, this.used))
  }
}

/** The linear memory: its growth, the views on it, and the fastest ways to move bytes in it. */
import { type DType, InternalError, type TypedArray, makeStore } from '@cotangent/core'
import { FunctionBody, ModuleBuilder } from '../encode/index.ts'
import { noMemory } from './errors.ts'
import { maximumPages, pageBytes } from './sizes.ts'

/** Typed arrays over the whole memory; replaced when it grows. */
interface Views {
  readonly i8: Int8Array
  readonly u8: Uint8Array
  readonly i16: Int16Array
  readonly u16: Uint16Array
  readonly i32: Int32Array
  readonly u32: Uint32Array
  readonly f32: Float32Array
  readonly f64: Float64Array
}

/** Copies between the host and the memory so far. */
interface Traffic {
  copiesIn: number
  bytesIn: number
  copiesOut: number
  bytesOut: number
}

interface Mover {
  readonly copy: (target: number, source: number, bytes: number) => void
  readonly fill: (target: number, byte: number, bytes: number) => void
}

export class LinearMemory {
  readonly memory: WebAssembly.Memory
  readonly isShared: boolean
  readonly maximumBytes: number
  readonly traffic: Readonly<Traffic>
  readonly #traffic: Traffic = { copiesIn: 0, bytesIn: 0, copiesOut: 0, bytesOut: 0 }
  readonly #mover: Mover
  #views: Views

  constructor(isShared: boolean, initial: number, maximum: number) {
    const { memory, pages } = reserve(isShared, initial, maximum)
    this.memory = memory
    this.isShared = isShared
    this.traffic = this.#traffic
    this.maximumBytes = pages * pageBytes
    this.#mover = moverOf(memory, isShared)
    this.#views = viewsOf(memory)
  }

  get views(): Views {
    return this.#views
  }

  get bytes(): number {
    return this.#views.u8.length
  }

  /**
   * Makes the memory at least `bytes` long. It grows by at least a quarter, for views are replaced
   * each time; pages that nothing touches cost next to nothing. False where it cannot grow so far.
   */
  grow(bytes: number): boolean {
    const present = this.bytes
    if (bytes <= present) return true
    if (bytes > this.maximumBytes) return false
    const generous = Math.max(bytes, present + Math.max(present / 4, 16 * 2 ** 20))
    return (
      this.#growTo(Math.min(generous, this.maximumBytes)) ||
      (generous > bytes && this.#growTo(bytes))
    )
  }

  #growTo(bytes: number): boolean {
    try {
      this.memory.grow(Math.ceil((bytes - this.bytes) / pageBytes))
    } catch (error) {
      // The only word for "no more memory" that the JavaScript interface has.
      if (error instanceof RangeError) return false
      throw error
    }
    this.#views = viewsOf(this.memory)
    return true
  }

  /** Copies bytes within the memory: 2 to 4 times as fast as `.set` where it is shared. */
  copy(target: number, source: number, bytes: number): void {
    this.#mover.copy(target, source, bytes)
  }

  fill(target: number, byte: number, bytes: number): void {
    this.#mover.fill(target, byte, bytes)
  }

  /** Copies a host array to an address that is a multiple of its element size. */
  write(address: number, data: TypedArray): void {
    this.#traffic.copiesIn += 1
    this.#traffic.bytesIn += data.byteLength
    viewLike(this.#views, data).set(data, address / data.BYTES_PER_ELEMENT)
  }

  /** A copy on the host of the elements at an address. */
  read(address: number, dtype: DType, length: number): TypedArray {
    const host = makeStore(dtype, length)
    host.set(this.view(address, dtype, length))
    this.#traffic.copiesOut += 1
    this.#traffic.bytesOut += host.byteLength
    return host
  }

  /** The elements at an address as an array over the memory, valid until it grows. */
  view(address: number, dtype: DType, length: number): TypedArray {
    const view = viewFor(this.#views, dtype)
    const count = dtype === 'complex64' ? 2 * length : length
    const start = address / view.BYTES_PER_ELEMENT
    return view.subarray(start, start + count)
  }
}

// A page that has no 4 GiB of addresses left may still have room for less.
const reserve = (
  shared: boolean,
  initial: number,
  maximum: number,
): { readonly memory: WebAssembly.Memory; readonly pages: number } => {
  let pages = Math.min(maximum, maximumPages)
  for (;;) {
    try {
      return { memory: new WebAssembly.Memory({ initial, maximum: pages, shared }), pages }
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      if (pages / 2 < initial || pages < 1024) throw noMemory(pages, error.message)
      pages = Math.floor(pages / 2)
    }
  }
}

const viewsOf = ({ buffer }: WebAssembly.Memory): Views => ({
  i8: new Int8Array(buffer),
  u8: new Uint8Array(buffer),
  i16: new Int16Array(buffer),
  u16: new Uint16Array(buffer),
  i32: new Int32Array(buffer),
  u32: new Uint32Array(buffer),
  f32: new Float32Array(buffer),
  f64: new Float64Array(buffer),
})

const viewFor = (views: Views, dtype: DType): TypedArray => {
  switch (dtype) {
    case 'bool':
    case 'uint8':
      return views.u8
    case 'int8':
      return views.i8
    case 'int16':
      return views.i16
    case 'uint16':
    case 'float16':
    case 'bfloat16':
      return views.u16
    case 'int32':
      return views.i32
    case 'uint32':
      return views.u32
    case 'float32':
    case 'complex64':
      return views.f32
    case 'float64':
      return views.f64
    default:
      return dtype satisfies never
  }
}

const viewLike = (views: Views, data: TypedArray): TypedArray => {
  if (data instanceof Float32Array) return views.f32
  if (data instanceof Float64Array) return views.f64
  if (data instanceof Int32Array) return views.i32
  if (data instanceof Uint32Array) return views.u32
  if (data instanceof Uint8Array) return views.u8
  if (data instanceof Int8Array) return views.i8
  return data instanceof Int16Array ? views.i16 : views.u16
}

// Bulk memory instructions are not slowed down by sharing, typed arrays' methods are: 1 MiB copied
// in 18 µs against 32 to 36, filled in 6 µs against 62. Between the host and the memory there is
// nothing better than `.set`: element loops take ten times as long.
const moverOf = (memory: WebAssembly.Memory, shared: boolean): Mover => {
  const module = new ModuleBuilder()
  module.importMemory('heap', 'memory', { initial: 0, maximum: maximumPages, shared })
  const copy = module.declare('copy', ['i32', 'i32', 'i32'], [])
  const fill = module.declare('fill', ['i32', 'i32', 'i32'], [])
  const copying = new FunctionBody(['i32', 'i32', 'i32'])
  const filling = new FunctionBody(['i32', 'i32', 'i32'])
  for (const body of [copying, filling]) for (const i of [0, 1, 2]) body.get(i)
  copying.memoryCopy()
  filling.memoryFill()
  module.define(copy, copying)
  module.define(fill, filling)
  module.export('copy', copy)
  module.export('fill', fill)
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.toBytes()), {
    heap: { memory },
  })
  return { copy: callable(exports['copy']), fill: callable(exports['fill']) }
}

type Moving = (first: number, second: number, bytes: number) => void

const callable = (value: WebAssembly.ExportValue | undefined): Moving => {
  if (typeof value !== 'function')
    throw new InternalError({
      operation: 'heap',
      problem: 'an export of its module is no function',
    })
  return (first, second, bytes) => {
    value(first, second, bytes)
  }
}

/** Arrays as typed arrays: over the arena, or in the text of the driver. */
import { type TypedArray, isComplex, makeStore, sizeOf } from '@cotangent/core'
import { type Slot, typeOf } from '../program.ts'

/** How many elements its typed array has: two for each complex number. */
export const lengthOf = (slot: Slot): number => {
  const { shape, dtype } = typeOf(slot)
  return isComplex(dtype) ? 2 * sizeOf(shape) : sizeOf(shape)
}

/** The name of its typed array's class. */
export const constructorOf = (slot: Slot): string =>
  makeStore(typeOf(slot).dtype, 0).constructor.name

/** The typed array over an array's part of the arena. */
export const view = (arena: ArrayBuffer, slot: Slot, offset: number): TypedArray => {
  const size = lengthOf(slot)
  const sample = makeStore(typeOf(slot).dtype, 0)
  if (sample instanceof Float32Array) return new Float32Array(arena, offset, size)
  if (sample instanceof Float64Array) return new Float64Array(arena, offset, size)
  if (sample instanceof Int32Array) return new Int32Array(arena, offset, size)
  if (sample instanceof Uint32Array) return new Uint32Array(arena, offset, size)
  if (sample instanceof Int16Array) return new Int16Array(arena, offset, size)
  if (sample instanceof Uint16Array) return new Uint16Array(arena, offset, size)
  return sample instanceof Int8Array
    ? new Int8Array(arena, offset, size)
    : new Uint8Array(arena, offset, size)
}

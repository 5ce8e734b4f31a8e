/** Calls out of a compiled program, with copies: what they get is not overwritten later. */
import {
  InternalError,
  type NDArray,
  type TypedArray,
  decodeHalf,
  encodeHalf,
  isHalf,
} from '@cotangent/core'
import { type HostStep, typeOf } from '../program.ts'

/** A host step as the driver calls it: on the arrays of its inputs, then those of its outputs. */
export const hostCall =
  ({ call, inputs, outputs }: HostStep) =>
  (...buffers: readonly TypedArray[]): void => {
    const arrays = inputs.map((slot, i): NDArray => {
      const { shape, dtype } = typeOf(slot)
      const raw = buffers[i]!
      return { shape, dtype, data: isHalf(dtype) ? decodeHalf(dtype, raw) : raw.slice() }
    })
    const results = call(arrays)
    if (results.length !== outputs.length) {
      throw new InternalError({
        operation: 'host call',
        problem: 'it gave another number of arrays than it has outputs',
        got: `${results.length} arrays for ${outputs.length} outputs`,
      })
    }
    results.forEach(({ dtype, data }, o) => {
      buffers[inputs.length + o]!.set(isHalf(dtype) ? encodeHalf(dtype, data) : data)
    })
  }

/**
 * Scratch memory of kernels. They run one at a time and expect nothing of it, so all share one
 * block; it grows by being replaced, and kernels compiled before keep the old one.
 */
import { type DType, type TypedArray, dtypeInfo, makeStore } from '@cotangent/core'
import type { KernelScratch } from '../kernel.ts'

const alignment = 64
let block = new ArrayBuffer(0)

const viewOf = (dtype: DType, buffer: ArrayBuffer, offset: number, size: number): TypedArray => {
  switch (dtype) {
    case 'float64':
      return new Float64Array(buffer, offset, size)
    case 'float32':
      return new Float32Array(buffer, offset, size)
    case 'int32':
      return new Int32Array(buffer, offset, size)
    case 'bool':
    case 'int8':
    case 'uint8':
    case 'int16':
    case 'uint16':
    case 'uint32':
    case 'float16':
    case 'bfloat16':
    case 'complex64':
      return makeStore(dtype, size)
    default:
      return dtype satisfies never
  }
}

/** Arrays for the scratch of one kernel, apart from each other but shared with other kernels. */
export const scratchArrays = (scratch: readonly KernelScratch[]): readonly TypedArray[] => {
  const offsets: number[] = []
  let bytes = 0
  for (const { dtype, size } of scratch) {
    offsets.push(bytes)
    bytes += Math.ceil((size * dtypeInfo[dtype].bytes) / alignment) * alignment
  }
  if (bytes > block.byteLength) block = new ArrayBuffer(Math.max(bytes, 2 * block.byteLength))
  const here = block
  return scratch.map(({ dtype, size }, n) => viewOf(dtype, here, offsets[n]!, size))
}

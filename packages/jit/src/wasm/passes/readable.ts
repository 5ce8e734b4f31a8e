/** Loads that may run where nobody wants them: whatever they read, it is memory of the heap. */
import { type Index, type Scalar, dtypeInfo, scalars } from '@cotangent/core'
import type { Kernel } from '../../kernel.ts'
import { indexOf, walk } from '../../loops/visit.ts'

const { boundsOf } = scalars

/** Bytes before a buffer and behind it that exist, less those that a vector's surplus lanes read. */
const before = 512
const behind = 32

/** Whether a load stays near its buffer even where its guard fails. */
export type IsReadable = (load: Extract<Scalar, { readonly tag: 'load' }>) => boolean

export const readableIn = (kernel: Kernel): IsReadable => {
  const sizes = new Map([...kernel.buffers, ...(kernel.scratch ?? [])].map((b) => [b.name, b.size]))
  return ({ buffer, dtype, at }) => {
    const size = sizes.get(buffer)
    if (size === undefined || readsData(at)) return false
    const width = dtypeInfo[dtype].bytes
    const [low, high] = boundsOf(at)
    return low * width >= -before && (high + 1 - size) * width <= behind
  }
}

// Data promises its bounds only where it is asked for.
export const readsData = (at: Index): boolean => {
  let found = false
  walk({
    index: (i) => {
      if (i.tag === 'data') found = true
    },
  }).index(at)
  return found
}

/** Whether everything a value reads is readable wherever it is computed. */
export const isReadable = (value: Scalar, readable: IsReadable): boolean => {
  let fits = true
  walk({
    scalar: (s) => {
      if (s.tag === 'load' && !readable(s)) fits = false
      const at = indexOf(s)
      if (at !== null && s.tag !== 'load' && readsData(at)) fits = false
    },
  }).scalar(value)
  return fits
}

/** How eager kernels read their inputs: as arrays, or through the layouts of views. */
import {
  type Concrete,
  type Layout,
  type Shape,
  Storage,
  extremesOf,
  isContiguous,
} from '@cotangent/core'
import { smallBytes } from '../wasm/ground.ts'
import { mix } from './params.ts'

/** The strides of an input that is read through its layout; null: an array without gaps. */
export type Strides = readonly number[] | null

/**
 * Smaller views are copied when they are first read, so that one kernel serves all layouts; but for
 * those that repeat elements, which come from broadcasting and have few layouts.
 */
const smallestRead = 4096

const repeats = (shape: Shape, { strides }: Layout): boolean => {
  for (let d = 0; d < shape.length; d++) if (strides[d] === 0 && shape[d] !== 1) return true
  return false
}

/** How an operation reads `x`. A small view with gaps is copied here, once and for all. */
export const stridesOfInput = (x: Concrete): Strides => {
  const { layout } = x
  if (layout === null) return null
  const { shape } = x.aval
  if (isContiguous(shape, layout)) return null
  if (x.size >= smallestRead || repeats(shape, layout)) return layout.strides
  x.storage.read()
  return null
}

export const hashStrides = (hash: number, strides: Strides): number => {
  if (strides === null) return mix(hash, 0)
  let result = mix(hash, 1)
  for (let d = 0; d < strides.length; d++) result = mix(result, strides[d]!)
  return result
}

export const sameStrides = (a: Strides, b: Strides): boolean => {
  if (a === b) return true
  if (a === null || b === null) return false
  for (let d = 0; d < a.length; d++) if (a[d] !== b[d]) return false
  return true
}

/** The layout within the window that the elements span, and the window's length. */
export const windowLayout = (
  shape: Shape,
  strides: readonly number[],
): { readonly layout: Layout; readonly length: number } => {
  const [low, high] = extremesOf(shape, { offset: 0, strides })
  return { layout: { offset: -low, strides }, length: high - low + 1 }
}

/** The memory that an input's elements span. */
export const memoryOf = (x: Concrete): Storage => {
  const { layout, base } = x
  if (layout === null) return base
  const [low, high] = extremesOf(x.aval.shape, layout)
  const data = base.peek()
  if (low === 0 && high + 1 === data.length) return base
  // Gaps are skipped by kernels that do not mind what else is there, unless they are handed copies.
  const isLarge = (high + 1) * data.BYTES_PER_ELEMENT > smallBytes
  if (low === 0 && isLarge && !isContiguous(x.aval.shape, layout)) return base
  // What lies elsewhere is not brought to the host for a part of it.
  const isHere = base.elements.host !== null
  return new Storage(isHere ? data.subarray(low, high + 1) : data.slice(low, high + 1))
}

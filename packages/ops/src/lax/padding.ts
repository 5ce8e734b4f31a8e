/** Padding of windows, by rule or in numbers. */
import { type Shape, ShapeError, describeValue } from '@cotangent/core'

/** Elements in front of and behind each spatial axis. */
export type PaddingPairs = readonly (readonly [low: number, high: number])[]
/** `SAME`: as many outputs as inputs, divided by the stride; the odd element of padding behind. */
export type Padding = 'SAME' | 'SAME_LOWER' | 'VALID' | PaddingPairs

/** Padding in numbers, for windows (already dilated) over extents. */
export const resolvePadding = (
  operation: string,
  padding: Padding,
  extents: Shape,
  windows: Shape,
  strides: readonly number[],
): PaddingPairs => {
  if (Array.isArray(padding) && padding.length === extents.length) return padding
  if (padding !== 'SAME' && padding !== 'SAME_LOWER' && padding !== 'VALID') {
    throw new ShapeError({
      operation,
      problem: 'there is no such padding',
      got: typeof padding === 'string' ? JSON.stringify(padding) : describeValue(padding),
      want: `"SAME", "SAME_LOWER", "VALID", or ${extents.length} pairs [low, high]`,
      fix: 'write one of these names, or give the padding of each axis in numbers',
    })
  }
  return extents.map((extent, d): readonly [number, number] => {
    if (padding === 'VALID') return [0, 0]
    const outputs = Math.ceil(extent / strides[d]!)
    const total = Math.max(0, (outputs - 1) * strides[d]! + windows[d]! - extent)
    const small = Math.floor(total / 2)
    return padding === 'SAME' ? [small, total - small] : [total - small, small]
  })
}

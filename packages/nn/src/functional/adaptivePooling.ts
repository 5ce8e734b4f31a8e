/** Pooling over all of the spatial axes, or to a given output extent. */
import { ShapeError, type Tensor, range, showAval } from '@cotangent/core'
import { prims } from '@cotangent/ops'
import { type Layout, type PerAxis, perAxis } from './window.ts'

/** The mean over all spatial axes: `[batch, channels, …]` to `[batch, channels]`. */
export const globalAvgPool = (x: Tensor, layout: Layout = 'NCHW'): Tensor =>
  x.mean({ axis: spatialAxes('globalAvgPool', x, layout) })
/** The maximum over all spatial axes: `[batch, channels, …]` to `[batch, channels]`. */
export const globalMaxPool = (x: Tensor, layout: Layout = 'NCHW'): Tensor =>
  x.max({ axis: spatialAxes('globalMaxPool', x, layout) })

const spatialAxes = (operation: string, x: Tensor, layout: Layout): readonly number[] => {
  if (x.ndim > 2) return range(x.ndim - 2).map((d) => d + (layout === 'NCHW' ? 2 : 1))
  throw new ShapeError({
    operation,
    problem: 'there is no spatial axis',
    got: showAval(x.aval),
    want: '[batch, channels, …spatial]',
    fix: 'add batch and channel axes, or reshape the input',
  })
}

/**
 * Mean pooling to a given output extent: window `i` runs from ⌊i · in / out⌋ to ⌈(i + 1) · in / out⌉.
 */
export const adaptiveAvgPool = (x: Tensor, output: PerAxis, layout: Layout = 'NCHW'): Tensor =>
  adaptive('adaptiveAvgPool', x, output, layout, (part, axis) =>
    part.mean({ axis, keepdims: true }),
  )
/** Maximum pooling to a given output extent; see `adaptiveAvgPool`. */
export const adaptiveMaxPool = (x: Tensor, output: PerAxis, layout: Layout = 'NCHW'): Tensor =>
  adaptive('adaptiveMaxPool', x, output, layout, (part, axis) => part.max({ axis, keepdims: true }))

// Means of means and maxima of maxima are right axis by axis: the windows are products of intervals.
const adaptive = (
  operation: string,
  x: Tensor,
  output: PerAxis,
  layout: Layout,
  reduce: (part: Tensor, axis: number) => Tensor,
): Tensor => {
  const axes = spatialAxes(operation, x, layout)
  const outputs = perAxis(operation, 'output', output, axes.length)
  return axes.reduce((y, axis, d) => adaptAxis(y, axis, outputs[d]!, reduce), x)
}

const adaptAxis = (
  x: Tensor,
  axis: number,
  count: number,
  reduce: (part: Tensor, axis: number) => Tensor,
): Tensor => {
  const extent = x.shape[axis]!
  if (count === extent) return x
  const parts = range(count).map((i) => {
    const start = Math.floor((i * extent) / count)
    const stop = Math.ceil(((i + 1) * extent) / count)
    return reduce(sliceAxis(x, axis, start, stop), axis)
  })
  return parts.length === 1 ? parts[0]! : prims.concatenate(parts, axis)
}

const sliceAxis = (x: Tensor, axis: number, start: number, stop: number): Tensor =>
  prims.slice(
    x,
    x.shape.map((_, d) => (d === axis ? start : 0)),
    x.shape.map((extent, d) => (d === axis ? stop : extent)),
  )

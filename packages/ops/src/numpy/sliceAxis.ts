/** Slices along one axis. */
import type { Shape, Tensor } from '@cotangent/core'
import { slice } from '../prims/structural.ts'

/** `x[start:stop]` along one axis, bounds in range. */
export const sliceAxis = (x: Tensor, axis: number, start: number, stop: number): Tensor => {
  const starts: Shape = x.shape.map((_, d) => (d === axis ? start : 0))
  const stops: Shape = x.shape.map((extent, d) => (d === axis ? stop : extent))
  return slice(x, starts, stops)
}

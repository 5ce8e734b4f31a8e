/** How users write windows: numbers, lists, "same", "valid"; and what they resolve to. */
import { type Shape, ShapeError, range, showShape } from '@cotangent/core'

/** One number for every spatial axis, or one each. */
export type PerAxis = number | readonly number[]

/**
 * Elements added around the spatial axes: `'valid'` none, `'same'` so that the output has
 * ⌈extent / stride⌉ elements (an odd one goes to the high side), `'causal'` in front only, so that no
 * output sees what comes after it (for one spatial axis), one number for all sides, or one entry an
 * axis: a number for both of its sides or `[low, high]`.
 */
export type PaddingSpec =
  | 'same'
  | 'valid'
  | 'causal'
  | number
  | readonly (number | readonly [low: number, high: number])[]

/** Resolved padding: `[low, high]` for each spatial axis. */
export type Padding = readonly (readonly [low: number, high: number])[]

/** Channels after the batch axis (`'NCHW'`), or last (`'NHWC'`); so for any spatial rank. */
export type Layout = 'NCHW' | 'NHWC'

/** One entry an axis. @throws ShapeError for a list of another length, or a number below `least`. */
export const perAxis = (
  operation: string,
  name: string,
  value: PerAxis,
  rank: number,
  least = 1,
): readonly number[] => {
  const values = typeof value === 'number' ? range(rank).map(() => value) : value
  if (values.length === rank && values.every((v) => Number.isInteger(v) && v >= least)) {
    return values
  }
  throw new ShapeError({
    operation,
    problem: `${name} does not fit`,
    got: `${name} ${JSON.stringify(value)} for ${rank} spatial ${rank === 1 ? 'axis' : 'axes'}`,
    want: `one integer of at least ${least}, or ${rank} of them`,
    fix: 'give one number for all axes, or one for each',
  })
}

/** A window's geometry along the spatial axes. */
export interface WindowGeometry {
  readonly kernel: readonly number[]
  readonly stride: readonly number[]
  readonly dilation: readonly number[]
}

/** The distance a dilated kernel covers. */
export const reachOf = (kernel: number, dilation: number): number => (kernel - 1) * dilation + 1

/** `[low, high]` an axis. @throws ShapeError for a list of another length. */
export const resolvePadding = (
  operation: string,
  padding: PaddingSpec,
  spatial: Shape,
  { kernel, stride, dilation }: WindowGeometry,
): Padding => {
  if (padding === 'valid') return spatial.map(() => [0, 0])
  if (padding === 'causal') {
    if (spatial.length === 1) return [[reachOf(kernel[0]!, dilation[0]!) - 1, 0]]
    throw new ShapeError({
      operation,
      problem: 'only one axis can be causal',
      got: `padding "causal" for ${spatial.length} spatial axes`,
      want: 'one spatial axis: time',
      fix: 'give [low, high] for each axis, with 0 behind the causal one',
    })
  }
  if (padding === 'same') {
    return spatial.map((extent, d) => {
      const outputs = Math.ceil(extent / stride[d]!)
      const reach = reachOf(kernel[d]!, dilation[d]!)
      const total = Math.max(0, (outputs - 1) * stride[d]! + reach - extent)
      const low = Math.floor(total / 2)
      return [low, total - low]
    })
  }
  if (typeof padding === 'number') return spatial.map(() => [padding, padding])
  if (padding.length === spatial.length) {
    return padding.map((p) => (typeof p === 'number' ? [p, p] : [p[0], p[1]]))
  }
  throw new ShapeError({
    operation,
    problem: 'padding does not fit',
    got: `${padding.length} entries for ${spatial.length} spatial axes`,
    want: '"same", "valid", "causal", one number, or one entry an axis: a number or [low, high]',
    fix: 'give one entry for each spatial axis, or one for all',
  })
}

/**
 * How many windows fit: ⌊(extent + low + high − reach) / stride⌋ + 1 along each axis.
 * @throws ShapeError where not even one does.
 */
export const windowCounts = (
  operation: string,
  spatial: Shape,
  padding: Padding,
  { kernel, stride, dilation }: WindowGeometry,
): Shape =>
  spatial.map((extent, d) => {
    const [low, high] = padding[d]!
    const reach = reachOf(kernel[d]!, dilation[d]!)
    const room = extent + low + high - reach
    if (room >= 0) return Math.floor(room / stride[d]!) + 1
    throw new ShapeError({
      operation,
      problem: `the window is larger than the input along spatial axis ${d}`,
      got: `extent ${extent} with padding ${low} + ${high}, a window of reach ${reach}`,
      want: `an extent of at least ${reach - low - high} in ${showShape(spatial)}`,
      fix: 'pad more, or use a smaller kernel or dilation',
    })
  })

/** The order of axes that moves the last axis behind the first: NHWC to NCHW. */
export const channelsFirst = (rank: number): readonly number[] => [
  0,
  rank - 1,
  ...range(rank - 2).map((d) => d + 1),
]
/** The order of axes that moves the second axis to the end: NCHW to NHWC. */
export const channelsLast = (rank: number): readonly number[] => [
  0,
  ...range(rank - 2).map((d) => d + 2),
  1,
]

/** The axis of the channels. */
export const channelAxis = (layout: Layout, rank: number): number =>
  layout === 'NCHW' ? 1 : rank - 1

/** The spatial extents of a shape `[batch, channels, …]` in this layout. */
export const spatialOf = (layout: Layout, shape: Shape): Shape =>
  layout === 'NCHW' ? shape.slice(2) : shape.slice(1, -1)

/** A shape from its parts. */
export const imageShape = (
  layout: Layout,
  batch: number,
  channels: number,
  spatial: Shape,
): Shape => (layout === 'NCHW' ? [batch, channels, ...spatial] : [batch, ...spatial, channels])

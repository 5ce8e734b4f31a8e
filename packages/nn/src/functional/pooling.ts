/** Pooling over the spatial axes of `[batch, channels, …spatial]`, for any number of them. */
import { type Shape, ShapeError, type Tensor, range, tensor } from '@cotangent/core'
import { prims } from '@cotangent/ops'
import {
  type Layout,
  type Padding,
  type PaddingSpec,
  type PerAxis,
  type WindowGeometry,
  imageShape,
  perAxis,
  reachOf,
  resolvePadding,
  spatialOf,
  windowCounts,
} from './window.ts'

export interface PoolOptions {
  /** The extents of the window. */
  readonly window: PerAxis
  /** Steps of the window; its own extents by default. */
  readonly stride?: PerAxis
  /** `'valid'` by default. */
  readonly padding?: PaddingSpec
  /** A last window that starts inside the input (or its low padding) counts even if it sticks out. */
  readonly ceilMode?: boolean
  readonly layout?: Layout
}
export interface MaxPoolOptions extends PoolOptions {
  readonly dilation?: PerAxis
}
export interface AvgPoolOptions extends PoolOptions {
  /** Divide by the window's extent (padding counts), not by the number of real elements; true. */
  readonly countIncludePad?: boolean
}

type Windows = Parameters<typeof prims.reduceWindowMax>[1]

/** A pooling resolved against a shape. */
export interface Pooling extends WindowGeometry {
  readonly spatial: Shape
  /** As asked for, before `ceilMode` adds to the high side. */
  readonly given: Padding
  readonly padding: Padding
  readonly layout: Layout
}

/** @throws ShapeError where the window does not fit the shape. */
export const resolvePooling = (
  operation: string,
  shape: Shape,
  options: MaxPoolOptions,
): Pooling => {
  const { layout = 'NCHW', ceilMode = false } = options
  const rank = shape.length - 2
  if (rank < 1) {
    throw new ShapeError({
      operation,
      problem: 'there is no spatial axis',
      got: `shape [${shape.join(',')}]`,
      want: layout === 'NCHW' ? '[batch, channels, …spatial]' : '[batch, …spatial, channels]',
      fix: 'add batch and channel axes, or reshape the input',
    })
  }
  const kernel = perAxis(operation, 'window', options.window, rank)
  const geometry: WindowGeometry = {
    kernel,
    stride: perAxis(operation, 'stride', options.stride ?? kernel, rank),
    dilation: perAxis(operation, 'dilation', options.dilation ?? 1, rank),
  }
  const spatial = spatialOf(layout, shape)
  const given = resolvePadding(operation, options.padding ?? 'valid', spatial, geometry)
  const padding = ceilMode ? ceilPadding(spatial, given, geometry) : given
  return { ...geometry, spatial, given, padding, layout }
}

const ceilPadding = (spatial: Shape, given: Padding, g: WindowGeometry): Padding =>
  spatial.map((extent, d) => {
    const [low, high] = given[d]!
    const step = g.stride[d]!
    const reach = reachOf(g.kernel[d]!, g.dilation[d]!)
    const room = extent + low + high - reach
    const rounded = Math.ceil(room / step)
    const last = rounded * step >= extent + low ? rounded - 1 : rounded
    return [low, Math.max(high, last * step + reach - extent - low)]
  })

/** The shape after pooling. */
export const pooledShape = (operation: string, shape: Shape, p: Pooling): Shape => {
  const channels = p.layout === 'NCHW' ? shape[1]! : shape[shape.length - 1]!
  return imageShape(p.layout, shape[0]!, channels, windowCounts(operation, p.spatial, p.padding, p))
}

const everyAxis = <T>(layout: Layout, spatial: readonly T[], other: T): readonly T[] =>
  layout === 'NCHW' ? [other, other, ...spatial] : [other, ...spatial, other]

const windowsOf = (operation: string, x: Tensor, p: Pooling): Windows => {
  windowCounts(operation, p.spatial, p.padding, p)
  return {
    window: everyAxis(p.layout, p.kernel, 1),
    strides: everyAxis(p.layout, p.stride, 1),
    padding: everyAxis<readonly [number, number]>(p.layout, p.padding, [0, 0]),
    windowDilation: everyAxis(p.layout, p.dilation, 1),
    inputDilation: range(x.ndim).map(() => 1),
  }
}

/**
 * The maximum of each window; padding never wins. The derivative goes to the first of equal maxima.
 * @throws ShapeError where the window does not fit.
 * @example
 * functional.maxPool(np.ones([1, 3, 8, 8]), { window: 2 }).shape // [1, 3, 4, 4]
 */
export const maxPool = (x: Tensor, options: MaxPoolOptions): Tensor =>
  prims.reduceWindowMax(x, windowsOf('maxPool', x, resolvePooling('maxPool', x.shape, options)))

/** The minimum of each window; see `maxPool`. */
export const minPool = (x: Tensor, options: MaxPoolOptions): Tensor =>
  prims.reduceWindowMin(x, windowsOf('minPool', x, resolvePooling('minPool', x.shape, options)))

/**
 * The mean of each window. Padding is zeros; with `countIncludePad: false` it does not count.
 * @throws ShapeError where the window does not fit.
 */
export const avgPool = (x: Tensor, options: AvgPoolOptions): Tensor => {
  const pooling = resolvePooling('avgPool', x.shape, options)
  const sums = prims.reduceWindowSum(x, windowsOf('avgPool', x, pooling))
  return sums.div(divisors(pooling, options.countIncludePad ?? true, sums))
}

// How many elements each window averages over: one number, or an array over the spatial axes.
const divisors = (p: Pooling, includePad: boolean, sums: Tensor): Tensor | number => {
  const outputs = spatialOf(p.layout, sums.shape)
  const counts = outputs.map((count, d) => {
    const [low, high] = includePad ? p.given[d]! : [0, 0]
    const extent = p.spatial[d]!
    return range(count).map((i) => {
      const start = i * p.stride[d]! - p.padding[d]![0]
      return Math.min(start + p.kernel[d]!, extent + high) - Math.max(start, -low)
    })
  })
  if (counts.every((c) => c.every((n) => n === c[0]))) {
    return counts.reduce((product, c) => product * (c[0] ?? 1), 1)
  }
  const products = counts.reduce<readonly number[]>(
    (outer, c) => outer.flatMap((a) => c.map((b) => a * b)),
    [1],
  )
  return tensor(Float64Array.from(products), {
    dtype: sums.dtype,
    shape: everyAxis(p.layout, outputs, 1),
  })
}

export interface LpPoolOptions extends PoolOptions {
  /** The power of the norm; 2 by default. */
  readonly p?: number
}

/** The p-norm of each window: (Σ |x|ᵖ)^(1/p). */
export const lpPool = (x: Tensor, options: LpPoolOptions): Tensor => {
  const { p = 2, ...rest } = options
  const powers = p === 2 ? x.square() : x.abs().pow(p)
  const sums = prims.reduceWindowSum(
    powers,
    windowsOf('lpPool', x, resolvePooling('lpPool', x.shape, rest)),
  )
  return p === 2 ? sums.sqrt() : sums.pow(1 / p)
}

/** The same elements under another shape or order of axes. */
import {
  type Axes,
  IndexError,
  type Shape,
  ShapeError,
  type Tensor,
  type TensorLike,
  asTensor,
  broadcastShapes as broadcastTwo,
  listOfNumbers,
  normalizeAxis,
  range,
  requireNumber,
  reshape as reshapeTo,
  showAval,
  showShape,
  sizeOf,
  transpose as permute,
} from '@cotangent/core'
import { reverse } from '../prims/structural.ts'
import { broadcastTensor, commonShape } from '../promote.ts'
import { resolveAxes } from './axes.ts'

/**
 * The same elements, row-major, under another shape; one extent may be −1, which is worked out.
 * `order: 'F'` reads and writes with the first axis fastest.
 * @throws ShapeError where the number of elements differs.
 * @example
 * np.reshape([[1, 2], [3, 4]], [-1]).toArray() // [1, 2, 3, 4]
 */
export const reshape = (
  x: TensorLike,
  shape: Shape | number,
  options: { readonly order?: 'C' | 'F' } = {},
): Tensor => {
  const a = asTensor(x)
  const wanted = completeShape(a, listOfNumbers('np.reshape', 'the shape', shape))
  if (options.order !== 'F') return reshapeTo(a, wanted)
  return transpose(reshapeTo(transpose(a), [...wanted].reverse()))
}

const completeShape = (x: Tensor, shape: Shape): Shape => {
  const result = [...shape]
  let [known, unknown, place] = [1, 0, -1]
  for (let d = 0; d < result.length; d++) {
    const extent = result[d]!
    if (extent === -1) {
      unknown += 1
      place = d
    } else known *= extent
  }
  if (unknown === 1 && known > 0 && x.size % known === 0) result[place] = x.size / known
  const fits = result.every((extent) => Number.isInteger(extent) && extent >= 0)
  if (unknown <= 1 && fits && sizeOf(result) === x.size) return result
  throw new ShapeError({
    operation: 'np.reshape',
    problem: 'the elements do not fill this shape',
    got: `${showAval(x.aval)}, ${x.size} elements, to ${showShape(shape)}`,
    want: 'extents whose product is the number of elements, at most one of them −1',
    fix: 'give extents whose product is the number of elements; one may be -1',
  })
}

/** All elements in one row-major vector (`order: 'F'`: first axis fastest). */
export const ravel = (x: TensorLike, options: { readonly order?: 'C' | 'F' } = {}): Tensor =>
  reshape(x, [-1 * Math.sign(asTensor(x).size) || 0], options)
export const flatten: (x: TensorLike, options?: { readonly order?: 'C' | 'F' }) => Tensor = ravel

/** Reorders the axes; reversed by default. Output axis `d` is input axis `axes[d]`. */
export const transpose = (x: TensorLike, axes?: readonly number[] | null): Tensor => {
  const a = asTensor(x)
  if (axes === undefined || axes === null) return permute(a, [...range(a.ndim)].reverse())
  return permute(a, resolveList('np.transpose', axes, a.ndim))
}
export const permuteDims: (x: TensorLike, axes: readonly number[]) => Tensor = transpose

/** Swaps the last two axes. @throws ShapeError for fewer than two axes. */
export const matrixTranspose = (x: TensorLike): Tensor => {
  const a = asTensor(x)
  if (a.ndim >= 2) return swapaxes(a, -1, -2)
  throw new ShapeError({
    operation: 'np.matrixTranspose',
    problem: 'a matrix has two axes',
    got: showAval(a.aval),
    fix: 'give a tensor with at least two axes',
  })
}

/** Exchanges two axes. */
export const swapaxes = (x: TensorLike, axis1: number, axis2: number): Tensor => {
  const a = asTensor(x)
  const i = normalizeAxis('np.swapaxes', axis1, a.ndim)
  const j = normalizeAxis('np.swapaxes', axis2, a.ndim)
  return permute(
    a,
    range(a.ndim).map((d) => (d === i ? j : d === j ? i : d)),
  )
}

/**
 * Moves axes to new positions; the others keep their order.
 * @example
 * np.moveaxis(np.zeros([2, 3, 4]), 0, -1).shape // [3, 4, 2]
 */
export const moveaxis = (
  x: TensorLike,
  source: number | readonly number[],
  destination: number | readonly number[],
): Tensor => {
  const a = asTensor(x)
  const from = resolveList('np.moveaxis', source, a.ndim)
  const to = resolveList('np.moveaxis', destination, a.ndim)
  if (from.length !== to.length) {
    throw new ShapeError({
      operation: 'np.moveaxis',
      problem: 'every moved axis needs one destination',
      got: `${from.length} sources and ${to.length} destinations`,
      fix: 'give as many destinations as sources',
    })
  }
  const order = range(a.ndim).filter((d) => !from.includes(d))
  const moves = to.map((d, i) => ({ to: d, from: from[i]! })).sort((p, q) => p.to - q.to)
  for (const move of moves) order.splice(move.to, 0, move.from)
  return permute(a, order)
}

const resolveList = (
  operation: string,
  axes: number | readonly number[],
  rank: number,
): readonly number[] =>
  listOfNumbers(operation, 'the axis', axes).map((axis) => normalizeAxis(operation, axis, rank))

/** Rolls an axis back until it lies before `start`. */
export const rollaxis = (x: TensorLike, axis: number, start = 0): Tensor => {
  const a = asTensor(x)
  const from = normalizeAxis('np.rollaxis', axis, a.ndim)
  const to = normalizeAxis('np.rollaxis', start, a.ndim + 1)
  return moveaxis(a, from, to > from ? to - 1 : to)
}

/** Drops axes of extent 1: all, or the given ones. @throws ShapeError for a longer axis. */
export const squeeze = (x: TensorLike, axis?: Axes): Tensor => {
  const a = asTensor(x)
  const chosen =
    axis === undefined || axis === null
      ? range(a.ndim).filter((d) => a.shape[d] === 1)
      : resolveAxes('np.squeeze', axis, a.ndim)
  if (chosen.some((d) => a.shape[d] !== 1)) {
    throw new ShapeError({
      operation: 'np.squeeze',
      problem: 'only axes of extent 1 can be dropped',
      got: `axis ${chosen.join(', ')} of ${showAval(a.aval)}`,
      fix: 'leave the axis out to drop all axes of extent 1, or reduce it first',
    })
  }
  return reshapeTo(
    a,
    a.shape.filter((_, d) => !chosen.includes(d)),
  )
}

/** Inserts axes of extent 1 at positions of the result. */
export const expandDims = (x: TensorLike, axis: number | readonly number[]): Tensor => {
  const a = asTensor(x)
  const list = listOfNumbers('np.expandDims', 'the axis', axis)
  const rank = a.ndim + list.length
  const places = list.map((d) => normalizeAxis('np.expandDims', d, rank))
  if (new Set(places).size !== places.length) {
    throw new IndexError({
      operation: 'np.expandDims',
      problem: 'an axis is given twice',
      got: `[${list.join(',')}]`,
      fix: 'name each axis once',
    })
  }
  const rest = [...a.shape]
  return reshapeTo(
    a,
    range(rank).map((d) => (places.includes(d) ? 1 : rest.shift()!)),
  )
}

/** Repeats `x` to a shape, aligning the last axes. @throws ShapeError where it does not fit. */
export const broadcastTo = (x: TensorLike, shape: Shape | number): Tensor =>
  broadcastTensor(
    'np.broadcastTo',
    asTensor(x),
    listOfNumbers('np.broadcastTo', 'the shape', shape),
  )

/** All operands repeated to their common shape. */
export const broadcastArrays = (...operands: readonly TensorLike[]): readonly Tensor[] => {
  const xs = operands.map(asTensor)
  const shape = commonShape(
    'np.broadcastArrays',
    xs.map((x) => x.shape),
  )
  return xs.map((x) => broadcastTensor('np.broadcastArrays', x, shape))
}

/** The shape that the given ones broadcast to. @throws ShapeError where they do not fit. */
export const broadcastShapes = (...shapes: readonly Shape[]): Shape =>
  broadcastTwo(...shapes) ?? commonShape('np.broadcastShapes', shapes)

/** At least one axis: a scalar becomes `[1]`. */
export const atleast1d = (x: TensorLike): Tensor => {
  const a = asTensor(x)
  return a.ndim >= 1 ? a : reshapeTo(a, [1])
}
/** At least two axes: a vector becomes one row. */
export const atleast2d = (x: TensorLike): Tensor => {
  const a = atleast1d(x)
  return a.ndim >= 2 ? a : reshapeTo(a, [1, a.size])
}
/** At least three axes: `[n]` becomes `[1, n, 1]`, and `[m, n]` `[m, n, 1]`. */
export const atleast3d = (x: TensorLike): Tensor => {
  const a = asTensor(x)
  if (a.ndim >= 3) return a
  return reshapeTo(a, a.ndim === 2 ? [...a.shape, 1] : [1, a.size, 1])
}

/** Reverses the order along axes; all by default. */
export const flip = (x: TensorLike, axis?: Axes): Tensor => {
  const a = asTensor(x)
  const axes = resolveAxes('np.flip', axis, a.ndim)
  return axes.length === 0 ? a : reverse(a, axes)
}
/** Reverses the columns (axis 1). */
export const fliplr = (x: TensorLike): Tensor => flip(x, 1)
/** Reverses the rows (axis 0). */
export const flipud = (x: TensorLike): Tensor => flip(x, 0)

/** Quarter turns in the plane of two axes, from the first towards the second. */
export const rot90 = (x: TensorLike, k = 1, axes: readonly [number, number] = [0, 1]): Tensor => {
  const a = asTensor(x)
  const [first, second] = resolveList('np.rot90', axes, a.ndim)
  const turns = ((requireNumber('np.rot90', 'the number of turns', k) % 4) + 4) % 4
  if (turns === 0) return a
  if (turns === 2) return flip(a, [first!, second!])
  if (turns === 1) return swapaxes(flip(a, second!), first!, second!)
  return flip(swapaxes(a, first!, second!), second!)
}

/** The number of elements, or of those along an axis. */
export const size = (x: TensorLike, axis?: number): number => {
  const a = asTensor(x)
  return axis === undefined ? a.size : a.shape[normalizeAxis('np.size', axis, a.ndim)]!
}
/** The number of axes. */
export const ndim = (x: TensorLike): number => asTensor(x).ndim
/** The extents. */
export const shape = (x: TensorLike): Shape => asTensor(x).shape

/** Tensors from nothing: constants, ranges, identities, grids. */
import {
  type DType,
  ShapeError,
  type Shape,
  Tensor,
  type TensorLike,
  type TensorOptions,
  add,
  asTensor,
  broadcastInDim,
  fill,
  isFloat,
  isInteger,
  leafAval,
  listOfNumbers,
  requireNumber,
  tensor,
} from '@cotangent/core'
import * as binary from '../prims/binary.ts'
import * as compare from '../prims/compare.ts'
import { iota } from '../prims/structural.ts'
import * as unary from '../prims/unary.ts'
import {
  broadcastTensor,
  cast,
  commonShape,
  constantLike,
  promoteDTypes,
  promoteOne,
  requireList,
} from '../promote.ts'
import { power } from './arithmetic.ts'
import { onDiagonal } from './diagonals.ts'
import { concatenate, stack } from './joining.ts'
import { moveaxis } from './shape.ts'

/** A shape, or the extent of a vector. */
export type ShapeLike = Shape | number

/** A shape from an extent or a list. @throws ShapeError for extents that are no counts. */
const shapeOf = (operation: string, shape: ShapeLike): Shape => {
  const list = listOfNumbers(operation, 'the shape', shape).map((extent) =>
    requireNumber(operation, 'the extent', extent),
  )
  if (list.every((extent) => Number.isInteger(extent) && extent >= 0)) return [...list]
  throw new ShapeError({
    operation,
    problem: 'extents are counts',
    got: `[${list.join(',')}]`,
    want: 'integers from 0',
    fix: 'give whole numbers from 0',
  })
}

export interface DTypeOption {
  readonly dtype?: DType
}

/** Options, or the dtype alone. */
export type DTypeOr = DTypeOption | DType

const dtypeFrom = (options: DTypeOr | undefined, fallback: DType): DType =>
  typeof options === 'string' ? options : (options?.dtype ?? fallback)

/** Nested arrays with tensors in them. */
export interface NestedTensors extends ReadonlyArray<TensorLike | NestedTensors> {}

/**
 * A tensor of nested arrays, numbers and tensors, which are stacked; see `tensor`.
 * @throws ShapeError for ragged arrays.
 * @example
 * np.array([[1, 2], [3, 4]]).shape // [2, 2]
 * np.array([x.sum(), x.max(), 0]).shape // [3]
 */
export const array = (value: TensorLike | NestedTensors, options: TensorOptions = {}): Tensor =>
  tensor(hasTensors(value) ? stacked(value) : value, options)
export const asarray: (value: TensorLike | NestedTensors, options?: TensorOptions) => Tensor = array

const isList = (value: TensorLike | NestedTensors): value is NestedTensors => Array.isArray(value)

const hasTensors = (value: TensorLike | NestedTensors): value is NestedTensors =>
  isList(value) && value.some((item) => item instanceof Tensor || hasTensors(item))

const stacked = (value: NestedTensors): Tensor =>
  stack(value.map((item) => (isList(item) ? stacked(item) : item)))
export const copy = (x: TensorLike): Tensor => asTensor(x)

/** Zeros, float32 by default. @example np.zeros([2, 3]).shape // [2, 3] */
export const zeros = (shape: ShapeLike, options?: DTypeOr): Tensor =>
  fill(shapeOf('np.zeros', shape), 0, dtypeFrom(options, 'float32'))

/** Ones, float32 by default. */
export const ones = (shape: ShapeLike, options?: DTypeOr): Tensor =>
  fill(shapeOf('np.ones', shape), 1, dtypeFrom(options, 'float32'))

/** Zeros: nothing here is uninitialised. */
export const empty: (shape: ShapeLike, options?: DTypeOr) => Tensor = zeros

/**
 * `value`, broadcast to `shape`. A plain number keeps its weak type unless a dtype is given.
 * @throws ShapeError where the value does not broadcast.
 */
export const full = (shape: ShapeLike, value: TensorLike, options?: DTypeOr): Tensor => {
  const wanted = shapeOf('np.full', shape)
  const natural = typeof value === 'number' || typeof value === 'boolean' ? leafAval(value) : null
  if (natural !== null) {
    const dtype = dtypeFrom(options, natural.dtype)
    return fill(
      wanted,
      constantOf(dtype, Number(value)),
      dtype,
      natural.weak && options === undefined,
    )
  }
  const x = asTensor(value)
  return broadcastTensor('np.full', cast(x, dtypeFrom(options, x.dtype)), wanted)
}

const constantOf = (dtype: DType, value: number): number => {
  if (dtype === 'bool') return value === 0 ? 0 : 1
  return isFloat(dtype) ? value : Math.trunc(value)
}

const like = (x: TensorLike): { readonly shape: Shape; readonly dtype: DType } => asTensor(x)

/** Zeros of `x`'s shape and dtype. */
export const zerosLike = (x: TensorLike, options?: DTypeOr): Tensor =>
  fill(like(x).shape, 0, dtypeFrom(options, like(x).dtype))
/** Ones of `x`'s shape and dtype. */
export const onesLike = (x: TensorLike, options?: DTypeOr): Tensor =>
  fill(like(x).shape, 1, dtypeFrom(options, like(x).dtype))
/** `value` in `x`'s shape and dtype. */
export const fullLike = (x: TensorLike, value: TensorLike, options?: DTypeOr): Tensor =>
  full(like(x).shape, value, { dtype: dtypeFrom(options, like(x).dtype) })
export const emptyLike: (x: TensorLike, options?: DTypeOr) => Tensor = zerosLike

/**
 * `start, start + step, …` below `stop`; `np.arange(n)` counts from 0. int32 where all arguments
 * are integers, float32 otherwise. Element `i` is `start + i · step`, computed in float64.
 * @throws ShapeError for a step of 0.
 * @example
 * np.arange(2, 10, 3).toArray() // [2, 5, 8]
 */
export const arange = (
  start: number,
  stop?: number | null,
  step = 1,
  options?: DTypeOr,
): Tensor => {
  const bounds = stop === undefined || stop === null ? [0, start] : [start, stop]
  for (const n of [...bounds, step]) requireNumber('np.arange', 'the bound or step', n)
  const [from, to] = [bounds[0]!, bounds[1]!]
  if (step === 0 || ![from, to, step].every(Number.isFinite)) {
    throw new ShapeError({
      operation: 'np.arange',
      problem: 'no such range',
      got: `from ${from} to ${to} in steps of ${step}`,
      want: 'finite bounds and a step other than 0',
      fix: 'give finite bounds and a step that is not 0',
    })
  }
  const integral = [from, to, step].every(Number.isInteger)
  const length = Math.max(0, Math.ceil((to - from) / step))
  const dtype = dtypeFrom(options, integral ? 'int32' : 'float32')
  if (from === 0 && step === 1 && (isInteger(dtype) || length < 2 ** 24))
    return iota(dtype, [length], 0)
  return tensor(
    Float64Array.from({ length }, (_, i) => from + i * step),
    { dtype },
  )
}

export interface LinspaceOptions {
  readonly num?: number
  /** Whether `stop` is the last number; true by default. */
  readonly endpoint?: boolean
  readonly dtype?: DType
  /** Where the new axis goes, for tensor ends; 0 by default. */
  readonly axis?: number
}

/**
 * `num` (50) evenly spaced numbers from `start` to `stop`, both hit exactly. Tensor ends, broadcast,
 * give one such sequence along a new axis.
 * @example
 * np.linspace(0, 1, 5).toArray() // [0, 0.25, 0.5, 0.75, 1]
 */
export const linspace = (
  start: TensorLike,
  stop: TensorLike,
  num?: number | LinspaceOptions,
  more: LinspaceOptions = {},
): Tensor => linspaceAndStep(start, stop, num, more)[0]

/** `[linspace(…), step]`: what NumPy's `retstep` gives. */
export const linspaceAndStep = (
  start: TensorLike,
  stop: TensorLike,
  num?: number | LinspaceOptions,
  more: LinspaceOptions = {},
): readonly [Tensor, Tensor] => {
  const options = typeof num === 'object' ? num : more
  const count = typeof num === 'number' ? num : (options.num ?? 50)
  const { endpoint = true, axis = 0 } = options
  shapeOf('np.linspace', count)
  const [a, b] = promoteDTypes('np.linspace', [start, stop], { inexact: true }).map((x) =>
    cast(x, x.dtype),
  )
  const shape = commonShape('np.linspace', [a!.shape, b!.shape])
  const from = broadcastTensor('np.linspace', a!, shape)
  const to = broadcastTensor('np.linspace', b!, shape)
  const gaps = endpoint ? count - 1 : count
  const step = binary.div(binary.sub(to, from), constantLike(from, gaps > 0 ? gaps : Number.NaN))
  const values = spaced(from, to, count, gaps, endpoint)
  const { dtype } = options
  const result =
    dtype === undefined ? values : cast(isInteger(dtype) ? unary.floor(values) : values, dtype)
  return [moveaxis(result, 0, axis), step]
}

// start·(1 - t) + stop·t, which hits both ends; a difference of the ends could overflow.
const spaced = (
  from: Tensor,
  to: Tensor,
  count: number,
  gaps: number,
  endpoint: boolean,
): Tensor => {
  const shape = [count, ...from.shape]
  const spread = (x: Tensor): Tensor => broadcastTensor('np.linspace', x, shape)
  const steps = cast(iota('float32', shape, 0), from.dtype)
  const t = binary.div(steps, constantLike(steps, Math.max(1, gaps)))
  const inverse = binary.sub(constantLike(t, 1), t)
  const inner = add(binary.mul(spread(from), inverse), binary.mul(spread(to), t))
  if (!endpoint || count < 2) return inner
  const isLast = compare.eq(steps, constantLike(steps, count - 1))
  return compare.select(isLast, spread(to), inner)
}

export interface LogspaceOptions extends LinspaceOptions {
  /** 10 by default. */
  readonly base?: number
}

/** `base ** linspace(start, stop)`. @example np.logspace(0, 2, 3).toArray() // [1, 10, 100] */
export const logspace = (
  start: TensorLike,
  stop: TensorLike,
  num?: number | LogspaceOptions,
  more: LogspaceOptions = {},
): Tensor => {
  const options = typeof num === 'object' ? num : more
  const exponents = linspace(start, stop, num, options)
  return power(promoteOne('np.logspace', options.base ?? 10, { inexact: true }), exponents)
}

/** Numbers from `start` to `stop` with a constant ratio. */
export const geomspace = (
  start: TensorLike,
  stop: TensorLike,
  num?: number | LinspaceOptions,
  more: LinspaceOptions = {},
): Tensor => {
  const [a, b] = promoteDTypes('np.geomspace', [start, stop], { inexact: true })
  const options = typeof num === 'object' ? num : more
  const magnitudes = linspace(a!.abs().log(), b!.abs().log(), num, options).exp()
  const signed = magnitudes.mul(a!.sign())
  return pinEnds(signed, a!, b!, options.endpoint ?? true, options.axis ?? 0)
}

// exp(log(x)) misses x by a few ulp; the ends are given, so they are put in as they are.
const pinEnds = (
  x: Tensor,
  first: Tensor,
  last: Tensor,
  endpoint: boolean,
  axis: number,
): Tensor => {
  const count = x.shape[axis < 0 ? axis + x.ndim : axis]!
  if (count < 2) return count === 1 ? broadcastTensor('np.geomspace', first, x.shape) : x
  const at = iota('int32', x.shape, axis < 0 ? axis + x.ndim : axis)
  const spread = (end: Tensor): Tensor =>
    broadcastTensor('np.geomspace', end.expandDims(axis), x.shape)
  const pinned = compare.select(compare.eq(at, constantLike(at, 0)), spread(first), x)
  if (!endpoint) return pinned
  return compare.select(compare.eq(at, constantLike(at, count - 1)), spread(last), pinned)
}

/** Options of `eye` and its kin. */
export interface EyeOptions extends DTypeOption {
  /** Columns; as many as rows by default. */
  readonly M?: number | null
  /** The diagonal: positive ones lie above. */
  readonly k?: number
}

/** Ones on a diagonal of an `n`×`M` matrix. @example np.eye(2).toArray() // [[1, 0], [0, 1]] */
export const eye = (
  n: number,
  M?: number | null | EyeOptions,
  k = 0,
  options?: DTypeOr,
): Tensor => {
  requireNumber('np.eye', 'the extent', n)
  if (typeof M === 'object' && M !== null) return eye(n, M.M ?? n, M.k ?? 0, { ...M })
  const shape = shapeOf('np.eye', [n, M ?? n])
  return cast(
    onDiagonal(shape, requireNumber('np.eye', 'the diagonal', k), compare.eq),
    dtypeFrom(options, 'float32'),
  )
}

/** The `n`×`n` identity matrix. */
export const identity = (n: number, options?: DTypeOr): Tensor => eye(n, n, 0, options)

/** Ones at and below the `k`th diagonal. */
export const tri = (n: number, M?: number | null, k = 0, options?: DTypeOr): Tensor => {
  const shape = shapeOf('np.tri', [n, M ?? n])
  const below = onDiagonal(shape, requireNumber('np.tri', 'the diagonal', k), compare.le)
  return cast(below, dtypeFrom(options, 'float32'))
}

/**
 * Coordinate grids of vectors: `'xy'` (the default) swaps the first two axes, as for plots; `'ij'`
 * keeps the order. `sparse` leaves extents of 1 instead of repeating.
 * @example
 * const [X, Y] = np.meshgrid([[1, 2, 3], [10, 20]])
 * X.shape // [2, 3]
 */
export const meshgrid = (
  vectors: readonly TensorLike[],
  options: { readonly indexing?: 'xy' | 'ij'; readonly sparse?: boolean } = {},
): readonly Tensor[] => {
  requireList('np.meshgrid', vectors)
  const xs = vectors.map(asTensor)
  const order = xs.map((_, i) => (options.indexing !== 'ij' && i < 2 && xs.length > 1 ? 1 - i : i))
  const shape: number[] = new Array(xs.length).fill(1)
  xs.forEach((x, i) => {
    if (x.ndim > 1) {
      throw new ShapeError({
        operation: 'np.meshgrid',
        problem: 'it takes vectors',
        got: `shape [${x.shape.join(',')}] at position ${i}`,
        fix: 'flatten it with np.ravel',
      })
    }
    shape[order[i]!] = x.size
  })
  return xs.map((x, i) => {
    const own = shape.map((extent, d) => (d === order[i] ? extent : 1))
    const flat = x.ndim === 0 ? x.reshape([1]) : x
    return broadcastInDim(flat, options.sparse === true ? own : shape, [order[i]!])
  })
}

/** The index of every position of a shape, one tensor an axis, stacked first; int32 by default. */
export const indices = (
  dimensions: Shape,
  options: DTypeOption & { readonly sparse?: false } = {},
): Tensor => {
  const shape = shapeOf('np.indices', dimensions)
  const dtype = options.dtype ?? 'int32'
  if (shape.length === 0) return fill([0], 0, dtype)
  return concatenate(shape.map((_, d) => iota(dtype, shape, d).expandDims(0)))
}

/** Counting into bins. */
import {
  ShapeError,
  type Tensor,
  type TensorLike,
  fill,
  isInteger,
  range,
  reshape,
  showAval,
  tensor,
} from '@cotangent/core'
import { cast, promoteDTypes, promoteOne } from '../promote.ts'
import { linspace } from './creation.ts'
import { diff } from './cumulative.ts'
import { updateAt } from './indexing.ts'
import { stack } from './joining.ts'
import { where } from './select.ts'
import { searchsorted } from './searching.ts'
import { ravelMultiIndex } from './take.ts'

export interface BincountOptions {
  readonly weights?: TensorLike
  /** At least this many bins. */
  readonly minlength?: number
  /** Exactly this many bins: needed where `x` is traced. Values beyond are not counted. */
  readonly length?: number | null
}

/**
 * How often each of 0, 1, 2, … occurs (or the sum of their weights); negatives count as 0.
 * @throws TracerError for a traced tensor without `length`.
 * @example
 * np.bincount(tensor([0, 2, 2], { dtype: 'int32' })).toArray() // [1, 0, 2]
 */
export const bincount = (x: TensorLike, options: BincountOptions = {}): Tensor => {
  const given = promoteOne('np.bincount', x)
  const whole = isInteger(given.dtype) ? given : cast(given, 'int32')
  if (whole.ndim !== 1) {
    throw new ShapeError({
      operation: 'np.bincount',
      problem: 'it counts a vector',
      got: showAval(given.aval),
      fix: 'flatten it with np.ravel',
    })
  }
  const positions = cast(whole, 'int32').maximum(0)
  const length = options.length ?? Math.max(options.minlength ?? 0, largest(positions) + 1)
  const weights = options.weights === undefined ? null : promoteOne('np.bincount', options.weights)
  const bins = fill([length], 0, weights === null ? 'int32' : weights.dtype)
  return updateAt(bins, [positions], 'add', weights ?? 1)
}

const largest = (positions: Tensor): number => (positions.size === 0 ? -1 : positions.max().item())

/** How many bins, or their edges. */
export type Bins = number | TensorLike

export interface HistogramOptions {
  readonly bins?: Bins
  /** The ends of the first and last bin; the smallest and greatest element by default. */
  readonly range?: readonly [number, number] | null
  readonly weights?: TensorLike
  /** Divides by the widths and the total, so that the area is 1. */
  readonly density?: boolean
}

const isOptions = (bins: Bins | HistogramOptions): bins is HistogramOptions =>
  typeof bins === 'object' && Object.getPrototypeOf(bins) === Object.prototype

const histogramOptions = (
  bins: Bins | HistogramOptions,
  more: HistogramOptions,
): HistogramOptions => (isOptions(bins) ? bins : { ...more, bins })

/** The edges of equal bins over the range of `x`; a constant gets a range of width 1. */
export const histogramBinEdges = (
  x: TensorLike,
  bins: Bins | HistogramOptions = 10,
  more: HistogramOptions = {},
): Tensor => {
  const options = histogramOptions(bins, more)
  const wanted = options.bins ?? 10
  if (typeof wanted !== 'number')
    return promoteOne('np.histogramBinEdges', wanted, { inexact: true })
  const a = promoteOne('np.histogramBinEdges', x, { inexact: true })
  const given = options.range
  const ends =
    given !== undefined && given !== null
      ? tensor(given, { dtype: a.dtype })
      : a.size === 0
        ? tensor([0, 1], { dtype: a.dtype })
        : stack([a.min(), a.max()])
  const isFlat = ends.at(0).equal(ends.at(1))
  const from = where(isFlat, ends.at(0).sub(0.5), ends.at(0))
  const to = where(isFlat, ends.at(1).add(0.5), ends.at(1))
  return linspace(from, to, wanted + 1)
}

// 1 … bins for values inside, 0 below the first edge and bins + 1 above the last.
const binOf = (x: Tensor, edges: Tensor): Tensor => {
  const found = searchsorted(edges, x, { side: 'right' })
  return where(x.equal(edges.at(-1)), edges.size - 1, found)
}

/**
 * `[counts, edges]`: how many elements (or what weight) each bin holds, as floats. Bins contain
 * their lower edge, the last one both.
 * @example
 * np.histogram([1, 2, 2, 4], 3)[0].toArray() // [1, 2, 1]
 */
export const histogram = (
  x: TensorLike,
  bins: Bins | HistogramOptions = 10,
  more: HistogramOptions = {},
): readonly [Tensor, Tensor] => {
  const options = histogramOptions(bins, more)
  const a = promoteOne('np.histogram', x, { inexact: true }).ravel()
  const edges = cast(histogramBinEdges(a, options), a.dtype)
  const weights =
    options.weights === undefined
      ? fill(a.shape, 1, a.dtype)
      : promoteOne('np.histogram', options.weights).ravel()
  const counts = updateAt(
    fill([edges.size], 0, weights.dtype),
    [binOf(a, edges)],
    'add',
    weights,
  ).at('1:')
  if (options.density !== true) return [counts, edges]
  return [counts.div(diff(edges)).div(counts.sum()), edges]
}

export interface HistogramddOptions {
  /** One entry for all dimensions, or one each. */
  readonly bins?: number | readonly Bins[]
  readonly range?: readonly (readonly [number, number] | null)[] | null
  readonly weights?: TensorLike
  readonly density?: boolean
}

/** `[counts, edges]` of points `[n, d]` in `d` dimensions. */
export const histogramdd = (
  sample: TensorLike,
  options: HistogramddOptions = {},
): readonly [Tensor, readonly Tensor[]] => {
  const points = promoteOne('np.histogramdd', sample, { inexact: true })
  if (points.ndim !== 2) {
    throw new ShapeError({
      operation: 'np.histogramdd',
      problem: 'points are rows',
      got: showAval(points.aval),
      want: '[n, d]',
      fix: 'reshape the points to one row each',
    })
  }
  const d = points.shape[1]!
  const { bins = 10 } = options
  const edges = range(d).map((k) => {
    const wanted = typeof bins === 'number' ? bins : bins[k]!
    return histogramBinEdges(points.at(':', k), { bins: wanted, range: options.range?.[k] ?? null })
  })
  const sizes = edges.map((e) => e.size + 1)
  const places = edges.map((e, k) => binOf(points.at(':', k), e))
  const flat = ravelMultiIndex(places, sizes, { mode: 'clip' })
  const total = sizes.reduce((p, q) => p * q, 1)
  const { weights } = options
  const all = bincount(flat, weights === undefined ? { length: total } : { length: total, weights })
  const counts = reshape(all, sizes).at(...edges.map(() => '1:-1'))
  if (options.density !== true) return [counts, edges]
  const area = edges.reduce(
    (product, e, k) =>
      product.mul(
        reshape(
          diff(e),
          range(d).map((i) => (i === k ? e.size - 1 : 1)),
        ),
      ),
    fill([], 1, 'float32'),
  )
  return [counts.div(area).div(counts.sum()), edges]
}

/** `[counts, edges of x, edges of y]`. */
export const histogram2d = (
  x: TensorLike,
  y: TensorLike,
  options: HistogramddOptions = {},
): readonly [Tensor, Tensor, Tensor] => {
  const [a, b] = promoteDTypes('np.histogram2d', [x, y], { inexact: true })
  const [counts, edges] = histogramdd(stack([a!.ravel(), b!.ravel()], 1), options)
  return [counts, edges[0]!, edges[1]!]
}

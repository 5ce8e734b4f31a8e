/** Looking rows of a table up by integers, and putting those of a bag together. */
import {
  DTypeError,
  ShapeError,
  type Tensor,
  isInteger,
  showAval,
  stopGradient,
} from '@cotangent/core'
import { np, prims, segmentMax, segmentSum } from '@cotangent/ops'

export interface EmbedOptions {
  /** The row of this number is looked up, but gets no gradient. */
  readonly paddingIndex?: number
  /** Longer rows are scaled to this length; the scaling does not count in the derivative. */
  readonly maxNorm?: number
  /** The norm that measures them; 2 by default. */
  readonly normDegree?: number
}

/**
 * Row `i` of `table: [count, features]` for each integer `i` of `ids: […]`: `[…, features]`. Negative
 * integers count from the end; those beyond the table give rows of NaN.
 * @throws DTypeError for ids that are not integers.
 * @example
 * functional.embed(np.eye(3), tensor([2, 0], { dtype: 'int32' })).toArray() // [[0, 0, 1], [1, 0, 0]]
 */
export const embed = (table: Tensor, ids: Tensor, options: EmbedOptions = {}): Tensor => {
  const { paddingIndex, maxNorm, normDegree = 2 } = options
  requireIntegers('embedding', ids)
  const rows = np.take(table, ids, { axis: 0 })
  const learned =
    paddingIndex === undefined
      ? rows
      : stopGradient(rows).where(isPadding(ids, table, paddingIndex).expandDims(-1), rows)
  if (maxNorm === undefined) return learned
  return learned.add(stopGradient(excess(learned, maxNorm, normDegree)))
}

const isPadding = (ids: Tensor, table: Tensor, padding: number): Tensor => {
  const count = table.shape[0]!
  const [positive, negative] = padding < 0 ? [padding + count, padding] : [padding, padding - count]
  return ids.equal(positive).logicalOr(ids.equal(negative))
}

// What scaling rows down to the norm adds to them.
const excess = (rows: Tensor, maxNorm: number, degree: number): Tensor => {
  const powers = degree === 2 ? rows.square() : rows.abs().pow(degree)
  const total = powers.sum({ axis: -1, keepdims: true })
  const norm = degree === 2 ? total.sqrt() : total.pow(1 / degree)
  const scale = norm.add(1e-7).reciprocal().mul(maxNorm)
  return rows.mul(scale.sub(1)).where(norm.greater(maxNorm), 0)
}

export type BagMode = 'sum' | 'mean' | 'max'

export interface EmbeddingBagOptions extends EmbedOptions {
  /** `'mean'` by default. */
  readonly mode?: BagMode
  /** Where each bag begins, for ids of one axis: `[bags]`, from 0 and not falling. */
  readonly offsets?: Tensor
  /** The last offset is the end of the last bag, not the beginning of one more; false by default. */
  readonly includeLastOffset?: boolean
  /** What each id weighs in a sum: the shape of the ids. */
  readonly weights?: Tensor
}

/**
 * The sum, mean or maximum of the rows of each bag: `[bags, features]`. Bags are the rows of
 * `ids: [bags, length]`, or begin at `offsets` in `ids: [length]`. The `paddingIndex` does not count at all. A
 * bag without rows gives zeros.
 * @throws ShapeError where ids, offsets and weights do not fit; DTypeError for ids that are not integers.
 * @example
 * functional.embeddingBag(np.eye(2), tensor([[0, 0], [0, 1]], { dtype: 'int32' })).toArray() // [[1, 0], [0.5, 0.5]]
 */
export const embeddingBag = (
  table: Tensor,
  ids: Tensor,
  options: EmbeddingBagOptions = {},
): Tensor => {
  requireBags(ids, options)
  const { mode = 'mean', weights, offsets, includeLastOffset = false } = options
  const rows = embed(table, ids, options)
  const isThere = presence(table, ids, options.paddingIndex)
  const weighted = weights === undefined ? rows : rows.mul(weights.expandDims(-1))
  const starts = includeLastOffset ? offsets?.at(':-1') : offsets
  const bags: Bags = starts === undefined ? rowBags : offsetBags(starts, ids.size)
  const counts = bags.sum(isThere.astype(rows.dtype).expandDims(-1))
  if (mode === 'max') {
    const top = bags.max(weighted.where(isThere.expandDims(-1), -Infinity))
    return top.where(counts.greater(0), 0)
  }
  const total = bags.sum(weighted.where(isThere.expandDims(-1), 0))
  return mode === 'sum' ? total : total.div(counts.maximum(1))
}

const presence = (table: Tensor, ids: Tensor, padding: number | undefined): Tensor =>
  padding === undefined ? ids.equal(ids) : isPadding(ids, table, padding).logicalNot()

/** How the values of a bag come together. */
interface Bags {
  readonly sum: (values: Tensor) => Tensor
  readonly max: (values: Tensor) => Tensor
}

const rowBags: Bags = {
  sum: (values) => values.sum({ axis: 1 }),
  max: (values) => values.max({ axis: 1 }),
}

const offsetBags = (offsets: Tensor, length: number): Bags => {
  const numSegments = offsets.shape[0]!
  const position = prims.iota('int32', [length, numSegments], 0)
  const hasBegun = position.greaterEqual(offsets.astype('int32'))
  const bag = hasBegun.astype('int32').sum({ axis: 1 }).sub(1)
  return {
    sum: (values) => segmentSum(values, bag, { numSegments }),
    max: (values) => segmentMax(values, bag, { numSegments }),
  }
}

const requireIntegers = (operation: string, ids: Tensor): void => {
  if (isInteger(ids.dtype)) return
  throw new DTypeError({
    operation,
    problem: 'rows are looked up by integers',
    got: showAval(ids.aval),
    fix: 'convert with astype("int32")',
  })
}

const requireBags = (ids: Tensor, { offsets, weights, mode }: EmbeddingBagOptions): void => {
  const isRight =
    (offsets === undefined ? ids.ndim === 2 : ids.ndim === 1 && offsets.ndim === 1) &&
    (weights === undefined || (mode === 'sum' && weights.shape.join() === ids.shape.join()))
  if (isRight) return
  const shown = [ids, offsets, weights].map((x) => (x === undefined ? 'none' : showAval(x.aval)))
  throw new ShapeError({
    operation: 'embeddingBag',
    problem: 'ids, offsets and weights do not fit',
    got: `ids: ${shown[0]}, offsets: ${shown[1]}, weights: ${shown[2]}, mode: ${mode ?? 'mean'}`,
    want: 'ids [bags, length] alone, or ids [length] with offsets [bags]; weights of the shape of the ids, in a sum',
    fix: 'pad bags with a paddingIndex, or say where each begins',
  })
}

/** BLEU of tensors of tokens, as part of a compiled step. */
import { type Tensor, isFloat } from '@cotangent/core'
import { prims } from '@cotangent/ops'
import { type BleuCounts, type BleuOptions, bleuScore, joinBleu, noCounts } from './bleuCounts.ts'
import { type Metric, defineMetric } from './metric.ts'

export interface BleuTensors {
  /** `[orders]` each. */
  readonly matches: Tensor
  readonly totals: Tensor
  readonly candidateLength: Tensor
  readonly referenceLength: Tensor
}

export interface BleuMetricOptions extends BleuOptions {
  /** The token that ends a text, and fills up after it. */
  readonly padding: number
}

/**
 * BLEU over all texts, from 0 to 1. Outputs are tokens `[batch, length]` or logits `[batch, length,
 * tokens]`; targets `[batch, length]`, or `[batch, references, length]` for several references of
 * each text. A text ends at its first `padding`. Memory grows with the product of the lengths.
 */
export const bleu = ({
  padding,
  orders = 4,
  smooth = false,
}: BleuMetricOptions): Metric<Tensor, Tensor, BleuTensors, BleuCounts> =>
  defineMetric({
    measure: (output: Tensor, target: Tensor) => {
      const tokens = isFloat(output.dtype) ? output.argmax({ axis: -1 }) : output
      return measureBleu(tokens, target.ndim === 2 ? target.expandDims(1) : target, padding, orders)
    },
    empty: noCounts(orders),
    concat: joinBleu,
    read: ({ matches, totals, candidateLength, referenceLength }: BleuTensors) => ({
      matches: [...matches.data()],
      totals: [...totals.data()],
      candidateLength: candidateLength.item(),
      referenceLength: referenceLength.item(),
    }),
    value: (counts) => bleuScore(counts, { smooth }),
  })

const isText = (tokens: Tensor, padding: number): Tensor =>
  tokens
    .notEqual(padding)
    .astype('int32')
    .cumprod({ axis: tokens.ndim - 1 })
    .greater(0)

const count = (mask: Tensor, axis?: number): Tensor =>
  mask.astype('float32').sum(axis === undefined ? {} : { axis })

// [batch, 1, length] candidates and [batch, references, length] references.
const measureBleu = (
  tokens: Tensor,
  references: Tensor,
  padding: number,
  orders: number,
): BleuTensors => {
  const candidates = tokens.expandDims(1)
  const [inText, inReference] = [isText(candidates, padding), isText(references, padding)]
  const own = matching(candidates, candidates, inText, inText)
  const others = matching(candidates, references, inText, inReference)
  const found = Array.from({ length: orders }, (_, i) => clippedMatches(own, others, i + 1))
  const lengths = count(inText, 2)
  const totals = Array.from({ length: orders }, (_, i) => lengths.sub(i).maximum(0).sum())
  const zero = lengths.sum().mul(0)
  const stack = (values: readonly Tensor[]): Tensor =>
    values.reduce((all, value, i) => all.set([i], value), zero.broadcastTo([orders]))
  return Object.freeze({
    matches: stack(found.map((value) => value ?? zero)),
    totals: stack(totals),
    candidateLength: lengths.sum(),
    referenceLength: nearestLengths(lengths, count(inReference, 2)).sum(),
  })
}

// Whether token i of the one is token j of the other: [batch, references, i, j].
const matching = (x: Tensor, y: Tensor, inX: Tensor, inY: Tensor): Tensor =>
  x.expandDims(3).equal(y.expandDims(2)).logicalAnd(inX.expandDims(3)).logicalAnd(inY.expandDims(2))

// The same of n-grams that begin at i and j; null where texts are too short for any.
const ofOrder = (isSame: Tensor, order: number): Tensor | null => {
  const [rows, columns] = [isSame.shape[2]! - order + 1, isSame.shape[3]! - order + 1]
  if (rows < 1 || columns < 1) return null
  return Array.from({ length: order }, (_, k) =>
    isSame.at('...', `${k}:${k + rows}`, `${k}:${k + columns}`),
  ).reduce((a, b) => a.logicalAnd(b))
}

// An n-gram that was seen before k times matches if a reference has it more than k times.
const clippedMatches = (own: Tensor, others: Tensor, order: number): Tensor | null => {
  const [mine, theirs] = [ofOrder(own, order), ofOrder(others, order)]
  if (mine === null || theirs === null) return null
  const row = prims.iota('int32', mine.shape, 2)
  const isEarlier = prims.iota('int32', mine.shape, 3).less(row)
  const before = count(mine.logicalAnd(isEarlier), 3).max({ axis: 1 })
  return count(before.less(count(theirs, 3).max({ axis: 1 })))
}

// Of equally near references, the shorter.
const nearestLengths = (lengths: Tensor, references: Tensor): Tensor => {
  const gaps = references.sub(lengths).abs()
  const isNearest = gaps.equal(gaps.min({ axis: 1, keepdims: true }))
  return references.where(isNearest, Infinity).min({ axis: 1 })
}

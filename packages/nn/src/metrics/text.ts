/** Perplexity, and the overlap of generated with reference text. */
import { type Tensor, isFloat } from '@cotangent/core'
import { prims } from '@cotangent/ops'
import { softmaxCrossEntropy } from '../losses/softmaxCrossEntropy.ts'
import { type Metric, defineMetric } from './metric.ts'
import { type TotalMetric, meanOf, ofTotal, totalOf, totalWhere } from './total.ts'

export interface PerplexityOptions {
  /** Tokens with this label do not count. */
  readonly ignoreIndex?: number
}

/**
 * e^(mean cross-entropy per token): among how many equally likely tokens the model chooses. Logits
 * are `[…, tokens]`, labels integers `[…]`.
 */
export const perplexity = ({ ignoreIndex }: PerplexityOptions = {}): TotalMetric =>
  ofTotal(
    (logits, labels) => {
      if (ignoreIndex === undefined) {
        return totalOf(softmaxCrossEntropy(logits, labels, { reduction: 'none' }))
      }
      const values = softmaxCrossEntropy(logits, labels, { reduction: 'none', ignoreIndex })
      return totalWhere(values, labels.notEqual(ignoreIndex))
    },
    (total) => Math.exp(meanOf(total)),
  )

/** What BLEU counts: by the length of n-grams, from 1. */
export interface BleuCounts {
  /** n-grams of candidates that are in a reference, each at most as often as there. */
  readonly matches: readonly number[]
  /** n-grams of candidates. */
  readonly totals: readonly number[]
  readonly candidateLength: number
  /** Of the references nearest in length. */
  readonly referenceLength: number
}

export interface BleuTensors {
  /** `[orders]` each. */
  readonly matches: Tensor
  readonly totals: Tensor
  readonly candidateLength: Tensor
  readonly referenceLength: Tensor
}

export interface BleuOptions {
  /** n-grams of 1 to this many tokens; 4 by default. */
  readonly orders?: number
  /** Adds 1 to matches and totals above single tokens, so that short texts are not 0; false by default. */
  readonly smooth?: boolean
}

export interface BleuMetricOptions extends BleuOptions {
  /** The token that ends a text, and fills up after it. */
  readonly padding: number
}

const add = (a: readonly number[], b: readonly number[]): readonly number[] =>
  a.map((count, i) => count + b[i]!)

const noCounts = (orders: number): BleuCounts => {
  const zeros = Array.from({ length: orders }, () => 0)
  return { matches: zeros, totals: zeros, candidateLength: 0, referenceLength: 0 }
}

/** Counts of two sets of texts together. */
export const joinBleu = (a: BleuCounts, b: BleuCounts): BleuCounts => ({
  matches: add(a.matches, b.matches),
  totals: add(a.totals, b.totals),
  candidateLength: a.candidateLength + b.candidateLength,
  referenceLength: a.referenceLength + b.referenceLength,
})

/**
 * The geometric mean of the n-gram precisions times the brevity penalty; 0 where one of them is 0
 * (unless smoothed).
 * @see Papineni et al. 2002; Lin & Och 2004 for smoothing
 */
export const bleuScore = (counts: BleuCounts, { smooth = false }: BleuOptions = {}): number => {
  const { matches, totals, candidateLength, referenceLength } = counts
  if (candidateLength === 0) return 0
  const logs = matches.map((m, i) => {
    const extra = smooth && i > 0 ? 1 : 0
    return Math.log(m + extra) - Math.log(totals[i]! + extra)
  })
  if (!logs.every(Number.isFinite)) return 0
  const brevity = Math.min(0, 1 - referenceLength / candidateLength)
  return Math.exp(brevity + logs.reduce((a, b) => a + b, 0) / logs.length)
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

/**
 * BLEU's counts of texts that are lists of tokens (words, characters, numbers), with references of
 * each.
 * @example
 * const words = (s: string) => s.split(' ')
 * metrics.bleuScore(metrics.bleuCounts([words('the cat sat')], [[words('the cat sat')]], { orders: 2 })) // 1
 */
export const bleuCounts = (
  candidates: readonly (readonly (string | number)[])[],
  references: readonly (readonly (readonly (string | number)[])[])[],
  { orders = 4 }: BleuOptions = {},
): BleuCounts =>
  candidates
    .map((candidate, i) => countsOfText(candidate, references[i] ?? [], orders))
    .reduce(joinBleu, noCounts(orders))

type Text = readonly (string | number)[]

const countsOfText = (candidate: Text, references: readonly Text[], orders: number): BleuCounts => {
  const each = Array.from({ length: orders }, (_, i) => i + 1)
  const gap = (r: Text): number => Math.abs(r.length - candidate.length)
  const byGap = references.toSorted((a, b) => gap(a) - gap(b) || a.length - b.length)
  return {
    matches: each.map((n) => {
      const known = references.map((r) => ngrams(r, n))
      return [...ngrams(candidate, n)].reduce(
        (sum, [gram, times]) =>
          sum + Math.min(times, Math.max(0, ...known.map((grams) => grams.get(gram) ?? 0))),
        0,
      )
    }),
    totals: each.map((n) => Math.max(0, candidate.length - n + 1)),
    candidateLength: candidate.length,
    referenceLength: byGap[0]?.length ?? 0,
  }
}

const ngrams = (text: Text, n: number): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>()
  for (let i = 0; i + n <= text.length; i++) {
    const gram = JSON.stringify(text.slice(i, i + n))
    counts.set(gram, (counts.get(gram) ?? 0) + 1)
  }
  return counts
}

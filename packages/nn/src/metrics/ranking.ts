/** How well scores tell positives from negatives, over all thresholds. */
import { IndexError, type Tensor, fill } from '@cotangent/core'
import { nnFunctions, segmentSum } from '@cotangent/ops'
import { type Metric, defineMetric } from './metric.ts'

/** Positives and negatives of equal score; groups go from the highest score down. */
export interface ScoreGroup {
  readonly positives: number
  readonly negatives: number
}

const positivesIn = (groups: readonly ScoreGroup[]): number =>
  groups.reduce((n, g) => n + g.positives, 0)
const negativesIn = (groups: readonly ScoreGroup[]): number =>
  groups.reduce((n, g) => n + g.negatives, 0)

/** The share of pairs whose positive is above the negative, ties counting half: the area under the ROC curve. */
const areaUnderRoc = (groups: readonly ScoreGroup[]): number => {
  let [above, area] = [0, 0]
  for (const { positives, negatives } of groups) {
    area += negatives * (above + positives / 2)
    above += positives
  }
  return area / (positivesIn(groups) * negativesIn(groups))
}

/** Σ precision · gain of recall, group by group. */
const averagePrecisionOf = (groups: readonly ScoreGroup[]): number => {
  let [hits, taken, total] = [0, 0, 0]
  for (const { positives, negatives } of groups) {
    hits += positives
    taken += positives + negatives
    if (positives > 0) total += (positives * hits) / taken
  }
  return total / hits
}

/** Counts of scores by bin, from 0 up. */
export interface ScoreHistogram {
  readonly positives: readonly number[]
  readonly negatives: readonly number[]
}

export interface HistogramTensors {
  /** `[bins]` */
  readonly positives: Tensor
  readonly negatives: Tensor
}

export interface ScoreHistogramOptions {
  /** How many equal parts of [0, 1]; 1024 by default. */
  readonly bins?: number
  /** Scores are logits, and go through the sigmoid first; false by default. */
  readonly fromLogits?: boolean
}

export type HistogramMetric = Metric<Tensor, Tensor, HistogramTensors, ScoreHistogram>

const add = (a: readonly number[], b: readonly number[]): readonly number[] =>
  a.map((count, i) => count + b[i]!)

const ofHistogram = (
  value: (groups: readonly ScoreGroup[]) => number,
  { bins = 1024, fromLogits = false }: ScoreHistogramOptions,
): HistogramMetric => {
  if (!Number.isInteger(bins) || bins < 1) throw noBins(bins)
  const none = Array.from({ length: bins }, () => 0)
  return defineMetric({
    measure: (scores: Tensor, labels: Tensor) => {
      const flat = (fromLogits ? nnFunctions.sigmoid(scores) : scores).ravel()
      const bin = flat
        .mul(bins)
        .floor()
        .clip(0, bins - 1)
        .astype('int32')
      const isPositive = labels.ravel().notEqual(0)
      const ones = fill(flat.shape, 1, 'float32')
      const count = (mask: Tensor): Tensor =>
        segmentSum(ones.where(mask, 0), bin, { numSegments: bins })
      return Object.freeze({
        positives: count(isPositive),
        negatives: count(isPositive.logicalNot()),
      })
    },
    empty: { positives: none, negatives: none },
    concat: (a: ScoreHistogram, b: ScoreHistogram) => ({
      positives: add(a.positives, b.positives),
      negatives: add(a.negatives, b.negatives),
    }),
    read: ({ positives, negatives }: HistogramTensors) => ({
      positives: [...positives.data()],
      negatives: [...negatives.data()],
    }),
    value: (histogram) => value(groupsOf(histogram)),
  })
}

const groupsOf = ({ positives, negatives }: ScoreHistogram): readonly ScoreGroup[] =>
  positives.map((n, i) => ({ positives: n, negatives: negatives[i]! })).toReversed()

const noBins = (bins: number): IndexError =>
  new IndexError({
    operation: 'metrics.auc',
    problem: 'the number of bins is out of range',
    got: String(bins),
    want: 'a positive integer',
    fix: 'leave it out for 1024',
  })

/**
 * The area under the ROC curve of scores in [0, 1] (clipped to it) against labels 0 or 1, from a
 * histogram: its summary has one size however many examples there are. Scores in one bin count as tied,
 * so the value is off by at most `aucError(summary)`, which is small unless scores crowd into
 * few bins; `exactAuc` has no such error. NaN without positives or without negatives.
 */
export const auc = (options: ScoreHistogramOptions = {}): HistogramMetric =>
  ofHistogram(areaUnderRoc, options)

/** How far the histogram's area can be from the exact one: half the share of pairs within one bin. */
export const aucError = (histogram: ScoreHistogram): number => {
  const groups = groupsOf(histogram)
  const tied = groups.reduce((n, g) => n + g.positives * g.negatives, 0)
  return tied / 2 / (positivesIn(groups) * negativesIn(groups))
}

/**
 * Σ precision · gain of recall over falling thresholds, from a histogram as in `auc`: scores in one
 * bin count as tied. `exactAveragePrecision` is exact. NaN without positives.
 */
export const averagePrecision = (options: ScoreHistogramOptions = {}): HistogramMetric =>
  ofHistogram(averagePrecisionOf, options)

/** Scores of one batch with their labels. */
export interface ScoreChunk {
  readonly scores: ArrayLike<number>
  readonly isPositive: ArrayLike<number>
}

export interface ScoreTensors {
  readonly scores: Tensor
  readonly isPositive: Tensor
}

export type ExactMetric = Metric<Tensor, Tensor, ScoreTensors, readonly ScoreChunk[]>

const ofScores = (value: (groups: readonly ScoreGroup[]) => number): ExactMetric =>
  defineMetric({
    measure: (scores: Tensor, labels: Tensor) =>
      Object.freeze({ scores: scores.ravel(), isPositive: labels.ravel().notEqual(0) }),
    empty: [],
    concat: (a: readonly ScoreChunk[], b: readonly ScoreChunk[]) => [...a, ...b],
    read: ({ scores, isPositive }: ScoreTensors) => [
      { scores: scores.data(), isPositive: isPositive.data() },
    ],
    value: (chunks) => value(sortedGroups(chunks)),
  })

const sortedGroups = (chunks: readonly ScoreChunk[]): readonly ScoreGroup[] => {
  const pairs = chunks.flatMap(({ scores, isPositive }) =>
    Array.from(scores, (score, i): readonly [number, number] => [score, isPositive[i]!]),
  )
  pairs.sort(([a], [b]) => b - a)
  const groups: { positives: number; negatives: number }[] = []
  let last = Number.NaN
  for (const [score, positive] of pairs) {
    if (score !== last) groups.push({ positives: 0, negatives: 0 })
    last = score
    const group = groups[groups.length - 1]!
    if (positive === 0) group.negatives++
    else group.positives++
  }
  return groups
}

/**
 * The area under the ROC curve of any scores against labels 0 or 1, exact: the share of pairs of a
 * positive and a negative in which the positive scores higher, ties counting half. Its summary keeps
 * every score, and its value sorts them: for evaluation rather than for every step of training.
 * @see Hanley & McNeil 1982
 */
export const exactAuc: ExactMetric = ofScores(areaUnderRoc)

/** Σ precision · gain of recall over falling thresholds, exact; keeps every score, as `exactAuc`. */
export const exactAveragePrecision: ExactMetric = ofScores(averagePrecisionOf)

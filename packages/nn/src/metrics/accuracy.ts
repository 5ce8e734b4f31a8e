/** How often the right class is found. */
import { IndexError, type Tensor } from '@cotangent/core'
import { prims } from '@cotangent/ops'
import { type TotalMetric, ofTotal, totalOf, totalWhere } from './total.ts'

/**
 * How many of the largest logits (classes on the last axis) are at the integer label. One-hot
 * labels, of the shape of the logits, count too.
 * @example
 * metrics.meanOf(metrics.readTotal(metrics.accuracy(logits, labels))) // 0.93
 */
export const accuracy: TotalMetric = ofTotal((logits, labels) =>
  totalOf(logits.argmax({ axis: -1 }).equal(classesOf(logits, labels))),
)

const classesOf = (logits: Tensor, labels: Tensor): Tensor =>
  labels.ndim === logits.ndim ? labels.argmax({ axis: -1 }) : labels

export interface BinaryAccuracyOptions {
  /** Scores above it mean yes; 0 (for logits) by default. */
  readonly threshold?: number
}

/** How many scores are on the side of the threshold that their label, 0 or 1, says. */
export const binaryAccuracy = ({ threshold = 0 }: BinaryAccuracyOptions = {}): TotalMetric =>
  ofTotal((scores, labels) => totalOf(scores.greater(threshold).equal(labels.notEqual(0))))

export interface TopKOptions {
  /** Examples with this label do not count. */
  readonly ignoreIndex?: number
}

/**
 * How many labels (integers, or one-hot) are among the `k` largest logits; of equal logits, that of the
 * lower class is the larger.
 * @throws IndexError unless `k` is a positive integer.
 */
export const topK = (k: number, { ignoreIndex }: TopKOptions = {}): TotalMetric => {
  if (!Number.isInteger(k) || k < 1) {
    throw new IndexError({
      operation: 'metrics.topK',
      problem: 'k is out of range',
      got: String(k),
      want: 'a positive integer',
      fix: 'say how many of the largest logits may hold the label',
    })
  }
  return ofTotal((logits, labels) => {
    const classes = classesOf(logits, labels).astype('int32')
    const axis = logits.ndim - 1
    const index = prims.iota('int32', logits.shape, axis)
    const wanted = classes.expandDims(axis)
    const right = logits.where(index.equal(wanted), -Infinity).max({ axis, keepdims: true })
    const isAhead = logits
      .greater(right)
      .logicalOr(logits.equal(right).logicalAnd(index.less(wanted)))
    const isFound = isAhead.astype('int32').sum({ axis }).less(k)
    return ignoreIndex === undefined
      ? totalOf(isFound)
      : totalWhere(isFound, classes.notEqual(ignoreIndex))
  })
}

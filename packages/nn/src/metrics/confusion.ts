/** Which classes are taken for which. */
import { IndexError, type Tensor, isFloat } from '@cotangent/core'
import { nnFunctions } from '@cotangent/ops'
import { type Metric, type Summarizer, defineMetric, defineSummarizer } from './metric.ts'

/** Counts: rows are the true classes, columns the predicted ones. */
export type ConfusionMatrix = readonly (readonly number[])[]

export interface ConfusionTensors {
  /** `[classes, classes]` */
  readonly counts: Tensor
}

export interface ConfusionOptions {
  /** How many there are; 2 by default. */
  readonly classes?: number
  /** For outputs that are scores of class 1, one an example: above it, class 1 is predicted. */
  readonly threshold?: number
  /** Examples with this label do not count. */
  readonly ignoreIndex?: number
}

/**
 * The confusion matrix, of counts. Outputs are logits `[…, classes]`, predicted classes (integers of
 * the labels' shape), or scores with a `threshold`; labels are integers, or one-hot where outputs are logits.
 * Labels and predictions outside the classes are not counted.
 * @throws IndexError unless `classes` is at least 2.
 * @example
 * const matrix = metrics.confusionMatrix({ classes: 2 })
 * matrix.read(matrix(tensor([[2, 1], [0, 1]]), tensor([0, 0], { dtype: 'int32' }))) // [[1, 1], [0, 0]]
 */
export const confusionMatrix = (
  options: ConfusionOptions = {},
): Summarizer<Tensor, Tensor, ConfusionTensors, ConfusionMatrix> => defineSummarizer(parts(options))

interface Parts {
  readonly measure: (output: Tensor, target: Tensor) => ConfusionTensors
  readonly empty: ConfusionMatrix
  readonly concat: (a: ConfusionMatrix, b: ConfusionMatrix) => ConfusionMatrix
  readonly read: (measured: ConfusionTensors) => ConfusionMatrix
}

const parts = ({ classes = 2, threshold, ignoreIndex }: ConfusionOptions): Parts => {
  if (!Number.isInteger(classes) || classes < 2) throw tooFew(classes)
  return {
    measure: (output, target) => {
      const [predicted, labels] = classPairs(output, target, threshold)
      const known = ignoreIndex === undefined ? labels : ignoring(labels, ignoreIndex)
      const rows = nnFunctions.oneHot(known.ravel(), classes)
      const columns = nnFunctions.oneHot(predicted.ravel(), classes)
      return Object.freeze({ counts: rows.T.matmul(columns) })
    },
    empty: Array.from({ length: classes }, () => Array.from({ length: classes }, () => 0)),
    concat: (a, b) => a.map((row, i) => row.map((count, j) => count + b[i]![j]!)),
    read: ({ counts }) => rowsOf(counts.data(), classes),
  }
}

// One-hot rows of a class outside are zeros.
const ignoring = (labels: Tensor, ignored: number): Tensor =>
  labels.where(labels.notEqual(ignored), -1)

const classPairs = (
  output: Tensor,
  target: Tensor,
  threshold: number | undefined,
): readonly [Tensor, Tensor] => {
  const labels = (): Tensor => target.astype('int32')
  if (threshold !== undefined) return [output.greater(threshold).astype('int32'), labels()]
  if (!isFloat(output.dtype)) return [output.astype('int32'), labels()]
  const predicted = output.argmax({ axis: -1 }).astype('int32')
  return [predicted, target.ndim === output.ndim ? target.argmax({ axis: -1 }) : labels()]
}

const rowsOf = (counts: ArrayLike<number>, classes: number): ConfusionMatrix =>
  Array.from({ length: classes }, (_, i) =>
    Array.from({ length: classes }, (_unused, j) => counts[i * classes + j]!),
  )

const tooFew = (classes: number): IndexError =>
  new IndexError({
    operation: 'metrics.confusionMatrix',
    problem: 'the number of classes is out of range',
    got: String(classes),
    want: 'an integer of at least 2',
    fix: 'say how many classes there are',
  })

/** A metric from a function of the confusion matrix. */
export type ConfusionMetric = Metric<Tensor, Tensor, ConfusionTensors, ConfusionMatrix>

export const ofConfusion = (
  value: (matrix: ConfusionMatrix) => number,
  options: ConfusionOptions = {},
): ConfusionMetric => defineMetric({ ...parts(options), value })

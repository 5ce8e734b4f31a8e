/** Precision, recall and their relatives: figures of a confusion matrix. */
import {
  type ConfusionMatrix,
  type ConfusionMetric,
  type ConfusionOptions,
  ofConfusion,
} from './confusion.ts'

/**
 * Of one class (`binary`); of all decisions together (`micro`); the mean over the classes that occur
 * (`macro`), or weighted by how often they are true (`weighted`).
 */
export type Averaging = 'binary' | 'micro' | 'macro' | 'weighted'

export interface ClassScoreOptions extends ConfusionOptions {
  /** `binary` for two classes, `macro` for more. */
  readonly average?: Averaging
  /** The class that `binary` is about; 1 by default. */
  readonly positive?: number
}

export interface FBetaOptions extends ClassScoreOptions {
  /** How many times recall counts as much as precision; 1 by default. */
  readonly beta?: number
}

interface Decisions {
  readonly hits: number
  readonly falseAlarms: number
  readonly misses: number
}

type Score = (decisions: Decisions) => number

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0)
// Nothing of nothing scores 0.
const ratio = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole)

const decisionsOf = (matrix: ConfusionMatrix): readonly Decisions[] =>
  matrix.map((row, i) => ({
    hits: row[i]!,
    falseAlarms: sum(matrix.map((r) => r[i]!)) - row[i]!,
    misses: sum(row) - row[i]!,
  }))

const scored = (score: Score, options: ClassScoreOptions): ConfusionMetric => {
  const { classes = 2, positive = 1 } = options
  const average = options.average ?? (classes === 2 ? 'binary' : 'macro')
  return ofConfusion((matrix) => averageOf(decisionsOf(matrix), score, average, positive), options)
}

const averageOf = (
  all: readonly Decisions[],
  score: Score,
  average: Averaging,
  positive: number,
): number => {
  switch (average) {
    case 'binary': {
      const own = all[positive]
      return own === undefined ? Number.NaN : score(own)
    }
    case 'micro':
      return score({
        hits: sum(all.map((d) => d.hits)),
        falseAlarms: sum(all.map((d) => d.falseAlarms)),
        misses: sum(all.map((d) => d.misses)),
      })
    case 'macro': {
      const present = all.filter((d) => d.hits + d.falseAlarms + d.misses > 0)
      return sum(present.map(score)) / present.length
    }
    case 'weighted': {
      const support = (d: Decisions): number => d.hits + d.misses
      return sum(all.map((d) => score(d) * support(d))) / sum(all.map(support))
    }
    default:
      return average satisfies never
  }
}

/**
 * Of what was predicted, the share that is right: hits / (hits + false alarms); 0 where nothing was.
 * @example
 * train.evaluate({ …, metrics: { precision: metrics.precision({ classes: 10, average: 'macro' }) } })
 */
export const precision = (options: ClassScoreOptions = {}): ConfusionMetric =>
  scored(({ hits, falseAlarms }) => ratio(hits, hits + falseAlarms), options)

/** Of what is true, the share that was predicted: hits / (hits + misses); 0 where nothing is. */
export const recall = (options: ClassScoreOptions = {}): ConfusionMetric =>
  scored(({ hits, misses }) => ratio(hits, hits + misses), options)

/** (1 + β²) P R / (β² P + R), of precision and recall. @see van Rijsbergen 1979 */
export const fBeta = ({ beta = 1, ...options }: FBetaOptions = {}): ConfusionMetric =>
  scored(({ hits, falseAlarms, misses }) => {
    const weighted = (1 + beta * beta) * hits
    return ratio(weighted, weighted + beta * beta * misses + falseAlarms)
  }, options)

/** The harmonic mean of precision and recall: 2 hits / (2 hits + false alarms + misses). */
export const f1 = (options: ClassScoreOptions = {}): ConfusionMetric => fBeta(options)

/** Intersection over union, hits / (hits + false alarms + misses), the mean over classes that occur. */
export const meanIoU = (options: ClassScoreOptions = {}): ConfusionMetric =>
  scored(({ hits, falseAlarms, misses }) => ratio(hits, hits + falseAlarms + misses), {
    average: 'macro',
    ...options,
  })

/** The mean recall of the classes: accuracy where all are equally frequent. */
export const balancedAccuracy = (options: ConfusionOptions = {}): ConfusionMetric =>
  ofConfusion((matrix) => {
    const present = decisionsOf(matrix).filter(({ hits, misses }) => hits + misses > 0)
    return sum(present.map(({ hits, misses }) => hits / (hits + misses))) / present.length
  }, options)

/**
 * The correlation of predicted and true classes, from −1 to 1; 0 where one of them never varies.
 * @see Matthews 1975; Gorodkin 2004 for more than two classes
 */
export const matthews = (options: ConfusionOptions = {}): ConfusionMetric =>
  ofConfusion((matrix) => {
    const truths = matrix.map(sum)
    const guesses = matrix.map((_, i) => sum(matrix.map((row) => row[i]!)))
    const count = sum(truths)
    const hits = sum(matrix.map((row, i) => row[i]!))
    const square = (values: readonly number[]): number => sum(values.map((v) => v * v))
    const covariance = hits * count - sum(truths.map((t, i) => t * guesses[i]!))
    const spread = (count ** 2 - square(guesses)) * (count ** 2 - square(truths))
    return ratio(covariance, Math.sqrt(spread))
  }, options)

/** Agreement beyond chance, from −1 to 1. @see Cohen 1960 */
export const cohenKappa = (options: ConfusionOptions = {}): ConfusionMetric =>
  ofConfusion((matrix) => {
    const count = sum(matrix.map(sum))
    const seen = sum(matrix.map((row, i) => row[i]!)) / count
    const chance =
      sum(matrix.map((row, i) => sum(row) * sum(matrix.map((r) => r[i]!)))) / count ** 2
    return ratio(seen - chance, 1 - chance)
  }, options)

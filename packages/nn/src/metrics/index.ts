/** Metrics: what batches measure, as monoids, so that batches, epochs and devices combine the same way. */
export * from './accuracy.ts'
export * from './bleu.ts'
export {
  type BleuCounts,
  type BleuOptions,
  bleuCounts,
  bleuScore,
  joinBleu,
} from './bleuCounts.ts'
export * from './classScores.ts'
export * from './confusion.ts'
export * from './metric.ts'
export * from './perplexity.ts'
export * from './ranking.ts'
export * from './regression.ts'
export {
  type Total,
  type TotalMetric,
  type TotalTensors,
  averaged,
  meanOf,
  ofTotal,
  readTotal,
  totalMonoid,
} from './total.ts'

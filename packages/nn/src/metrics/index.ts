/** Metrics: what batches measure, as monoids, so that batches, epochs and devices combine the same way. */
export * from './accuracy.ts'
export * from './classScores.ts'
export * from './confusion.ts'
export * from './metric.ts'
export * from './ranking.ts'
export * from './regression.ts'
export * from './text.ts'
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

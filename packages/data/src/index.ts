/** `@cotangent/data`: sources, file formats and lazy input pipelines. */
export { type DataError, explain } from './errors.ts'
export {
  type IdxArray,
  type IdxDType,
  type IdxOptions,
  decodeIdx,
  encodeIdx,
  idx,
} from './formats/idx.ts'
export type { RowOf } from './pipeline/columns.ts'
export { type BatchOptions, Dataset, type Fold, epochs, shuffledFor } from './pipeline/dataset.ts'
export { fromArrays } from './pipeline/fromArrays.ts'
export type { Batched, Rows } from './pipeline/rows.ts'
export type { Padding } from './pipeline/stack.ts'
export { Stream } from './pipeline/stream.ts'
export type { KeyLike } from './random/key.ts'
export { type DigitsOptions, digits } from './sources/digits.ts'
export type { LabelledImage, TrainTest } from './sources/images.ts'
export { mnist } from './sources/mnist.ts'
export {
  type LabelledPoint,
  type PointsOptions,
  circles,
  moons,
  spirals,
  xor,
} from './sources/points.ts'

/** Batches of images, in a fresh order for every epoch. */
import type { Tensor } from '@cotangent/core'
import type { Dataset, LabelledImage } from '@cotangent/data'
import { random } from '@cotangent/ops'

export interface ImageBatch {
  /** `[batch, 1, 28, 28]`, 0 … 1. */
  readonly x: Tensor
  /** Classes `[batch]`, int32. */
  readonly y: Tensor
}

const named = ({
  image,
  label,
}: {
  readonly image: Tensor
  readonly label: Tensor
}): ImageBatch => ({
  x: image,
  y: label,
})

/** The training batches of an epoch (from 0), shuffled by the key and the epoch; full ones only. */
export const trainingBatches =
  (set: Dataset<LabelledImage>, size: number, key: Tensor) =>
  (epoch: number): Iterable<ImageBatch> =>
    set.shuffle(random.foldIn(key, epoch)).batch(size, { dropRemainder: true }).map(named)

/** All examples in order. */
export const testBatches = (set: Dataset<LabelledImage>, size: number): Iterable<ImageBatch> =>
  set.batch(size).map(named)
